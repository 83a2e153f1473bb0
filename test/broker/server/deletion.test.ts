// What was deleted: its files go under another name at once and their bytes later, as Apache Kafka does it, or at once where room is wanted.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { FileDisk } from '../../../broker/disk/file-disk.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import type { Disk } from '../../../broker/disk/disk.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { batchOf, recordsOf } from '../log/batches.ts'

const noId = '00000000-0000-0000-0000-000000000000'
const minuteMs = 60_000

async function start(disk: Disk, clock: VirtualClock, options: Partial<BrokerOptions> = {}): Promise<Broker> {
  return startBroker({ disk, clock, ...options, settings: { 'log.retention.check.interval.ms': 1000, 'log.cleaner.backoff.ms': 1000, ...options.settings } })
}

async function create(broker: Broker, name = 't', configs: Record<string, string> = {}): Promise<string> {
  const { topics } = await broker.connect().request('CreateTopics', { topics: [{ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })) }] })
  return errorNameOf(topics[0]!.errorCode)
}

async function remove(broker: Broker, name = 't'): Promise<string> {
  const { responses } = await broker.connect().request('DeleteTopics', { topics: [{ name, topicId: noId }], timeoutMs: 1000 })
  return errorNameOf(responses[0]!.errorCode)
}

async function produce(broker: Broker, value: string, timestamp: number, key: string | null = null): Promise<string> {
  const { responses } = await broker.connect().request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records: batchOf([{ key, value, timestamp }]) }] }] }, { version: 11 })
  return errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)
}

async function deleteRecords(broker: Broker, offset: number): Promise<void> {
  await broker.connect().request('DeleteRecords', { timeoutMs: 1000, topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }] })
}

async function values(broker: Broker, fetchOffset = 0): Promise<readonly (string | null)[]> {
  const { responses } = await broker.connect().request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1e6 }] }] }, { version: 11 })
  return recordsOf(responses[0]!.partitions[0]!.records!, fetchOffset).map(({ value }) => value)
}

async function turns(): Promise<void> {
  for (let n = 0; n < 50; n++) await new Promise(resolve => setImmediate(resolve))
}

function removedIn(disk: Disk, directory = ''): readonly string[] {
  return disk.list(directory).filter(name => /\.deleted$|-delete$/.test(name))
}

/** Until the disk's threads have freed what they were given. */
async function freed(disk: Disk, directory = ''): Promise<void> {
  while (removedIn(disk, directory).length > 0) await new Promise(resolve => setImmediate(resolve))
}

const root = mkdtempSync(join(tmpdir(), 'millrace-deletion-'))
let count = 0

describe.each<[string, () => Disk]>([
  ['files', () => new FileDisk(join(root, String(count++)))],
  ['memory', () => new MemoryDisk()],
])('on %s', (_, make) => {
  test('the directories of a deleted topic are renamed as by Apache Kafka, and gone after the delay', async () => {
    const [disk, clock] = [make(), new VirtualClock(1e12)]
    await using broker = await start(disk, clock)
    await create(broker)
    await produce(broker, 'v', clock.now())
    expect(await remove(broker)).toBe('NONE')
    expect(disk.list('').filter(name => name.startsWith('t-')).map(name => name.replace(/[0-9a-f]{32}/, 'ID'))).toEqual(['t-0.ID-delete', 't-1.ID-delete'])
    expect(disk.list(removedIn(disk)[0]!)).toContain('00000000000000000000.log')
    clock.advance(minuteMs - 1)
    await turns()
    expect(removedIn(disk)).toHaveLength(2)
    clock.advance(1)
    await freed(disk)
    expect(disk.list('').filter(name => name.startsWith('t-'))).toEqual([])
  })

  test('a topic is deleted and made again at once, again and again', async () => {
    const [disk, clock] = [make(), new VirtualClock(1e12)]
    await using broker = await start(disk, clock)
    await create(broker)
    for (let round = 0; round < 5; round++) {
      await produce(broker, `old ${round}`, clock.now())
      const [removed, made] = await Promise.all([remove(broker), create(broker)])
      expect([removed, made]).toEqual(['NONE', 'NONE'])
      expect(await values(broker)).toEqual([])
      await produce(broker, `new ${round}`, clock.now())
      expect(await values(broker)).toEqual([`new ${round}`])
    }
    expect(removedIn(disk)).toHaveLength(10)
    clock.advance(minuteMs)
    await freed(disk)
    expect(await values(broker)).toEqual(['new 4'])
  })

  test('segments that are deleted or compacted stay under another name for the topic\'s delay', async () => {
    const [disk, clock] = [make(), new VirtualClock(1e12)]
    await using broker = await start(disk, clock)
    await create(broker, 't', { 'segment.bytes': '100', 'cleanup.policy': 'compact,delete', 'min.cleanable.dirty.ratio': '0', 'file.delete.delay.ms': '5000' })
    for (let n = 0; n < 6; n++) await produce(broker, `v${n}`, clock.now(), 'k')
    await deleteRecords(broker, 2)
    expect(removedIn(disk, 't-0').filter(name => name.includes('.log'))).toEqual(['00000000000000000000.log.deleted', '00000000000000000001.log.deleted'])
    clock.advance(1000)
    await turns()
    while (removedIn(disk, 't-0').filter(name => name.includes('.log')).length < 4) await turns()
    expect(await values(broker, 2)).toEqual(['v4'])
    clock.advance(5000)
    await freed(disk, 't-0')
    expect(await values(broker, 2)).toEqual(['v4'])
  })

  test('a closing waits for no delay, and a start frees what a crash has left', async () => {
    const [disk, clock] = [make(), new VirtualClock(1e12)]
    let broker = await start(disk, clock)
    await create(broker)
    await create(broker, 'u')
    await remove(broker, 'u')
    await broker.close()
    expect(removedIn(disk)).toEqual([])
    disk.makeDirectory('gone-0.0123456789abcdef0123456789abcdef-delete')
    disk.writeFile('gone-0.0123456789abcdef0123456789abcdef-delete/00000000000000000000.log', Buffer.alloc(10))
    for (const name of ['00000000000000000000.log.deleted', '00000000000000000007.index', '00000000000000000000-00000000000000000007.cleaned.log']) disk.writeFile(`t-0/${name}`, Buffer.alloc(10))
    broker = await start(disk, clock)
    await freed(disk)
    await freed(disk, 't-0')
    expect(disk.list('t-0').filter(name => /\.cleaned|0007/.test(name))).toEqual([])
    expect(disk.list('').filter(name => name.startsWith('gone'))).toEqual([])
    await broker.close()
  })
})

test('a reader of a file that was deleted has its bytes until they are freed', () => {
  const name = join(root, String(count++))
  const disk = new FileDisk(name)
  const file = disk.open('f')
  file.append([Buffer.from('text')])
  disk.rename('f', 'f.deleted')
  const read = Buffer.alloc(4)
  expect([file.read(0, read), read.toString()]).toEqual([4, 'text'])
  file.close()
  expect(readdirSync(name)).toEqual(['f.deleted'])
  rmSync(root, { recursive: true })
})

test('on a full disk what waits goes at once, and so does what is deleted in the hour after', async () => {
  const [disk, clock] = [new MemoryDisk(), new VirtualClock(1e12)]
  await using broker = await start(disk, clock)
  await create(broker)
  await create(broker, 'u')
  await produce(broker, 'v'.repeat(10_000), clock.now())
  await remove(broker, 'u')
  await create(broker, 'w')
  disk.capacityBytes = disk.usedBytes + 1000
  expect(removedIn(disk)).toHaveLength(2)
  expect(await produce(broker, 'v'.repeat(10_000), clock.now())).toBe('KAFKA_STORAGE_ERROR')
  await turns()
  expect(removedIn(disk)).toEqual([])
  expect(await remove(broker)).toBe('NONE')
  await turns()
  expect([removedIn(disk), disk.usedBytes < 10_000]).toEqual([[], true])
})

test('a compaction whose segments are deleted below it leaves nothing behind, and goes on with what there is', async () => {
  const [disk, clock] = [new MemoryDisk(), new VirtualClock(1e12)]
  await using broker = await start(disk, clock, { settings: { 'log.segment.delete.delay.ms': 0 } })
  await create(broker, 't', { 'segment.bytes': '100', 'cleanup.policy': 'compact,delete', 'min.cleanable.dirty.ratio': '0' })
  for (let n = 0; n < 20; n++) await produce(broker, `v${n}`, clock.now(), 'k')
  clock.advance(1000)
  for (let offset = 1; offset < 19; offset++) {
    await new Promise(resolve => setImmediate(resolve))
    await deleteRecords(broker, offset)
  }
  await turns()
  clock.advance(1000)
  await turns()
  expect(await values(broker, 18)).toEqual(['v18'])
  const bases = new Set(disk.list('t-0').filter(name => /^\d{20}/.test(name)).map(name => Number(name.slice(0, 20))))
  expect(Math.min(...bases)).toBeGreaterThanOrEqual(18)
})

describe('records without timestamps', () => {
  test('are as old as their file', async () => {
    const clock = new VirtualClock(1e12)
    const disk = new MemoryDisk(clock)
    await using broker = await start(disk, clock)
    await create(broker, 't', { 'retention.ms': '10000', 'segment.bytes': '100' })
    await produce(broker, 'a', -1)
    clock.advance(6000)
    await produce(broker, 'b', -1)
    await turns()
    expect(await values(broker)).toEqual(['a'])
    clock.advance(5000)
    await turns()
    expect([await values(broker, 1), removedIn(disk, 't-0').filter(name => name.includes('.log'))]).toEqual([['b'], ['00000000000000000000.log.deleted']])
    clock.advance(6000)
    await turns()
    expect(await values(broker, 2)).toEqual([])
  })

  test('go to a new file after segment.ms of the clock', async () => {
    const clock = new VirtualClock(1e12)
    const disk = new MemoryDisk(clock)
    await using broker = await start(disk, clock)
    await create(broker, 't', { 'segment.ms': '10000' })
    for (let n = 0; n < 3; n++) {
      await produce(broker, `v${n}`, -1)
      clock.advance(6000)
    }
    expect(disk.list('t-0').filter(name => name.endsWith('.log'))).toEqual(['00000000000000000000.log', '00000000000000000002.log'])
  })
})
