// One file of a log with its two indexes: batches from a base offset on, appended to the last segment only.

import { MillraceError } from '../../core/error.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import type { FilePool, PooledFile } from '../disk/file-pool.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../wire/record-batch-header.ts'
import { scanBatches, shapeProblem, type ScanOptions, type ScanResult } from './batch-scan.ts'
import type { RecoveryPoint } from './checkpoint.ts'
import { damageError, Damages, isLostWrite, nextGoodBatch, setBytesAside, type Damage } from './damage.ts'
import type { ReadBuffers } from './read-buffers.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import type { TimePoint } from './time-index.ts'

/** Where segments live. */
export interface SegmentHome {
  readonly disk: Disk
  readonly pool: FilePool
  readonly buffers: ReadBuffers
  readonly directory: string
  /** Hears of each damage once. */
  readonly onDamage?: (damage: Damage) => void
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
  readonly #indexes: SegmentIndexes
  /** Bytes of whole batches. */
  size = 0
  #firstTimestamp: Timestamp | null = null
  readonly #damages = new Damages()
  /** Bytes from here on were appended by this process, which has checked them. */
  #ownFrom = Number.POSITIVE_INFINITY

  private constructor(home: SegmentHome, baseOffset: Offset, stem: string = segmentName(baseOffset)) {
    this.baseOffset = baseOffset
    this.#home = home
    const path = `${home.directory}/${stem}`
    this.file = home.pool.file(`${path}.log`)
    this.#indexes = new SegmentIndexes(home.pool, path, baseOffset)
  }

  /** A new, empty segment to append to. `stem` names its files, where it is not to be found by its offset. */
  static create(home: SegmentHome, baseOffset: Offset, stem?: string): Segment {
    const segment = new Segment(home, baseOffset, stem)
    segment.file.truncate(0)
    segment.#indexes.clear()
    segment.#ownFrom = 0
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
    const from = point === null ? 0 : Math.min(point.position, segment.file.size)
    const minOffset = point === null ? baseOffset : point.offset
    if (from === 0) segment.#indexes.clear()
    else segment.#indexes.grow(from, minOffset, point!.newest)
    const show = (header: RecordBatchHeader, position: number): void => {
      segment.#note(header, position)
      visit(header)
    }
    let [scan, damage]: [ScanResult | null, Damage | null] = [null, null]
    do scan = scanBatches(segment.file, { from: damage?.end ?? from, minOffset: damage?.nextOffset ?? minOffset, checked: true }, show)
    while ((damage = segment.#damageWithin(scan)) !== null)
    segment.size = segment.#ownFrom = scan.end
    return { segment, scan }
  }

  set indexIntervalBytes(bytes: number) {
    this.#indexes.intervalBytes = bytes
  }

  get path(): string {
    return this.file.path
  }

  /** Bytes of the offset index, the larger of the two by entries. */
  get indexBytes(): number {
    return this.#indexes.bytes
  }

  /** Damage that was found so far. */
  get damages(): readonly Damage[] {
    return this.#damages.all
  }

  /** The damage that took an offset; null if it is not known to be lost. */
  damageAt(offset: Offset): Damage | null {
    return this.#damages.covering(offset)
  }

  /** Takes away the bytes of a file behind its last good batch. Where good ones are among them a copy is set aside, whose path is the answer. */
  cut(minOffset: Offset): string | null {
    if (this.file.size <= this.size) return null
    const isWorthKeeping = nextGoodBatch(this.file, { from: this.size, end: this.file.size, minOffset }) !== null
    const copy = isWorthKeeping ? this.#setAside(this.size, this.file.size) : null
    this.file.truncate(this.size)
    return copy
  }

  /** Appends one batch whose offsets are set. All of it is written, or nothing. */
  append(batch: Buffer, header: RecordBatchHeader): void {
    this.file.append([batch])
    this.#note(header, this.size)
    this.#damages.appended(header.baseOffset)
    this.#ownFrom = Math.min(this.#ownFrom, this.size)
    this.size += batch.length
  }

  /**
   * Reads whole batches from a position up to `maxBytes`, none that begins at `limit` or behind. If the first is larger, it alone when `atLeastOne`.
   * `offset` is one that the first batch holds, or lies behind. @throws MillraceError LOG_CORRUPT if the first batch is damaged
   */
  read(position: number, options: { readonly offset: Offset; readonly maxBytes: number; readonly limit: Offset; readonly atLeastOne: boolean }): SegmentRead | null {
    const available = this.size - position
    if (available <= 0) return null
    const known = this.#damages.at(position)
    if (known !== null) throw damageError(this.#home.disk.name, known)
    if (available < batchHeaderBytes) throw this.#damaged(position, options.offset, `there are only ${available} bytes of a batch`)
    let buffer = this.#home.buffers.take(Math.max(batchHeaderBytes, Math.min(options.maxBytes, available)))
    this.#fill(position, buffer)
    const header = new RecordBatchHeader(buffer)
    if (!header.fits(Math.min(buffer.length, options.maxBytes))) {
      const problem = shapeProblem(header, available, this.baseOffset)
      if (problem !== null) throw this.#damaged(position, options.offset, problem)
      if (!options.atLeastOne) return null
      if (header.size > buffer.length) this.#fill(position, (buffer = this.#home.buffers.take(header.size)))
    }
    return this.#wholeBatches(header, buffer, position, options)
  }

  /** The first batch that ends at or behind `offset`; null if there is none. */
  locate(offset: Offset): BatchPlace | null {
    return this.#first(this.#goodIndexes().positionBefore(offset), header => header.lastOffset >= offset)
  }

  /** The first batch from `from` on (a position, 0 by default) with a record at or after `timestamp`; null if there is none. */
  locateTime(timestamp: Timestamp, from = 0): BatchPlace | null {
    return this.#first(Math.max(from, this.#goodIndexes().positionBeforeTime(timestamp)), header => header.maxTimestamp >= timestamp)
  }

  /** The largest timestamp in the segment and the last offset of the first batch that has it; null if it is empty. */
  get newest(): TimePoint | null {
    return this.#goodIndexes().newest
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

  /** Calls `visit` with the header of every batch from a position on; see {@link scanBatches}. `checked` batches are in the buffer as a whole, and a damaged one fails the scan; otherwise it is passed over. */
  scan(options: Pick<ScanOptions, 'from' | 'checked' | 'blockBytes'>, visit: (header: RecordBatchHeader, position: number) => boolean | void): void {
    if (!options.checked) return this.#walk(options, visit)
    const result = scanBatches(this.file, { ...options, end: this.size, minOffset: this.baseOffset }, visit)
    if (result.problem !== null) throw this.#damaged(result.end, result.minOffset, result.problem)
  }

  /** Cuts the segment before a batch; it is the last one afterwards. */
  truncate(position: number, endOffset: Offset): void {
    this.#beActive()
    this.file.truncate(position)
    this.#damages.truncate(position)
    this.#ownFrom = Math.min(this.#ownFrom, position)
    this.size = position
    this.#walk({ from: this.#indexes.truncate(position, endOffset), checked: false }, header => this.#indexes.noteTime(header))
    if (position === 0) this.#firstTimestamp = null
  }

  /** Nothing more is appended. */
  seal(): void {
    this.#indexes.seal()
  }

  /** Resolves when the index entries so far are on the medium. */
  saveIndexes(): Promise<void> {
    return this.#indexes.save()
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
    return [this.file, ...this.#indexes.files]
  }

  #note(header: RecordBatchHeader, position: number): void {
    if (this.#firstTimestamp === null && position === 0) this.#firstTimestamp = header.maxTimestamp
    this.#indexes.note(header, position)
  }

  #wholeBatches(header: RecordBatchHeader, buffer: Buffer, position: number, { offset, limit }: { readonly offset: Offset; readonly limit: Offset }): SegmentRead | null {
    let end = 0
    let nextOffset = -1
    while (header.moveTo(buffer, end).fits(buffer.length) && (header.baseOffset < limit || header.magic !== 2)) {
      const problem = this.#problemOf(header, position + end, Math.max(this.baseOffset, nextOffset))
      if (problem !== null && end === 0) throw this.#damaged(position, header.magic === 2 ? Math.min(offset, Math.max(this.baseOffset, header.baseOffset)) : offset, problem)
      if (problem !== null) break
      nextOffset = header.lastOffset + 1
      end = header.end
    }
    return end === 0 ? null : { records: end === buffer.length ? buffer : buffer.subarray(0, end), nextOffset }
  }

  #problemOf(header: RecordBatchHeader, position: number, minOffset: Offset): string | null {
    const problem = shapeProblem(header, header.buffer.length - header.position, minOffset)
    return problem !== null || position >= this.#ownFrom ? problem : header.problem(header.end)
  }

  #first(from: number, wanted: (header: RecordBatchHeader) => boolean): BatchPlace | null {
    let place: BatchPlace | null = null
    this.#walk({ from, checked: false, blockBytes: locateBlockBytes }, (header, position) => {
      if (!wanted(header)) return true
      place = { position, baseOffset: header.baseOffset, lastOffset: header.lastOffset }
      return false
    })
    return place
  }

  /** Passes over damage. */
  #walk(options: Pick<ScanOptions, 'from' | 'checked' | 'blockBytes'>, visit: (header: RecordBatchHeader, position: number) => boolean | void): void {
    let minOffset = this.baseOffset
    for (let from = options.from; from < this.size; ) {
      const known = this.#damages.at(from)
      const scan = known === null ? scanBatches(this.file, { ...options, from, end: this.#damages.nextPosition(from) ?? this.size, minOffset }, visit) : null
      if (scan !== null && scan.problem === null && (scan.isStopped || scan.end >= this.size)) return
      const damage = known ?? (scan!.problem === null ? this.#damages.at(scan!.end)! : this.#findDamage(from, minOffset, scan!))
      from = damage.end
      minOffset = Math.min(damage.nextOffset, Number.MAX_SAFE_INTEGER)
    }
  }

  #fill(position: number, target: Buffer): void {
    const read = this.file.read(position, target)
    if (read < target.length) throw new MillraceError('LOG_CORRUPT', `The log file ${this.#home.disk.name}/${this.path} ends at byte ${position + read}, before its time.`)
  }

  #damaged(position: number, fromOffset: Offset, problem: string): MillraceError {
    return damageError(this.#home.disk.name, this.#noteDamage(position, fromOffset, problem))
  }

  /** Where a scan by headers has failed the batch before may be to blame: its length led there. */
  #findDamage(from: number, minOffset: Offset, failed: ScanResult): Damage {
    const scan = scanBatches(this.file, { from, end: this.size, minOffset, checked: true }, () => {})
    const first = scan.end < failed.end ? scan : failed
    return this.#noteDamage(first.end, first.minOffset, first.problem!)
  }

  #noteDamage(position: number, fromOffset: Offset, problem: string, end: number = this.size): Damage {
    const next = nextGoodBatch(this.file, { from: position, end, minOffset: fromOffset })
    const stop = next?.position ?? end
    const copy = this.#setAside(position, stop)
    const damage = { file: this.path, position, end: stop, fromOffset, nextOffset: next?.baseOffset ?? Number.POSITIVE_INFINITY, problem, copy }
    this.#damages.add(damage)
    this.#home.onDamage?.(damage)
    return damage
  }

  /** What a recovery has run into, if it is not the end that a crash has torn. */
  #damageWithin({ end, problem, minOffset }: ScanResult): Damage | null {
    if (problem === null) return null
    const next = nextGoodBatch(this.file, { from: end, end: this.file.size, minOffset })
    if (next === null || isLostWrite(this.file, end, next.position)) return null
    return this.#noteDamage(end, minOffset, problem, this.file.size)
  }

  /** Null where there is no room. */
  #setAside(from: number, end: number): string | null {
    try {
      return setBytesAside(this.#home.disk, this.file, from, end)
    } catch (error) {
      if (error instanceof MillraceError) return null
      throw error
    }
  }

  /** Fit for use: those of a complete segment are checked at first, and built anew where they are missing or broken. */
  #goodIndexes(): SegmentIndexes {
    if (!this.#indexes.isGood && !this.#indexes.open(this.size)) this.#rebuildIndexes()
    return this.#indexes
  }

  #rebuildIndexes(): void {
    this.#indexes.clear()
    this.#walk({ from: 0, checked: false }, (header, position) => this.#note(header, position))
    this.seal()
  }

  #beActive(): void {
    if (!this.#indexes.isGrowing) this.#indexes.grow(this.size, Number.POSITIVE_INFINITY, this.newest)
  }
}

/** Twenty digits, as Apache Kafka names its files. */
export function segmentName(baseOffset: Offset): string {
  return String(baseOffset).padStart(20, '0')
}

