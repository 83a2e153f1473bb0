// What a task's operators see of state: rows that live in memory while they are fresh, and are read from below when they are not.

import type { Headers } from '../core/headers.ts'
import type { Offset, RecordCursor, Timestamp } from '../core/record.ts'
import type { KeyValueStoreDescription, StoreDescription, WindowStoreDescription } from '../core/topology/store-description.ts'

/**
 * One row, live. A key without row gives one whose value is null. Read its fields freely; change it only through the store's
 * `write`, which knows that it must be committed. A row may be evicted once it is clean: do not keep it across a commit.
 */
export interface Row<K, V> {
  readonly key: K
  readonly value: V | null
  /** Of the record that wrote it last; -1 where there is no row, 0 in stores without timestamps. */
  readonly timestamp: Timestamp
  /** Window start; 0 in key-value stores. */
  readonly start: Timestamp
  /**
   * The operator's own slot, null at first and after each `flush`: an operator that holds updates back until the commit
   * keeps here what it must remember of the row (its old value, the headers). A row with a slot in use is not evicted.
   */
  pending: unknown
}

interface StoreBase {
  readonly description: StoreDescription
  /** Rows in memory and on disk together, roughly. */
  approximateCount(): number
}

export interface KeyValueStore<K, V> extends StoreBase {
  readonly description: KeyValueStoreDescription
  /** One lookup in memory, or one point read below. */
  row(key: K): Row<K, V>
  /** Null deletes. */
  write(row: Row<K, V>, value: V | null, timestamp: Timestamp, headers?: Headers | null): void
  get(key: K): V | null
  put(key: K, value: V | null, timestamp: Timestamp, headers?: Headers | null): void
  /** Rows in the unsigned order of the keys' bytes, ends included, null is open. Sees uncommitted writes. The store may be written meanwhile. */
  range(from: K | null, to: K | null, order?: 'ascending' | 'descending'): Iterable<Row<K, V>>
}

export interface WindowStore<K, V> extends StoreBase {
  readonly description: WindowStoreDescription
  /** Highest window start ever written here, restored with the store; -1 while empty. Rows at or below `observed - retentionMs` are gone. */
  readonly observedStart: Timestamp
  row(key: K, start: Timestamp): Row<K, V>
  /** False, and nothing written, if the window is past the retention already. */
  write(row: Row<K, V>, value: V | null, timestamp: Timestamp, headers?: Headers | null): boolean
  /** The key's windows that start in `[from, to]`, by start. */
  fetch(key: K, from: Timestamp, to: Timestamp): Iterable<Row<K, V>>
  /** All windows that start in `[from, to]`, by key bytes, then start. */
  fetchAll(from: Timestamp, to: Timestamp): Iterable<Row<K, V>>
}

export type Store = KeyValueStore<unknown, unknown> | WindowStore<unknown, unknown>

/** Takes the changelog of one flush: each changed key once, its last value. Bytes may be kept. */
export type ChangelogSink = (store: StoreDescription, key: Uint8Array, value: Uint8Array | null, timestamp: Timestamp, headers: Headers | null) => void

/** What is written with a commit besides the rows: all of it in one LevelDB batch. */
export interface Checkpoint {
  /** By store: the first changelog offset that is not in the store yet. */
  readonly changelogOffsets: ReadonlyMap<string, Offset>
  /** The task's clocks by name (partition times, stream time), whatever the runtime wants back. */
  readonly clocks: ReadonlyMap<string, number>
}

/** All stores of one task, over one LevelDB (and memory maps). One owner at a time. */
export interface TaskState {
  store(name: string): Store
  readonly stores: ReadonlyMap<string, Store>
  /**
   * As last committed. When the state is opened: as far as its disk has the rows, which may be less after a crash; the rest is in the changelog.
   * Offsets are absent where nothing was. Memory stores have none when they are opened.
   */
  readonly checkpoint: Checkpoint
  /** Applies changelog records of one store, outside of any commit; they show after `commitRestored`. Expired windows are skipped. Answers the records applied. */
  restore(store: string, records: RecordCursor): number
  /** Waits while a lot of what was restored is on its way to disk: await it between fetches, so that memory stays within bounds. */
  restoreSettled(): Promise<void>
  /** Makes what was restored durable up to these offsets. */
  commitRestored(checkpoint: Checkpoint): Promise<void>
  /**
   * Serialises each row that changed since the last flush, once, into `sink` (if the store is logged); to disk it goes with the next
   * `commit` or a later one (with the next, if the store is not logged). Processing may go on between the two.
   */
  flush(sink: ChangelogSink): void
  /** Makes what was flushed durable: the changelog has it; the disk gets clocks now, rows and their offsets when it is their time. Then trims memory to the budget. */
  commit(checkpoint: Checkpoint): Promise<void>
  /** Bytes of rows changed and not flushed, estimated. */
  readonly dirtyBytes: number
  /** Writes what is committed and not on disk yet. What is not committed is lost, as in a crash. */
  close(): Promise<void>
}
