// What must hold between Millrace's client and kcat on any broker: each reads what the other wrote, to the byte.

import { expect, test } from 'vitest'
import type { LogClient } from '../../broker/client/connect-log.ts'
import { Headers } from '../../core/headers.ts'
import type { ProducerOptions } from '../../core/log-port.ts'
import type { TopicPartition } from '../../core/record.ts'
import { kcat, kcatConsume, kcatConsumeGroup, kcatTopics } from './kcat.ts'
import { startProgram, type RunningProgram } from './program.ts'

export interface SharedBroker {
  readonly bootstrap: string
  readonly client: LogClient
}

interface PlainRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, string | null])[]
}

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

const records: readonly PlainRecord[] = [
  { key: 'plain', value: 'value', timestamp: 1_700_000_000_000, headers: [] },
  { key: null, value: 'without key', timestamp: 1_700_000_000_001, headers: [['one', '1']] },
  { key: 'tombstone', value: null, timestamp: 1_600_000_000_000, headers: [] },
  { key: '', value: '', timestamp: 0, headers: [['', ''], ['twice', 'a'], ['twice', 'b'], ['null', null]] },
  { key: 'ключ-鍵-🗝', value: 'значение-値-🎁', timestamp: 1_234_567_890_123, headers: [['Überschrift', 'größer']] },
  ...Array.from({ length: 2_000 }, (_, i) => ({ key: `k${i % 50}`, value: `value ${i} ${'x'.repeat(i % 200)}`, timestamp: 1_700_000_000_000 + i, headers: [] })),
]

/** Registers the tests; `broker` is asked when they run. */
export function kcatLaws(broker: () => SharedBroker): void {
  test('kcat lists the topics that we create', async () => {
    const { bootstrap, client } = broker()
    await client.admin.createTopics([{ name: 'kcat-lists', partitions: 3 }])
    const listed = (await kcatTopics(bootstrap)).find(({ topic }) => topic === 'kcat-lists')
    expect(listed?.partitions).toHaveLength(3)
    for (const partition of listed!.partitions) expect(partition.isrs).toEqual(partition.replicas)
  })

  test.for(compressions)('kcat reads what we write (%s)', async compression => {
    const { bootstrap, client } = broker()
    const topic = `we-write-${compression}`
    await client.admin.createTopics([{ name: topic, partitions: 2 }])
    await produce(client, topic, records, { compression })
    const read = await kcatConsume(bootstrap, topic)
    expect(read.filter(({ partition }) => partition === 0).map(({ offset }) => offset)).toEqual(Array.from({ length: Math.ceil(records.length / 2) }, (_, i) => i))
    expect(read.map(({ key, payload, ts, headers = [] }) => ({ key, value: payload, timestamp: ts, headers: inPairs(headers) }))).toEqual(inPartitionOrder(records))
  })

  test.for(compressions)('we read what kcat writes (%s)', async compression => {
    const { bootstrap, client } = broker()
    const topic = `kcat-writes-${compression}`
    await client.admin.createTopics([{ name: topic, partitions: 1 }])
    const lines = Array.from({ length: 1_000 }, (_, i) => `key-${i % 20}=Größe ${i} ${'y'.repeat(i % 100)}`)
    await kcat(bootstrap, ['-P', '-t', topic, '-p', '0', '-K', '=', '-z', compression, '-H', 'source=kcat', '-H', 'empty='], lines.join('\n'))
    const read = await readAll(client, topic, 1)
    expect(read.map(({ key, value }) => `${key}=${value}`)).toEqual(lines)
    expect(read[0]!.headers).toEqual([['source', 'kcat'], ['empty', '']])
    const seenByKcat = await kcatConsume(bootstrap, topic)
    expect(read.map(({ timestamp }) => timestamp)).toEqual(seenByKcat.map(({ ts }) => ts))
  })

  test('bytes that are no text come through both ways', async () => {
    const { bootstrap, client } = broker()
    await client.admin.createTopics([{ name: 'bytes', partitions: 1 }])
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const producer = await client.producer()
    producer.appender('bytes', 0).append(null, bytes, 1)
    await producer.flush()
    const payload = await kcat(bootstrap, ['-C', '-q', '-e', '-t', 'bytes', '-o', 'beginning', '-f', '%s'])
    expect(payload.equals(bytes)).toBe(true)
    await kcat(bootstrap, ['-P', '-t', 'bytes', '-p', '0', '-D', 'never so'], bytes)
    const reader = client.reader()
    reader.assign([{ topic: 'bytes', partition: 0, offset: 1 }])
    const value = await firstValue(reader)
    expect(value.equals(bytes)).toBe(true)
    await reader.close()
    await producer.close()
  })

  test('kcat writes null keys and values as null', async () => {
    const { bootstrap, client } = broker()
    await client.admin.createTopics([{ name: 'nulls', partitions: 1 }])
    await kcat(bootstrap, ['-P', '-t', 'nulls', '-p', '0', '-K', ':', '-Z'], 'a:\n:b\n')
    expect((await readAll(client, 'nulls', 1)).map(({ key, value }) => [key, value])).toEqual([['a', null], [null, 'b']])
  })

  test('a topic that kcat writes to is created', async () => {
    const { bootstrap, client } = broker()
    await kcat(bootstrap, ['-P', '-t', 'created-by-kcat'], 'hello\n')
    const description = (await client.admin.describeTopics(['created-by-kcat'])).get('created-by-kcat')
    expect((await readAll(client, 'created-by-kcat', description!.partitions)).map(({ value }) => value)).toEqual(['hello'])
  })

  test('kcat reads in a group, and another member goes on where it committed', async () => {
    const { bootstrap, client } = broker()
    await client.admin.createTopics([{ name: 'grouped', partitions: 3 }])
    await produce(client, 'grouped', records.slice(5, 305))
    expect(await kcatConsumeGroup(bootstrap, 'kcat-group', 'grouped')).toHaveLength(300)
    const committed = await client.admin.committedOffsets('kcat-group', partitionsOf('grouped', 3))
    expect([...committed].map(([name, { offset }]) => [name, offset])).toEqual([['grouped-0', 100], ['grouped-1', 100], ['grouped-2', 100]])
    await produce(client, 'grouped', records.slice(305, 311))
    const more = await kcatConsumeGroup(bootstrap, 'kcat-group', 'grouped')
    expect(new Set(more.map(({ payload }) => payload))).toEqual(new Set(records.slice(305, 311).map(({ value }) => value)))
    expect(more).toHaveLength(6)
  })

  test('every codec is taken whatever the topic compresses with, compacted or not', async () => {
    const { bootstrap, client } = broker()
    for (const policy of ['delete', 'compact']) {
      const topics = ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'].map(type => ({ name: `codecs-${policy}-${type}`, partitions: 1, config: { 'compression.type': type, 'cleanup.policy': policy } }))
      await client.admin.createTopics(topics)
      for (const { name } of topics) {
        for (const codec of compressions) await kcat(bootstrap, ['-P', '-t', name, '-p', '0', '-K', '=', '-z', codec], `a=${codec} ${'x'.repeat(200)}\nb=${codec} ${'x'.repeat(200)}\n`)
        const read = await kcatConsume(bootstrap, name)
        expect(read.map(({ key, payload }) => `${key} ${payload!.split(' ')[0]}`), name).toEqual(compressions.flatMap(codec => [`a ${codec}`, `b ${codec}`]))
      }
    }
  })

  test('members of kcat share a group, and one takes over from another', async () => {
    const { bootstrap, client } = broker()
    await client.admin.createTopics([{ name: 'shared', partitions: 3 }])
    const member = (): RunningProgram => startProgram('kcat', ['-b', bootstrap, '-u', '-X', 'session.timeout.ms=6000', '-X', 'heartbeat.interval.ms=200', '-X', 'auto.offset.reset=earliest', '-f', '%p@%o\n', '-G', 'kcat-members', 'shared'])
    const first = member()
    await first.until(/assigned: shared \[0\], shared \[1\], shared \[2\]/)
    const second = member()
    try {
      await Promise.all([second.until(/assigned: shared/), first.until(/assigned: [^]*assigned: shared/)])
      const shares = [first, second].map(lastShare)
      expect(shares.flat().sort()).toEqual(['0', '1', '2'])
      await produce(client, 'shared', records.slice(5, 35))
      await Promise.all([first, second].flatMap((each, i) => shares[i]!.map(partition => each.until(new RegExp(`^${partition}@9$`, 'm')))))
      await first.stop()
      await second.until(/assigned: shared \[0\], shared \[1\], shared \[2\]/)
      await produce(client, 'shared', records.slice(35, 38))
      await Promise.all(['0', '1', '2'].map(partition => second.until(new RegExp(`^${partition}@10$`, 'm'))))
      // What the first had committed as it left is not read again.
      const read = [...`${first.output()}${second.output()}`.matchAll(/^\d@\d+$/gm)].map(([place]) => place)
      expect(new Set(read).size).toBe(33)
      expect(read).toHaveLength(33)
    } finally {
      await Promise.all([first.stop(), second.stop()])
    }
  })

  test('kcat begins and ends at times, at the end, and so many records before it', async () => {
    const { bootstrap, client } = broker()
    await client.admin.createTopics([{ name: 'places', partitions: 1 }])
    await produce(client, 'places', records.slice(5, 105))
    const offsets = async (...places: readonly string[]): Promise<readonly number[]> =>
      (await kcat(bootstrap, ['-C', '-q', '-e', '-t', 'places', '-p', '0', '-f', '%o\n', ...places.flatMap(place => ['-o', place])])).toString().split('\n').filter(line => line !== '').map(Number)
    const from = (first: number, end = 100): readonly number[] => Array.from({ length: end - first }, (_, i) => first + i)
    expect(await offsets('beginning')).toEqual(from(0))
    expect(await offsets('97')).toEqual(from(97))
    expect(await offsets('-5')).toEqual(from(95))
    expect(await offsets('end')).toEqual([])
    expect(await offsets('s@1700000000090')).toEqual(from(90))
    expect(await offsets('s@1700000000090', 'e@1700000000095')).toEqual(from(90, 95))
    expect(await offsets('s@1900000000000')).toEqual([])
    const asked = async (time: number): Promise<string> => (await kcat(bootstrap, ['-Q', '-t', `places:0:${time}`])).toString().trim()
    expect([await asked(-2), await asked(-1)]).toEqual(['places [0] offset 0', 'places [0] offset 100'])
  })

  test('kcat finds offsets by time as we do', async () => {
    const { bootstrap, client } = broker()
    await client.admin.createTopics([{ name: 'by-time', partitions: 1 }])
    await produce(client, 'by-time', records.slice(5, 105))
    for (const timestamp of [0, 1_700_000_000_050, 1_900_000_000_000]) {
      const printed = (await kcat(bootstrap, ['-Q', '-t', `by-time:0:${timestamp}`])).toString()
      const ours = await client.admin.listOffsets([{ topic: 'by-time', partition: 0 }], { timestamp })
      // librdkafka shows the end where there is no such record; Kafka's own answer, and ours, is -1.
      expect(/offset (-?\d+)/.exec(printed)?.[1]).toBe(String(ours.get('by-time-0')))
    }
  })
}

/** The partitions that a member of kcat was assigned last. */
function lastShare(member: RunningProgram): readonly string[] {
  const [line] = [...member.output().matchAll(/assigned: (.*)/g)].at(-1)!
  return [...line.matchAll(/\[(\d)\]/g)].map(([, partition]) => partition!)
}

/** Round robin over the partitions, so that each partition's order is known. */
async function produce(client: LogClient, topic: string, list: readonly PlainRecord[], options: ProducerOptions = {}): Promise<void> {
  const producer = await client.producer(options)
  const partitions = (await producer.partitionsOf(topic))!
  for (const [i, { key, value, timestamp, headers }] of list.entries()) {
    const appender = producer.appender(topic, i % partitions)
    appender.append(bytesOf(key), bytesOf(value), timestamp, headers.length === 0 ? null : Headers.of(...headers))
    await producer.ready()
  }
  await producer.flush()
  await producer.close()
}

/** Every record up to the end that the partitions have now, partition by partition. */
async function readAll(client: LogClient, topic: string, partitionCount: number): Promise<readonly PlainRecord[]> {
  const partitions = partitionsOf(topic, partitionCount)
  const ends = await client.admin.listOffsets(partitions, 'latest')
  const missing = new Set([...ends].filter(([, end]) => end > 0).map(([name]) => name))
  const byPartition: PlainRecord[][] = partitions.map(() => [])
  const reader = client.reader()
  reader.assign(partitions.map(partition => ({ ...partition, offset: 0 })))
  while (missing.size > 0) {
    for (const { cursor, partition, nextOffset } of await reader.poll(1_000)) {
      while (cursor.next()) byPartition[partition]!.push(plainRecord(cursor))
      if (nextOffset >= ends.get(`${topic}-${partition}`)!) missing.delete(`${topic}-${partition}`)
    }
  }
  await reader.close()
  return byPartition.flat()
}

type Cursor = Awaited<ReturnType<ReturnType<LogClient['reader']>['poll']>>[number]['cursor']

function plainRecord(cursor: Cursor): PlainRecord {
  const text = (start: number, end: number): string | null => start < 0 ? null : cursor.buffer.toString('utf8', start, end)
  const headers = [...cursor.headers() ?? []].map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString('utf8')] as const)
  return { key: text(cursor.keyStart, cursor.keyEnd), value: text(cursor.valueStart, cursor.valueEnd), timestamp: cursor.timestamp, headers }
}

async function firstValue(reader: ReturnType<LogClient['reader']>): Promise<Buffer> {
  for (;;) {
    for (const { cursor } of await reader.poll(1_000)) {
      if (cursor.next()) return Buffer.from(cursor.buffer.subarray(cursor.valueStart, cursor.valueEnd))
    }
  }
}

function partitionsOf(topic: string, count: number): readonly TopicPartition[] {
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}

function inPartitionOrder(list: readonly PlainRecord[]): readonly PlainRecord[] {
  return [...list.filter((_, i) => i % 2 === 0), ...list.filter((_, i) => i % 2 === 1)]
}

function inPairs(flat: readonly (string | null)[]): readonly (readonly [string, string | null])[] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!] as const)
}

function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text)
}
