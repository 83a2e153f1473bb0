// The window store: rows by key and window start, kept by start, so that what is past the retention goes at once.

import type { Headers } from '../core/headers.ts'
import type { RecordCursor, Timestamp } from '../core/record.ts'
import { readInt64, writeInt64 } from '../core/serde.ts'
import type { WindowStoreDescription } from '../core/topology/store-description.ts'
import { prefixEnd, type ByteEntry, type ByteRange } from './byte-map.ts'
import { mergeScans, scanList, scanOver } from './ordered-scan.ts'
import type { SortedRun } from './sorted-run.ts'
import { ABSENT, DETACHED, TOUCHED, StoredRow } from './row.ts'
import { RowMap, sortRows, type OrderedRow } from './row-map.ts'
import type { ChangelogSink, Row, WindowStore } from './store.ts'
import { WriteBackStore, type StoreMemo, type StorePlace } from './write-back-store.ts'

type AnyRow = Row<unknown, unknown>

/** What a window's key in the changelog has behind the key's bytes: start (int64) and sequence number (int32, always 0). */
const CHANGELOG_SUFFIX = 12
/** After the store's prefix: entries that list the window starts there are (value: rows in that window, int64), and the rows, by start, then key. */
const STARTS = 0
const ROWS = 1
/** Expired rows removed from disk by one commit. */
const MOST_EXPIRED_AT_ONCE = 20_000
const EVERYTHING = { low: '', high: null, ascending: true }

export class WriteBackWindowStore extends WriteBackStore<WindowStoreDescription> implements WindowStore<unknown, unknown> {
  #observedStart: Timestamp
  /** As of the last flush to disk: what is past its time by this is past it after a crash, too. */
  #writtenObservedStart: Timestamp
  /** By start: every window that has rows, in memory or below. */
  #windows = new Map<Timestamp, RowMap>()
  /** The starts, ascending. */
  #starts: Timestamp[] = []
  #latest: RowMap | null = null
  /** Windows whose number of rows is to be written. */
  #resized = new Set<RowMap>()
  /** Starts that expired since the last flush to disk; their entries are to be removed. */
  #expiredStarts: Timestamp[] = []
  /** Rows on disk that are past their time, roughly. */
  #expiredRows: number

  /** The entries that list the windows below; see {@link WriteBackWindowStore}'s constructor. */
  static startsRange(prefix: Buffer): ByteRange {
    return { from: Buffer.concat([prefix, Buffer.of(STARTS)]), to: Buffer.concat([prefix, Buffer.of(ROWS)]) }
  }

  static startOf(entry: ByteEntry, prefix: Buffer): readonly [Timestamp, number] {
    return [readInt64(entry.key, prefix.length + 1), readInt64(entry.value, 0)]
  }

  /** `starts` are the windows below, with their numbers of rows. */
  constructor(description: WindowStoreDescription, place: StorePlace | null, memo: StoreMemo | null, starts: readonly (readonly [Timestamp, number])[] = []) {
    super(description, place, false)
    this.#observedStart = memo?.observedStart ?? -1
    this.#writtenObservedStart = this.#observedStart
    this.#expiredRows = memo === null ? 0 : MOST_EXPIRED_AT_ONCE
    for (const [start, count] of starts) this.#addWindow(start, count, false)
  }

  get observedStart(): Timestamp {
    return this.#observedStart
  }

  row(key: unknown, start: Timestamp): AnyRow {
    if (this.#isExpired(start)) return new StoredRow(key, new RowMap(start, true), this.freshFlags | DETACHED)
    const mapKey = this.scalar ? key : this.mapKeyOf(key)
    const window = this.#latest !== null && this.#latest.start === start ? this.#latest : this.#windowOf(start)
    const row = window.rows.get(mapKey)
    if (row === undefined) return this.#load(key, mapKey, window)
    row.flags |= TOUCHED
    return row
  }

  write(row: AnyRow, value: unknown, timestamp: Timestamp, headers: Headers | null = null): boolean {
    const { start } = row
    if (start > this.#observedStart) this.#observedStart = start
    else if (this.#isExpired(start)) return false
    const home = (row as StoredRow).home as RowMap // One of our windows: rows are made here only.
    const count = home.count
    this.change(row, value, timestamp, headers)
    if (home.count !== count) this.#resized.add(home)
    return true
  }

  *fetch(key: unknown, from: Timestamp, to: Timestamp): Iterable<AnyRow> {
    const mapKey = this.mapKeyOf(key)
    for (const start of this.#startsWithin(from, to)) {
      const window = this.#windows.get(start)
      if (window === undefined || this.#isExpired(start)) continue
      const row = window.rows.get(mapKey) ?? this.#read(key, mapKey, window)
      if (row !== null && row.value !== null) yield row
    }
  }

  *fetchAll(from: Timestamp, to: Timestamp): Iterable<AnyRow> {
    const windows = this.#startsWithin(from, to).map(start => this.#windows.get(start)!)
    const uncommitted = windows.every(window => window.complete) ? [] : this.uncommitted
    const scans = windows.map(window => (window.complete ? scanList(window.sorted(this.#order), EVERYTHING) : this.#scanDisk(window, uncommitted)))
    for (const { row } of mergeScans(scans)) {
      if (!this.#isExpired(row.start)) yield row
    }
  }

  approximateCount(): number {
    let count = 0
    for (const window of this.#windows.values()) count += window.count
    return count
  }

  memo(): StoreMemo {
    return { count: this.approximateCount(), observedStart: this.#observedStart }
  }

  override flush(sink: ChangelogSink, run: SortedRun | null): void {
    super.flush(sink, run)
    this.#dropExpired()
    if (run !== null) this.#flushStarts(run)
  }

  evict(bytes: number): number {
    let freed = 0
    for (const window of this.#windows.values()) {
      const part = window.evict(bytes - freed, (_, row) => this.forgotten(row))
      if (part > 0) window.complete = false
      freed += part
      if (freed >= bytes) break
    }
    return freed
  }

  /** After a commit: removes rows from disk that are past their time, a bounded number. */
  async expire(): Promise<void> {
    if (this.#expiredRows === 0 || this.place === null) return
    this.#expiredRows = Math.max(0, this.#expiredRows - MOST_EXPIRED_AT_ONCE)
    const bound = this.#writtenObservedStart - this.description.retentionMs + 1
    if (bound <= 0) return
    await this.place.map.clear({ from: this.#placePrefix(ROWS), to: this.#windowPrefix(bound) }, MOST_EXPIRED_AT_ONCE)
  }

  protected override restoreRow(cursor: RecordCursor): boolean {
    const keyEnd = cursor.keyEnd - CHANGELOG_SUFFIX
    const start = readInt64(cursor.buffer, keyEnd)
    this.#observedStart = Math.max(this.#observedStart, start)
    if (this.#isExpired(start)) return false
    this.restoreValue(this.row(this.keySerde.deserialize(cursor.buffer, cursor.keyStart, keyEnd), start) as StoredRow, cursor)
    return true
  }

  override restoring(): void {}

  override restored(key: Buffer, deleted: boolean): void {
    const start = readInt64(key, this.place!.prefix.length + 1)
    const window = this.#windows.get(start) ?? this.#addWindow(start, 0, false)
    window.complete = false
    if (!deleted) window.count++
    this.#resized.add(window)
  }

  override restoreToRun(cursor: RecordCursor, run: SortedRun): number {
    const { prefix } = this.place!
    let applied = 0
    while (cursor.next()) {
      if (cursor.keyStart < 0) continue
      const keyEnd = cursor.keyEnd - CHANGELOG_SUFFIX
      const start = readInt64(cursor.buffer, keyEnd)
      this.#observedStart = Math.max(this.#observedStart, start)
      if (this.#isExpired(start)) continue
      const window = this.#windows.get(start)
      if (window !== undefined && window.rows.size > 0) this.restoredOver(window.rows.get(this.mapKeyOf(this.keySerde.deserialize(cursor.buffer, cursor.keyStart, keyEnd))))
      run.begin(prefix.length + 9 + keyEnd - cursor.keyStart, this.valueLengthOf(cursor))
      run.append(prefix, 0, prefix.length)
      run.appendByte(ROWS)
      run.appendInt64(start)
      run.append(cursor.buffer, cursor.keyStart, keyEnd)
      this.appendValue(cursor, run)
      applied++
    }
    return applied
  }

  protected override placeKey(row: StoredRow, keyBytes: Uint8Array): Buffer | null {
    return this.#isExpired(row.start) ? null : this.#placeKeyOf(row.start, keyBytes)
  }

  protected override changelogKey(row: StoredRow, keyBytes: Uint8Array): Uint8Array {
    const key = Buffer.allocUnsafe(keyBytes.length + CHANGELOG_SUFFIX)
    key.set(keyBytes, 0)
    writeInt64(key, row.start, keyBytes.length)
    key.writeInt32BE(0, keyBytes.length + 8)
    return key
  }

  #order = (row: StoredRow): string => this.orderOf(row.key)

  #isExpired(start: Timestamp): boolean {
    return start <= this.#observedStart - this.description.retentionMs
  }

  // ─── windows ───

  #windowOf(start: Timestamp): RowMap {
    this.#latest = this.#windows.get(start) ?? this.#addWindow(start, 0, true)
    return this.#latest
  }

  #addWindow(start: Timestamp, count: number, complete: boolean): RowMap {
    const window = new RowMap(start, complete)
    window.count = count
    this.#windows.set(start, window)
    this.#starts.splice(startPosition(this.#starts, start), 0, start)
    return window
  }

  #startsWithin(from: Timestamp, to: Timestamp): Timestamp[] {
    const low = Math.max(from, this.#observedStart - this.description.retentionMs + 1)
    return this.#starts.slice(startPosition(this.#starts, low), startPosition(this.#starts, to + 1))
  }

  #dropExpired(): void {
    let dropped = 0
    for (; dropped < this.#starts.length && this.#isExpired(this.#starts[dropped]!); dropped++) {
      const start = this.#starts[dropped]!
      const window = this.#windows.get(start)!
      this.#windows.delete(start)
      this.#resized.delete(window)
      this.#expiredStarts.push(start)
      this.#expiredRows += window.count
      for (const row of window.rows.values()) {
        row.flags |= DETACHED
        this.forgotten(row)
      }
      window.rows.clear()
    }
    if (dropped === 0) return
    this.#starts.splice(0, dropped)
    this.#latest = null
  }

  #flushStarts(run: SortedRun): void {
    const count = Buffer.allocUnsafe(8)
    for (const window of this.#resized) {
      writeInt64(count, window.count, 0)
      run.add(this.#startKey(window.start), count)
    }
    for (const start of this.#expiredStarts) run.add(this.#startKey(start), null)
    this.#resized.clear()
    this.#expiredStarts = []
    this.#writtenObservedStart = this.#observedStart
  }

  // ─── rows below ───

  #load(key: unknown, mapKey: unknown, window: RowMap): StoredRow {
    if (window.complete) return this.freshRow(key, mapKey, window, ABSENT)
    return this.#read(key, mapKey, window) ?? this.freshRow(key, mapKey, window, ABSENT)
  }

  #read(key: unknown, mapKey: unknown, window: RowMap): StoredRow | null {
    if (window.complete) return null
    const keyBytes = this.keySerde.serialize(key)
    if (window.below !== null && !window.below.mayHold(keyBytes)) return null
    const bytes = this.place!.map.get(this.#placeKeyOf(window.start, keyBytes))
    if (bytes === null) return null
    const row = this.freshRow(key, mapKey, window, 0)
    this.read(row, bytes)
    return row
  }

  #scanDisk(window: RowMap, uncommitted: readonly StoredRow[]): Iterator<OrderedRow, void, undefined> {
    const from = this.#windowPrefix(window.start)
    const mine = uncommitted.filter(row => row.home === window)
    return scanOver(
      scanList(sortRows(mine, this.#order), EVERYTHING),
      this.place!.map.scanSync({ from, to: prefixEnd(from) }),
      true,
      ({ key }) => key.latin1Slice(from.length, key.length),
      (entry, order) => this.#rowOfEntry(entry, order, window, from.length),
    )
  }

  #rowOfEntry(entry: ByteEntry, order: string, window: RowMap, prefixLength: number): StoredRow {
    const key = this.keySerde.deserialize(entry.key, prefixLength, entry.key.length)
    return window.rows.get(this.scalar ? key : order) ?? this.looseRow(key, window, entry.value)
  }

  #placePrefix(part: number): Buffer {
    return Buffer.concat([this.place!.prefix, Buffer.of(part)])
  }

  #windowPrefix(start: Timestamp): Buffer {
    return Buffer.from(this.#placeKeyOf(start, Buffer.of()))
  }

  #startKey(start: Timestamp): Buffer {
    return windowKey(this.place!.prefix, STARTS, start, Buffer.of(), this.keyScratch.view(this.place!.prefix.length + 9))
  }

  #placeKeyOf(start: Timestamp, keyBytes: Uint8Array): Buffer {
    const { prefix } = this.place!
    return windowKey(prefix, ROWS, start, keyBytes, this.keyScratch.view(prefix.length + 9 + keyBytes.length))
  }
}

/** Starts are never negative, so that their bytes are in order. */
function windowKey(prefix: Buffer, part: number, start: Timestamp, keyBytes: Uint8Array, into: Buffer): Buffer {
  into.set(prefix, 0)
  into[prefix.length] = part
  writeInt64(into, start, prefix.length + 1)
  into.set(keyBytes, prefix.length + 9)
  return into
}

function startPosition(starts: readonly Timestamp[], start: Timestamp): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (starts[middle]! < start) low = middle + 1
    else high = middle
  }
  return low
}
