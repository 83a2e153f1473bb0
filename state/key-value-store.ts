// The key-value store: one row a key; fresh rows in memory, the rest one point read below.

import type { Headers } from '../core/headers.ts'
import type { RecordCursor, Timestamp } from '../core/record.ts'
import type { KeyValueStoreDescription } from '../core/topology/store-description.ts'
import { BloomFilter } from './bloom-filter.ts'
import { prefixEnd, type ByteEntry } from './byte-map.ts'
import type { SortedRun } from './sorted-run.ts'
import { ABSENT, TOUCHED, type StoredRow } from './row.ts'
import { scanList, scanOver, type OrderBounds } from './ordered-scan.ts'
import { RowMap, sortRows, type OrderedRow } from './row-map.ts'
import type { KeyValueStore, Row } from './store.ts'
import { WriteBackStore, type StoreMemo, type StorePlace } from './write-back-store.ts'

type AnyRow = Row<unknown, unknown>

export class WriteBackKeyValueStore extends WriteBackStore<KeyValueStoreDescription> implements KeyValueStore<unknown, unknown> {
  readonly #rows: RowMap

  /** `memo` is what a commit kept of the store; null if there is nothing below. */
  constructor(description: KeyValueStoreDescription, place: StorePlace | null, memo: StoreMemo | null) {
    super(description, place, !description.timestamped)
    this.#rows = new RowMap(0, memo === null)
    this.#rows.count = memo?.count ?? 0
  }

  row(key: unknown): AnyRow {
    return this.#row(key)
  }

  #row(key: unknown): StoredRow {
    const mapKey = this.scalar ? key : this.mapKeyOf(key)
    const row = this.#rows.rows.get(mapKey)
    if (row === undefined) return this.#load(key, mapKey)
    row.flags |= TOUCHED
    return row
  }

  write(row: AnyRow, value: unknown, timestamp: Timestamp, headers: Headers | null = null): void {
    this.change(row, value, timestamp, headers)
  }

  get(key: unknown): unknown {
    return this.#row(key).value
  }

  put(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null = null): void {
    const mapKey = this.scalar ? key : this.mapKeyOf(key)
    const row = this.#rows.rows.get(mapKey) ?? this.#unread(key, mapKey)
    this.change(row, value, timestamp, headers)
  }

  *range(from: unknown, to: unknown, order: 'ascending' | 'descending' = 'ascending'): Iterable<AnyRow> {
    const low = from === null ? '' : this.orderOf(from)
    const high = to === null ? null : this.orderOf(to)
    if (high !== null && low > high) return
    const bounds = { low, high, ascending: order === 'ascending' }
    for (const entry of this.#rows.complete ? scanList(this.#rows.sorted(this.#order), bounds) : this.#scanDisk(bounds)) yield entry.row
  }

  memo(): StoreMemo {
    return { count: this.#rows.count }
  }

  approximateCount(): number {
    return this.#rows.count
  }

  evict(bytes: number): number {
    const freed = this.#rows.evict(bytes, (_, row) => this.forgotten(row))
    if (freed > 0) this.#rows.complete = false
    return freed
  }

  protected override restoreRow(cursor: RecordCursor): boolean {
    const key = this.keySerde.deserialize(cursor.buffer, cursor.keyStart, cursor.keyEnd)
    const mapKey = this.mapKeyOf(key)
    this.restoreValue(this.#rows.rows.get(mapKey) ?? this.freshRow(key, mapKey, this.#rows, ABSENT), cursor)
    return true
  }

  override restoring(most: number): void {
    const rows = this.#rows
    if (!rows.complete) return
    rows.complete = false
    rows.below = rows.rows.size === 0 ? new BloomFilter(most) : null
  }

  override restored(key: Buffer, deleted: boolean): void {
    const rows = this.#rows
    if (rows.below !== null && !deleted && rows.below.add(key, this.place!.prefix.length)) rows.count++
  }

  override restoreToRun(cursor: RecordCursor, run: SortedRun): number {
    const { prefix } = this.place!
    let applied = 0
    while (cursor.next()) {
      if (cursor.keyStart < 0) continue
      if (this.#rows.rows.size > 0) this.restoredOver(this.#rows.rows.get(this.mapKeyOf(this.keySerde.deserialize(cursor.buffer, cursor.keyStart, cursor.keyEnd))))
      run.begin(prefix.length + cursor.keyEnd - cursor.keyStart, this.valueLengthOf(cursor))
      run.append(prefix, 0, prefix.length)
      run.append(cursor.buffer, cursor.keyStart, cursor.keyEnd)
      this.appendValue(cursor, run)
      applied++
    }
    return applied
  }

  protected override placeKey(_row: StoredRow, keyBytes: Uint8Array): Buffer {
    return this.#placeKeyOf(keyBytes)
  }

  protected override changelogKey(_row: StoredRow, keyBytes: Uint8Array): Uint8Array {
    return keyBytes
  }

  #order = (row: StoredRow): string => this.orderOf(row.key)

  #placeKeyOf(keyBytes: Uint8Array): Buffer {
    const { prefix } = this.place!
    const key = this.keyScratch.view(prefix.length + keyBytes.length)
    key.set(prefix, 0)
    key.set(keyBytes, prefix.length)
    return key
  }

  #load(key: unknown, mapKey: unknown): StoredRow {
    if (this.#rows.complete) return this.freshRow(key, mapKey, this.#rows, ABSENT)
    const bytes = this.#read(this.keySerde.serialize(key))
    const row = this.freshRow(key, mapKey, this.#rows, bytes === null ? ABSENT : 0)
    if (bytes !== null) this.read(row, bytes)
    return row
  }

  #read(keyBytes: Uint8Array): Buffer | null {
    if (this.#rows.below !== null && !this.#rows.below.mayHold(keyBytes)) return null
    return this.place!.map.get(this.#placeKeyOf(keyBytes))
  }

  /** A row about to be written whatever it was: not worth a read. */
  #unread(key: unknown, mapKey: unknown): StoredRow {
    const { complete, below } = this.#rows
    if (complete || (below !== null && !below.mayHold(this.keySerde.serialize(key)))) return this.freshRow(key, mapKey, this.#rows, ABSENT)
    this.#rows.count-- // it is there already, most likely
    return this.freshRow(key, mapKey, this.#rows, 0)
  }

  #scanDisk(bounds: OrderBounds): Iterable<OrderedRow> {
    const { map, prefix } = this.place!
    const from = Buffer.concat([prefix, Buffer.from(bounds.low, 'latin1')])
    const to = bounds.high === null ? prefixEnd(prefix) : Buffer.concat([prefix, Buffer.from(bounds.high, 'latin1'), Buffer.of(0)])
    return scanOver(
      scanList(sortRows(this.uncommitted, this.#order), bounds),
      map.scanSync({ from, to, order: bounds.ascending ? 'ascending' : 'descending' }),
      bounds.ascending,
      ({ key }) => key.latin1Slice(prefix.length, key.length),
      (entry, order) => this.#rowOfEntry(entry, order),
    )
  }

  #rowOfEntry(entry: ByteEntry, order: string): StoredRow {
    const key = this.keySerde.deserialize(entry.key, this.place!.prefix.length, entry.key.length)
    return this.#rows.rows.get(this.scalar ? key : order) ?? this.looseRow(key, this.#rows, entry.value)
  }
}
