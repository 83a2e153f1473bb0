// The objects that users hold: each verb takes the types off, says where it was called, and draws. What the verbs mean stands in stream.ts.

import type { ProcessorSupplier } from '../core/processor.ts'
import type { Aggregation, Predicate, TopicSelector } from '../core/topology/node.ts'
import type { Windows } from '../core/window.ts'
import type { Blueprint } from './blueprint.ts'
import { callOf, topologyError, type Call } from './call.ts'
import { drawAggregate, drawGroupBy, drawGroupByKey, drawTableAggregate, drawWindowAggregate } from './draw-aggregation.ts'
import { drawGlobalJoin, drawTableJoin, drawTablesJoin, type JoinSaid } from './draw-join.ts'
import type { Sources } from './draw-source.ts'
import { drawMerge, drawProcess, drawRepartition, drawSink, drawSplit, drawStep, drawToTable, type ProcessChoice, type RepartitionChoice, type SinkChoice, writtenSerdes } from './draw-stream.ts'
import { drawTableFilter, drawTableGroup, drawTableMapValues, drawToStream, type GroupChoice } from './draw-table.ts'
import type { StoreChoice } from './draw-store.ts'
import type { GlobalTablePoint, GroupedPoint, StreamPoint, TablePoint, WindowedPoint } from './point.ts'
import type { GlobalKTable, KGroupedStream, KGroupedTable, KStream, KTable, TimeWindowedKStream } from './stream.ts'

// Inside, keys and values are unknown. What comes out is `never`, which is any type the page of verbs says.

type Mapper = (a: unknown, b: unknown) => unknown
type Named = { readonly name?: string | undefined }
type Stored = Named & { readonly store?: StoreChoice | undefined }

export function streamFace(point: StreamPoint, sources: Sources): KStream<never, never> {
  return new StreamFace(point, sources) as KStream<unknown, unknown> as KStream<never, never>
}

export function tableFace(point: TablePoint, sources: Sources): KTable<never, never, never> {
  return new TableFace(point, sources) as KTable<unknown, unknown> as KTable<never, never, never>
}

export function globalTableFace(point: GlobalTablePoint): GlobalKTable<never, never> {
  return new GlobalTableFace(point)
}

function groupedFace(point: GroupedPoint, sources: Sources): KGroupedStream<never, never> {
  return new GroupedStreamFace(point, sources) as KGroupedStream<unknown, unknown> as KGroupedStream<never, never>
}

function windowedFace(point: WindowedPoint, sources: Sources): TimeWindowedKStream<never, never> {
  return new WindowedFace(point, sources) as TimeWindowedKStream<unknown, unknown> as TimeWindowedKStream<never, never>
}

function groupedTableFace(point: GroupedPoint, sources: Sources): KGroupedTable<never, never> {
  return new GroupedTableFace(point, sources) as KGroupedTable<unknown, unknown> as KGroupedTable<never, never>
}

class StreamFace implements KStream<unknown, unknown> {
  readonly kind = 'stream'
  readonly #point: StreamPoint
  readonly #sources: Sources

  constructor(point: StreamPoint, sources: Sources) {
    this.#point = point
    this.#sources = sources
  }

  static pointOf(face: unknown): StreamPoint | null {
    return face instanceof StreamFace ? face.#point : null
  }

  filter(predicate: Predicate, options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('filter', options), { kind: 'filter', predicate, negated: false }))
  }

  filterNot(predicate: Predicate, options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('filterNot', options), { kind: 'filter', predicate, negated: true }))
  }

  map(mapper: (key: unknown, value: unknown) => readonly [unknown, unknown], options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('map', options), { kind: 'map', mapper }))
  }

  mapValues(mapper: Mapper, options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('mapValues', options), { kind: 'map-values', mapper }))
  }

  flatMap(mapper: (key: unknown, value: unknown) => Iterable<readonly [unknown, unknown]>, options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('flatMap', options), { kind: 'flat-map', mapper }))
  }

  flatMapValues(mapper: (value: unknown, key: unknown) => Iterable<unknown>, options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('flatMapValues', options), { kind: 'flat-map-values', mapper }))
  }

  selectKey(selector: Mapper, options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('selectKey', options), { kind: 'select-key', selector }))
  }

  peek(action: (key: unknown, value: unknown) => void, options?: Named): KStream<never, never> {
    return this.#next(drawStep(this.#point, callOf('peek', options), { kind: 'peek', action }))
  }

  forEach(action: (key: unknown, value: unknown) => void, options?: Named): void {
    drawStep(this.#point, callOf('forEach', options), { kind: 'for-each', action })
  }

  split<B extends string, D extends string>(branches: Readonly<Record<B, Predicate>>, options?: Named & { readonly default?: D | undefined }): Readonly<Record<B | D, KStream<never, never>>> {
    const points = drawSplit(this.#point, callOf('split', options), branches, options?.default ?? null)
    return Object.fromEntries([...points].map(([name, point]) => [name, this.#next(point)])) as Record<B | D, KStream<never, never>>
  }

  merge(other: KStream<unknown, unknown>, options?: Named): KStream<never, never> {
    const call = callOf('merge', options)
    const point = StreamFace.pointOf(other)
    if (point === null) throw topologyError(call, 'what it is given is not a stream.', 'Give a stream of the same builder.')
    return this.#next(drawMerge(this.#point, ownPoint(point, this.#point.blueprint, call), call))
  }

  to(topic: string | TopicSelector, options: Named & SinkChoice = {}): void {
    drawSink(this.#point, callOf('to', options), topic, options)
  }

  through(topic: string, options: Named & SinkChoice = {}): KStream<never, never> {
    const call = callOf('through', options)
    drawSink(this.#point, call, topic, options)
    return this.#next(this.#sources.stream({ ...call, name: null }, [topic], writtenSerdes(this.#point, options)))
  }

  repartition(options: Named & RepartitionChoice = {}): KStream<never, never> {
    return this.#next(drawRepartition(this.#point, callOf('repartition', options), options))
  }

  toTable(options: Stored = {}): KTable<never, never, never> {
    return tableFace(drawToTable(this.#point, callOf('toTable', options), options.store), this.#sources)
  }

  groupByKey(options: Named & GroupChoice = {}): KGroupedStream<never, never> {
    return groupedFace(drawGroupByKey(this.#point, callOf('groupByKey', options), options), this.#sources)
  }

  groupBy(selector: Mapper, options: Named & GroupChoice = {}): KGroupedStream<never, never> {
    return groupedFace(drawGroupBy(this.#point, callOf('groupBy', options), selector, options), this.#sources)
  }

  join(table: unknown, joiner: Joiner, options: JoinChoice = {}): KStream<never, never> {
    return this.#join(table, { call: callOf('join', options), join: 'inner', joiner }, options)
  }

  leftJoin(table: unknown, joiner: Joiner, options: JoinChoice = {}): KStream<never, never> {
    return this.#join(table, { call: callOf('leftJoin', options), join: 'left', joiner }, options)
  }

  process(supplier: ProcessorSupplier<unknown, unknown, never, never>, options: Named & ProcessChoice = {}): KStream<never, never> {
    return this.#next(drawProcess(this.#point, callOf('process', options), { supplier, fixedKey: false }, options))
  }

  processValues(supplier: ProcessorSupplier<unknown, unknown, never, never>, options: Named & ProcessChoice = {}): KStream<never, never> {
    return this.#next(drawProcess(this.#point, callOf('processValues', options), { supplier, fixedKey: true }, options))
  }

  #next(point: StreamPoint): KStream<never, never> {
    return streamFace(point, this.#sources)
  }

  #join(table: unknown, said: JoinSaid, options: JoinChoice): KStream<never, never> {
    const { call } = said
    const { blueprint } = this.#point
    const globalTable = GlobalTableFace.pointOf(table)
    if (globalTable !== null) {
      if (options.on === undefined) throw topologyError(call, 'the key to look up in the global table is not said.', 'Give { on: (key, value) => … }.')
      return this.#next(drawGlobalJoin(this.#point, ownPoint(globalTable, blueprint, call), said, options.on))
    }
    const point = TableFace.pointOf(table)
    if (point === null) throw topologyError(call, 'what it is given is neither a table nor a global table.', 'Give one of the same builder.')
    return this.#next(drawTableJoin(this.#point, ownPoint(point, blueprint, call), said, options))
  }
}

type Joiner = (left: unknown, right: unknown, key: unknown) => unknown
type SideJoiner = (left: unknown, right: never, key: unknown) => unknown
type JoinChoice = Named & GroupChoice & { readonly on?: Mapper | undefined }

function ownPoint<Point extends { readonly blueprint: Blueprint }>(point: Point, blueprint: Blueprint, call: Call): Point {
  if (point.blueprint !== blueprint) throw topologyError(call, 'the two sides belong to different builders.', 'Make both with one StreamsBuilder.')
  return point
}

class TableFace implements KTable<unknown, unknown> {
  readonly kind = 'table'
  readonly #point: TablePoint
  readonly #sources: Sources

  constructor(point: TablePoint, sources: Sources) {
    this.#point = point
    this.#sources = sources
  }

  static pointOf(face: unknown): TablePoint | null {
    return face instanceof TableFace ? face.#point : null
  }

  filter(predicate: Predicate, options: Stored = {}): KTable<never, never, never> {
    return this.#next(drawTableFilter(this.#point, callOf('filter', options), { predicate, negated: false }, options.store))
  }

  filterNot(predicate: Predicate, options: Stored = {}): KTable<never, never, never> {
    return this.#next(drawTableFilter(this.#point, callOf('filterNot', options), { predicate, negated: true }, options.store))
  }

  mapValues(mapper: (value: never, key: unknown) => unknown, options: Stored & { readonly seesNulls?: boolean | undefined } = {}): KTable<never, never, never> {
    return this.#next(drawTableMapValues(this.#point, callOf('mapValues', options), { mapper: mapper as Mapper, seesNulls: options.seesNulls ?? false }, options.store))
  }

  toStream(selector?: Mapper, options?: Named): KStream<never, never> {
    return streamFace(drawToStream(this.#point, callOf('toStream', options), selector ?? null), this.#sources)
  }

  groupBy(mapper: (key: unknown, value: unknown) => readonly [unknown, unknown], options: Named & GroupChoice = {}): KGroupedTable<never, never> {
    return groupedTableFace(drawTableGroup(this.#point, callOf('groupBy', options), mapper, options), this.#sources)
  }

  join(table: unknown, joiner: SideJoiner, options: Stored = {}): KTable<never, never, never> {
    return this.#join(table, { call: callOf('join', options), join: 'inner', joiner: joiner as Joiner }, options)
  }

  leftJoin(table: unknown, joiner: SideJoiner, options: Stored = {}): KTable<never, never, never> {
    return this.#join(table, { call: callOf('leftJoin', options), join: 'left', joiner: joiner as Joiner }, options)
  }

  outerJoin(table: unknown, joiner: SideJoiner, options: Stored = {}): KTable<never, never, never> {
    return this.#join(table, { call: callOf('outerJoin', options), join: 'outer', joiner: joiner as Joiner }, options)
  }

  #join(table: unknown, said: Parameters<typeof drawTablesJoin>[2], options: Stored): KTable<never, never, never> {
    const point = TableFace.pointOf(table)
    if (point === null) throw topologyError(said.call, 'what it is given is not a table.', 'Give a table of the same builder; a global table can be joined with streams.')
    return this.#next(drawTablesJoin(this.#point, ownPoint(point, this.#point.blueprint, said.call), said, options.store))
  }

  #next(point: TablePoint): KTable<never, never, never> {
    return tableFace(point, this.#sources)
  }
}

class GlobalTableFace implements GlobalKTable<never, never> {
  readonly kind = 'global-table'
  readonly #point: GlobalTablePoint

  constructor(point: GlobalTablePoint) {
    this.#point = point
  }

  static pointOf(face: unknown): GlobalTablePoint | null {
    return face instanceof GlobalTableFace ? face.#point : null
  }
}

type ReduceChoice = Stored & { readonly adder: Mapper; readonly subtractor: Mapper }
type AggregateChoice = Stored & { readonly initializer: () => unknown; readonly aggregator: Aggregator }
type TableAggregateChoice = Stored & { readonly initializer: () => unknown; readonly adder: Aggregator; readonly subtractor: Aggregator }
type Aggregator = (key: unknown, value: unknown, aggregate: never) => unknown
type UntypedAggregator = (key: unknown, value: unknown, aggregate: unknown) => unknown

class GroupedStreamFace implements KGroupedStream<unknown, unknown> {
  readonly #point: GroupedPoint
  readonly #sources: Sources

  constructor(point: GroupedPoint, sources: Sources) {
    this.#point = point
    this.#sources = sources
  }

  count(options: Stored = {}): KTable<never, never, never> {
    return this.#table(callOf('count', options), { kind: 'count' }, options)
  }

  reduce(reducer: Mapper, options: Stored = {}): KTable<never, never, never> {
    return this.#table(callOf('reduce', options), { kind: 'reduce', reducer }, options)
  }

  aggregate(options: AggregateChoice): KTable<never, never, never> {
    return this.#table(callOf('aggregate', options), aggregationOf(options), options)
  }

  windowedBy(windows: Windows): TimeWindowedKStream<never, never> {
    return windowedFace({ grouped: this.#point, windows }, this.#sources)
  }

  #table(call: Call, aggregation: Aggregation, options: Stored): KTable<never, never, never> {
    return tableFace(drawAggregate(this.#point, call, aggregation, options.store), this.#sources)
  }
}

class WindowedFace implements TimeWindowedKStream<unknown, unknown> {
  readonly #point: WindowedPoint
  readonly #sources: Sources

  constructor(point: WindowedPoint, sources: Sources) {
    this.#point = point
    this.#sources = sources
  }

  count(options: Stored = {}): KTable<never, never, never> {
    return this.#table(callOf('count', options), { kind: 'count' }, options)
  }

  reduce(reducer: Mapper, options: Stored = {}): KTable<never, never, never> {
    return this.#table(callOf('reduce', options), { kind: 'reduce', reducer }, options)
  }

  aggregate(options: AggregateChoice): KTable<never, never, never> {
    return this.#table(callOf('aggregate', options), aggregationOf(options), options)
  }

  #table(call: Call, aggregation: Aggregation, options: Stored): KTable<never, never, never> {
    return tableFace(drawWindowAggregate(this.#point, call, aggregation, options.store), this.#sources)
  }
}

function aggregationOf({ initializer, aggregator }: AggregateChoice): Aggregation {
  return { kind: 'aggregate', initializer, aggregator: aggregator as UntypedAggregator }
}

class GroupedTableFace implements KGroupedTable<unknown, unknown> {
  readonly #point: GroupedPoint
  readonly #sources: Sources

  constructor(point: GroupedPoint, sources: Sources) {
    this.#point = point
    this.#sources = sources
  }

  count(options: Stored = {}): KTable<never, never, never> {
    return this.#table(callOf('count', options), { kind: 'count' }, options)
  }

  reduce(options: ReduceChoice): KTable<never, never, never> {
    const { adder, subtractor } = options
    return this.#table(callOf('reduce', options), { kind: 'reduce', adder, subtractor }, options)
  }

  aggregate(options: TableAggregateChoice): KTable<never, never, never> {
    const { initializer, adder, subtractor } = options
    return this.#table(callOf('aggregate', options), { kind: 'aggregate', initializer, adder: adder as UntypedAggregator, subtractor: subtractor as UntypedAggregator }, options)
  }

  #table(call: Call, aggregation: Parameters<typeof drawTableAggregate>[2], options: Stored): KTable<never, never, never> {
    return tableFace(drawTableAggregate(this.#point, call, aggregation, options.store), this.#sources)
  }
}
