// What the verbs become: where repartitions are put, which tables are kept, who says old values, what runs together.

import { describe, expect, test } from 'vitest'
import { StreamsBuilder, keyValueStore, serdes, tumbling, type KStream, type Topology } from '../../dsl/index.ts'
import type { NodeKind, NodeOf } from '../../core/topology/node.ts'

const text = { key: serdes.string, value: serdes.string }
const pass = (a: string): string => a
const processor = (): { process(): void } => ({ process() {} })

function build(draw: (builder: StreamsBuilder<string, string>) => void): Topology {
  const builder = new StreamsBuilder({ defaults: text })
  draw(builder)
  return builder.build()
}

function nodesOf<Kind extends NodeKind>(topology: Topology, kind: Kind): readonly NodeOf<Kind>[] {
  return topology.nodes.filter((node): node is NodeOf<Kind> => node.kind === kind)
}

describe('repartitions come late, and only where the key may have changed', () => {
  const count = (stream: KStream<string, string>): void => void stream.groupByKey().count({ store: 'C' })
  const cases: readonly (readonly [string, (stream: KStream<string, string>, other: KStream<string, string>) => void, readonly string[]])[] = [
    ['no change', count, []],
    ['values changed', stream => count(stream.filter(() => true).mapValues(pass).flatMapValues(value => [value]).peek(() => {}).split({ x: () => true }).x), []],
    ['processValues', stream => count(stream.processValues(processor)), []],
    ['map', stream => count(stream.map((key, value) => [key, value])), ['C']],
    ['flatMap', stream => count(stream.flatMap((key, value) => [[key, value]])), ['C']],
    ['selectKey', stream => count(stream.selectKey(pass)), ['C']],
    ['process', stream => count(stream.process(processor)), ['C']],
    ['groupBy', stream => void stream.groupBy(pass).count({ store: 'C' }), ['C']],
    ['a key change that nothing acts on', stream => stream.selectKey(pass).to('out'), []],
    ['merge with a rekeyed stream', (stream, other) => count(other.merge(stream.selectKey(pass))), ['C']],
    ['explicit', stream => count(stream.repartition({ name: 'P' })), ['P']],
    ['explicit after a change', stream => count(stream.selectKey(pass).repartition({ name: 'P' })), ['P']],
    ['toTable', stream => void stream.selectKey(pass).toTable({ store: 'T' }), ['in.selectKey.toTable']],
    ['two aggregations of one grouping', stream => { const g = stream.groupBy(pass); g.count({ store: 'C' }); g.reduce(pass, { store: 'R' }) }, ['C', 'R']],
    ['two aggregations of a named grouping', stream => { const g = stream.groupBy(pass, { name: 'G' }); g.count({ store: 'C' }); g.windowedBy(tumbling(1)).reduce(pass, { store: 'R' }) }, ['G']],
    ['a join', (stream, other) => void stream.selectKey(pass).join(other.toTable(), pass), ['in.selectKey']],
    ['two joins share it', (stream, other) => { const t = other.toTable(), s = stream.selectKey(pass); s.join(t, pass); s.leftJoin(t, pass) }, ['in.selectKey']],
    ['a join clears the change', (stream, other) => count(stream.selectKey(pass).join(other.toTable(), pass)), ['in.selectKey']],
    ['toStream with a selector', stream => count(stream.toTable().toStream(pass).mapValues(value => value ?? '')), ['C']],
    ['through a topic', stream => count(stream.selectKey(pass).through('t')), []],
  ]
  test.each(cases)('%s', (_, draw, expected) => {
    const topology = build(builder => draw(builder.stream('in'), builder.stream('other')))
    expect(topology.repartitions.map(topic => topic.name)).toEqual(expected)
  })

  test('a global join keeps the change, and needs no repartition', () => {
    const topology = build(builder => count(builder.stream('in').selectKey(pass).join(builder.globalTable('g'), pass, { on: pass })))
    expect(topology.repartitions.map(topic => topic.name)).toEqual(['C'])
    expect(topology.globals).toMatchObject([{ name: 'g.globalTable', topic: 'g', store: { name: 'g.globalTable', logged: false, timestamped: true } }])
    expect(topology.stores.map(store => store.name)).toEqual(['C'])
  })
})

test('null keys are dropped before an aggregation, kept before a left join', () => {
  const topology = build(builder => {
    const table = builder.table('t')
    const rekeyed = builder.stream('in').selectKey(pass)
    rekeyed.groupByKey().count({ store: 'C' })
    rekeyed.join(table, pass, { name: 'inner' })
    rekeyed.leftJoin(table, pass, { name: 'left' })
    rekeyed.repartition({ name: 'explicit' }).leftJoin(table, pass)
    rekeyed.repartition({ name: 'far' }).selectKey(pass).repartition({ name: 'near' }).mapValues(pass).leftJoin(builder.globalTable('g'), pass, { on: pass })
    table.groupBy((key, value) => [value, key]).count({ store: 'changes' })
  })
  expect(Object.fromEntries(nodesOf(topology, 'repartition-sink').map(node => [node.repartition, node.dropNullKeys]))).toEqual({
    C: true, inner: true, left: false, explicit: false, far: false, near: false, changes: false,
  })
})

describe('tables are kept if they are named or needed', () => {
  const cases: readonly (readonly [string, (builder: StreamsBuilder<string, string>) => void, readonly string[]])[] = [
    ['nobody needs it', b => b.table('t').toStream().to('out'), []],
    ['named', b => b.table('t', { store: 'T' }).toStream().to('out'), ['T']],
    ['options without a name do not keep it', b => b.table('t', { store: { cached: false } }).toStream().to('out'), []],
    ['joined', b => void b.stream('s').join(b.table('t'), pass), ['t.table']],
    ['joined below a filter and mapValues', b => void b.stream('s').join(b.table('t').filter(() => true).mapValues(pass), pass), ['t.table']],
    ['joined below a kept filter', b => void b.stream('s').join(b.table('t').filter(() => true, { store: 'F' }).mapValues(pass), pass), ['F']],
    ['grouped', b => void b.table('t').groupBy((k, v) => [v, k]).count({ store: 'C' }), ['t.table', 'C']],
    ['grouped below a mapValues', b => void b.table('t').mapValues(pass).groupBy((k, v) => [v, k]).count({ store: 'C' }), ['t.table', 'C']],
    ['grouped below a kept filter', b => void b.table('t').filter(() => true, { store: 'F' }).groupBy((k, v) => [v, k]).count({ store: 'C' }), ['F', 'C']],
    ['a stream made a table', b => void b.stream('s').join(b.stream('x').toTable(), pass), ['x.toTable']],
  ]
  test.each(cases)('%s', (_, draw, expected) => {
    expect(build(draw).stores.map(store => store.name)).toEqual(expected)
  })
})

describe('old values are said where they are needed, or cost nothing', () => {
  const cases: readonly (readonly [string, (builder: StreamsBuilder<string, string>) => void, Readonly<Record<string, boolean>>])[] = [
    ['a filter of a table that is not kept', b => void b.table('t').filter(() => true), { 't.table': false, 't.filter': false }],
    ['a filter of a kept table', b => void b.table('t', { store: 'T' }).filter(() => true), { 't.table': true, 't.filter': true }],
    ['a kept filter of a table that is not', b => void b.table('t').filter(() => true, { store: 'F' }), { 't.table': false, 't.filter': false }],
    ['a filter drawn before the table was needed', b => { const t = b.table('t'); t.filter(() => true); b.stream('s').join(t, pass) }, { 't.table': false, 't.filter': false }],
    ['a filter drawn after', b => { const t = b.table('t'); b.stream('s').join(t, pass); t.filter(() => true) }, { 't.table': true, 't.filter': true }],
    ['a filter through a mapValues', b => void b.table('t', { store: 'T' }).mapValues(pass).filter(() => true), { 't.table': true, 't.mapValues': true, 't.mapValues.filter': true }],
    ['a filter of a kept mapValues', b => void b.table('t').mapValues(pass, { store: 'M' }).filter(() => true), { 't.table': false, 't.mapValues': true, 't.mapValues.filter': true }],
    ['a filter of an aggregate', b => void b.stream('s').groupByKey().count({ store: 'C' }).filter(() => true), { 's.groupByKey.count': true, 's.groupByKey.count.filter': true }],
    ['a group', b => void b.table('t').mapValues(pass).groupBy((k, v) => [v, k]).count({ store: 'C' }), { 't.table': true, 't.mapValues': true, 't.mapValues.groupBy.count': false }],
    ['nobody', b => void b.stream('s').groupByKey().count({ store: 'C' }).toStream(), { 's.groupByKey.count': false }],
  ]
  test.each(cases)('%s', (_, draw, expected) => {
    const tables = build(draw).nodes.flatMap(node => ('sendsOldValues' in node ? [[node.name, node.sendsOldValues] as const] : []))
    expect(Object.fromEntries(tables)).toEqual(expected)
  })
})

test('what is joined by edges, stores or lookups runs together', () => {
  const topology = build(builder => {
    const table = builder.table('t', { store: 'T' })
    builder.stream('alone').to('out')
    builder.stream('reads-t').processValues(processor, { stores: ['T', 'G'] }).to('out')
    builder.globalTable('g', { store: 'G' })
    builder.stream('joins-t').selectKey(pass).join(table.filter(() => true), pass).to('out')
    builder.addStore(keyValueStore('shared', text))
    builder.stream('one').process(processor, { stores: ['shared'] })
    builder.stream('two').process(processor, { stores: ['shared'] })
  })
  expect(topology.subtopologies.map(({ id, sourceTopics, repartitionSources, stores, copartitioned }) => ({ id, sourceTopics, repartitionSources, stores, copartitioned }))).toEqual([
    { id: 0, sourceTopics: ['t', 'reads-t'], repartitionSources: ['joins-t.selectKey'], stores: ['T'], copartitioned: [['joins-t.selectKey', 't']] },
    { id: 1, sourceTopics: ['alone'], repartitionSources: [], stores: [], copartitioned: [] },
    { id: 2, sourceTopics: ['joins-t'], repartitionSources: [], stores: [], copartitioned: [] },
    { id: 3, sourceTopics: ['one', 'two'], repartitionSources: [], stores: ['shared'], copartitioned: [] },
  ])
})

test('streams of the same topics share one source, in any order of the topics', () => {
  const topology = build(builder => {
    builder.stream(['b', 'a']).to('x')
    builder.stream(['a', 'b']).to('y')
  })
  expect(nodesOf(topology, 'source')).toMatchObject([{ name: 'a-and-b', topics: ['a', 'b'], offsetReset: 'earliest', timestamp: null }])
  expect(nodesOf(topology, 'sink').map(node => node.parents)).toEqual([['a-and-b'], ['a-and-b']])
})

test('serdes: what is given, else what is known, else the default', () => {
  const builder = new StreamsBuilder({ defaults: { value: serdes.float64 } })
  const numbers = builder.stream('numbers', { key: serdes.int64, value: serdes.int32 })
  numbers.filter(() => true).to('kept')
  numbers.mapValues(Number).to('lost')
  numbers.to('given', { value: serdes.bigint64 as never })
  numbers.selectKey(String).to('new-key')
  numbers.groupByKey().windowedBy(tumbling(10)).count().toStream().to('windowed')
  const sinks = nodesOf(builder.build({ defaults: { key: serdes.uuid } }), 'sink')
  expect(Object.fromEntries(sinks.map(node => [node.topic, `${node.serdes.key.name} ${node.serdes.value.name}`]))).toEqual({
    kept: 'int64 int32',
    lost: 'int64 float64',
    given: 'int64 bigint64',
    'new-key': 'uuid int32',
    windowed: 'windowed(int64) int64',
  })
})

test('a count needs no serde for what it counts; a sum in the same repartition does', () => {
  const draw = (both: boolean): Topology => {
    const builder = new StreamsBuilder()
    const grouped = builder.stream('in', text).mapValues(value => ({ value })).groupBy((_, { value }) => value, { name: 'G' })
    grouped.count({ store: 'C' })
    if (both) grouped.aggregate({ initializer: () => 0, aggregator: (_key, _value, sum) => sum + 1, store: { value: serdes.int64 } })
    return builder.build()
  }
  expect(draw(false).repartitions[0]!.serdes.value.name).toBe('presence')
  expect(() => draw(true)).toThrow('no serde is known for the values of repartition topic G')
})

test('stores are what was said of them', () => {
  const builder = new StreamsBuilder({ medium: 'memory' })
  const grouped = builder.stream('in', text).groupByKey()
  grouped.count({ store: { name: 'A', medium: 'level', cached: false, topicConfig: { 'segment.bytes': '1' } } })
  grouped.windowedBy(tumbling(10, { grace: 5 })).count({ store: { name: 'B', logged: false, retention: { seconds: 1 } } })
  builder.addStore(keyValueStore('D', { key: serdes.int32, value: serdes.bytes }))
  expect(builder.build().stores).toEqual([
    { kind: 'key-value', name: 'A', key: serdes.string, value: serdes.int64, medium: 'level', logged: true, cached: false, topicConfig: { 'segment.bytes': '1' }, timestamped: true },
    { kind: 'window', name: 'B', key: serdes.string, value: serdes.int64, medium: 'memory', logged: false, cached: true, topicConfig: {}, sizeMs: 10, retentionMs: 1000 },
    { kind: 'key-value', name: 'D', key: serdes.int32, value: serdes.bytes, medium: 'level', logged: true, cached: false, topicConfig: {}, timestamped: false },
  ])
})

test('a topology is frozen all the way down, and building again gives the same', () => {
  const builder = new StreamsBuilder({ defaults: text })
  builder.stream('in').split({ x: () => true }).x.groupBy(pass).windowedBy(tumbling(1)).count({ store: { topicConfig: { a: 'b' } } })
  const topology = builder.build()
  const open: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || 'serialize' in value) return
    if (!Object.isFrozen(value)) open.push(path)
    for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`)
  }
  visit(topology, 'topology')
  expect(open).toEqual([])
  expect(builder.build()).toEqual(topology)
})
