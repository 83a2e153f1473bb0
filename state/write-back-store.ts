// What all stores share: rows written are held until a flush, serialised once, and stay in memory when they are clean.

import { assert } from '../core/error.ts'
import { readInt64, type Serde } from '../core/serde.ts'
import type { RecordCursor } from '../core/record.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import { ScratchBytes, latin1, liveBytes } from './byte-forms.ts'
import type { ByteMap } from './byte-map.ts'
import { ABSENT, DETACHED, DIRTY, FILTERED, IN_USE, ROW_BYTES, STAGED, TIMELESS, TOUCHED, UNWRITTEN, StoredRow } from './row.ts'
import type { SortedRun } from './sorted-run.ts'
import type { RowMap } from './row-map.ts'
import type { BudgetMember, StateBudget } from './state-budget.ts'
import type { ChangelogSink, Row } from './store.ts'

/** Where a store's rows are when they are not in memory: a part of the task's byte map. */
export interface StorePlace {
  readonly map: ByteMap
  /** What all of the store's keys begin with. */
  readonly prefix: Buffer
  readonly budget: StateBudget
}

/** What a store wants back when it is opened again; written with every commit. */
export interface StoreMemo {
  /** Rows in all, roughly. */
  readonly count: number
  /** Of a window store: the highest start seen. */
  readonly observedStart?: number
}

/** A deleted or looked-for row of a memory store is forgotten at a flush, or when there are as many as this. */
const MOST_EMPTY_ROWS = 65_536

export abstract class WriteBackStore<D extends StoreDescription> implements BudgetMember {
  readonly description: D
  /** Null: memory is all there is. */
  readonly place: StorePlace | null
  protected readonly keySerde: Serde<unknown>
  protected readonly valueSerde: Serde<unknown>
  protected readonly scalar: boolean
  protected readonly freshFlags: number
  /** Scratch for keys of the byte map. */
  protected readonly keyScratch: ScratchBytes = new ScratchBytes()
  /** Bytes of serialised values, a moving average: the estimate for those not serialised yet. */
  #valueBytes = 16
  #dirty: StoredRow[] = []
  #staged: StoredRow[] = []
  #unwritten: StoredRow[] = []
  #unwrittenBytes = 0
  #empty: StoredRow[] = []
  #heldBytes = 0
  dirtyBytes = 0

  constructor(description: D, place: StorePlace | null, timeless: boolean) {
    this.description = description
    this.place = place
    this.keySerde = description.key
    this.valueSerde = description.value
    this.scalar = description.key.scalar
    this.freshFlags = timeless ? TOUCHED | TIMELESS : TOUCHED
    place?.budget.join(this)
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  abstract memo(): StoreMemo
  abstract evict(bytes: number): number
  /** Applies one record of the changelog to memory; only for stores that have nothing below. False if it is expired. */
  protected abstract restoreRow(cursor: RecordCursor): boolean
  /** Writes the row's key in the byte map into the scratch. Null: the row is past its time and is not kept. */
  protected abstract placeKey(row: StoredRow, keyBytes: Uint8Array): Buffer | null
  protected abstract changelogKey(row: StoredRow, keyBytes: Uint8Array): Uint8Array

  protected mapKeyOf(key: unknown): unknown {
    return this.scalar ? key : latin1(this.keySerde.serialize(key))
  }

  /** Order of a key among all keys: its bytes. */
  protected orderOf(key: unknown): string {
    return latin1(this.keySerde.serialize(key))
  }

  protected get uncommitted(): StoredRow[] {
    return [...new Set([...this.#dirty, ...this.#staged, ...this.#unwritten])].filter(row => (row.flags & IN_USE) !== 0)
  }

  // ─── rows come in ───

  /** A row that is not in memory and of which nothing is known; it joins its map. */
  protected freshRow(key: unknown, mapKey: unknown, home: RowMap, flags: number): StoredRow {
    const row = new StoredRow(key, home, this.freshFlags | flags)
    if (this.place === null) this.#rememberEmpty(row)
    this.#attach(row, mapKey)
    return row
  }

  /** Takes the value read below into a row. */
  protected read(row: StoredRow, bytes: Buffer): void {
    const timeless = (row.flags & TIMELESS) !== 0
    const at = timeless ? 0 : 8
    row.value = this.valueSerde.deserialize(bytes, at, bytes.length)
    row.writtenAt = timeless ? 0 : readInt64(bytes, 0)
    this.#weigh(row, bytes.length)
  }

  /** A row of a scan: in no map until it is written. */
  protected looseRow(key: unknown, home: RowMap, bytes: Buffer): StoredRow {
    const row = new StoredRow(key, home, this.freshFlags | DETACHED)
    this.read(row, bytes)
    return row
  }

  #attach(row: StoredRow, mapKey: unknown): void {
    row.flags = (row.flags & ~DETACHED) | TOUCHED // so that the trim below spares it
    row.home.set(mapKey, row)
    row.bytes = ROW_BYTES + keyBytesOf(row.key) + this.#valueBytes
    this.#hold(row.bytes)
    if (this.place !== null && this.place.budget.full) this.place.budget.trimIfFull()
  }

  #weigh(row: StoredRow, length: number): void {
    this.#valueBytes += (length - this.#valueBytes) >> 3
    const bytes = ROW_BYTES + keyBytesOf(row.key) + liveBytes(row.value, length)
    if ((row.flags & DETACHED) === 0) this.#hold(bytes - row.bytes)
    row.bytes = bytes
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes
    this.place?.budget.hold(bytes)
  }

  protected forgotten(row: StoredRow): void {
    this.#hold(-row.bytes)
  }

  #rememberEmpty(row: StoredRow): void {
    this.#empty.push(row)
    if (this.#empty.length > MOST_EMPTY_ROWS) this.#forgetEmpty()
  }

  #forgetEmpty(): void {
    for (const row of this.#empty) {
      if (row.value !== null || (row.flags & (DIRTY | DETACHED)) !== 0) continue
      this.forget(row)
    }
    this.#empty = []
  }

  /** Takes a clean row out of memory. */
  protected forget(row: StoredRow): void {
    row.home.delete(this.mapKeyOf(row.key), row)
    this.forgotten(row)
  }

  // ─── rows change ───

  protected change(given: Row<unknown, unknown>, value: unknown, timestamp: number, headers: StoredRow['headers']): void {
    let row = given as StoredRow
    if ((row.flags & DETACHED) !== 0) row = this.#readmit(row)
    if (row.value === null) {
      if (value !== null) row.home.count++
    } else if (value === null) {
      row.home.count--
    }
    row.value = value
    row.writtenAt = timestamp
    row.headers = headers
    if ((row.flags & DIRTY) === 0) {
      row.flags |= DIRTY | TOUCHED
      this.#dirty.push(row)
      this.dirtyBytes += row.bytes
    }
    if (row !== given) mirror(row, given as StoredRow)
  }

  /** A row that was evicted, or came from a scan, is written: it joins its map again, unless the key has a row there by now, which then is the one. */
  #readmit(row: StoredRow): StoredRow {
    const mapKey = this.mapKeyOf(row.key)
    const there = row.home.rows.get(mapKey)
    if (there !== undefined) return there
    this.#attach(row, mapKey)
    return row
  }

  // ─── rows go out ───

  get dirtyRows(): number {
    return this.#dirty.length
  }

  get unwrittenRows(): number {
    return this.#unwritten.length
  }

  /** Each changed row to the changelog; to the run every row that the disk has not. Without a run those wait for a later one. */
  flush(sink: ChangelogSink, run: SortedRun | null): void {
    const rows = this.#dirty
    this.#dirty = []
    this.dirtyBytes = 0
    for (let i = 0; i < rows.length; i++) this.#flushRow(rows[i]!, sink, run)
    if (run !== null) this.#stageUnwritten(run)
    if (this.#empty.length > 0) this.#forgetEmpty()
  }

  #flushRow(row: StoredRow, sink: ChangelogSink, run: SortedRun | null): void {
    row.flags &= ~DIRTY
    row.pending = null
    const { value, headers } = row
    row.headers = null
    if (value === null && (row.flags & ABSENT) !== 0) return this.#wasEmptied(row)
    const keyBytes = this.keySerde.serialize(row.key)
    const valueBytes = value === null ? null : this.valueSerde.serialize(value)
    if (this.description.logged) sink(this.description, this.changelogKey(row, keyBytes), valueBytes, row.writtenAt, headers)
    if (valueBytes === null) {
      row.flags |= ABSENT
      this.#wasEmptied(row)
    } else {
      row.flags &= ~ABSENT
      this.#weigh(row, valueBytes.length)
    }
    if (run !== null) this.#stage(row, keyBytes, valueBytes, run)
    else if (this.place !== null) this.#leaveUnwritten(row)
  }

  #leaveUnwritten(row: StoredRow): void {
    if ((row.flags & UNWRITTEN) !== 0) return
    row.flags |= UNWRITTEN
    this.#unwritten.push(row)
    this.#unwrittenBytes += row.bytes
    this.place!.budget.holdUnwritten(row.bytes)
  }

  #stageUnwritten(run: SortedRun): void {
    for (const row of this.#unwritten) {
      if ((row.flags & UNWRITTEN) === 0) continue
      this.#stage(row, this.keySerde.serialize(row.key), row.value === null ? null : this.valueSerde.serialize(row.value), run)
    }
    this.#unwritten = []
    this.place!.budget.holdUnwritten(-this.#unwrittenBytes)
    this.#unwrittenBytes = 0
  }

  #stage(row: StoredRow, keyBytes: Uint8Array, valueBytes: Uint8Array | null, run: SortedRun): void {
    row.flags &= ~UNWRITTEN
    const key = this.placeKey(row, keyBytes)
    if (key === null) return
    if ((row.flags & FILTERED) === 0) row.home.willBeBelow(row, keyBytes, this.#keyBytes)
    const timestampBytes = valueBytes === null || (row.flags & TIMELESS) !== 0 ? 0 : 8
    run.begin(key.length, valueBytes === null ? -1 : timestampBytes + valueBytes.length)
    run.append(key, 0, key.length)
    if (timestampBytes > 0) run.appendInt64(row.writtenAt)
    if (valueBytes !== null) run.append(valueBytes, 0, valueBytes.length)
    row.flags |= STAGED
    this.#staged.push(row)
  }

  #wasEmptied(row: StoredRow): void {
    if (this.place === null) this.#rememberEmpty(row)
  }

  /** The run of the last flushes is about to be written: answers what to call when it is on disk. */
  committing(): () => void {
    const rows = this.#staged
    this.#staged = []
    return () => {
      for (let i = 0; i < rows.length; i++) rows[i]!.flags &= ~STAGED
      for (const row of this.#staged) row.flags |= STAGED
    }
  }

  /** A run with at most so many of its rows goes to disk. */
  abstract restoring(most: number): void
  /** A row of the run goes to disk; `key` is its key in the byte map. */
  abstract restored(key: Buffer, deleted: boolean): void
  /** Applies a changelog to a run that goes to disk. Answers the records applied. */
  abstract restoreToRun(cursor: RecordCursor, run: SortedRun): number

  /** The record's value as it stands in the byte map. */
  protected appendValue(cursor: RecordCursor, run: SortedRun): void {
    if (cursor.valueStart < 0) return
    if ((this.freshFlags & TIMELESS) === 0) run.appendInt64(cursor.timestamp)
    run.append(cursor.buffer, cursor.valueStart, cursor.valueEnd)
  }

  protected valueLengthOf(cursor: RecordCursor): number {
    if (cursor.valueStart < 0) return -1
    return cursor.valueEnd - cursor.valueStart + ((this.freshFlags & TIMELESS) === 0 ? 8 : 0)
  }

  /** A row in memory is not what a restored record says it is. */
  protected restoredOver(row: StoredRow | undefined): void {
    if (row === undefined) return
    assert((row.flags & (DIRTY | STAGED)) === 0, 'a store is not written while it is restored')
    row.flags &= ~UNWRITTEN
    this.forget(row)
  }

  #keyBytes = (key: unknown): Uint8Array => this.keySerde.serialize(key)

  /** Applies a changelog to memory. Answers the records applied. */
  restoreToMemory(cursor: RecordCursor): number {
    let applied = 0
    while (cursor.next()) {
      if (cursor.keyStart >= 0 && this.restoreRow(cursor)) applied++
    }
    return applied
  }

  protected restoreValue(row: StoredRow, cursor: RecordCursor): void {
    if ((row.value === null) !== (cursor.valueStart < 0)) row.home.count += row.value === null ? 1 : -1
    row.value = cursor.valueStart < 0 ? null : this.valueSerde.deserialize(cursor.buffer, cursor.valueStart, cursor.valueEnd)
    row.writtenAt = cursor.timestamp
    row.flags = cursor.valueStart < 0 ? row.flags | ABSENT : row.flags & ~ABSENT
    if (row.value === null) this.#wasEmptied(row)
  }

  close(): void {
    this.place?.budget.holdUnwritten(-this.#unwrittenBytes)
    this.place?.budget.leave(this)
  }
}

function keyBytesOf(key: unknown): number {
  if (typeof key === 'string') return 16 + key.length
  return typeof key === 'number' ? 8 : 96
}

function mirror(row: StoredRow, stale: StoredRow): void {
  stale.value = row.value
  stale.writtenAt = row.writtenAt
}

