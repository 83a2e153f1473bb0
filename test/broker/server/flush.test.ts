// Where acknowledgements do not wait for fsync, log.flush.interval.messages and log.flush.interval.ms say when there is one all the same.

import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import { batchOf } from '../log/batches.ts'

/** How many of `batches` batches of two records, a second apart, are there after a crash that takes all that was not synced. */
async function survivors(batches: number, settings: Record<string, string>, flush: 'os' | 'fsync' = 'os'): Promise<number> {
  const disk = new MemoryDisk()
  const clock = new VirtualClock(1000)
  const broker = await startBroker({ disk, clock, flush, settings })
  const channel = broker.connect()
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] })
  for (let i = 0; i < batches; i++) {
    const records = batchOf([{ key: null, value: `a${i}`, timestamp: 1 }, { key: null, value: `b${i}`, timestamp: 1 }])
    const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
    clock.advance(1000)
    for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
  }
  const crashed = disk.crash(({ synced }) => ({ keep: synced, zeros: 0 }))
  const again = await startBroker({ disk: crashed, clock })
  const { topics } = await again.connect().request('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })
  await again.close()
  return topics[0]!.partitions[0]!.offset
}

test.each([
  ['nothing is synced', {}, 0],
  ['every batch is', { 'log.flush.interval.messages': '1' }, 10],
  ['every second one is', { 'log.flush.interval.messages': '4' }, 8],
  ['those of more than two seconds ago are', { 'log.flush.interval.ms': '2000' }, 8],
  ['a long time is none', { 'log.flush.interval.ms': '9223372036854775807' }, 0],
])('%s', async (_, settings, offset) => {
  expect(await survivors(5, settings)).toBe(offset)
})

test('where acknowledgements wait for fsync nothing is lost, whatever is set', async () => {
  expect(await survivors(3, { 'log.flush.interval.messages': '100' }, 'fsync')).toBe(6)
})
