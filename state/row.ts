// One row in memory, with what its store must know of it between a write and the commit that makes it durable.

import type { Headers } from '../core/headers.ts'
import type { Timestamp } from '../core/record.ts'
import type { Row } from './store.ts'

/** Written since the last flush. */
export const DIRTY = 1
/** Flushed, and the run that holds it is not on disk yet. */
export const STAGED = 2
/** Used since the clock hand came by. */
export const TOUCHED = 4
/** In no map (evicted, or made by a scan): the store takes it in again if it is written. */
export const DETACHED = 8
/** Known to be neither in the changelog nor on its way there: deleting it needs no tombstone. */
export const ABSENT = 16
/** In a store without timestamps. */
export const TIMELESS = 32
/** Its key is in the filter of its map. */
export const FILTERED = 64
/** Flushed to the changelog, but not given to a run since: the disk has an older value. */
export const UNWRITTEN = 128
/** Neither evicted nor forgotten. */
export const IN_USE: number = DIRTY | STAGED | UNWRITTEN

/** What a row costs in memory besides its key and value: the object, its timestamp, its place in a map. Measured on Node 20. */
export const ROW_BYTES = 152

/** The map a row is in, as far as the row's store speaks to it by way of the row. */
export interface RowHome {
  /** Start of the window; 0 for a key-value store. */
  readonly start: Timestamp
  /** By map key. */
  readonly rows: ReadonlyMap<unknown, StoredRow>
  /** Rows with a value, roughly. */
  count: number
  set(mapKey: unknown, row: StoredRow): void
  delete(mapKey: unknown, row: StoredRow): void
  /** The row's key is about to be written to disk. */
  willBeBelow(row: StoredRow, keyBytes: Uint8Array, keyBytesOf: (key: unknown) => Uint8Array): void
}

export class StoredRow implements Row<unknown, unknown> {
  readonly key: unknown
  value: unknown = null
  /** Timestamp of the last write, a delete included. */
  writtenAt: Timestamp = -1
  pending: unknown = null
  /** Of the last write, until it is flushed. */
  headers: Headers | null = null
  flags: number
  /** Estimated memory, counted in the budget. */
  bytes: number = ROW_BYTES
  /** The map it is in, or was in before it was detached. */
  readonly home: RowHome

  constructor(key: unknown, home: RowHome, flags: number) {
    this.key = key
    this.home = home
    this.flags = flags
  }

  get timestamp(): Timestamp {
    if (this.value === null) return -1
    return (this.flags & TIMELESS) === 0 ? this.writtenAt : 0
  }

  get start(): Timestamp {
    return this.home.start
  }
}
