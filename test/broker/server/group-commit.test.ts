// Group commit: while the disk makes one thing durable, all that arrives shares the next sync; nobody syncs for oneself.

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { slowDisk } from '../disk/slow-disk.ts'
import { batchOf } from '../log/batches.ts'

/** While it holds, syncs of the topic's logs wait until they are let go, all that are under way at once. */
class HeldSyncs {
  begun = 0
  holds = false
  #letGo: (() => void)[] = []

  get isOpen(): Promise<void> {
    if (!this.holds) return Promise.resolve()
    this.begun++
    return new Promise(resolve => this.#letGo.push(resolve))
  }

  letGo(): void {
    for (const letGo of this.#letGo.splice(0)) letGo()
  }
}

const clients = 50

async function produce(channel: Channel, index: number): Promise<void> {
  const records = batchOf([{ key: null, value: 'one', timestamp: 1 }])
  const { responses } = await channel.request('Produce', { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData: [{ name: 'small', partitionData: [{ index, records }] }] }, { version: 9 })
  expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0 })
}

/** All that the event loop has to do now. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await new Promise(resolve => setImmediate(resolve))
}

test.each([1, 6])('50 clients that wait for one record each, to %i partitions: a sync of what came first, and one for all the others', async partitions => {
  const syncs = new HeldSyncs()
  await using broker = await startBroker({ disk: slowDisk(new MemoryDisk(), path => /^small-.*\.log$/.test(path), syncs) })
  const channels = Array.from({ length: clients }, () => broker.connect())
  await channels[0]!.request('CreateTopics', { topics: [{ name: 'small', numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }], timeoutMs: 1000 }, { version: 5 })
  for (let index = 0; index < partitions; index++) await produce(channels[0]!, index)
  syncs.holds = true
  const rounds = 5
  for (let round = 0; round < rounds; round++) {
    const answers: Promise<void>[] = []
    // One after the other, as they come off sockets.
    for (const [number, channel] of channels.entries()) {
      answers.push(produce(channel, number % partitions))
      await settle()
    }
    expect(syncs.begun).toBe(partitions * (2 * round + 1))
    syncs.letGo()
    await settle()
    expect(syncs.begun).toBe(partitions * (2 * round + 2))
    syncs.letGo()
    await Promise.all(answers)
  }
  expect(syncs.begun).toBe(partitions * 2 * rounds)
  syncs.holds = false
})
