// Names come from the structure or the user: what is added elsewhere renames no store and no topic of the application's.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamsBuilder, serdes, tumbling, type KStream, type Topology } from '../../dsl/index.ts'
import { grow, step } from './random-topology.ts'

const text = { key: serdes.string, value: serdes.string }

/** `vitest run --project nightly` runs many more. */
const RUNS = process.env['MILLRACE_NIGHTLY'] === undefined ? 50 : 2000

test('a store is called after the verbs that lead to it', () => {
  const builder = new StreamsBuilder({ defaults: text })
  const orders = builder.stream('orders', text)
  orders.groupByKey().count()
  orders.filter(() => true).groupBy((_, value) => value).windowedBy(tumbling({ hours: 1 })).count()
  orders.split({ eu: () => true }).eu.toTable({ store: {} }).groupBy((key, value) => [value, key]).count()
  builder.table('customers', { ...text, store: {} }).filter(() => true).groupBy((key, value) => [value, key]).reduce({ adder: a => a, subtractor: a => a })
  expect(durableNames(builder.build())).toEqual([
    'store customers.filter.groupBy.reduce',
    'store customers.table',
    'store orders.filter.groupBy.windowedBy-1h.count',
    'store orders.groupByKey.count',
    'store orders.split.eu.toTable',
    'store orders.split.eu.toTable.groupBy.count',
    'topic customers.filter.groupBy.reduce',
    'topic orders.filter.groupBy.windowedBy-1h.count',
    'topic orders.split.eu.toTable.groupBy.count',
  ])
})

test('observers and the names of operators do not enter a store name', () => {
  const plain = names(stream => stream.mapValues(value => value).groupByKey().reduce(a => a))
  const observed = names(stream => stream.peek(() => {}).mapValues(value => value, { name: 'same' }).peek(() => {}).groupByKey().reduce(a => a, { name: 'sum' }))
  expect(observed).toEqual(plain)
  expect(plain).toEqual(['store in.mapValues.groupByKey.reduce'])
})

test('equal paths get ordinals', () => {
  expect(names(stream => {
    stream.groupByKey().count()
    stream.groupByKey().count()
  })).toEqual(['store in.groupByKey.count', 'store in.groupByKey.count-2'])
})

test('given names are used as they are', () => {
  const builder = new StreamsBuilder({ defaults: text })
  const rekeyed = builder.stream('in').selectKey(() => 'k')
  const grouped = rekeyed.groupByKey({ name: 'G' })
  grouped.count({ store: 'C', name: 'counter' })
  grouped.reduce(a => a, { store: { name: 'R' } })
  rekeyed.repartition({ name: 'P' })
  rekeyed.toTable({ name: 'T', store: 'S' })
  rekeyed.join(builder.table('t', { name: 'table', store: 'rows' }), a => a, { name: 'J' })
  rekeyed.groupByKey().count({ store: 'D' })
  const topology = builder.build()
  expect(durableNames(topology)).toEqual(['store C', 'store D', 'store R', 'store S', 'store rows', 'topic D', 'topic G', 'topic J', 'topic P', 'topic T'])
  expect(topology.nodes.map(node => node.name)).toEqual(expect.arrayContaining(['counter', 'G-repartition-sink', 'G-repartition-source', 'T', 'J', 'table']))
})

test('names can be required', () => {
  const build = (draw: (stream: KStream<string, string>, builder: StreamsBuilder<string, string>) => void) => (): Topology => {
    const builder = new StreamsBuilder({ defaults: text, explicitNames: true })
    draw(builder.stream('in'), builder)
    return builder.build()
  }
  expect(build(stream => stream.filter(() => true).selectKey(key => key).to('out'))).not.toThrow()
  expect(build(stream => stream.groupBy(key => key, { name: 'G' }).count({ store: 'C' }))).not.toThrow()
  expect(build(stream => stream.groupBy(key => key).count({ store: 'C' }))).not.toThrow()
  expect(build((_, builder) => builder.table('t', { store: 'T' }).filter(() => true).toStream())).not.toThrow()
  expect(build((stream, builder) => stream.join(builder.globalTable('g'), a => a, { on: key => key }))).not.toThrow()
  expect(build((_, builder) => builder.table('t').toStream())).toThrow(/Names are required, and these have none: the store of table at \S+names\.test\.ts:\d+\./)
  expect(build(stream => stream.groupBy(key => key).count())).toThrow(/the store of count at \S+, the repartition topic of count at/)
  expect(build(stream => stream.repartition())).toThrow(/the repartition topic of repartition at/)
  expect(build((stream, builder) => stream.selectKey(key => key).join(builder.table('t', { store: 'T' }), a => a))).toThrow(/the repartition topic of join at/)
})

test('long paths are cut in the middle, and stay apart', () => {
  const long = (last: string): string[] => names(stream => {
    let end = stream
    for (let i = 0; i < 30; i++) end = end.mapValues(value => value)
    for (const step of last) end = step === 'm' ? end.mapValues(value => value) : end.filter(() => true)
    for (let i = 0; i < 30; i++) end = end.mapValues(value => value)
    end.groupByKey().count()
  })
  const [first, second] = [long('mf')[0]!, long('fm')[0]!]
  expect(first).not.toEqual(second)
  for (const name of [first, second]) expect(name.replace('store ', '')).toMatch(/^in\.mapValues[a-zA-Z0-9._-]{0,200}groupByKey\.count$/)
})

test('an unrelated operator, added anywhere, renames nothing', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 25 }), fc.array(fc.record({ before: fc.nat({ max: 25 }), step }), { minLength: 1, maxLength: 5 }), (steps, additions) => {
    const before = durableNames(grow(steps, []))
    const after = durableNames(grow(steps, additions))
    expect(after).toEqual(expect.arrayContaining(before))
  }), { numRuns: RUNS })
})

function names(draw: (stream: KStream<string, string>) => void): string[] {
  const builder = new StreamsBuilder({ defaults: text })
  draw(builder.stream('in'))
  return durableNames(builder.build())
}

/** What has a name in the log: stores by their changelogs, and repartition topics. */
function durableNames(topology: Topology): string[] {
  return [...topology.stores.map(store => `store ${store.name}`), ...topology.repartitions.map(topic => `topic ${topic.name}`)].sort()
}
