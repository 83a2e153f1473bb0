// The package `millrace`: the language, and core's words that its users need.

export { StreamsBuilder, type BuilderOptions, type SourceTableOptions } from './streams-builder.ts'
export { keyValueStore, type KeyValueStoreOptions } from './key-value-store.ts'
export type {
  AggregateOptions,
  GlobalKTable,
  KGroupedStream,
  KGroupedTable,
  KStream,
  KTable,
  TableAggregateOptions,
  TableReduceOptions,
  TimeWindowedKStream,
  WindowAggregateOptions,
} from './stream.ts'
export type {
  GlobalJoinOptions,
  GroupOptions,
  JoinOptions,
  NameOption,
  ProcessOptions,
  RepartitionOptions,
  SinkOptions,
  SourceOptions,
  SplitOptions,
  StoreOption,
  StoreOptions,
  TableMapOptions,
  TableOptions,
  TopicChoice,
  WindowStoreOptions,
  WindowTableOptions,
} from './operator-options.ts'

export { serdes, type Serde, type UntypedSerde } from '../core/serde.ts'
export { Headers, type Header, type HeaderValue } from '../core/headers.ts'
export { hopping, tumbling, type TimeWindows, type Window, type Windowed, type Windows } from '../core/window.ts'
export type { Duration } from '../core/duration.ts'
export { MillraceError, type ErrorDetails } from '../core/error.ts'
export type { Offset, RecordMetadata, StreamRecord, Timestamp, TopicPartition } from '../core/record.ts'
export type {
  Cancellable,
  Processor,
  ProcessorContext,
  ProcessorRecord,
  ProcessorStore,
  ProcessorSupplier,
  ReadOnlyKeyValueStore,
  ValueAndTimestamp,
} from '../core/processor.ts'
export type { StandardSchema } from '../core/standard-schema.ts'
export { isTopology, type DefaultSerdes, type Topology } from '../core/topology/topology.ts'
export type { KeyValueStoreDescription, StoreDescription, WindowStoreDescription } from '../core/topology/store-description.ts'
