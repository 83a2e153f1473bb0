// What a broker does by itself as time goes by.

import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { batchOf, recordsOf, type TestRecord } from '../log/batches.ts'

const open: Broker[] = []
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

async function start(configs: Record<string, string>): Promise<{ clock: VirtualClock; channel: Channel }> {
  const clock = new VirtualClock(1_000_000)
  const broker = await startBroker({ memory: true, clock, settings: { 'log.cleaner.backoff.ms': 1000, 'log.retention.check.interval.ms': 1000 } })
  open.push(broker)
  const channel = broker.connect()
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }] })
  return { clock, channel }
}

async function produce(channel: Channel, record: TestRecord): Promise<void> {
  await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([record]) }] }] }, { version: 11 })
}

async function read(channel: Channel): Promise<readonly (readonly [number, string | null])[]> {
  const { topics } = await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -2 }] }] })
  const { responses } = await channel.request('Fetch', {
    maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: topics[0]!.partitions[0]!.offset, partitionMaxBytes: 1e6 }] }],
  }, { version: 11 })
  // Segments are read one at a time; these logs are short enough for one.
  return recordsOf(responses[0]!.partitions[0]!.records!).map(({ offset, value }) => [offset, value])
}

/** Turns of the event loop, in which chores are done. */
async function turns(): Promise<void> {
  for (let i = 0; i < 30; i++) await new Promise(resolve => setImmediate(resolve))
}

test('old records are deleted', async () => {
  const { clock, channel } = await start({ 'retention.ms': '5000' })
  await produce(channel, { key: null, value: 'old', timestamp: clock.now() })
  clock.advance(3000)
  await turns()
  expect(await read(channel)).toEqual([[0, 'old']])
  clock.advance(3000)
  await turns()
  expect(await read(channel)).toEqual([])
  await produce(channel, { key: null, value: 'new', timestamp: clock.now() })
  expect(await read(channel)).toEqual([[1, 'new']])
})

test('a compacted topic keeps the last record of each key', async () => {
  const { clock, channel } = await start({ 'cleanup.policy': 'compact', 'segment.bytes': '200', 'min.cleanable.dirty.ratio': '0.1' })
  for (let i = 0; i < 9; i++) await produce(channel, { key: `k${i % 2}`, value: String(i), timestamp: clock.now() })
  clock.advance(1000)
  await turns()
  expect(await read(channel)).toEqual([[6, '6'], [7, '7']])
})
