// A broker whose files rot or fill up: it says so, readers and writers of the rest go on, and writing resumes when there is room.

import { expect, test } from 'vitest'
import { connectLog } from '../../../broker/client/connect-log.ts'
import { VirtualClock } from '../../../core/clock.ts'
import type { LogFields, Logger } from '../../../core/logger.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { rowsOf } from '../client/log-under-test.ts'
import { batchOf, recordsOf } from '../log/batches.ts'

class Lines implements Logger {
  readonly errors: (LogFields & { readonly message: string })[] = []
  info(): void {}
  warn(): void {}
  error(message: string, fields: LogFields = {}): void {
    this.errors.push({ message, ...fields })
  }
}

function start(disk: MemoryDisk, logger: Logger = new Lines()): Promise<Broker> {
  return startBroker({ disk, logger, clock: new VirtualClock(1000), random: seededRandom(1) })
}

async function produce(channel: Channel, value: string, acks = -1): Promise<string> {
  const records = batchOf([{ key: 'k', value, timestamp: 1000 }])
  const { responses } = await channel.request('Produce', { acks, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  return errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)
}

async function fetchAt(channel: Channel, fetchOffset: number): Promise<string | readonly string[]> {
  const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1e6 }] }] }, { version: 11 })
  const { errorCode, records } = responses[0]!.partitions[0]!
  return errorCode === 0 ? recordsOf(records!, fetchOffset).map(({ value }) => value!) : errorNameOf(errorCode)
}

const createTopic = { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] }
const commit = { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 3, committedMetadata: null }] }] }

async function commitOffset(channel: Channel): Promise<string> {
  const { topics } = await channel.request('OffsetCommit', commit, { version: 8 })
  return errorNameOf(topics[0]!.partitions[0]!.errorCode)
}

test.each(['closed', 'killed'] as const)('damage found after the broker was %s is told once, with its place; what lies before and behind is read', async ending => {
  let disk = new MemoryDisk()
  let broker = await start(disk)
  let channel = broker.connect()
  await channel.request('CreateTopics', createTopic)
  for (let i = 0; i < 5; i++) await produce(channel, `value-${i}`)
  const path = 't-0/00000000000000000000.log'
  const batchBytes = disk.size(path)! / 5
  if (ending === 'closed') await broker.close()
  else disk = disk.kill()
  disk.corrupt(path, 2 * batchBytes + 70)
  const lines = new Lines()
  broker = await start(disk, lines)
  channel = broker.connect()
  expect(await fetchAt(channel, 0)).toEqual(['value-0', 'value-1'])
  for (let again = 0; again < 3; again++) expect(await fetchAt(channel, 2)).toBe('CORRUPT_MESSAGE')
  expect(await fetchAt(channel, 3)).toEqual(['value-3', 'value-4'])
  expect(await produce(channel, 'value-5')).toBe('NONE')
  expect(await fetchAt(channel, 4)).toEqual(['value-4', 'value-5'])
  const copy = `t-0/00000000000000000000.${2 * batchBytes}.corrupt`
  expect(lines.errors).toEqual([expect.objectContaining({ partition: 't-0', file: path, position: 2 * batchBytes, bytes: batchBytes, fromOffset: 2, nextOffset: 3, copy })])
  expect(disk.size(copy)).toBe(batchBytes)
  expect([...broker.metrics().find(({ name }) => name === 'millrace_log_damages')!.samples]).toMatchObject([{ value: 1 }])
  await broker.close()
})

test('a reader of ours is told topic, partition and offset at each poll, and goes on behind the damage', async () => {
  const disk = new MemoryDisk()
  let broker = await start(disk)
  await broker.connect().request('CreateTopics', createTopic)
  for (let i = 0; i < 4; i++) await produce(broker.connect(), `value-${i}`)
  await broker.close()
  const path = 't-0/00000000000000000000.log'
  disk.corrupt(path, disk.size(path)! / 4 + 70)
  broker = await start(disk)
  const client = await connectLog({ connect: () => broker.connect() })
  const reader = client.reader({ isolation: 'read_uncommitted' })
  reader.assign([{ topic: 't', partition: 0, offset: 0 }])
  expect(rowsOf(await reader.poll(5000)).map(({ value }) => value)).toEqual(['value-0'])
  for (let again = 0; again < 2; again++) await expect(reader.poll(5000)).rejects.toMatchObject({ code: 'CORRUPT_RECORD', retriable: false, message: expect.stringContaining('offset 1 of t-0') })
  reader.seek({ topic: 't', partition: 0 }, 2)
  expect(rowsOf(await reader.poll(5000)).map(({ value }) => value)).toEqual(['value-2', 'value-3'])
  await client.close()
  await broker.close()
})

test.each(['checkpoint', 'checkpoint cut short'])('a rotten %s costs nothing: what producers have sent is known from the log', async what => {
  const disk = new MemoryDisk()
  let broker = await start(disk)
  await broker.connect().request('CreateTopics', createTopic)
  const send = async (baseSequence: number): Promise<readonly [string, number]> => {
    const records = batchOf([{ key: 'k', value: `v${baseSequence}`, timestamp: 1000 }], { producerId: 7, producerEpoch: 0, baseSequence })
    const { responses } = await broker.connect().request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
    const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
    return [errorNameOf(errorCode), baseOffset]
  }
  for (const sequence of [0, 1, 2]) expect(await send(sequence)).toEqual(['NONE', sequence])
  await broker.close()
  const path = 't-0/checkpoint'
  if (what === 'checkpoint') disk.corrupt(path, 30)
  else disk.writeFile(path, disk.readFile(path)!.subarray(0, 20))
  const lines = new Lines()
  broker = await start(disk, lines)
  expect(await send(1)).toEqual(['NONE', 1])
  expect((await send(5))[0]).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  expect(await send(3)).toEqual(['NONE', 3])
  expect(await fetchAt(broker.connect(), 0)).toEqual(['v0', 'v1', 'v2', 'v3'])
  expect(lines.errors).toEqual([])
  await broker.close()
})

test.each(['closed', 'killed'] as const)('a compacted log keeps its records when its checkpoint is lost after the broker was %s', async ending => {
  let disk = new MemoryDisk()
  const clock = new VirtualClock(1000)
  const settings = { 'log.cleaner.backoff.ms': 1000, 'log.cleaner.min.cleanable.ratio': 0.01 }
  let broker = await startBroker({ disk, clock, settings, random: seededRandom(1) })
  const channel = broker.connect()
  const configs = [{ name: 'cleanup.policy', value: 'compact' }, { name: 'segment.bytes', value: '300' }]
  await channel.request('CreateTopics', { topics: [{ ...createTopic.topics[0]!, configs }] })
  for (let i = 0; i < 30; i++) {
    const records = batchOf([{ key: `k${i % 4 === 0 ? i : 'same'}`, value: `v${i}`, timestamp: 1000 }])
    await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  }
  const before = await readAll(channel)
  expect(before).toHaveLength(30)
  for (let i = 0; i < 20; i++) {
    clock.advance(1001)
    await settled()
  }
  const compacted = await readAll(channel)
  expect(compacted.length).toBeLessThan(20)
  if (ending === 'closed') await broker.close()
  else disk = disk.kill()
  disk.remove('t-0/checkpoint')
  broker = await startBroker({ disk, clock, settings, random: seededRandom(1) })
  expect(await readAll(broker.connect())).toEqual(compacted)
  await broker.close()
})

async function readAll(channel: Channel): Promise<readonly string[]> {
  const values: string[] = []
  for (let offset = 0; ; ) {
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes: 1e6 }] }] }, { version: 11 })
    const { errorCode, records } = responses[0]!.partitions[0]!
    expect(errorNameOf(errorCode)).toBe('NONE')
    const read = recordsOf(records!, offset)
    if (read.length === 0) return values
    values.push(...read.map(({ value }) => value!))
    offset = read.at(-1)!.offset + 1
  }
}

/** What was begun by a timer has had its turns. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(resolve => setImmediate(resolve))
}

test('a damaged catalogue or group partition does not keep a broker from starting', async () => {
  const disk = new MemoryDisk()
  let broker = await start(disk)
  await broker.connect().request('CreateTopics', createTopic)
  await broker.connect().request('FindCoordinator', { key: 'g', keyType: 0, coordinatorKeys: ['g'] })
  for (let i = 0; i < 3; i++) expect(await commitOffset(broker.connect())).toBe('NONE')
  await broker.close()
  disk.corrupt('__consumer_offsets-0/00000000000000000000.log', 80)
  disk.corrupt('__cluster_metadata-0/00000000000000000000.log', 80)
  const lines = new Lines()
  broker = await start(disk, lines)
  expect(lines.errors.map(({ partition, position }) => [partition, position])).toEqual([['__cluster_metadata-0', 0], ['__consumer_offsets-0', 0]])
  expect(await produce(broker.connect(), 'v')).toBe('NONE')
  const { topics } = await broker.connect().request('OffsetFetch', { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }, { version: 7 })
  expect(topics[0]!.partitions[0]!.committedOffset).toBe(3)
  await broker.close()
})

test('on a full disk producers, commits and changes of the catalogue are refused to be tried again, readers go on, and writing resumes by itself', async () => {
  const disk = new MemoryDisk()
  let broker = await start(disk)
  let channel = broker.connect()
  await channel.request('CreateTopics', createTopic)
  await channel.request('FindCoordinator', { key: 'g', keyType: 0, coordinatorKeys: ['g'] })
  expect([await produce(channel, 'a'), await commitOffset(channel)]).toEqual(['NONE', 'NONE'])
  disk.capacityBytes = disk.usedBytes
  for (let again = 0; again < 3; again++) expect([await produce(channel, 'b'), await commitOffset(channel)]).toEqual(['KAFKA_STORAGE_ERROR', 'COORDINATOR_NOT_AVAILABLE'])
  const create = { topics: [{ ...createTopic.topics[0]!, name: 'u' }] }
  // Ids are allocated in blocks: the first was not.
  expect(errorNameOf((await channel.request('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1 })).errorCode)).toBe('COORDINATOR_LOAD_IN_PROGRESS')
  const refused = await channel.request('CreateTopics', create).then(({ topics }) => errorNameOf(topics[0]!.errorCode), (error: unknown) => `failed: ${String(error)}`)
  expect(refused).toBe('KAFKA_STORAGE_ERROR')
  expect(await fetchAt(channel, 0)).toEqual(['a'])
  disk.capacityBytes = 1e9
  expect([await produce(channel, 'c'), await commitOffset(channel)]).toEqual(['NONE', 'NONE'])
  expect((await channel.request('CreateTopics', create)).topics[0]!.errorCode).toBe(0)
  expect(await fetchAt(channel, 0)).toEqual(['a', 'c'])
  await broker.close()
  broker = await start(disk)
  channel = broker.connect()
  expect(await fetchAt(channel, 0)).toEqual(['a', 'c'])
  await broker.close()
})

test('min.insync.replicas above the number of replicas asks for that number', async () => {
  await using broker = await start(new MemoryDisk())
  const channel = broker.connect()
  await channel.request('CreateTopics', { topics: [{ ...createTopic.topics[0]!, configs: [{ name: 'min.insync.replicas', value: '2' }] }] })
  expect([await produce(channel, 'a'), await produce(channel, 'b', 1)]).toEqual(['NONE', 'NONE'])
  expect(await fetchAt(channel, 0)).toEqual(['a', 'b'])
})
