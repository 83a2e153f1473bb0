// Every kind of node a topology is made of. A node is frozen data: what to do, never how; `runtime/operators` has one operator for each kind.

import type { Headers } from '../headers.ts'
import type { RecordMetadata, StreamRecord, Timestamp } from '../record.ts'
import type { Serde } from '../serde.ts'
import type { TimeWindows } from '../window.ts'
import type { ProcessorSupplier } from '../processor.ts'

/** What all nodes have. Names are unique in a topology, made of `[a-zA-Z0-9._-]`, and come from the structure or the user. */
interface NodeBase {
  readonly name: string
  /** Names of the nodes whose records this one gets; none for sources. */
  readonly parents: readonly string[]
  /** `file:line` of the user's call, for messages; null where unknown. */
  readonly site: string | null
}

/** The two faces of a topic: how its keys and values are read and written. */
export interface TopicSerdes {
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
}

// ─── user functions, as the runtime calls them (the language gives them their types) ───

export type KeyValueFunction = (key: unknown, value: unknown) => unknown
export type Predicate = (key: unknown, value: unknown) => boolean
/** Event time of a record. Negative: skip the record. `partitionTime` is the highest time seen on its partition, -1 at first. */
export type TimestampExtractor = (record: StreamRecord<unknown, unknown>, partitionTime: Timestamp, metadata: RecordMetadata) => Timestamp
/** The partitions a record goes to; undefined leaves it to the default, an empty list drops the record (counted). */
export type Partitioner = (topic: string, key: unknown, value: unknown, partitions: number) => number | readonly number[] | undefined
export type TopicSelector = (key: unknown, value: unknown, context: { readonly timestamp: Timestamp; readonly headers: Headers } & RecordMetadata) => string

// ─── in and out ───

/** Reads topics of the user's. All sources of one topic are one node. */
export interface SourceNode extends NodeBase {
  readonly kind: 'source'
  readonly topics: readonly string[]
  readonly serdes: TopicSerdes
  readonly timestamp: TimestampExtractor | null
  /** Where an application without committed offsets begins. */
  readonly offsetReset: 'earliest' | 'latest'
}

/** Reads a repartition topic of this topology (by its unprefixed name). */
export interface RepartitionSourceNode extends NodeBase {
  readonly kind: 'repartition-source'
  readonly repartition: string
}

/** Writes a repartition topic. With `dropNullKeys`, records without key go no further (silently, as Kafka Streams does). */
export interface RepartitionSinkNode extends NodeBase {
  readonly kind: 'repartition-sink'
  readonly repartition: string
  readonly dropNullKeys: boolean
  readonly partitioner: Partitioner | null
}

/** Writes a topic of the user's; a function chooses it per record. */
export interface SinkNode extends NodeBase {
  readonly kind: 'sink'
  readonly topic: string | TopicSelector
  readonly serdes: TopicSerdes
  readonly partitioner: Partitioner | null
}

// ─── record by record ───

/** Streams: `negated` is filterNot. */
export interface FilterNode extends NodeBase {
  readonly kind: 'filter'
  readonly predicate: Predicate
  readonly negated: boolean
}

export interface MapNode extends NodeBase {
  readonly kind: 'map'
  /** Gives `[key, value]`. */
  readonly mapper: (key: unknown, value: unknown) => readonly [unknown, unknown]
}

export interface MapValuesNode extends NodeBase {
  readonly kind: 'map-values'
  /** Called as `(value, key)`, value first, as in the language. */
  readonly mapper: (value: unknown, key: unknown) => unknown
}

export interface FlatMapNode extends NodeBase {
  readonly kind: 'flat-map'
  readonly mapper: (key: unknown, value: unknown) => Iterable<readonly [unknown, unknown]>
}

export interface FlatMapValuesNode extends NodeBase {
  readonly kind: 'flat-map-values'
  readonly mapper: (value: unknown, key: unknown) => Iterable<unknown>
}

export interface SelectKeyNode extends NodeBase {
  readonly kind: 'select-key'
  readonly selector: KeyValueFunction
}

export interface PeekNode extends NodeBase {
  readonly kind: 'peek'
  readonly action: (key: unknown, value: unknown) => void
}

/** As peek, and nothing comes after it. */
export interface ForEachNode extends NodeBase {
  readonly kind: 'for-each'
  readonly action: (key: unknown, value: unknown) => void
}

/** Sends each record to the first child whose predicate holds (null holds always); none: the record ends here. */
export interface SplitNode extends NodeBase {
  readonly kind: 'split'
  readonly branches: readonly { readonly child: string; readonly predicate: Predicate | null }[]
}

/** Passes on what comes from any parent; the branch of a split and the merge of streams are this. */
export interface PassNode extends NodeBase {
  readonly kind: 'pass'
  readonly role: 'branch' | 'merge'
}

// ─── tables: what flows is a Change, see runtime ───

/** What nodes that put out a table have. */
interface TableNodeBase extends NodeBase {
  /** The store that holds this table, null if it is recomputed from its parent's. */
  readonly store: string | null
  /** Whether somebody below needs the old value in every change. */
  readonly sendsOldValues: boolean
}

/** A stream's records read as updates of a table: `table(topic)` and `toTable`. Null key: dropped, counted. */
export interface TableSourceNode extends TableNodeBase {
  readonly kind: 'table-source'
}

export interface TableFilterNode extends TableNodeBase {
  readonly kind: 'table-filter'
  readonly predicate: Predicate
  readonly negated: boolean
}

export interface TableMapValuesNode extends TableNodeBase {
  readonly kind: 'table-map-values'
  readonly mapper: (value: unknown, key: unknown) => unknown
  /** True: the mapper is called for tombstones, too (Kafka's transformValues). */
  readonly seesNulls: boolean
}

export interface TableToStreamNode extends NodeBase {
  readonly kind: 'table-to-stream'
  /** New keys; null keeps them. */
  readonly selector: KeyValueFunction | null
}

/** First half of `table.groupBy`: each change's old and new row under its group's key. Followed by a repartition. */
export interface TableGroupNode extends NodeBase {
  readonly kind: 'table-group'
  readonly mapper: (key: unknown, value: unknown) => readonly [unknown, unknown]
}

// ─── aggregations ───

export type Aggregation =
  | { readonly kind: 'count' }
  | { readonly kind: 'reduce'; readonly reducer: (aggregate: unknown, value: unknown) => unknown }
  | {
      readonly kind: 'aggregate'
      readonly initializer: () => unknown
      readonly aggregator: (key: unknown, value: unknown, aggregate: unknown) => unknown
    }

/** Of a grouped stream, per key. */
export interface AggregateNode extends TableNodeBase {
  readonly kind: 'aggregate'
  readonly store: string
  readonly aggregation: Aggregation
}

/** Of a grouped stream, per key and tumbling or hopping window. */
export interface WindowAggregateNode extends TableNodeBase {
  readonly kind: 'window-aggregate'
  readonly store: string
  readonly windows: TimeWindows
  readonly aggregation: Aggregation
}

/** Of a grouped table: subtracts the old row of a change, then adds the new. */
export interface TableAggregateNode extends TableNodeBase {
  readonly kind: 'table-aggregate'
  readonly store: string
  readonly aggregation:
    | { readonly kind: 'count' }
    | { readonly kind: 'reduce'; readonly adder: (aggregate: unknown, value: unknown) => unknown; readonly subtractor: (aggregate: unknown, value: unknown) => unknown }
    | {
        readonly kind: 'aggregate'
        readonly initializer: () => unknown
        readonly adder: (key: unknown, value: unknown, aggregate: unknown) => unknown
        readonly subtractor: (key: unknown, value: unknown, aggregate: unknown) => unknown
      }
}

// ─── joins ───

export type JoinKind = 'inner' | 'left'
/** `(left, right, key)`; right is null in a left join without match. The key is the stream's. */
export type ValueJoiner = (left: unknown, right: unknown, key: unknown) => unknown

/** Each stream record with the row of its key. `table` is the table's node: its store, or the way to recompute the row. */
export interface StreamTableJoinNode extends NodeBase {
  readonly kind: 'stream-table-join'
  readonly join: JoinKind
  readonly table: string
  readonly joiner: ValueJoiner
}

/** Each stream record with the row of a global table that `selector` names. */
export interface StreamGlobalJoinNode extends NodeBase {
  readonly kind: 'stream-global-join'
  readonly join: JoinKind
  /** Name of the global table's store. */
  readonly store: string
  readonly selector: KeyValueFunction
  readonly joiner: ValueJoiner
}

/**
 * The rows of two tables under each key, joined anew when either changes. Parents are the left table, then the right; a table
 * joined with itself is both. Left joins know the left table's old values, outer joins those of both.
 */
export interface TableJoinNode extends TableNodeBase {
  readonly kind: 'table-join'
  readonly join: JoinKind | 'outer'
  /** Left is null only in outer joins. */
  readonly joiner: ValueJoiner
}

/** The user's own processor; with `fixedKey` it cannot change keys (processValues). */
export interface ProcessNode extends NodeBase {
  readonly kind: 'process'
  readonly fixedKey: boolean
  readonly supplier: ProcessorSupplier<unknown, unknown, unknown, unknown>
  /** Stores it is connected to; global stores need no connecting. */
  readonly stores: readonly string[]
}

export type TopologyNode =
  | SourceNode
  | RepartitionSourceNode
  | RepartitionSinkNode
  | SinkNode
  | FilterNode
  | MapNode
  | MapValuesNode
  | FlatMapNode
  | FlatMapValuesNode
  | SelectKeyNode
  | PeekNode
  | ForEachNode
  | SplitNode
  | PassNode
  | TableSourceNode
  | TableFilterNode
  | TableMapValuesNode
  | TableToStreamNode
  | TableGroupNode
  | AggregateNode
  | WindowAggregateNode
  | TableAggregateNode
  | StreamTableJoinNode
  | StreamGlobalJoinNode
  | TableJoinNode
  | ProcessNode

export type NodeKind = TopologyNode['kind']
export type NodeOf<Kind extends NodeKind> = Extract<TopologyNode, { readonly kind: Kind }>
