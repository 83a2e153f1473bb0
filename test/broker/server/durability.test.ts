// What was lost once and must not be again: each test is the shortest story in which a broker forgot, or gave out twice, what somebody had seen.

import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import { seededRandom } from '../../../core/random.ts'
import type { Disk } from '../../../broker/disk/disk.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorCodeOf } from '../../../broker/wire/error-code.ts'
import { Power } from '../disk/power.ts'
import { refusingDisk } from '../disk/refusing-disk.ts'
import { batchOf, recordsOf } from '../log/batches.ts'

const startMs = 1_700_000_000_000
const retentionCheckMs = 300_000

async function turns(count = 40): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

interface Life {
  readonly broker: Broker
  readonly channel: Channel
  readonly clock: VirtualClock
}

async function live(disk: Disk, atMs = startMs): Promise<Life> {
  const clock = new VirtualClock(atMs)
  const broker = await startBroker({ disk, clock, random: seededRandom(1 + atMs - startMs), settings: { 'offsets.topic.num.partitions': 1 } })
  return { broker, channel: broker.connect(), clock }
}

async function createTopic({ channel }: Life, configs: Readonly<Record<string, string>>): Promise<void> {
  const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }
  const { topics } = await channel.request('CreateTopics', { topics: [topic] })
  expect(topics[0]!.errorCode).toBe(0)
}

/** The offset of the record, or null with an error. */
async function produce({ channel }: Life, value: string, key: string | null = null): Promise<number | null> {
  const records = batchOf([{ key, value, timestamp: startMs }])
  const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
  return errorCode === 0 ? baseOffset : null
}

async function values({ channel }: Life): Promise<readonly string[]> {
  const found: string[] = []
  for (let fetchOffset = await endOf({ channel }, -2); ; fetchOffset++) {
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 }] }] }, { version: 11 })
    const { errorCode, records } = responses[0]!.partitions[0]!
    expect(errorCode).toBe(0)
    if (records === null || records.length === 0) return found
    for (const { value } of recordsOf(records, fetchOffset).slice(0, 1)) found.push(value!)
  }
}

/** `timestamp`: -1 for the end of the log, -2 for where it begins. */
async function endOf({ channel }: Pick<Life, 'channel'>, timestamp = -1): Promise<number> {
  const { topics } = await channel.request('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }] })
  return topics[0]!.partitions[0]!.offset
}

async function deleteRecords({ channel }: Life, offset: number): Promise<number> {
  const { topics } = await channel.request('DeleteRecords', { timeoutMs: 1000, topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }] })
  return topics[0]!.partitions[0]!.errorCode
}

test('what a broker found after a kill and has shown is there when the power goes after that', async () => {
  let disk = new MemoryDisk()
  const first = await live(disk)
  await createTopic(first, { 'segment.bytes': '300' })
  await produce(first, 'acknowledged')
  disk.syncGate = new Promise(() => {})
  // Several segments of records that nobody has synced.
  for (let n = 0; n < 6; n++) void produce(first, `in the page cache ${n}`.padEnd(120, '.'))
  await turns()
  disk = disk.kill()
  const shown = await values(await live(disk))
  expect(shown).toHaveLength(7)
  expect(await values(await live(disk.crash()))).toEqual(shown)
})

test('a broker that is killed at any moment of its first record, and another that is not, and then the power goes: what the second one shows stays', async () => {
  const run = async (goesAt?: number): Promise<{ readonly disk: MemoryDisk; readonly operations: number }> => {
    const disk = new MemoryDisk()
    disk.losesNames = true
    const life = await live(disk)
    const power = new Power(disk, goesAt)
    await life.broker.close()
    const second = await live(power.disk).catch(() => null)
    if (second !== null) void createTopic(second, {}).then(() => produce(second, 'first')).catch(() => {})
    await turns()
    return { disk, operations: power.operations }
  }
  const { operations } = await run()
  for (let goesAt = 0; goesAt < operations; goesAt++) {
    const killed = (await run(goesAt)).disk.kill()
    killed.losesNames = true
    const life = await live(killed)
    const isThere = (await endOf(life)) >= 0
    if (isThere) await produce(life, 'second')
    const shown = isThere ? await values(life) : []
    const last = await live(killed.crash())
    expect([goesAt, isThere ? await values(last) : []]).toEqual([goesAt, shown])
  }
})

test.each(['retention', 'DeleteRecords'])('%s takes all records, and the power goes at any moment: no offset is given twice', async by => {
  const run = async (goesIn = Infinity): Promise<{ readonly disk: MemoryDisk; readonly last: string; readonly operations: number }> => {
    const disk = new MemoryDisk()
    const power = new Power(disk)
    const life = await live(power.disk)
    await createTopic(life, { 'segment.bytes': '300', 'retention.ms': '1000' })
    for (let n = 0; n < 7; n++) await produce(life, `${n}`.padEnd(100, '.'))
    const before = power.operations
    power.goIn(goesIn)
    if (by === 'retention') life.clock.advance(retentionCheckMs)
    else void deleteRecords(life, 7).catch(() => {})
    await turns()
    return { disk, last: power.last, operations: power.operations - before }
  }
  const { operations } = await run()
  expect(operations).toBeGreaterThan(3)
  for (let goesIn = 0; goesIn < operations; goesIn++) {
    const { disk, last } = await run(goesIn)
    const life = await live(disk.crash())
    expect([last, await endOf(life)]).toEqual([last, 7])
    expect([last, await produce(life, 'next')]).toEqual([last, 7])
    expect((await values(life)).at(-1)).toBe('next')
  }
})

test('records that were said to be deleted do not come back', async () => {
  const disk = new MemoryDisk()
  let isFull = false
  const life = await live(refusingDisk(disk, ({ name, path }) => isFull && name === 'replaceFile' && path === 't-0/checkpoint'))
  await createTopic(life, {})
  for (let n = 0; n < 4; n++) await produce(life, `${n}`)
  isFull = true
  const error = await deleteRecords(life, 2)
  const again = await live(disk.crash())
  expect(error === 0 ? await endOf(again, -2) : 2).toBe(2)
  expect(error).not.toBe(0)
})

test('a log whose checkpoint cannot be written is not compacted', async () => {
  const disk = new MemoryDisk()
  let isFull = false
  const life = await live(refusingDisk(disk, ({ name, path }) => isFull && name === 'replaceFile' && path === 't-0/checkpoint'))
  await createTopic(life, { 'cleanup.policy': 'compact', 'segment.bytes': '400', 'min.cleanable.dirty.ratio': '0' })
  await produce(life, 'x'.padEnd(100, '.'), 'other')
  isFull = true
  for (let n = 0; n < 12; n++) await produce(life, `${n}`.padEnd(100, '.'), 'same')
  life.clock.advance(16_000)
  await turns()
  const again = await live(disk.crash())
  expect(await endOf(again)).toBe(13)
  expect((await values(again)).at(-1)).toBe('11'.padEnd(100, '.'))
})

test('a topic that is deleted while its log is synced leaves nothing that comes back', async () => {
  const disk = new MemoryDisk()
  const life = await live(disk)
  await createTopic(life, { 'segment.bytes': '300' })
  let release = (): void => {}
  disk.syncGate = new Promise(resolve => (release = resolve))
  for (let n = 0; n < 6; n++) void produce(life, `${n}`.padEnd(120, '.'))
  await turns()
  const deleted = life.channel.request('DeleteTopics', { topicNames: ['t'], timeoutMs: 1000 }, { version: 5 })
  await turns()
  disk.syncGate = null
  release()
  await deleted
  await turns()
  expect(disk.list('t-0')).toEqual([])
})

test('a log that could not take back what its disk has lost says nothing of it any more', async () => {
  const disk = new MemoryDisk()
  let isBroken = false
  const life = await live(refusingDisk(disk, ({ name, path }) => isBroken && path === 't-0/00000000000000000000.log' && (name === 'truncate' || name === 'sync')))
  await createTopic(life, {})
  await produce(life, 'acknowledged')
  isBroken = true
  expect(await produce(life, 'lost')).toBeNull()
  isBroken = false
  expect(await produce(life, 'refused')).toBeNull()
  expect(await deleteRecords(life, 1)).not.toBe(0)
  expect(await endOf(life)).toBe(1)
})

/** A batch of one record of an idempotent producer. */
async function send({ channel }: Life, baseSequence: number): Promise<number> {
  const records = batchOf([{ key: null, value: `${baseSequence}`, timestamp: startMs }], { producerId: 7, producerEpoch: 0, baseSequence })
  const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
  return responses[0]!.partitionResponses[0]!.errorCode
}

test.each(['sync', 'append'])('the first batch of a producer fails to %s, and the one behind it does not get before it', async operation => {
  const disk = new MemoryDisk()
  let isBroken = false
  const life = await live(refusingDisk(disk, ({ name, path }) => isBroken && name === operation && path === 't-0/00000000000000000000.log'))
  await createTopic(life, {})
  await produce(life, 'other')
  isBroken = true
  expect(await send(life, 0)).toBe(errorCodeOf('KAFKA_STORAGE_ERROR'))
  isBroken = false
  expect(await send(life, 1)).toBe(errorCodeOf('OUT_OF_ORDER_SEQUENCE_NUMBER'))
  expect([await send(life, 0), await send(life, 1)]).toEqual([0, 0])
  expect(await values(life)).toEqual(['other', '0', '1'])
})

test.each([['TOPIC_ALREADY_EXISTS', true], ['KAFKA_STORAGE_ERROR', false]] as const)('that a topic is there is not said before it is certain: %s', async (told, works) => {
  const disk = new MemoryDisk()
  const life = await live(disk)
  let opens = (): void => {}
  disk.syncGate = new Promise(resolve => (opens = resolve))
  const request = { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] }
  const first = life.channel.request('CreateTopics', request)
  await turns()
  let answer: number | null = null
  const second = life.channel.request('CreateTopics', request).then(({ topics }) => (answer = topics[0]!.errorCode))
  await turns()
  expect(answer).toBeNull()
  if (!works) disk.syncFailure = new MillraceError('DISK_FAILED', 'The disk fails.')
  opens()
  await Promise.all([first, second])
  expect(answer).toBe(errorCodeOf(told))
  disk.syncFailure = null
  await life.broker.close()
})

test('a topic that nobody would find after a crash acknowledges nothing', async () => {
  const disk = new MemoryDisk()
  let isBroken = false
  const life = await live(refusingDisk(disk, ({ name, path }) => isBroken && name === 'sync' && path.startsWith('__cluster_metadata')))
  isBroken = true
  await expect(createTopic(life, {})).rejects.toThrow('to be +0')
  let acknowledged: number | null = null
  const sent = produce(life, 'early').then(offset => (acknowledged = offset))
  await turns()
  const lost = await live(disk.kill().crash())
  expect([acknowledged, (await lost.channel.request('Metadata', { topics: null }, { version: 9 })).topics]).toEqual([null, []])
  void sent.catch(() => {})
})

test('a topic is made on a disk that fails, and its records are acknowledged when it is written down after all', async () => {
  const disk = new MemoryDisk()
  let isBroken = false
  const life = await live(refusingDisk(disk, ({ name, path }) => isBroken && name === 'sync' && path.startsWith('__cluster_metadata')))
  isBroken = true
  await expect(createTopic(life, {})).rejects.toThrow('to be +0')
  const sent = produce(life, 'early')
  await turns()
  isBroken = false
  life.clock.advance(1000)
  expect(await sent).toBe(0)
  expect(await values(await live(disk.crash()))).toEqual(['early'])
})

test('a file that was taken back and comes back with a crash does not hide what took its place', async () => {
  const disk = new MemoryDisk()
  const life = await live(disk)
  await createTopic(life, { 'segment.bytes': '1000' })
  for (let n = 0; n < 4; n++) await produce(life, `${n}`)
  const stale = batchOf([{ key: null, value: 'taken back', timestamp: startMs }])
  stale.writeBigInt64BE(2n, 0)
  disk.writeFile('t-0/00000000000000000002.log', stale)
  const again = await live(disk.kill())
  expect(await values(again)).toEqual(['0', '1', '2', '3'])
  expect(await produce(again, 'next')).toBe(4)
})

test('a file that lost its end does not take the files behind it with it', async () => {
  const disk = new MemoryDisk()
  let isFull = false
  const life = await live(refusingDisk(disk, ({ name, path }) => isFull && name === 'replaceFile' && path === 't-0/checkpoint'))
  await createTopic(life, { 'segment.bytes': '600' })
  await produce(life, '0'.padEnd(100, '.'))
  expect(await deleteRecords(life, 0)).toBe(0)
  isFull = true
  for (let n = 1; n < 6; n++) await produce(life, `${n}`.padEnd(100, '.'))
  const rotten = disk.kill()
  rotten.open('t-0/00000000000000000000.log').truncate(10)
  const again = await live(rotten)
  expect(await endOf(again)).toBe(6)
  expect(await produce(again, 'next')).toBe(6)
})

test('what a write that failed has left, where it could not be cut off, is written over', async () => {
  const disk = new MemoryDisk()
  const life = await live(disk)
  await createTopic(life, {})
  await produce(life, 'before')
  disk.open('t-0/00000000000000000000.log').append([Buffer.alloc(50, 1)])
  await produce(life, 'behind')
  expect(await values(life)).toEqual(['before', 'behind'])
  expect(await values(await live(disk.crash()))).toEqual(['before', 'behind'])
})

test('a start whose first fsync fails takes nothing back that was acknowledged', async () => {
  let disk = new MemoryDisk()
  const first = await live(disk)
  await createTopic(first, {})
  for (let n = 0; n < 4; n++) await produce(first, `${n}`)
  disk = disk.kill()
  let fails = true
  await expect(live(refusingDisk(disk, ({ name, path }) => fails && name === 'sync' && path.startsWith('t-0/')))).rejects.toThrow('could not be made durable')
  fails = false
  expect(await values(await live(disk.kill()))).toEqual(['0', '1', '2', '3'])
})

test('the directory of a deleted topic that comes back in the place of the next one of that name is set aside', async () => {
  const disk = new MemoryDisk()
  let life = await live(disk)
  await createTopic(life, {})
  for (let n = 0; n < 3; n++) await produce(life, `old ${n}`)
  await life.broker.close()
  const old = disk.list('t-0').map(name => [`t-0/${name}`, disk.readFile(`t-0/${name}`)!] as const)
  // It makes up other ids.
  life = await live(disk, startMs + 1)
  await life.channel.request('DeleteTopics', { topicNames: ['t'], timeoutMs: 1000 }, { version: 5 })
  await createTopic(life, {})
  await life.broker.close()
  disk.remove('t-0')
  disk.makeDirectory('t-0')
  for (const [path, bytes] of old) disk.writeFile(path, bytes)
  life = await live(disk)
  expect(await values(life)).toEqual([])
  expect(await produce(life, 'new')).toBe(0)
  expect(disk.list('').filter(name => name.startsWith('t-0.stray.'))).toHaveLength(1)
})
