// The processor contract: what a user writes for `process` and `processValues`, and what the runtime gives it.

import type { Headers } from './headers.ts'
import type { RecordMetadata, StreamRecord, Timestamp } from './record.ts'
import type { Duration } from './duration.ts'

/** One per task. Methods run synchronously on the task's own path; nothing else touches its stores meanwhile. */
export interface Processor<KIn, VIn, KOut, VOut> {
  init?(context: ProcessorContext<KOut, VOut>): void
  process(record: ProcessorRecord<KIn, VIn>): void
  close?(): void
}

/** Makes a new processor at each call: one for every task. */
export type ProcessorSupplier<KIn, VIn, KOut, VOut> = () => Processor<KIn, VIn, KOut, VOut>

/** A record in a processor's hands. The `with…` methods give changed copies; headers are copied, too, when they are replaced. */
export interface ProcessorRecord<K, V> extends StreamRecord<K, V> {
  withKey<K2>(key: K2): ProcessorRecord<K2, V>
  withValue<V2>(value: V2): ProcessorRecord<K, V2>
  /** @throws MillraceError NEGATIVE_TIMESTAMP */
  withTimestamp(timestamp: Timestamp): ProcessorRecord<K, V>
  withHeaders(headers: Headers): ProcessorRecord<K, V>
}

export interface ProcessorContext<KOut, VOut> {
  readonly applicationId: string
  /** `<subtopology>_<partition>`. */
  readonly taskId: string
  /** Passes a record to all children, in order, depth first; or to the child of that name. */
  forward(record: StreamRecord<KOut, VOut>, child?: string): void
  /** The store of that name; it must be connected to the processor. @throws MillraceError UNKNOWN_STORE */
  store<K, V>(name: string): ProcessorStore<K, V>
  /** Calls `action` again and again. `stream`: when the task's stream time passes the next multiple; `wall`: by the machine's clock. Missed calls collapse into one. */
  schedule(interval: Duration, type: 'stream' | 'wall', action: (time: Timestamp) => void, options?: { readonly startAt?: Timestamp }): Cancellable
  /** Asks for a commit soon. */
  commit(): void
  /** Where the record in hand came from. In a punctuation: topic null, partition and offset -1. */
  recordMetadata(): RecordMetadata | { readonly topic: null; readonly partition: -1; readonly offset: -1 }
  /** Highest event time the task has processed; -1 before the first record. */
  streamTime(): Timestamp
  wallTime(): Timestamp
}

export interface Cancellable {
  cancel(): void
}

/** A row with its timestamp, as tables keep it. */
export interface ValueAndTimestamp<V> {
  readonly value: V
  readonly timestamp: Timestamp
}

/** Read access to a key-value store. Ranges go in the unsigned order of the keys' bytes, ends included. */
export interface ReadOnlyKeyValueStore<K, V> {
  readonly name: string
  get(key: K): V | null
  range(from: K | null, to: K | null): Iterable<readonly [K, V]>
  reverseRange(from: K | null, to: K | null): Iterable<readonly [K, V]>
  all(): Iterable<readonly [K, V]>
  reverseAll(): Iterable<readonly [K, V]>
  approximateCount(): number
}

/**
 * A key-value store as a processor uses it. What `put` writes is in the next commit, together with the input that caused it.
 * A store with timestamped rows (a table's) is read by value; writing one keeps the record's timestamp.
 */
export interface ProcessorStore<K, V> extends ReadOnlyKeyValueStore<K, V> {
  /** Null deletes. */
  put(key: K, value: V | null): void
  putIfAbsent(key: K, value: V): V | null
  /** The value that was there. */
  delete(key: K): V | null
}
