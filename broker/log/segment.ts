// One file of a log with its two indexes: batches from a base offset on, appended to the last segment only.

import { MillraceError } from '../../core/error.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import type { FilePool, PooledFile } from '../disk/file-pool.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../wire/record-batch-header.ts'
import { scanBatches, shapeProblem, type ScanOptions, type ScanResult } from './batch-scan.ts'
import type { RecoveryPoint } from './checkpoint.ts'
import { OffsetIndex } from './offset-index.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { TimeIndex, type TimePoint } from './time-index.ts'

/** Where segments live. */
export interface SegmentHome {
  readonly disk: Disk
  readonly pool: FilePool
  readonly buffers: ReadBuffers
  readonly directory: string
}

/** A batch's place in a segment. */
export interface BatchPlace {
  readonly position: number
  readonly baseOffset: Offset
  readonly lastOffset: Offset
}

export interface SegmentRead {
  readonly records: Buffer
  /** The offset behind the last batch read; that asked for if none was. */
  readonly nextOffset: Offset
}

const locateBlockBytes = 8192

export class Segment {
  readonly baseOffset: Offset
  readonly file: PooledFile
  readonly #home: SegmentHome
  readonly #offsetIndex: OffsetIndex
  readonly #timeIndex: TimeIndex
  #indexIntervalBytes = 4096
  /** Bytes of whole batches. */
  size = 0
  /** The largest timestamp, while this is appended to; see {@link newest}. */
  #newest: TimePoint | null = null
  #bytesSinceEntry = 0
  #state: 'active' | 'sealed' | 'sealed and indexed' = 'sealed'
  #firstTimestamp: Timestamp | null = null

  private constructor(home: SegmentHome, baseOffset: Offset, stem: string = segmentName(baseOffset)) {
    this.baseOffset = baseOffset
    this.#home = home
    const path = `${home.directory}/${stem}`
    this.file = home.pool.file(`${path}.log`)
    this.#offsetIndex = new OffsetIndex(home.pool.file(`${path}.index`), baseOffset)
    this.#timeIndex = new TimeIndex(home.pool.file(`${path}.timeindex`), baseOffset)
  }

  /** A new, empty segment to append to. `stem` names its files, where it is not to be found by its offset. */
  static create(home: SegmentHome, baseOffset: Offset, stem?: string): Segment {
    const segment = new Segment(home, baseOffset, stem)
    segment.#state = 'active'
    segment.file.truncate(0)
    segment.#clearIndexes()
    return segment
  }

  /** A segment that is complete; its indexes are looked at when they are needed. */
  static sealed(home: SegmentHome, baseOffset: Offset): Segment {
    const segment = new Segment(home, baseOffset)
    segment.size = segment.file.size
    return segment
  }

  /**
   * Opens a segment to append to it: checks every batch behind the recovery point (without one, all), showing each to `visit`,
   * and counts the bytes up to the first bad one. The file itself is not cut yet: see {@link cut}.
   */
  static recover(home: SegmentHome, baseOffset: Offset, point: RecoveryPoint | null, visit: (header: RecordBatchHeader) => void): { segment: Segment; scan: ScanResult } {
    const segment = new Segment(home, baseOffset)
    segment.#state = 'active'
    const from = point === null ? 0 : Math.min(point.position, segment.file.size)
    const minOffset = point === null ? baseOffset : point.offset
    if (from === 0) segment.#clearIndexes()
    else segment.#loadIndexes(from, minOffset, point!.newest)
    const scan = scanBatches(segment.file, { from, minOffset, checked: true }, (header, position) => {
      segment.#index(header, position)
      visit(header)
    })
    segment.size = scan.end
    return { segment, scan }
  }

  set indexIntervalBytes(bytes: number) {
    this.#indexIntervalBytes = bytes
  }

  get path(): string {
    return this.file.path
  }

  /** Bytes of the offset index, the larger of the two by entries. */
  get indexBytes(): number {
    return this.#offsetIndex.entries.count * this.#offsetIndex.entries.entryBytes
  }

  /** Takes away the bytes of a file behind its last good batch. */
  cut(): void {
    if (this.file.size > this.size) this.file.truncate(this.size)
  }

  /** Appends one batch whose offsets are set. All of it is written, or nothing. */
  append(batch: Buffer, header: RecordBatchHeader): void {
    this.file.append([batch])
    this.#index(header, this.size)
    this.size += batch.length
  }

  /** Reads whole batches from a position up to `maxBytes`, none that begins at `limit` or behind. If the first is larger, it alone when `atLeastOne`. */
  read(position: number, options: { readonly maxBytes: number; readonly limit: Offset; readonly atLeastOne: boolean }): SegmentRead | null {
    const available = this.size - position
    if (available < batchHeaderBytes) return null
    let buffer = this.#home.buffers.take(Math.max(batchHeaderBytes, Math.min(options.maxBytes, available)))
    this.#fill(position, buffer)
    const header = new RecordBatchHeader(buffer)
    if (!header.fits(Math.min(buffer.length, options.maxBytes))) {
      this.#checkShape(header, position, available)
      if (!options.atLeastOne) return null
      if (header.size > buffer.length) this.#fill(position, (buffer = this.#home.buffers.take(header.size)))
    }
    return this.#wholeBatches(header, buffer, position, options.limit)
  }

  /** The first batch that ends at or behind `offset`; null if there is none. */
  locate(offset: Offset): BatchPlace | null {
    return this.#first(this.#indexes().offsetIndex.positionBefore(offset), header => header.lastOffset >= offset)
  }

  /** The first batch from `from` on (a position, 0 by default) with a record at or after `timestamp`; null if there is none. */
  locateTime(timestamp: Timestamp, from = 0): BatchPlace | null {
    const { offsetIndex, timeIndex } = this.#indexes()
    const before = timeIndex.before(timestamp)
    const start = before === null ? 0 : offsetIndex.positionBefore(before.offset)
    return this.#first(Math.max(from, start), header => header.maxTimestamp >= timestamp)
  }

  /** The largest timestamp in the segment and the last offset of the first batch that has it; null if it is empty. */
  get newest(): TimePoint | null {
    return this.#state === 'active' ? this.#newest : this.#indexes().timeIndex.last()
  }

  /** Timestamp of the first batch; null if the segment is empty. */
  get firstTimestamp(): Timestamp | null {
    if (this.#firstTimestamp === null && this.size > 0) {
      const bytes = Buffer.allocUnsafe(batchHeaderBytes)
      this.#fill(0, bytes)
      this.#firstTimestamp = new RecordBatchHeader(bytes).maxTimestamp
    }
    return this.#firstTimestamp
  }

  /** Calls `visit` with the header of every batch from a position on; see {@link scanBatches}. `checked` batches are in the buffer as a whole. */
  scan(options: Pick<ScanOptions, 'from' | 'checked' | 'blockBytes'>, visit: (header: RecordBatchHeader, position: number) => boolean | void): void {
    const result = scanBatches(this.file, { ...options, end: this.size, minOffset: this.baseOffset }, visit)
    if (result.problem !== null) throw this.#corrupt(result.end, result.problem)
  }

  /** Cuts the segment before a batch; it is the last one afterwards. */
  truncate(position: number, endOffset: Offset): void {
    this.#beActive()
    this.file.truncate(position)
    this.size = position
    this.#offsetIndex.truncate(position)
    this.#timeIndex.truncate(endOffset)
    if (this.#newest !== null && this.#newest.offset >= endOffset) this.#newest = this.#timeIndex.last()
    scanBatches(this.file, { from: this.#offsetIndex.lastPosition, end: position, minOffset: 0, checked: false }, header => this.#noteTime(header))
    this.#bytesSinceEntry = position - this.#offsetIndex.lastPosition
    if (position === 0) this.#firstTimestamp = null
  }

  /** Nothing more is appended. Where there is no room to save the indexes they are built anew when they are needed. */
  seal(): void {
    if (this.#newest !== null) this.#timeIndex.append(this.#newest)
    try {
      this.#offsetIndex.entries.seal()
      this.#timeIndex.entries.seal()
      this.#state = 'sealed and indexed'
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      this.#timeIndex.entries.clear()
      this.#state = 'sealed'
    }
  }

  /** Resolves when the index entries so far are on the medium. */
  async saveIndexes(): Promise<void> {
    for (const { entries } of [this.#offsetIndex, this.#timeIndex]) if (entries.save()) await entries.file.sync()
  }

  sync(): Promise<void> {
    return this.file.sync()
  }

  /** After sealing: the indexes too, for they are trusted from then on. */
  async syncWithIndexes(): Promise<void> {
    for (const file of this.#files) await file.sync()
  }

  close(): void {
    for (const file of this.#files) file.close()
  }

  remove(): void {
    this.close()
    for (const file of this.#files) this.#home.disk.remove(file.path)
  }

  get #files(): readonly PooledFile[] {
    return [this.file, this.#offsetIndex.entries.file, this.#timeIndex.entries.file]
  }

  #index(header: RecordBatchHeader, position: number): void {
    if (this.#firstTimestamp === null && position === 0) this.#firstTimestamp = header.maxTimestamp
    this.#noteTime(header)
    if (this.#bytesSinceEntry > this.#indexIntervalBytes) {
      this.#offsetIndex.append(header.lastOffset, position)
      if (this.#newest !== null) this.#timeIndex.append(this.#newest)
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += header.size
  }

  #noteTime(header: RecordBatchHeader): void {
    const timestamp = header.maxTimestamp
    if (timestamp >= 0 && (this.#newest === null || timestamp > this.#newest.timestamp)) this.#newest = { timestamp, offset: header.lastOffset }
  }

  #wholeBatches(header: RecordBatchHeader, buffer: Buffer, position: number, limit: Offset): SegmentRead | null {
    let end = 0
    let nextOffset = -1
    while (header.moveTo(buffer, end).fits(buffer.length) && header.baseOffset < limit) {
      this.#checkShape(header, position + end, buffer.length - end)
      nextOffset = header.lastOffset + 1
      end = header.end
    }
    return end === 0 ? null : { records: end === buffer.length ? buffer : buffer.subarray(0, end), nextOffset }
  }

  #first(from: number, wanted: (header: RecordBatchHeader) => boolean): BatchPlace | null {
    let place: BatchPlace | null = null
    const options = { from, end: this.size, minOffset: this.baseOffset, checked: false, blockBytes: locateBlockBytes }
    const result = scanBatches(this.file, options, (header, position) => {
      if (!wanted(header)) return true
      place = { position, baseOffset: header.baseOffset, lastOffset: header.lastOffset }
      return false
    })
    if (result.problem !== null) throw this.#corrupt(result.end, result.problem)
    return place
  }

  #fill(position: number, target: Buffer): void {
    const read = this.file.read(position, target)
    if (read < target.length) throw this.#corrupt(position + read, 'the file ends there')
  }

  #checkShape(header: RecordBatchHeader, position: number, available: number): void {
    const problem = shapeProblem(header, available, this.baseOffset)
    if (problem !== null) throw this.#corrupt(position, problem)
  }

  #corrupt(position: number, problem: string): MillraceError {
    return new MillraceError('LOG_CORRUPT', `The log file ${this.#home.disk.name}/${this.path} is damaged at byte ${position}: ${problem}.`, {
      hint: 'Records before and behind it can be read; restore the file from a good copy to have them all.',
    })
  }

  #clearIndexes(): void {
    this.#offsetIndex.entries.clear()
    this.#timeIndex.entries.clear()
    this.#newest = null
    this.#bytesSinceEntry = 0
  }

  #loadIndexes(position: number, endOffset: Offset, newest: TimePoint | null): void {
    this.#offsetIndex.openForAppend(position, endOffset)
    this.#timeIndex.openForAppend(newest)
    this.#newest = newest
    this.#bytesSinceEntry = position - this.#offsetIndex.lastPosition
  }

  /** The indexes, fit for use: those of a sealed segment are checked at first, and built anew where they are missing or broken. */
  #indexes(): { readonly offsetIndex: OffsetIndex; readonly timeIndex: TimeIndex } {
    if (this.#state === 'sealed') {
      const good = this.size === 0 || (this.#offsetIndex.openSealed(this.size) && this.#timeIndex.openSealed() && this.#timeIndex.entries.count > 0)
      if (!good) this.#rebuildIndexes()
      this.#state = 'sealed and indexed'
    }
    return { offsetIndex: this.#offsetIndex, timeIndex: this.#timeIndex }
  }

  #rebuildIndexes(): void {
    this.#clearIndexes()
    this.scan({ from: 0, checked: false }, (header, position) => this.#index(header, position))
    this.seal()
  }

  #beActive(): void {
    if (this.#state === 'active') return
    this.#loadIndexes(this.size, Number.POSITIVE_INFINITY, this.newest)
    this.#state = 'active'
  }
}

/** Twenty digits, as Apache Kafka names its files. */
export function segmentName(baseOffset: Offset): string {
  return String(baseOffset).padStart(20, '0')
}

