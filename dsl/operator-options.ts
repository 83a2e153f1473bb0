// What the verbs of the language can be told besides their functions: names, serdes, stores.

import type { Headers } from '../core/headers.ts'
import type { RecordMetadata, StreamRecord, Timestamp } from '../core/record.ts'
import type { Duration } from '../core/duration.ts'
import type { Serde, UntypedSerde } from '../core/serde.ts'
import type { KeyValueStoreDescription } from '../core/topology/store-description.ts'

/** A serde for what is there of `T`, for nulls never reach a serde; `serdes.json()` without a schema will do for anything. */
export type SerdeOf<T> = Serde<Exclude<T, null>> | UntypedSerde

/** A function in an options object, compared as methods are: a stream of a narrower type then stands in for one of a wider. */
export type Func<Arguments extends readonly unknown[], Result> = { call(...args: Arguments): Result }['call']

export interface NameOption {
  /** Name of the node, up to 200 of `[a-zA-Z0-9._-]`. Default: its path of verbs, as `orders.filter.mapValues`. */
  readonly name?: string | undefined
}

export interface SerdeOptions<K, V> {
  readonly key?: SerdeOf<K> | undefined
  readonly value?: SerdeOf<V> | undefined
}

/** How a topic is read. */
export interface SourceOptions<K, V> extends NameOption {
  /** May be left out where the builder has a default. */
  readonly key?: Serde<K> | undefined
  readonly value?: Serde<V> | undefined
  /** Event time of a record; default: the time it has in the log. A negative one skips the record. `partitionTime` is the highest so far on its partition, -1 at first. */
  readonly timestamp?: Func<[record: StreamRecord<K, V>, partitionTime: Timestamp, metadata: RecordMetadata], Timestamp> | undefined
  /** Where an application that has committed nothing begins. Default `earliest`. */
  readonly offsetReset?: 'earliest' | 'latest' | undefined
}

/** How a topic is written. */
export interface SinkOptions<K, V> extends SerdeOptions<K, V>, NameOption {
  /** Default: Kafka's, by the key's bytes; for windowed keys by those of the inner key. */
  readonly partitioner?: Func<[topic: string, key: K, value: V, partitions: number], number | readonly number[] | undefined> | undefined
}

/** Chooses the topic of each record. The topics must exist. */
export type TopicChoice<K, V> = Func<[key: K, value: V, context: { readonly timestamp: Timestamp; readonly headers: Headers } & RecordMetadata], string>

export interface RepartitionOptions<K, V> extends SinkOptions<K, V> {
  /** Default: as many as what it is joined with or fed from. `name` names the topic, too. */
  readonly partitions?: number | undefined
}

/** `name` names the node and the repartition topic, which aggregations of this grouping then share. */
export type GroupOptions<K, V> = SerdeOptions<K, V> & NameOption

/** Where a table's rows are kept: a name (changelog topic `<application id>-<name>-changelog`), or all that can be said. */
export type StoreOption<K, V> = string | StoreOptions<K, V>

export interface StoreOptions<K, V> extends SerdeOptions<K, V> {
  /** Default: the path of verbs, as `orders.groupByKey.count`. */
  readonly name?: string | undefined
  /** `level` (LevelDB, the default): larger than memory, kept on disk. `memory`: rebuilt from the changelog at each start. */
  readonly medium?: 'level' | 'memory' | undefined
  /** False: no changelog topic; what the medium loses is lost. Default true. */
  readonly logged?: boolean | undefined
  /** False: every update goes on at once, instead of the last one of each key at a commit. Default true. */
  readonly cached?: boolean | undefined
  /** Settings of the changelog topic, over the defaults. */
  readonly topicConfig?: Readonly<Record<string, string>> | undefined
}

export interface WindowStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How long windows are kept, by event time. Default, and least: window size plus grace. */
  readonly retention?: Duration | undefined
}

/** What an operator that makes a table can be told. */
export interface TableOptions<K, V> extends NameOption {
  readonly store?: StoreOption<K, V> | undefined
}

export interface WindowTableOptions<K, V> extends NameOption {
  readonly store?: string | WindowStoreOptions<K, V> | undefined
}

/** `seesNulls`: the mapper is called for deleted rows, too, with null. */
export interface TableMapOptions<K, V, N extends boolean> extends TableOptions<K, V> {
  readonly seesNulls?: N | undefined
}

/** Serdes are those of the repartition topic that the join makes if the stream's key was changed; `name` names it and the node. */
export type JoinOptions<K, V> = SerdeOptions<K, V> & NameOption

export interface GlobalJoinOptions<K, V, GK> extends NameOption {
  /** The key to look up in the global table; null finds nothing. */
  readonly on: Func<[key: K, value: V], GK | null>
}

export interface SplitOptions<D extends string> extends NameOption {
  /** Name of the branch for records that no predicate takes. Without it they go no further. */
  readonly default?: D | undefined
}

export interface ProcessOptions extends NameOption {
  /** Stores the processor uses: names of stores added to the builder or of tables, or descriptions, which are then added. */
  readonly stores?: readonly (string | KeyValueStoreDescription)[] | undefined
}
