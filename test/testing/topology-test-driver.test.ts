// The TopologyTestDriver: many partitions, topics, stores, wall time, and what it says when it is asked for what is not there.

import { describe, expect, test } from 'vitest'
import { Headers, hopping, serdes, StreamsBuilder, tumbling, type Topology, type Windowed } from 'millrace'
import { TopologyTestDriver } from 'millrace/testing'
import { partitionOf } from '../../core/murmur2.ts'

const text = { key: serdes.string, value: serdes.string }
const number = { key: serdes.string, value: serdes.int64 }

function wordCount(): Topology {
  const builder = new StreamsBuilder()
  builder
    .stream('sentences', text)
    .flatMapValues(sentence => sentence.split(' '))
    .groupBy((_, word) => word)
    .count({ store: 'counts' })
    .toStream()
    .to('word-counts', { value: serdes.int64 })
  return builder.build()
}

describe('many partitions', () => {
  test('records go where their keys say, through repartition topics to the task that counts them', () => {
    using driver = new TopologyTestDriver(wordCount(), { partitions: { sentences: 3, 'word-counts': 5 } })
    const sentences = driver.input('sentences', text)
    sentences.sendAll([{ value: 'to be or not', partition: 0 }, { value: 'to be', partition: 1 }, { value: 'be it', partition: 2 }])
    const counts = driver.store<string, number>('counts')
    expect(new Map(counts.entries())).toEqual(new Map([['to', 2], ['be', 3], ['or', 1], ['not', 1], ['it', 1]]))
    for (const { key, partition } of counts.rows()) expect(partition).toBe(partitionOf(Buffer.from(key), 3))
    const written = driver.output('word-counts', number).readAll()
    expect(written.filter(({ key }) => key === 'be').map(({ value }) => value)).toEqual([1, 2, 3])
    expect(written).toHaveLength(8)
    for (const { key, partition } of written) expect(partition).toBe(partitionOf(Buffer.from(key!), 5))
  })

  test('keyless records go around, and windowed keys go where their inner keys do', () => {
    const builder = new StreamsBuilder()
    builder.stream('in', text).groupByKey().windowedBy(tumbling(10)).count({ store: 'windows' }).toStream().to('out')
    const windowed = { key: serdes.windowed(serdes.string, tumbling(10)), value: serdes.int64 }
    using driver = new TopologyTestDriver(builder.build(), { partitions: 4 })
    const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`)
    driver.input('in', text).sendAll(keys.map((key, index) => ({ key, value: 'v', timestamp: index })))
    const written = driver.output<Windowed<string>, number>('out', windowed).readAll()
    expect(written).toHaveLength(20)
    for (const { key, partition } of written) expect(partition).toBe(partitionOf(Buffer.from(key!.key), 4))

    using keyless = new TopologyTestDriver(wordCount(), { partitions: 2 })
    keyless.input('sentences', text).sendAll([{ value: 'a' }, { value: 'b' }, { value: 'c' }])
    expect(keyless.store('counts').rows()).toHaveLength(3)
  })

  test('a partition that is not there is refused', () => {
    using driver = new TopologyTestDriver(wordCount(), { partitions: 2 })
    expect(() => driver.input('sentences').send({ value: 'v', partition: 2 })).toThrow(/sentences-2 does not exist/)
  })

  test('topics that are joined must have equally many', () => {
    const builder = new StreamsBuilder()
    builder.stream('in', text).join(builder.table('table', text), (value, row) => value + row).to('out', text)
    const topology = builder.build()
    expect(() => new TopologyTestDriver(topology, { partitions: { in: 2, table: 3 } })).toThrow(/in has 2 partitions and table has 3/)
  })
})

describe('one task for all, as in Java', () => {
  test('stream time is shared by all subtopologies, and there is one partition', () => {
    const times: number[] = []
    const builder = new StreamsBuilder()
    builder.stream('a', text).process(() => ({ init: context => void context.schedule(10, 'stream', time => times.push(time)), process() {} }))
    builder.stream('b', text).forEach(() => {})
    const topology = builder.build()
    using one = new TopologyTestDriver(topology, { singleTask: true })
    one.input('b').send({ value: 'v', timestamp: 25 })
    expect(times).toEqual([25])
    using many = new TopologyTestDriver(topology)
    many.input('b').send({ value: 'v', timestamp: 35 })
    expect(times).toEqual([25])
    expect(() => new TopologyTestDriver(topology, { singleTask: true, partitions: 2 })).toThrow(/one partition/)
  })
})

describe('topics', () => {
  test('what is left out of a record: no key, no headers, the wall time', () => {
    const builder = new StreamsBuilder()
    builder.stream('in', text).to('out', text)
    using driver = new TopologyTestDriver(builder, { startWallTime: 1000 })
    driver.advanceWallTime({ seconds: 2 })
    driver.input('in').send({ value: 'v' })
    driver.input('in').send({ key: 'k', value: null, timestamp: 5, headers: [['h', 'x']] })
    const out = driver.output('out', text)
    expect(out.size).toBe(2)
    expect(out.read()).toEqual({ key: null, value: 'v', timestamp: 3000, headers: new Headers(), partition: 0 })
    const second = out.read()
    expect(second).toMatchObject({ key: 'k', value: null, timestamp: 5 })
    expect(Buffer.from(second.headers.last('h')!.value!).toString()).toBe('x')
    expect(() => out.read()).toThrow(/no more records/)
  })

  test('a topic that the topology does not know is refused, with what it knows', () => {
    using driver = new TopologyTestDriver(wordCount())
    expect(() => driver.input('in')).toThrow(/does not read the topic in. It reads sentences/)
    expect(() => driver.output('out')).toThrow(/No sink of the topology names the topic out/)
    expect(() => driver.store('c')).toThrow(/no store c. It has counts/)
  })

  test('bytes that no serde would write, and what becomes of them', () => {
    const builder = new StreamsBuilder()
    builder.stream('in', number).to('out', number)
    using driver = new TopologyTestDriver(builder, { onDeserializationError: 'skip' })
    driver.input('in').sendRaw({ value: Buffer.from('short') })
    expect(driver.skipped).toBe(1)
    expect(driver.dropped).toBe(0)
    using failing = new TopologyTestDriver(builder)
    expect(() => failing.input('in').sendRaw({ value: Buffer.from('short') })).toThrow(/cannot be read/)
  })

  test('a topic of the user that is written and read again goes on at once', () => {
    const builder = new StreamsBuilder()
    builder.stream('in', text).through('middle', text).mapValues(value => `${value}!`).to('out', text)
    using driver = new TopologyTestDriver(builder, { partitions: 2 })
    driver.input('in').send({ key: 'k', value: 'v' })
    expect(driver.output('out', text).readValues()).toEqual(['v!'])
    expect(driver.output('middle', text).readValues()).toEqual(['v'])
    expect(driver.writtenTopics).toEqual(['middle', 'out'])
  })
})

describe('stores', () => {
  test('windowed ones are read by windowed keys', () => {
    const builder = new StreamsBuilder()
    builder.stream('in', text).groupByKey().windowedBy(hopping(10, 5)).count({ store: 'windows' })
    using driver = new TopologyTestDriver(builder)
    driver.input('in').sendAll([{ key: 'a', value: 'v', timestamp: 7 }, { key: 'a', value: 'v', timestamp: 9 }])
    const store = driver.store<Windowed<string>, number>('windows')
    expect(store.get({ key: 'a', window: { start: 5, end: 15 } })).toBe(2)
    expect(store.get({ key: 'b', window: { start: 5, end: 15 } })).toBeNull()
    expect(store.rows().map(({ key, value, timestamp }) => [key.window.start, value, timestamp])).toEqual([[0, 2, 9], [5, 2, 9]])
  })

  test('global tables are there for every task', () => {
    const builder = new StreamsBuilder()
    const names = builder.globalTable('names', { ...text, store: 'names' })
    builder.stream('in', text).leftJoin(names, (value, name) => `${value} ${name}`, { on: key => key }).to('out', text)
    using driver = new TopologyTestDriver(builder, { partitions: { in: 3, names: 2 } })
    driver.input('names').sendAll([{ key: 'a', value: 'Anna' }, { key: null, value: 'nobody' }])
    driver.input('in').sendAll([{ key: 'a', value: '1' }, { key: 'b', value: '2' }])
    expect(driver.output('out', text).readPairs()).toEqual([['a', '1 Anna'], ['b', '2 null']])
    expect(driver.store('names').entries()).toEqual([['a', 'Anna']])
  })
})

test('held-back updates go on with the commit after each record', () => {
  const builder = new StreamsBuilder()
  builder.stream('in', text).flatMapValues(value => value.split('')).groupByKey().count().toStream().to('out', number)
  using every = new TopologyTestDriver(builder)
  every.input('in').send({ key: 'k', value: 'xyz' })
  expect(every.output('out', number).readValues()).toEqual([1, 2, 3])
  using held = new TopologyTestDriver(builder, { holdUpdates: true })
  held.input('in').send({ key: 'k', value: 'xyz' })
  expect(held.output('out', number).readTable()).toEqual(new Map([['k', 3]]))
})

test('dropped records are counted over all tasks', () => {
  const builder = new StreamsBuilder()
  builder.stream('in', text).groupByKey().count()
  using driver = new TopologyTestDriver(builder, { partitions: 2 })
  driver.input('in').sendAll([{ value: 'no key' }, { key: 'k', value: null }, { value: 'no key' }])
  expect(driver.dropped).toBe(3)
})
