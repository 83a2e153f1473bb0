// An application from start to close, on a real broker in memory: what it does again, what it shares, how it fails, what it rebuilds.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startBroker, type Broker } from '../../broker/index.ts'
import { connectLog } from '../../broker/client/index.ts'
import type { LogPort } from '../../core/log-port.ts'
import { partitionOf } from '../../core/murmur2.ts'
import { partitionName } from '../../core/record.ts'
import { serdes, StreamsBuilder, tumbling } from '../../dsl/index.ts'
import { StreamsApplication, type ApplicationSettings } from '../../runtime/index.ts'

const PARTITIONS = 3
const text = { key: serdes.string, value: serdes.string }
const HOUR = 3_600_000

let broker: Broker
let log: LogPort
let directory: string

beforeEach(async () => {
  broker = await startBroker({ memory: true })
  log = await connectLog({ connect: clientId => broker.connect({ clientId }) })
  directory = await mkdtemp(join(tmpdir(), 'millrace-application-'))
})

afterEach(async () => {
  await log.close()
  await broker.close()
  await rm(directory, { recursive: true, force: true })
})

function application(builder: StreamsBuilder, settings: Partial<ApplicationSettings> = {}): StreamsApplication {
  return new StreamsApplication({ topology: builder, applicationId: 'app', log, stateDirectory: join(directory, 'state'), createSourceTopics: true, defaultPartitions: PARTITIONS, ...settings })
}

async function create(...topics: string[]): Promise<void> {
  await log.admin.createTopics(topics.map(name => ({ name, partitions: PARTITIONS })))
}

async function write(topic: string, records: readonly (readonly [key: string, value: string, timestamp?: number])[]): Promise<void> {
  const producer = await log.producer()
  for (const [key, value, timestamp = 1000] of records) {
    const bytes = Buffer.from(key)
    producer.appender(topic, partitionOf(bytes, PARTITIONS)).append(bytes, Buffer.from(value), timestamp)
  }
  await producer.flush()
  await producer.close()
}

/** Every record of a topic as `[key, value]`, partition after partition. */
async function read(topic: string): Promise<[string, string | null][]> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0 }))
  const ends = await log.admin.listOffsets(partitions, 'latest')
  const found: [string, string | null][][] = partitions.map(() => [])
  const reader = log.reader()
  reader.assign(partitions)
  while (partitions.some(at => (reader.position(at) ?? 0) < ends.get(partitionName(topic, at.partition))!)) {
    for (const { partition, cursor } of await reader.poll(100)) {
      while (cursor.next()) {
        const { buffer } = cursor
        found[partition]!.push([buffer.toString('utf8', cursor.keyStart, cursor.keyEnd), cursor.valueStart < 0 ? null : buffer.toString('utf8', cursor.valueStart, cursor.valueEnd)])
      }
    }
  }
  await reader.close()
  return found.flat()
}

function counting(): StreamsBuilder {
  const builder = new StreamsBuilder()
  builder.stream('words', text).groupBy((_, word) => word, text).count({ store: 'counts' }).toStream().mapValues(String).to('out', { value: serdes.string })
  return builder
}

const WORDS = ['river', 'mill', 'river', 'stone', 'river'].map((word, i): [string, string] => [`line-${i}`, word])

test('counts what is there, shows it, and does nothing twice when it comes back', async () => {
  await create('words')
  await write('words', WORDS)
  {
    await using first = application(counting())
    await first.start()
    await first.untilIdle()
    expect(first.state).toBe('RUNNING')
    expect(new Map(first.store<string, number>('counts').all())).toEqual(new Map([['mill', 1], ['river', 3], ['stone', 1]]))
    expect(first.store<string, number>('counts').get('river')).toBe(3)
    expect(first.metrics()).toMatchObject({ tasks: 2 * PARTITIONS, processed: 2 * WORDS.length, dropped: 0, skipped: 0 })
    expect(() => first.store('count')).toThrow(/counts/)
  }
  const written = await read('out')
  await using second = application(counting())
  await second.start()
  await second.untilIdle()
  expect(second.metrics()).toMatchObject({ processed: 0, restored: 0 })
  expect(second.store<string, number>('counts').get('river')).toBe(3)
  expect(await read('out')).toEqual(written)
})

test('without its state directory it rebuilds every row from the changelog', async () => {
  await create('words')
  await write('words', WORDS)
  const first = application(counting())
  await first.start()
  await first.untilIdle()
  const rows = new Map(first.store<string, number>('counts').all())
  await first.close()
  await rm(join(directory, 'state'), { recursive: true })
  await using second = application(counting())
  await second.start()
  expect(new Map(second.store<string, number>('counts').all())).toEqual(rows)
  expect(second.metrics().restored).toBeGreaterThanOrEqual(rows.size)
})

test('two instances share the tasks; when one leaves, the other goes on with all of them', async () => {
  await create('words')
  const one = application(counting(), { stateDirectory: join(directory, 'one') })
  const two = application(counting(), { stateDirectory: join(directory, 'two') })
  await Promise.all([one.start(), two.start()])
  await write('words', WORDS)
  await Promise.all([one.untilIdle(), two.untilIdle()])
  await write('words', WORDS)
  await Promise.all([one.untilIdle(), two.untilIdle()])
  expect([one, two].map(instance => instance.metrics().tasks)).toEqual([PARTITIONS, PARTITIONS])
  const takenOver = new Promise<void>(resolve => two.onState(() => two.metrics().tasks === 2 * PARTITIONS && resolve()))
  await one.close()
  await write('words', WORDS)
  await takenOver
  await two.untilIdle()
  expect(new Map(two.store<string, number>('counts').all())).toEqual(new Map([['mill', 3], ['river', 9], ['stone', 3]]))
  await two.close()
})

test('a function that throws ends it with the operator and the record named; mended, it goes on where it was', async () => {
  await create('words')
  await write('words', [['a', 'good'], ['a', 'bad'], ['a', 'good']])
  const builder = (isBad: (word: string) => boolean): StreamsBuilder => {
    const drawn = new StreamsBuilder()
    drawn.stream('words', text).mapValues(word => { if (isBad(word)) throw new Error('no such word'); return word }, { name: 'check' }).to('out', text)
    return drawn
  }
  const failing = application(builder(word => word === 'bad'))
  await failing.start()
  await expect(failing.untilIdle()).rejects.toThrow(/check.*offset 1 of words.*no such word/s)
  expect(await failing.closed).toBe(failing.failure)
  expect(failing.state).toBe('ERROR')
  await using mended = application(builder(() => false))
  await mended.start()
  await mended.untilIdle()
  expect((await read('out')).map(([, value]) => value)).toEqual(expect.arrayContaining(['good', 'bad', 'good']))
})

test('bad records are skipped and counted where the handlers say so', async () => {
  await create('words')
  await write('words', [['a', '1'], ['a', 'x'], ['a', '2']])
  const seen: string[] = []
  const builder = new StreamsBuilder()
  builder.stream('words', { key: serdes.string, value: serdes.json<number>() }).to('out', { key: serdes.string, value: serdes.json<number>() })
  await using lenient = application(builder, {
    onDeserializationError(failure) {
      seen.push(`${failure.topic} ${failure.offset}`)
      return 'skip'
    },
  })
  await lenient.start()
  await lenient.untilIdle()
  expect(seen).toEqual(['words 1'])
  expect(lenient.metrics().skipped).toBe(1)
  expect((await read('out')).map(([, value]) => value)).toEqual(['1', '2'])
})

test('a global table is whole before the first record is joined, and follows its topic', async () => {
  await create('rows', 'words')
  await write('rows', [['river', 'wet'], ['stone', 'dry']])
  await write('words', WORDS)
  const builder = new StreamsBuilder()
  const rows = builder.globalTable('rows', text)
  builder.stream('words', text).leftJoin(rows, (word, row) => `${word} is ${row ?? 'unknown'}`, { on: (_, word) => word }).to('out', text)
  await using joined = application(builder)
  await joined.start()
  await joined.untilIdle()
  expect((await read('out')).map(([, value]) => value).toSorted((a, b) => (a! < b! ? -1 : 1))).toEqual(['mill is unknown', 'river is wet', 'river is wet', 'river is wet', 'stone is dry'])
})

test('windows are kept across a restart, and a late record is dropped and counted', async () => {
  await create('words')
  const windowed = (): StreamsBuilder => {
    const builder = new StreamsBuilder()
    builder.stream('words', text).groupByKey().windowedBy(tumbling(HOUR, { grace: 0 })).count({ store: { name: 'hours', retention: { hours: 3 } } }).toStream(({ key, window }) => `${key}@${window.start}`).mapValues(String).to('out', text)
    return builder
  }
  await write('words', [['k', 'a', 10], ['k', 'b', HOUR + 10]])
  const first = application(windowed())
  await first.start()
  await first.untilIdle()
  await first.close()
  await write('words', [['k', 'late', 20], ['k', 'c', HOUR + 20]])
  await using second = application(windowed())
  await second.start()
  await second.untilIdle()
  expect(second.metrics()).toMatchObject({ processed: 2, dropped: 1 })
  expect([...second.windowStore<string, number>('hours').fetch('k', 0, HOUR)].map(([{ window }, count]) => [window.start, count])).toEqual([[0, 1], [HOUR, 2]])
})

test('a topic that is not there is named, unless the settings make it', async () => {
  const strict = application(counting(), { createSourceTopics: false })
  await expect(strict.start()).rejects.toThrow(/words.*topics create words/)
  expect(strict.state).toBe('ERROR')
  await using lenient = application(counting())
  await lenient.start()
  await lenient.untilIdle()
  expect(lenient.metrics().processed).toBe(0)
})

test('topics that it makes keep records of any event time', async () => {
  await using made = application(counting())
  await made.start()
  const { results } = await broker.connect().request('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 'words', configurationKeys: ['retention.ms'] }] })
  expect(results[0]!.configs[0]!.value).toBe('-1')
})

test('close before start, twice, and without waiting for start are all allowed', async () => {
  const never = application(counting())
  await never.close()
  expect(never.state).toBe('NOT_RUNNING')
  const hasty = application(counting())
  const starting = hasty.start().catch(() => undefined)
  await hasty.close()
  await hasty.close()
  await starting
  expect(hasty.state).toBe('NOT_RUNNING')
  await expect(hasty.start()).rejects.toThrow(/NOT_RUNNING/)
})
