// What the settings of a topic do, one by one, as a client sees it or the disk shows it.

import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { batchOf, recordsOf, type ReadRecord, type TestRecord } from '../log/batches.ts'

const begun = 1_000_000_000
const open: Broker[] = []
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

interface World {
  readonly clock: VirtualClock
  readonly disk: MemoryDisk
  readonly channel: Channel
}

async function start(configs: Record<string, string>, settings: Record<string, string> = {}): Promise<World> {
  const clock = new VirtualClock(begun)
  const disk = new MemoryDisk()
  const broker = await startBroker({ disk, clock, settings: { 'log.cleaner.backoff.ms': 1000, 'log.retention.check.interval.ms': 1000, ...settings } })
  open.push(broker)
  // A session that is not trusted would come over TCP: the pipe's is, so that batches are checked as far as the topic needs.
  const channel = broker.connect()
  const { topics } = await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }] })
  expect(errorNameOf(topics[0]!.errorCode)).toBe('NONE')
  return { clock, disk, channel }
}

async function produce(channel: Channel, records: readonly TestRecord[], index = 0, codec = 0) {
  const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index, records: batchOf(records, { codec }) }] }] }, { version: 11 })
  const answer = responses[0]!.partitionResponses[0]!
  return { ...answer, error: errorNameOf(answer.errorCode), blamed: answer.recordErrors.map(({ batchIndex }) => batchIndex) }
}

/** The batches of a partition from its log's start on. */
async function fetch(channel: Channel, partition = 0): Promise<Buffer> {
  const { topics } = await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: partition, timestamp: -2 }] }] })
  const batches: Buffer[] = []
  for (let fetchOffset = topics[0]!.partitions[0]!.offset; ; ) {
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition, fetchOffset, partitionMaxBytes: 1e6 }] }] }, { version: 11 })
    const records = Buffer.from(responses[0]!.partitions[0]!.records!)
    if (records.length === 0) return Buffer.concat(batches)
    batches.push(records)
    fetchOffset = recordsOf(records).at(-1)!.offset + 1
  }
}

async function valuesOf(channel: Channel): Promise<readonly ReadRecord['value'][]> {
  return recordsOf(await fetch(channel)).map(({ value }) => value)
}

/** Chores are done in turns of the event loop. */
async function pass(clock: VirtualClock, ms: number): Promise<void> {
  clock.advance(ms)
  for (let i = 0; i < 60; i++) await new Promise(resolve => setImmediate(resolve))
}

function segmentsOf(disk: MemoryDisk, partition = 0): readonly string[] {
  return disk.list(`t-${partition}`).filter(name => name.endsWith('.log'))
}

/** Nine records of two keys in segments of one or two. */
async function keyed({ channel, clock }: World): Promise<void> {
  for (let i = 0; i < 9; i++) await produce(channel, [{ key: `k${i % 2}`, value: String(i), timestamp: clock.now() }])
}

const compact = { 'cleanup.policy': 'compact', 'segment.bytes': '150', 'min.cleanable.dirty.ratio': '0.1' }

test('min.compaction.lag.ms: what is younger is not compacted', async () => {
  const world = await start({ ...compact, 'min.compaction.lag.ms': '5000' })
  await keyed(world)
  await pass(world.clock, 3000)
  expect((await valuesOf(world.channel)).length).toBe(9)
  await pass(world.clock, 3000)
  expect((await valuesOf(world.channel)).length).toBeLessThan(4)
})

test('max.compaction.lag.ms: what is older is compacted though little is dirty, and in time a new segment begins', async () => {
  const world = await start({ 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '5000' })
  await keyed(world)
  await pass(world.clock, 3000)
  expect((await valuesOf(world.channel)).length).toBe(9)
  await pass(world.clock, 3000)
  await produce(world.channel, [{ key: 'k9', value: 'later', timestamp: world.clock.now() }])
  expect(segmentsOf(world.disk).length).toBe(2)
  await pass(world.clock, 3000)
  expect(await valuesOf(world.channel)).toEqual(['7', '8', 'later'])
})

test('retention.bytes: the oldest segments go while the rest is enough', async () => {
  const { channel, clock, disk } = await start({ 'retention.bytes': '400', 'segment.bytes': '200' })
  for (let i = 0; i < 12; i++) await produce(channel, [{ key: null, value: `${i}${'x'.repeat(30)}`, timestamp: clock.now() }])
  await pass(clock, 2000)
  const bytes = segmentsOf(disk).map(name => disk.size(`t-0/${name}`)!)
  const sum = bytes.reduce((sum, size) => sum + size, 0)
  expect(sum).toBeGreaterThanOrEqual(400)
  expect(sum - bytes[0]!).toBeLessThan(400)
  expect((await valuesOf(channel)).at(-1)).toMatch(/^11x/)
})

test('index.interval.bytes: a smaller one makes a larger index', async () => {
  const sizes: number[] = []
  for (const interval of ['200', '1000']) {
    const { channel, clock, disk } = await start({ 'index.interval.bytes': interval, 'segment.bytes': '5000' })
    for (let i = 0; i < 60; i++) await produce(channel, [{ key: null, value: 'x'.repeat(50), timestamp: clock.now() + i }])
    sizes.push(disk.size('t-0/00000000000000000000.index')!)
  }
  expect(sizes[0]).toBeGreaterThan(3 * sizes[1]!)
})

test('segment.ms and segment.jitter.ms: segments end by time, not all at once', async () => {
  const { channel, clock, disk } = await start({ 'segment.ms': '10000', 'segment.jitter.ms': '9000' })
  const begins: number[] = []
  for (const partition of [0, 1]) {
    for (let second = 0; segmentsOf(disk, partition).length < 2; second++) {
      begins[partition] = second
      await produce(channel, [{ key: null, value: 'v', timestamp: clock.now() + second * 1000 }], partition)
    }
  }
  expect(Math.max(...begins)).toBeLessThanOrEqual(11)
  expect(begins[0]).not.toBe(begins[1])
})

test('message.timestamp.type=LogAppendTime: the broker says when, to the producer too', async () => {
  const { channel } = await start({ 'message.timestamp.type': 'LogAppendTime', 'message.timestamp.before.max.ms': '1' })
  const { error, logAppendTimeMs } = await produce(channel, [{ key: null, value: 'a', timestamp: 5 }, { key: null, value: 'b', timestamp: 7 }])
  expect([error, logAppendTimeMs]).toEqual(['NONE', begun])
  const batch = await fetch(channel)
  expect(new RecordBatchHeader(batch).problem(batch.length)).toBe(null)
  expect(recordsOf(batch).map(({ timestamp }) => timestamp)).toEqual([begun, begun])
})

test.each([0, 1, 2, 3])('compression %i: of a compacted topic each record without a key is named, and those with a bad time', async codec => {
  const { channel, clock } = await start({ 'cleanup.policy': 'compact', 'message.timestamp.before.max.ms': '1000', 'message.timestamp.after.max.ms': '1000' })
  const now = clock.now()
  const at = (key: string | null, timestamp: number): TestRecord => ({ key, value: 'some value that is long enough', timestamp })
  expect(await produce(channel, [at('k', now), at(null, now), at('k', now), at(null, now)], 0, codec)).toMatchObject({ error: 'INVALID_RECORD', blamed: [1, 3] })
  expect(await produce(channel, [at('k', now), at('k', now - 1001), at('k', now - 1000), at('k', now + 1001)], 0, codec)).toMatchObject({ error: 'INVALID_TIMESTAMP', blamed: [1, 3] })
  expect(await produce(channel, [at('k', now - 5000), at(null, now - 5000), at('k', now)], 0, codec)).toMatchObject({ error: 'INVALID_TIMESTAMP', blamed: [0, 1] })
  expect(await produce(channel, [at('k', now), at('k', now + 1000)], 0, codec)).toMatchObject({ error: 'NONE', blamed: [] })
  expect(recordsOf(await fetch(channel)).length).toBe(2)
})
