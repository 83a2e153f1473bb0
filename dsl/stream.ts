// Every verb of the language, on one page: streams, tables, global tables, and their groups. Words and meaning are Kafka Streams'.

import type { ProcessorSupplier } from '../core/processor.ts'
import type { Windowed, Windows } from '../core/window.ts'
import type {
  Func,
  GlobalJoinOptions,
  GroupOptions,
  JoinOptions,
  NameOption,
  ProcessOptions,
  RepartitionOptions,
  SinkOptions,
  SplitOptions,
  StoreOption,
  TableMapOptions,
  TableOptions,
  TopicChoice,
  WindowTableOptions,
} from './operator-options.ts'

/**
 * Records, each a fact by itself. A verb describes what happens to each of them and gives the stream of results; nothing runs yet.
 *
 * Predicates and mappers that may use the key get `(key, value)`; those named after values get `(value, key)`. Results keep the
 * record's timestamp and headers. A verb that may change values forgets their serde, one that may change keys forgets theirs.
 */
export interface KStream<K, V> {
  readonly kind: 'stream'

  // ─── record by record ───

  /**
   * Keeps the records for which the predicate holds. A type guard narrows the stream's values.
   * ```ts
   * orders.filter((_, order) => order.total > 100)
   * ```
   */
  filter<Kept extends V>(predicate: (key: K, value: V) => value is Kept, options?: NameOption): KStream<K, Kept>
  filter(predicate: (key: K, value: V) => boolean, options?: NameOption): KStream<K, V>
  /** Keeps the records for which it does not. */
  filterNot(predicate: (key: K, value: V) => boolean, options?: NameOption): KStream<K, V>
  /**
   * A new key and value for each record.
   * ```ts
   * orders.map((id, order) => [order.customer, order.total])
   * ```
   */
  map<K2, V2>(mapper: (key: K, value: V) => readonly [K2, V2], options?: NameOption): KStream<K2, V2>
  /** A new value for each record. Prefer it to `map`: the key stays, so nothing need be repartitioned. */
  mapValues<V2>(mapper: (value: V, key: K) => V2, options?: NameOption): KStream<K, V2>
  /** Any number of new records for each. */
  flatMap<K2, V2>(mapper: (key: K, value: V) => Iterable<readonly [K2, V2]>, options?: NameOption): KStream<K2, V2>
  /**
   * Any number of records with new values under the same key for each.
   * ```ts
   * sentences.flatMapValues(sentence => sentence.split(' '))
   * ```
   */
  flatMapValues<V2>(mapper: (value: V, key: K) => Iterable<V2>, options?: NameOption): KStream<K, V2>
  /** A new key for each record. */
  selectKey<K2>(selector: (key: K, value: V) => K2, options?: NameOption): KStream<K2, V>
  /** Looks at each record as it goes by. */
  peek(action: (key: K, value: V) => void, options?: NameOption): KStream<K, V>
  /** Does something with each record, and ends there. */
  forEach(action: (key: K, value: V) => void, options?: NameOption): void
  /**
   * Sends each record into the first branch whose predicate holds, and gives the branches by name. Records that no branch takes go
   * into the one that `default` names, or no further.
   * ```ts
   * const { eu, us, rest } = orders.split({
   *   eu: (_, order) => order.region === 'eu',
   *   us: (_, order) => order.region === 'us',
   * }, { default: 'rest' })
   * ```
   */
  split<B extends string, D extends string = never>(branches: Readonly<Record<B, (key: K, value: V) => boolean>>, options?: SplitOptions<D>): Readonly<Record<B | D, KStream<K, V>>>
  /** The records of both streams, in no order between them. */
  merge(other: KStream<K, V>, options?: NameOption): KStream<K, V>

  // ─── to topics ───

  /**
   * Writes each record to a topic, or to the one chosen for it.
   * ```ts
   * totals.to('totals', { value: serdes.float64 })
   * ```
   */
  to(topic: string | TopicChoice<K, V>, options?: SinkOptions<K, V>): void
  /** Writes to a topic of yours and goes on with what is read from it. */
  through(topic: string, options?: SinkOptions<K, V>): KStream<K, V>
  /** Goes through a topic of the application's own, so that equal keys meet in one partition. Mostly not needed: verbs that need it do it. */
  repartition(options?: RepartitionOptions<K, V>): KStream<K, V>

  // ─── to tables ───

  /** The latest value of each key; a null value deletes the row. */
  toTable(options?: TableOptions<K, V>): KTable<Exclude<K, null>, Exclude<V, null>>
  /** Groups by the key as it is. */
  groupByKey(options?: GroupOptions<K, V>): KGroupedStream<Exclude<K, null>, V>
  /** Groups by another key. Records for which it is null are dropped. */
  groupBy<K2>(selector: (key: K, value: V) => K2, options?: GroupOptions<K2, V>): KGroupedStream<Exclude<K2, null>, V>

  // ─── joins ───

  /**
   * Each record with the row that the table has for its key at that moment; without a row the record is dropped. Updates of the table
   * put nothing out.
   * ```ts
   * orders.join(customers, (order, customer) => ({ ...order, customer }))
   * ```
   */
  join<V2, D extends null, R>(table: KTable<K, V2, D>, joiner: (value: V, row: V2, key: K) => R, options?: JoinOptions<K, V>): KStream<K, R>
  /**
   * Each record with the row of a global table under the key that `on` says.
   * ```ts
   * flights.join(airports, (flight, airport) => ({ ...flight, airport }), { on: (_, flight) => flight.origin })
   * ```
   */
  join<GK, V2, R>(table: GlobalKTable<GK, V2>, joiner: (value: V, row: V2, key: K) => R, options: GlobalJoinOptions<K, V, GK>): KStream<K, R>
  /** As join; without a row the joiner gets null for it. */
  leftJoin<V2, D extends null, R>(table: KTable<K, V2, D>, joiner: (value: V, row: V2 | null, key: K) => R, options?: JoinOptions<K, V>): KStream<K, R>
  leftJoin<GK, V2, R>(table: GlobalKTable<GK, V2>, joiner: (value: V, row: V2 | null, key: K) => R, options: GlobalJoinOptions<K, V, GK>): KStream<K, R>

  // ─── your own ───

  /** Runs a processor of your own, one for each task, with stores and timers. It may change keys. */
  process<K2 = K, V2 = V>(supplier: ProcessorSupplier<K, V, K2, V2>, options?: ProcessOptions): KStream<K2, V2>
  /** The same for a processor that leaves keys as they are, so that nothing need be repartitioned. */
  processValues<V2 = V>(supplier: ProcessorSupplier<K, V, K, V2>, options?: ProcessOptions): KStream<K, V2>
}

/**
 * Rows by key, each the latest value. `D` is `null` where rows can be deleted and `never` where they cannot: it is what `toStream`
 * puts out besides values.
 */
export interface KTable<K, V, D extends null = null> {
  readonly kind: 'table'

  /** Keeps the rows for which the predicate holds; one for which it no longer does is deleted. */
  filter<Kept extends V>(predicate: (key: K, value: V) => value is Kept, options?: TableOptions<K, V>): KTable<K, Kept>
  filter(predicate: (key: K, value: V) => boolean, options?: TableOptions<K, V>): KTable<K, V>
  filterNot(predicate: (key: K, value: V) => boolean, options?: TableOptions<K, V>): KTable<K, V>
  /** A new value for each row; null deletes it. The mapper may run again when a row is looked up, so it must give the same for the same. */
  mapValues<V2, N extends boolean = false>(
    mapper: (value: N extends true ? V | null : V, key: K) => V2,
    options?: TableMapOptions<K, NoInfer<V2>, N>,
  ): KTable<K, Exclude<V2, null>, Extract<V2, null> | (N extends true ? never : D)>
  /** Each update of a row as a record; a deletion is a record whose value is null. With a selector, under a new key. */
  toStream<K2 = K>(selector?: (key: K, value: V | D) => K2, options?: NameOption): KStream<K2, V | D>
  /**
   * Groups rows under another key, with a value for the group to work on.
   * ```ts
   * customers.groupBy((id, customer) => [customer.country, customer]).count({ store: 'customers-by-country' })
   * ```
   */
  groupBy<K2, V2>(mapper: (key: K, value: V) => readonly [K2, V2], options?: GroupOptions<K2, V2>): KGroupedTable<Exclude<K2, null>, Exclude<V2, null>>

  /**
   * The rows that both tables have under a key, joined anew when either changes. Null deletes the row.
   * ```ts
   * accounts.join(balances, (account, balance) => ({ ...account, balance }), { store: { name: 'overview', value: serdes.json() } })
   * ```
   */
  join<V2, D2 extends null, R>(table: KTable<K, V2, D2>, joiner: (value: V, other: V2, key: K) => R, options?: TableOptions<K, NoInfer<R>>): KTable<K, Exclude<R, null>>
  /** Every row of this table, with null for the other's row where there is none. */
  leftJoin<V2, D2 extends null, R>(table: KTable<K, V2, D2>, joiner: (value: V, other: V2 | null, key: K) => R, options?: TableOptions<K, NoInfer<R>>): KTable<K, Exclude<R, null>>
  /** Every row of either table. */
  outerJoin<V2, D2 extends null, R>(table: KTable<K, V2, D2>, joiner: (value: V | null, other: V2 | null, key: K) => R, options?: TableOptions<K, NoInfer<R>>): KTable<K, Exclude<R, null>>
}

/** A topic as a table that every instance of the application holds whole, so that it can be joined by any key. */
export interface GlobalKTable<K, V> {
  readonly kind: 'global-table'
  /** Nothing to call: it carries the types. */
  readonly row?: readonly [K, V]
}

/** Records by key, to be aggregated. Records without key or value are dropped. */
export interface KGroupedStream<K, V> {
  /**
   * How many there were.
   * ```ts
   * orders.groupByKey().count({ store: 'orders-per-customer' })
   * ```
   */
  count(options?: TableOptions<K, number>): KTable<K, number, never>
  /** Combines values of one type; the first is taken as it is. Null deletes the row. */
  reduce<R extends Exclude<V, null> | null>(reducer: (aggregate: Exclude<V, null>, value: Exclude<V, null>) => R, options?: TableOptions<K, V>): KTable<K, Exclude<V, null>, Extract<R, null>>
  /**
   * Builds up a value of any type. The aggregator gives the next one, or null to delete the row; it must not change the one it gets.
   * ```ts
   * orders.groupByKey().aggregate({
   *   initializer: () => 0,
   *   aggregator: (_, order, sum) => sum + order.total,
   *   store: { name: 'revenue', value: serdes.float64 },
   * })
   * ```
   */
  aggregate<A, R extends A | null>(options: AggregateOptions<K, Exclude<V, null>, A, R>): KTable<K, Exclude<A, null>, Extract<R, null>>
  /** Cuts each group by event time: `windowedBy(tumbling({ hours: 1 }))`. */
  windowedBy(windows: Windows): TimeWindowedKStream<K, V>
}

export interface AggregateOptions<K, V, A, R> extends NameOption {
  readonly initializer: () => A
  readonly aggregator: Func<[key: K, value: V, aggregate: A], R>
  readonly store?: StoreOption<K, A> | undefined
}

/** Records by key and window. A record that comes when its window and grace are over is dropped, and counted. Null values are aggregated. */
export interface TimeWindowedKStream<K, V> {
  count(options?: WindowTableOptions<K, number>): KTable<Windowed<K>, number, never>
  reduce<R extends V | null>(reducer: (aggregate: V, value: V) => R, options?: WindowTableOptions<K, V>): KTable<Windowed<K>, Exclude<V, null>, Extract<R | V, null>>
  aggregate<A, R extends A | null>(options: WindowAggregateOptions<K, V, A, R>): KTable<Windowed<K>, Exclude<A, null>, Extract<R, null>>
}

export interface WindowAggregateOptions<K, V, A, R> extends NameOption {
  readonly initializer: () => A
  readonly aggregator: Func<[key: K, value: V, aggregate: A], R>
  readonly store?: WindowTableOptions<K, A>['store']
}

/** Rows by another key, to be aggregated: a row that changes or goes is taken off its old group, then put to its new one. */
export interface KGroupedTable<K, V> {
  count(options?: TableOptions<K, number>): KTable<K, number, never>
  /** `adder` puts a value to the group, `subtractor` takes one off. */
  reduce<R extends V | null>(options: TableReduceOptions<K, V, R>): KTable<K, V, Extract<R, null>>
  aggregate<A, R extends A | null>(options: TableAggregateOptions<K, V, A, R>): KTable<K, Exclude<A, null>, Extract<R, null>>
}

export interface TableReduceOptions<K, V, R> extends TableOptions<K, V> {
  readonly adder: Func<[aggregate: V, value: V], R>
  readonly subtractor: Func<[aggregate: V, value: V], R>
}

export interface TableAggregateOptions<K, V, A, R> extends NameOption {
  readonly initializer: () => A
  readonly adder: Func<[key: K, value: V, aggregate: A], R>
  readonly subtractor: Func<[key: K, value: V, aggregate: A], R>
  readonly store?: StoreOption<K, A> | undefined
}
