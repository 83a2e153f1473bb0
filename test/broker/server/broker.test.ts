// Stories of a broker over its pipe: topics are made, records are written and read, and all is there after a restart or a crash.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { base64Uuid, type Random } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorCodeOf } from '../../../broker/wire/error-code.ts'
import { batchOf, recordsOf, type TestRecord } from '../log/batches.ts'

const open: Broker[] = []

async function start(options: BrokerOptions = { memory: true }): Promise<{ broker: Broker; channel: Channel }> {
  const broker = await startBroker(options)
  open.push(broker)
  return { broker, channel: broker.connect({ clientId: 'test' }) }
}

afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

async function create(channel: Channel, name: string, numPartitions = 1, configs: Record<string, string> = {}): Promise<number> {
  const { topics } = await channel.request('CreateTopics', {
    topics: [{ name, numPartitions, replicationFactor: -1, assignments: [], configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })) }],
  })
  return topics[0]!.errorCode
}

async function produce(channel: Channel, topic: string, records: Buffer, options: { acks?: number; partition?: number } = {}) {
  const { responses } = await channel.request('Produce', { acks: options.acks ?? -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData: [{ index: options.partition ?? 0, records }] }] }, { version: 11 })
  return responses[0]?.partitionResponses[0]
}

async function fetch(channel: Channel, topic: string, fetchOffset: number, options: { maxWaitMs?: number; minBytes?: number; maxBytes?: number; partition?: number } = {}) {
  const { responses } = await channel.request('Fetch', {
    maxWaitMs: options.maxWaitMs ?? 0, minBytes: options.minBytes ?? 1, maxBytes: 1e9, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
    topics: [{ topic, partitions: [{ partition: options.partition ?? 0, fetchOffset, partitionMaxBytes: options.maxBytes ?? 1e6 }] }],
  }, { version: 11 })
  return responses[0]!.partitions[0]!
}

async function listOffset(channel: Channel, topic: string, timestamp: number): Promise<{ timestamp: number; offset: number }> {
  const { topics } = await channel.request('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }] })
  const { timestamp: at, offset } = topics[0]!.partitions[0]!
  return { timestamp: at, offset }
}

const one = (value: string, key: string | null = 'k', timestamp = 1000): TestRecord => ({ key, value, timestamp })

test.each([
  [{ memory: true, lisen: '127.0.0.1:0' }, 'UNKNOWN_OPTION', 'startBroker has no option lisen. Did you mean listen?'],
  [{ memroy: true }, 'UNKNOWN_OPTION', 'startBroker has no option memroy. Did you mean memory?'],
  [{ memory: true, 'num.partitions': 3 }, 'UNKNOWN_OPTION', 'startBroker has no option num.partitions.'],
  [{}, 'NO_DATA_DIRECTORY', 'A broker needs a place for its log.'],
  [{ memory: true, dataDirectory: 'here' }, 'NO_DATA_DIRECTORY', 'A broker in memory keeps nothing in here.'],
  [{ memory: true, listen: true }, 'BAD_ADDRESS', 'The address to listen on is true'],
  [{ memory: true, listen: [9092, 'x'] }, 'BAD_ADDRESS', 'Of several listeners each has a name, and 9092 has none.'],
  [{ memory: true, metrics: true }, 'BAD_ADDRESS', 'The address of the metrics is true'],
  [{ memory: true, nodeId: -1 }, 'BAD_SETTING', 'node.id'],
  [{ memory: true, flush: 'never' }, 'BAD_SETTING', 'must be one of fsync, os'],
  [{ memory: true, settings: { 'num.partition': 3 } }, 'UNKNOWN_SETTING', 'Did you mean num.partitions?'],
])('startBroker(%j) is refused: %s', async (options, code, message) => {
  await expect(startBroker(options as BrokerOptions)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
})

test('on a disk that does not tell A from a, topics that differ in that alone are refused: they would share their files', async () => {
  const { channel } = await start({ disk: Object.assign(new MemoryDisk(), { foldsCase: true }) })
  expect(await create(channel, 'Orders')).toBe(0)
  expect(await create(channel, 'orders')).toBe(errorCodeOf('INVALID_TOPIC_EXCEPTION'))
  expect(await create(channel, 'Orders')).toBe(errorCodeOf('TOPIC_ALREADY_EXISTS'))
  expect(await create((await start()).channel, 'orders')).toBe(0)
})

test('what is produced is fetched, from any offset, and found by time', async () => {
  const { channel } = await start()
  expect(await create(channel, 't')).toBe(0)
  expect(await create(channel, 't')).toBe(errorCodeOf('TOPIC_ALREADY_EXISTS'))
  expect(await produce(channel, 't', batchOf([one('a', 'k', 1000), one('b', 'k', 2000)]))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await produce(channel, 't', batchOf([one('c', 'k', 3000)]))).toMatchObject({ errorCode: 0, baseOffset: 2 })
  const answer = await fetch(channel, 't', 1)
  expect(answer).toMatchObject({ errorCode: 0, highWatermark: 3, logStartOffset: 0 })
  expect(recordsOf(answer.records!).map(({ offset, value }) => [offset, value])).toEqual([[0, 'a'], [1, 'b'], [2, 'c']])
  expect((await fetch(channel, 't', 4)).errorCode).toBe(errorCodeOf('OFFSET_OUT_OF_RANGE'))
  expect(await listOffset(channel, 't', -1)).toEqual({ timestamp: -1, offset: 3 })
  expect(await listOffset(channel, 't', -2)).toEqual({ timestamp: -1, offset: 0 })
  expect(await listOffset(channel, 't', -3)).toEqual({ timestamp: 3000, offset: 2 })
  expect(await listOffset(channel, 't', 1500)).toEqual({ timestamp: 2000, offset: 1 })
  expect(await listOffset(channel, 't', 5000)).toEqual({ timestamp: -1, offset: -1 })
})

test('a fetch that finds nothing waits until something is produced, or its time is up', async () => {
  const clock = new VirtualClock(1000)
  const { channel } = await start({ memory: true, clock })
  await create(channel, 't')
  const waiting = fetch(channel, 't', 0, { maxWaitMs: 500 })
  await produce(channel, 't', batchOf([one('a')]))
  expect(recordsOf((await waiting).records!).length).toBe(1)
  const hungry = fetch(channel, 't', 1, { maxWaitMs: 500, minBytes: 1000 })
  await produce(channel, 't', batchOf([one('b')]))
  clock.advance(499)
  await produce(channel, 't', batchOf([one('c')]))
  clock.advance(1)
  expect(recordsOf((await hungry).records!).length).toBe(2)
})

test('metadata makes a topic that is asked for, and says what cannot be', async () => {
  const { channel } = await start({ memory: true, settings: { 'num.partitions': 3 } })
  const { topics, brokers } = await channel.request('Metadata', { topics: [{ name: 'made' }, { name: 'not good' }] })
  expect(brokers).toEqual([{ nodeId: 1, host: 'in-process', port: 0, rack: null }])
  expect(topics.map(({ errorCode, partitions }) => [errorCode, partitions.length])).toEqual([[0, 3], [errorCodeOf('INVALID_TOPIC_EXCEPTION'), 0]])
  const none = await channel.request('Metadata', { topics: [{ name: 'other' }], allowAutoTopicCreation: false })
  expect(none.topics[0]!.errorCode).toBe(errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION'))
  const byId = await channel.request('Metadata', { topics: [{ topicId: topics[0]!.topicId, name: null }] })
  expect(byId.topics[0]).toMatchObject({ name: 'made', errorCode: 0 })
})

test.each([
  ['a batch with a wrong sum', (batch: Buffer) => batch.fill(1, 70, 71), 'CORRUPT_MESSAGE'],
  ['two batches', (batch: Buffer) => Buffer.concat([batch, batch]), 'INVALID_RECORD'],
  ['half a batch', (batch: Buffer) => batch.subarray(0, 65), 'INVALID_RECORD'],
  ['half a header', (batch: Buffer) => batch.subarray(0, 30), 'INVALID_RECORD'],
  ['a batch of a format to come', (batch: Buffer) => batch.fill(3, 16, 17), 'CORRUPT_MESSAGE'],
  ['a length that is none', (batch: Buffer) => batch.fill(0, 8, 12), 'CORRUPT_MESSAGE'],
  ['a batch that does not begin at 0', (batch: Buffer) => batch.fill(1, 7, 8), 'INVALID_RECORD'],
  ['nothing', () => Buffer.alloc(0), 'INVALID_RECORD'],
  ['a batch of an old format', (batch: Buffer) => batch.fill(1, 16, 17), 'INVALID_RECORD'],
] as const)('%s over a socket is refused', async (_, damage, error) => {
  const { checkBatch, singleBatch } = await import('../../../broker/server/handlers/batch-check.ts')
  const { topicSettings, topicConfigs } = await import('../../../broker/kernel/topic-config.ts')
  const settings = topicSettings(name => topicConfigs.get(name)!.default!)
  const batch = damage(batchOf([one('some value that is long enough')]))
  const single = singleBatch(batch, 9)
  expect('error' in single ? single : checkBatch(single, { settings, now: 1000, trusted: false })).toMatchObject({ error })
})

test('settings of a topic decide what is taken', async () => {
  const clock = new VirtualClock(10_000_000)
  const { channel } = await start({ memory: true, clock })
  await create(channel, 'compacted', 1, { 'cleanup.policy': 'compact' })
  await create(channel, 'small', 1, { 'max.message.bytes': '100' })
  await create(channel, 'stamped', 1, { 'message.timestamp.type': 'LogAppendTime' })
  expect(await create(channel, 'odd', 1, { 'retention.sm': '1' })).toBe(errorCodeOf('INVALID_CONFIG'))
  expect(await produce(channel, 'compacted', batchOf([one('a'), one('b', null)]))).toMatchObject({ errorCode: errorCodeOf('INVALID_RECORD'), recordErrors: [{ batchIndex: 1 }] })
  expect(await produce(channel, 'small', batchOf([one('x'.repeat(100))]))).toMatchObject({ errorCode: errorCodeOf('MESSAGE_TOO_LARGE') })
  expect(await produce(channel, 'stamped', batchOf([one('a')]))).toMatchObject({ errorCode: 0, logAppendTimeMs: 10_000_000 })
  expect(recordsOf((await fetch(channel, 'stamped', 0)).records!)).toMatchObject([{ timestamp: 10_000_000 }])
  expect(await produce(channel, 'compacted', batchOf([one('late', 'k', 10_000_000 + 3_600_001)]))).toMatchObject({ errorCode: errorCodeOf('INVALID_TIMESTAMP') })
})

test('an idempotent producer that repeats itself gets the first answer, and one that skips is refused', async () => {
  const { channel } = await start()
  await create(channel, 't')
  const { producerId, producerEpoch } = await channel.request('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1000 })
  const batch = (baseSequence: number): Buffer => batchOf([one('a'), one('b')], { producerId, producerEpoch, baseSequence })
  expect(await produce(channel, 't', batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await produce(channel, 't', batch(2))).toMatchObject({ errorCode: 0, baseOffset: 2 })
  expect(await produce(channel, 't', batch(0))).toMatchObject({ errorCode: 0, baseOffset: 0 })
  expect(await produce(channel, 't', batch(6))).toMatchObject({ errorCode: errorCodeOf('OUT_OF_ORDER_SEQUENCE_NUMBER') })
  expect((await listOffset(channel, 't', -1)).offset).toBe(4)
})

test('a restart finds topics, records, producers, and gives new producer ids and a new leader epoch', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-broker-'))
  try {
    const first = await startBroker({ dataDirectory: directory })
    const channel = first.connect()
    await create(channel, 't', 2, { 'retention.ms': '-1' })
    await create(channel, 'gone')
    await channel.request('DeleteTopics', { topics: [{ name: 'gone', topicId: '00000000-0000-0000-0000-000000000000' }], timeoutMs: 1 })
    const { producerId, producerEpoch } = await channel.request('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1000 })
    const batch = (): Buffer => batchOf([one('a')], { producerId, producerEpoch, baseSequence: 0 })
    await produce(channel, 't', batch())
    await expect(startBroker({ dataDirectory: directory })).rejects.toThrow(/in use by this very process/)
    await first.close()
    await expect(channel.request('Metadata', { topics: null })).rejects.toThrow(/closed/)
    const { channel: again, broker } = await start({ dataDirectory: directory })
    expect(broker.clusterId).toBe(first.clusterId)
    const { topics } = await again.request('Metadata', { topics: null })
    expect(topics.map(({ name, partitions }) => [name, partitions.map(({ leaderEpoch }) => leaderEpoch)])).toEqual([['t', [1, 1]]])
    expect(await produce(again, 't', batch())).toMatchObject({ errorCode: 0, baseOffset: 0 })
    expect(recordsOf((await fetch(again, 't', 0)).records!).length).toBe(1)
    expect((await again.request('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1 })).producerId).toBeGreaterThan(producerId)
    const { topics: epochs } = await again.request('OffsetForLeaderEpoch', { topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0 }, { partition: 0, leaderEpoch: 1 }] }] })
    expect(epochs[0]!.partitions.map(({ leaderEpoch, endOffset }) => [leaderEpoch, endOffset])).toEqual([[0, 1], [1, 1]])
  } finally {
    await Promise.all(open.splice(0).map(broker => broker.close()))
    rmSync(directory, { recursive: true })
  }
})

test('a crash takes nothing that was acknowledged, and a record is seen only when it is acknowledged', async () => {
  const disk = new MemoryDisk()
  const { channel } = await start({ disk })
  await create(channel, 't')
  for (let i = 0; i < 20; i++) await produce(channel, 't', batchOf([one(String(i))]))
  disk.syncGate = new Promise(() => {})
  void produce(channel, 't', batchOf([one('unsure')]))
  expect((await fetch(channel, 't', 0)).highWatermark).toBe(20)
  expect(recordsOf((await fetch(channel, 't', 20)).records!)).toEqual([])
  const after = disk.crash()
  open.length = 0
  const { channel: again } = await start({ disk: after })
  expect((await listOffset(again, 't', -1)).offset).toBe(20)
  expect(recordsOf((await fetch(again, 't', 0)).records!).map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)))
})

test('a start after a crash waits until what it found is durable', async () => {
  const disk = new MemoryDisk()
  const { channel } = await start({ disk })
  await create(channel, 't')
  await produce(channel, 't', batchOf([one('a')]))
  disk.syncGate = new Promise(() => {})
  void produce(channel, 't', batchOf([one('unsure')]))
  const after = disk.kill()
  open.length = 0
  const { channel: again } = await start({ disk: after })
  expect((await listOffset(again, 't', -1)).offset).toBe(2)
  open.length = 0
  const { channel: later } = await start({ disk: after.crash() })
  expect((await listOffset(later, 't', -1)).offset).toBe(2)
})

test('a failed fsync takes back what was not acknowledged; the producer sends it again', async () => {
  const disk = new MemoryDisk()
  const { channel } = await start({ disk })
  await create(channel, 't')
  const { producerId } = await channel.request('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1000 })
  const batch = (baseSequence: number): Buffer => batchOf([one('a')], { producerId, producerEpoch: 0, baseSequence })
  await produce(channel, 't', batch(0))
  const { MillraceError } = await import('../../../core/error.ts')
  disk.syncFailure = new MillraceError('DISK_FAILED', 'The medium is gone.')
  expect(await produce(channel, 't', batch(1))).toMatchObject({ errorCode: errorCodeOf('KAFKA_STORAGE_ERROR') })
  disk.syncFailure = null
  expect(await produce(channel, 't', batch(1))).toMatchObject({ errorCode: 0, baseOffset: 1 })
})

test('records are deleted up to an offset', async () => {
  const { channel } = await start()
  await create(channel, 't')
  for (let i = 0; i < 5; i++) await produce(channel, 't', batchOf([one(String(i))]))
  const { topics } = await channel.request('DeleteRecords', { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 3 }] }], timeoutMs: 1 })
  expect(topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 3 })
  expect((await fetch(channel, 't', 2)).errorCode).toBe(errorCodeOf('OFFSET_OUT_OF_RANGE'))
  expect((await listOffset(channel, 't', -2)).offset).toBe(3)
})

test('a topic whose making the disk did not confirm at once is there after a restart, with what was written to it', async () => {
  const disk = new MemoryDisk()
  const clock = new VirtualClock(1000)
  const { broker, channel } = await start({ disk, clock })
  disk.syncFailsOnce = true
  expect(await create(channel, 't')).toBe(errorCodeOf('KAFKA_STORAGE_ERROR'))
  const produced = produce(channel, 't', batchOf([one('a')]))
  for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
  clock.advance(1000)
  expect(await produced).toMatchObject({ errorCode: 0 })
  const { channel: again } = await start({ disk: disk.crash(), clock })
  expect(recordsOf((await fetch(again, 't', 0)).records!).map(({ value }) => value)).toEqual(['a'])
  void broker
})

test('a topic that the disk has no room for is not made', async () => {
  const disk = new MemoryDisk()
  const { channel } = await start({ disk })
  disk.capacityBytes = disk.usedBytes
  expect(await create(channel, 't')).toBe(errorCodeOf('KAFKA_STORAGE_ERROR'))
  expect(await produce(channel, 't', batchOf([one('a')]))).toMatchObject({ errorCode: errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION') })
  disk.capacityBytes = Number.POSITIVE_INFINITY
  expect(await create(channel, 't')).toBe(0)
})

test('records are deleted, and read, no further than they are acknowledged', async () => {
  const disk = new MemoryDisk()
  const { channel } = await start({ disk })
  await create(channel, 't')
  await produce(channel, 't', batchOf([one('a')]))
  let release = (): void => {}
  disk.syncGate = new Promise(resolve => (release = resolve))
  const producing = produce(channel, 't', batchOf([one('b')]))
  const deleteBefore = async (offset: number) => (await channel.request('DeleteRecords', { timeoutMs: 1000, topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }] })).topics[0]!.partitions[0]!
  expect((await deleteBefore(2)).errorCode).toBe(errorCodeOf('OFFSET_OUT_OF_RANGE'))
  expect(recordsOf((await fetch(channel, 't', 0)).records!).map(({ value }) => value)).toEqual(['a'])
  disk.syncGate = null
  release()
  expect(await producing).toMatchObject({ errorCode: 0, baseOffset: 1 })
  expect(await deleteBefore(2)).toMatchObject({ errorCode: 0, lowWatermark: 2 })
})

test('more topics than one request may create are not made by asking for them', async () => {
  const { channel } = await start({ memory: true, settings: { 'num.partitions': 5001 } })
  const ask = async (names: readonly string[]): Promise<readonly number[]> => {
    const { topics } = await channel.request('Metadata', { topics: names.map(name => ({ name, topicId: '00000000-0000-0000-0000-000000000000' })), allowAutoTopicCreation: true })
    return topics.map(({ errorCode }) => errorCode)
  }
  expect(await ask(['a', 'b'])).toEqual([errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION'), errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION')])
})

/** What it draws is a dash first in base64. */
const dashes: Random = { uint32: () => 0xfbfbfbfb, bytes: length => Buffer.alloc(length, 0xfb) }

test('the ids of cluster, topics and members begin with no dash where tools write them, as in kafka-topics --topic-id', async () => {
  await using broker = await startBroker({ memory: true, random: dashes })
  const channel = broker.connect()
  const { topics } = await channel.request('CreateTopics', { timeoutMs: 1000, topics: [{ name: 'topic', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] })
  const joining = { groupId: 'group', memberId: '', memberEpoch: 0, instanceId: null, rackId: null, rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['topic'], subscribedTopicRegex: null, serverAssignor: null, topicPartitions: [] }
  await channel.request('FindCoordinator', { key: 'group', keyType: 0, coordinatorKeys: ['group'] })
  const { memberId } = await channel.request('ConsumerGroupHeartbeat', joining, { version: 0 })
  const ids = [broker.clusterId, base64Uuid(topics[0]!.topicId), memberId]
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
})
