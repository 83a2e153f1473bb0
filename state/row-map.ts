// The rows that a store (or one window of it) has in memory, what they say about the rows it has not, and their order when it is asked for.

import type { Timestamp } from '../core/record.ts'
import { BloomFilter } from './bloom-filter.ts'
import { DETACHED, FILTERED, IN_USE, TOUCHED, type RowHome, type StoredRow } from './row.ts'

/** A row with its place in the order: its key's bytes as latin1, which strings compare as unsigned bytes. */
export interface OrderedRow {
  readonly order: string
  readonly row: StoredRow
}

/** A map as large as this may have to give rows away: from here on it remembers the keys that are on disk. */
const FILTER_FROM_ROWS = 8192

export class RowMap implements RowHome {
  /** Start of the window; 0 for a key-value store. */
  readonly start: Timestamp
  /** By map key: the key itself, or its bytes as latin1. */
  readonly rows: Map<unknown, StoredRow> = new Map()
  /** Rows with a value, here and on disk, roughly. */
  count = 0
  /** True while every row on disk is here as well. */
  complete: boolean
  /** The keys that may be on disk; null where that is not known, or not needed because all are here. */
  below: BloomFilter | null = null
  #hand: Iterator<[unknown, StoredRow]> | null = null
  #sorted: OrderedRow[] | null = null
  #unsorted: StoredRow[] = []

  constructor(start: Timestamp, complete: boolean) {
    this.start = start
    this.complete = complete
  }

  set(mapKey: unknown, row: StoredRow): void {
    this.rows.set(mapKey, row)
    if (this.#sorted !== null) this.#unsorted.push(row)
  }

  /** The key's row is about to be written to disk. */
  willBeBelow(row: StoredRow, keyBytes: Uint8Array, keyBytesOf: (key: unknown) => Uint8Array): void {
    if (this.below === null) {
      if (!this.complete || this.rows.size < FILTER_FROM_ROWS) return
      this.below = new BloomFilter()
      for (const other of this.rows.values()) {
        this.below.add(keyBytesOf(other.key))
        other.flags |= FILTERED
      }
    }
    row.flags |= FILTERED
    this.below.add(keyBytes)
  }

  /** Takes a row out. The order keeps it until it is asked for the next time, and skips it. */
  delete(mapKey: unknown, row: StoredRow): void {
    this.rows.delete(mapKey)
    row.flags |= DETACHED
  }

  /**
   * The clock: goes on around the map from where it stopped, once around at most. A row used since the last time gets a second chance,
   * rows in use stay, others go until `bytes` are free. `evicted` sees each that goes.
   */
  evict(bytes: number, evicted: (mapKey: unknown, row: StoredRow) => void): number {
    let freed = 0
    for (let steps = this.rows.size; steps > 0 && freed < bytes; steps--) {
      const [mapKey, row] = this.#turn()
      if ((row.flags & IN_USE) !== 0 || row.pending !== null) continue
      if ((row.flags & TOUCHED) !== 0) {
        row.flags &= ~TOUCHED
        continue
      }
      freed += row.bytes
      this.delete(mapKey, row)
      evicted(mapKey, row)
    }
    if (freed > 0) this.#sorted = null
    return freed
  }

  #turn(): [unknown, StoredRow] {
    let next = this.#hand?.next()
    if (next === undefined || next.done === true) {
      this.#hand = this.rows.entries()
      next = this.#hand.next()
    }
    return next.value as [unknown, StoredRow]
  }

  /** All rows in the order of their keys' bytes. The list is not changed later; rows in it may be, and may go (skip those without value). */
  sorted(orderOf: (row: StoredRow) => string): readonly OrderedRow[] {
    if (this.#sorted === null) {
      this.#sorted = sortRows(this.rows.values(), orderOf)
    } else if (this.#unsorted.length > 0) {
      this.#sorted = mergeRows(this.#sorted.filter(isAttached), sortRows(this.#unsorted, orderOf).filter(isAttached))
    }
    this.#unsorted = []
    return this.#sorted
  }
}

export function sortRows(rows: Iterable<StoredRow>, orderOf: (row: StoredRow) => string): OrderedRow[] {
  const list: OrderedRow[] = []
  for (const row of rows) list.push({ order: orderOf(row), row })
  return list.sort((left, right) => (left.order < right.order ? -1 : left.order > right.order ? 1 : 0))
}

/** Position of the first entry at or behind `order` (behind it, if `after`). */
export function orderedPosition(list: readonly OrderedRow[], order: string, after: boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = list[middle]!.order
    if (there < order || (after && there === order)) low = middle + 1
    else high = middle
  }
  return low
}

function isAttached(entry: OrderedRow): boolean {
  return (entry.row.flags & DETACHED) === 0
}

function mergeRows(left: readonly OrderedRow[], right: readonly OrderedRow[]): OrderedRow[] {
  const merged: OrderedRow[] = []
  let l = 0
  let r = 0
  while (l < left.length && r < right.length) merged.push(left[l]!.order <= right[r]!.order ? left[l++]! : right[r++]!)
  while (l < left.length) merged.push(left[l++]!)
  while (r < right.length) merged.push(right[r++]!)
  return merged
}
