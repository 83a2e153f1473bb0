// One file of a log with its two indexes: batches from a base offset on, appended to the last segment only.

import { MillraceError } from '../../core/error.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { PooledFile } from '../disk/file-pool.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../wire/record-batch-header.ts'
import { scanBatches, shapeProblem, type ScanOptions, type ScanResult } from './batch-scan.ts'
import type { RecoveryPoint, RecoveryStart } from './checkpoint.ts'
import { walkBatches, type BatchPlace } from './batch-walk.ts'
import { checkBatches, damageError, Damages, isLostWrite, nextGoodBatch, setBytesAside, type Damage, type DamagedBytes } from './damage.ts'
import { deletedEnding, discard, segmentName, type SegmentHome } from './segment-home.ts'
import { wholeBatches, type SegmentRead, type SegmentReadOptions } from './segment-read.ts'
import { noIndexEntries, SegmentIndexes, type IndexSums } from './segment-indexes.ts'
import { readSeal, writeSeal } from './segment-seal.ts'
import type { TimePoint } from './time-index.ts'

/** What somebody knows of a segment that has no seal. */
export interface SegmentExpectation {
  readonly bytes: number
  readonly isContiguous: boolean
}

const locateBlockBytes = 8192

export class Segment {
  readonly baseOffset: Offset
  readonly file: PooledFile
  readonly #home: SegmentHome
  readonly #indexes: SegmentIndexes
  readonly #sealFile: PooledFile
  #isActive = false
  #isClosed = false
  /** Bytes of whole batches. */
  size = 0
  #firstTimestamp: Timestamp | null = null
  readonly #damages = new Damages()
  /** Bytes that the file should have, at least. */
  #expectedBytes = 0
  /** Offsets follow each other without gaps: nothing was compacted here. */
  #isContiguous = false
  #nextOffset: Offset
  /** Bytes from here on were appended by this process, which has checked them. */
  #ownFrom = Number.POSITIVE_INFINITY

  private constructor(home: SegmentHome, baseOffset: Offset, stem: string = segmentName(baseOffset)) {
    this.baseOffset = baseOffset
    this.#home = home
    const path = `${home.directory}/${stem}`
    this.file = home.pool.file(`${path}.log`)
    this.#indexes = new SegmentIndexes(home.pool, path, baseOffset)
    this.#sealFile = home.pool.file(`${path}.seal`)
    this.#nextOffset = baseOffset
  }

  /** A new, empty segment to append to. `stem` names its files, where it is not to be found by its offset. */
  static create(home: SegmentHome, baseOffset: Offset, stem?: string): Segment {
    const segment = new Segment(home, baseOffset, stem)
    segment.#beActive()
    segment.#isContiguous = true
    segment.file.truncate(0)
    segment.#indexes.clear()
    segment.#ownFrom = 0
    return segment
  }

  /** A segment that is complete; it is looked at when it is needed. */
  static sealed(home: SegmentHome, baseOffset: Offset, expected: SegmentExpectation = { bytes: 0, isContiguous: false }): Segment {
    const segment = new Segment(home, baseOffset)
    segment.size = segment.file.size
    segment.#expectedBytes = expected.bytes
    segment.#isContiguous = expected.isContiguous
    return segment
  }

  /**
   * Opens a segment to append to it: checks every batch behind the recovery point (without one, all), showing each to `visit`,
   * and counts the bytes up to the torn end. The file itself is not cut yet: see {@link cut}.
   */
  static recover(home: SegmentHome, baseOffset: Offset, { point, mayHaveGaps }: RecoveryStart, visit: (header: RecordBatchHeader) => void): { segment: Segment; scan: ScanResult } {
    const segment = new Segment(home, baseOffset)
    segment.#isContiguous = mayHaveGaps ? (readSeal(segment.#sealFile)?.isContiguous ?? false) : true
    segment.#beActive()
    segment.#beginAt(point)
    const scan = segment.#recoverFrom(segment.size, visit)
    segment.size = segment.#ownFrom = scan.end
    return { segment, scan }
  }

  /** Trusts what lies before. */
  #beginAt(point: RecoveryPoint | null): void {
    this.size = point?.position ?? 0
    if (point !== null) this.#nextOffset = point.offset
    if (this.size === 0) this.#indexes.clear()
    else if (!this.#indexes.grow(point!.indexes ?? noIndexEntries, this.size, point!.newest) || point!.indexes === undefined) this.check()
  }

  #recoverFrom(from: number, visit: (header: RecordBatchHeader) => void): ScanResult {
    const end = this.file.size
    const isTornEnd = (position: number, next: number | null): boolean => next === null || isLostWrite(this.file, position, next)
    const mustBeContiguous = this.#isContiguous
    this.#isContiguous = true
    const { damages, scan } = checkBatches(this.file, { from, end, endOffset: null, minOffset: this.#nextOffset, contiguous: mustBeContiguous ? 'all' : 'none', isTornEnd }, (header, position) => {
      this.#note(header, position)
      visit(header)
    })
    this.#isContiguous ||= mustBeContiguous
    this.#setDamages([...this.#damages.all, ...damages])
    return scan
  }

  set indexIntervalBytes(bytes: number) {
    this.#indexes.intervalBytes = bytes
  }

  get path(): string {
    return this.file.path
  }

  /** It can be appended to. */
  get isActive(): boolean {
    return this.#isActive
  }

  /** Bytes of the offset index, the larger of the two by entries. */
  get indexBytes(): number {
    return this.#indexes.bytes
  }

  /** What tells the entries of its indexes from others. */
  get indexSums(): IndexSums {
    return this.#indexes.sums
  }

  /** Damage that was found so far. */
  get damages(): readonly Damage[] {
    this.#looked()
    return this.#damages.all
  }

  /** The damage that took an offset; null if it is not known to be lost. */
  damageAt(offset: Offset): Damage | null {
    this.#looked()
    return this.#damages.covering(offset)
  }

  /** Whether the bytes at a position are known to be damaged. */
  isDamagedAt(position: number): boolean {
    return this.#damages.at(position) !== null
  }

  /** Takes away the bytes of a file behind its last good batch. Where good ones are among them a copy is set aside, whose path is the answer. */
  cut(minOffset: Offset): string | null {
    if (this.file.size <= this.size) return null
    const isWorthKeeping = nextGoodBatch(this.file, { from: this.size, end: this.file.size, minOffset }) !== null
    const copy = isWorthKeeping ? setBytesAside(this.#home.disk, this.file, this.size, this.file.size) : null
    this.file.truncate(this.size)
    return copy
  }

  /** Appends one batch whose offsets are set. All of it is written, or nothing. */
  append(batch: Buffer, header: RecordBatchHeader): void {
    // What a write that failed has left, where it could not be cut off.
    if (this.file.size !== this.size) this.file.truncate(this.size)
    this.file.append([batch])
    if (this.#damages.appended(header.baseOffset)) this.#nextOffset = header.baseOffset
    this.#note(header, this.size)
    this.#ownFrom = Math.min(this.#ownFrom, this.size)
    this.size += batch.length
  }

  /** Reads whole batches from a position up to `maxBytes`. Null if there is nothing to read, or the first batch is too large. @throws MillraceError LOG_CORRUPT if it is damaged */
  read(position: number, options: SegmentReadOptions): SegmentRead | null {
    this.#looked()
    const read = this.#tryRead(position, options)
    if (typeof read !== 'string') return read
    this.check()
    const damage = this.#damages.covering(options.offset) ?? this.#damages.at(position)
    if (damage !== null) throw damageError(this.#home.disk.name, damage)
    // The batches are good: an index has led to a wrong place.
    const place = this.locate(options.offset)
    const again = place === null ? null : this.#tryRead(place.position, options)
    if (typeof again === 'string') throw this.#unreadable(again)
    return again
  }

  /** What is wrong, as a clause, where nothing can be read. */
  #tryRead(position: number, options: SegmentReadOptions): SegmentRead | string | null {
    const available = this.size - position
    if (available <= 0) return null
    const known = this.#damages.at(position)
    if (known !== null) throw damageError(this.#home.disk.name, known)
    if (available < batchHeaderBytes) return `there are only ${available} bytes of a batch`
    let buffer = this.#home.buffers.take(Math.max(batchHeaderBytes, Math.min(options.maxBytes, available)))
    if (!this.#fill(position, buffer)) return 'the file ends before its time'
    const header = new RecordBatchHeader(buffer)
    if (!header.fits(Math.min(buffer.length, options.maxBytes))) {
      const problem = shapeProblem(header, available, this.baseOffset)
      if (problem !== null) return problem
      if (!options.atLeastOne) return null
      if (header.size > buffer.length && !this.#fill(position, (buffer = this.#home.buffers.take(header.size)))) return 'the file ends before its time'
    }
    return wholeBatches(header.moveTo(buffer, 0), { ...options, position, baseOffset: this.baseOffset, isContiguous: this.#isContiguous, uncheckedFrom: this.#ownFrom })
  }

  /** The first batch that ends at or behind `offset`; null if there is none. */
  locate(offset: Offset): BatchPlace | null {
    return this.#first(() => this.#looked().positionBefore(offset), header => header.lastOffset >= offset)
  }

  /** The first batch from `from` on (a position, 0 by default) with a record at or after `timestamp`; null if there is none. */
  locateTime(timestamp: Timestamp, from = 0): BatchPlace | null {
    return this.#first(() => Math.max(from, this.#looked().positionBeforeTime(timestamp)), header => header.maxTimestamp >= timestamp)
  }

  /** The largest timestamp in the segment and the last offset of the first batch that has it; null if it is empty. */
  get newest(): TimePoint | null {
    return this.#looked().newest
  }

  /** The largest timestamp of its records. Where they have none: when the file was written last, if that is known; null if it is not. */
  get newestTime(): Timestamp | null {
    return this.newest?.timestamp ?? this.#home.disk.modifiedAt(this.path)
  }

  /** Timestamp of the first batch; null if the segment is empty. */
  get firstTimestamp(): Timestamp | null {
    if (this.#firstTimestamp === null && this.size > 0) {
      const bytes = Buffer.allocUnsafe(batchHeaderBytes)
      if (this.#fill(0, bytes)) this.#firstTimestamp = new RecordBatchHeader(bytes).maxTimestamp
    }
    return this.#firstTimestamp
  }

  /** Calls `visit` with the header of every batch from a position on; see {@link scanBatches}. `checked` batches are in the buffer as a whole, and a damaged one fails the scan; otherwise it is passed over. */
  scan(options: Pick<ScanOptions, 'from' | 'checked' | 'blockBytes'>, visit: (header: RecordBatchHeader, position: number) => boolean | void): void {
    if (!options.checked) return this.#walkThrough(options, visit)
    const result = scanBatches(this.file, { ...options, end: this.size, minOffset: this.baseOffset }, visit)
    if (result.problem === null) return
    this.check()
    const damage = this.#damages.at(result.end) ?? this.#damages.all[0]
    throw damage === undefined ? this.#unreadable(result.problem) : damageError(this.#home.disk.name, damage)
  }

  /** Cuts the segment before a batch; it is the last one afterwards. */
  truncate(position: number, endOffset: Offset): void {
    this.#reopen()
    this.file.truncate(position)
    this.#damages.truncate(position)
    this.#ownFrom = Math.min(this.#ownFrom, position)
    this.size = position
    this.#expectedBytes = Math.min(this.#expectedBytes, position)
    this.#nextOffset = endOffset
    this.#walkThrough({ from: this.#indexes.truncate(position, endOffset) }, header => this.#indexes.noteTime(header))
    if (position === 0) this.#firstTimestamp = null
  }

  /** Nothing more is appended. */
  seal(): void {
    this.#isActive = false
    this.#indexes.seal()
    this.#expectedBytes = Math.max(this.#expectedBytes, this.size)
    writeSeal(this.#sealFile, { bytes: this.#expectedBytes, endOffset: this.#nextOffset, isContiguous: this.#isContiguous, isDamaged: this.#damages.all.length > 0, indexes: this.#indexes.sums })
  }

  /** Resolves when the index entries so far are on the medium. */
  saveIndexes(): Promise<void> {
    return this.#indexes.save()
  }

  async sync(): Promise<void> {
    if (!this.#isClosed) await this.file.sync()
  }

  /** After sealing: the indexes too, for they are trusted from then on. */
  async syncWithIndexes(): Promise<void> {
    // One that is removed meanwhile must not come back by being opened.
    for (const file of this.#files) if (!this.#isClosed) await file.sync()
  }

  /** Its files can still be read; nothing is synced any more. */
  close(): void {
    this.#isClosed = true
    for (const file of this.#files) file.close()
  }

  /** Removes its files; their bytes are freed after a delay, until when it can be read. */
  remove(delayMs: number): void {
    this.close()
    const moves = this.#files.map(({ path }) => ({ from: path, to: `${path}${deletedEnding}` }))
    // The batches first: without them the rest is nothing.
    discard(this.#home, moves, delayMs)
    for (const [index, file] of this.#files.entries()) file.discarded(moves[index]!.to)
  }

  /** The directory of its log was removed, and has another name now. */
  removedWith(directory: string): void {
    for (const file of this.#files) file.discarded(`${directory}${file.path.slice(this.#home.directory.length)}`)
  }

  get #files(): readonly PooledFile[] {
    return [this.file, ...this.#indexes.files, this.#sealFile]
  }

  #note(header: RecordBatchHeader, position: number): void {
    if (this.#firstTimestamp === null && position === 0) this.#firstTimestamp = header.maxTimestamp
    if (header.baseOffset !== this.#nextOffset) this.#isContiguous = false
    this.#nextOffset = header.lastOffset + 1
    this.#indexes.note(header, position)
  }

  #first(start: () => number, wanted: (header: RecordBatchHeader) => boolean): BatchPlace | null {
    for (let checks = 0; ; checks++) {
      let place: BatchPlace | null = null
      const broken = this.#walk({ from: start(), blockBytes: locateBlockBytes }, (header, position) => {
        if (!wanted(header)) return true
        place = { position, baseOffset: header.baseOffset, lastOffset: header.lastOffset }
        return false
      })
      if (broken === null) return place
      if (checks > 0) throw this.#unreadable(`there is no batch at byte ${broken}`)
      this.check()
    }
  }

  #walkThrough(options: Pick<ScanOptions, 'from' | 'blockBytes'>, visit: (header: RecordBatchHeader, position: number) => boolean | void): void {
    this.#looked()
    const broken = this.#walk(options, visit)
    if (broken === null) return
    this.check()
    if (this.#walk({ ...options, from: broken }, visit) !== null) throw this.#unreadable(`there is no batch at byte ${broken}`)
  }

  #walk({ from, blockBytes }: Pick<ScanOptions, 'from' | 'blockBytes'>, visit: (header: RecordBatchHeader, position: number) => boolean | void): number | null {
    return walkBatches(this.file, { from, blockBytes, end: this.size, minOffset: this.baseOffset, isContiguous: this.#isContiguous, damages: this.#damages }, visit)
  }

  #fill(position: number, target: Buffer): boolean {
    return this.file.read(position, target) === target.length
  }

  #unreadable(problem: string): MillraceError {
    return new MillraceError('LOG_CORRUPT', `The log file ${this.#home.disk.name}/${this.path} cannot be read, and is not the same each time: ${problem}.`)
  }

  /** Looks at every byte, notes what is damaged, and builds the indexes anew. Done whenever something is found that does not fit. */
  check(): void {
    const end = this.#isActive ? this.size : this.file.size
    this.#indexes.clear()
    const known = this.#nextOffset
    const endOffset = known > this.baseOffset && end >= this.#expectedBytes ? known : null
    this.#nextOffset = this.baseOffset
    let isContiguous = true
    const { damages, scan } = checkBatches(this.file, { from: 0, end, endOffset, minOffset: this.baseOffset, contiguous: this.#isContiguous ? 'all' : 'none', isTornEnd: () => false }, (header, position) => {
      isContiguous &&= header.baseOffset === this.#nextOffset
      this.#nextOffset = header.lastOffset + 1
      this.#indexes.note(header, position)
    })
    const isShort = end < this.#expectedBytes && damages.at(-1)?.nextOffset !== Number.POSITIVE_INFINITY
    const lost = { position: end, end, fromOffset: scan.minOffset, nextOffset: Number.POSITIVE_INFINITY, problem: `the file should have ${this.#expectedBytes} bytes` }
    this.#setDamages(isShort ? [...damages, lost] : damages)
    this.#isContiguous ||= isContiguous
    this.#nextOffset = Math.max(this.#nextOffset, known)
    this.size = end
    if (!this.#isActive) this.seal()
  }

  #setDamages(found: readonly (DamagedBytes | Damage)[]): void {
    const damages = found.map(damage => ('copy' in damage ? damage : { ...damage, file: this.path, copy: setBytesAside(this.#home.disk, this.file, damage.position, damage.end) }))
    for (const damage of this.#damages.set(damages)) this.#home.onDamage?.(damage)
  }

  /** The indexes, fit for use: a complete segment is compared with its seal when it is used first. */
  #looked(): SegmentIndexes {
    if (this.#indexes.isGood) return this.#indexes
    const seal = readSeal(this.#sealFile)
    if (seal !== null) {
      this.#expectedBytes = seal.bytes
      this.#isContiguous = seal.isContiguous
      this.#nextOffset = seal.endOffset
    }
    if (seal === null || seal.isDamaged || this.size !== seal.bytes || !this.#indexes.open(seal.indexes)) this.check()
    return this.#indexes
  }

  /** To be cut. */
  #reopen(): void {
    if (this.#isActive) return
    const { sums, newest } = this.#looked()
    this.#beActive()
    if (!this.#indexes.grow(sums, this.size, newest)) this.check()
  }

  #beActive(): void {
    this.#isActive = true
    if (this.#sealFile.size > 0) this.#home.disk.remove(this.#sealFile.path)
  }
}
