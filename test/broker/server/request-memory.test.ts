// Many producers with more on its way than the broker takes at a time: they wait their turn, and nobody is cut off.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import { systemClock } from '../../../core/clock.ts'
import { batchOf } from '../log/batches.ts'

test('produced batches that are more than queued.max.request.bytes together are all taken', async () => {
  const disk = new MemoryDisk()
  const broker = await startBroker({ disk, listen: '127.0.0.1:0', settings: { 'queued.max.request.bytes': 16 * 1024 * 1024 } })
  const { host, port } = broker.address!
  const channels = await Promise.all(Array.from({ length: 20 }, () => connectTcpChannel({ host, port, clock: systemClock, clientId: 'test' })))
  await channels[0]!.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
  let sync = (): void => {}
  disk.syncGate = new Promise(resolve => (sync = resolve))
  const producing = Promise.all(channels.flatMap(channel => Array.from({ length: 5 }, () => {
    const records = batchOf([{ key: 'k', value: 'v'.repeat(500_000), timestamp: 1 }])
    return channel.request('Produce', { acks: -1, timeoutMs: 60_000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  })))
  const appended = (): number => [...broker.metrics().find(({ name }) => name === 'millrace_topic_in_bytes')!.samples].find(({ labels }) => labels['topic'] === 't')!.value as number
  while (appended() < 16 * 1024 * 1024) await setImmediate()
  // All that would still be read is read in so many turns of the event loop.
  for (let turn = 0; turn < 500; turn++) await setImmediate()
  expect(appended()).toBeLessThan(32 * 1024 * 1024)
  disk.syncGate = null
  sync()
  const answers = await producing
  expect(answers.map(({ responses }) => responses[0]!.partitionResponses[0]!.errorCode)).toEqual(answers.map(() => 0))
  for (const channel of channels) channel.close()
  await broker.close()
})
