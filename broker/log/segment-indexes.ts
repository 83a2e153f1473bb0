// The two indexes of a segment: kept up to date while it grows, saved when it is complete, checked when they are used again.

import { MillraceError } from '../../core/error.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { FilePool, PooledFile } from '../disk/file-pool.ts'
import type { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { noEntries, type EntrySum } from './entry-file.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex, type TimePoint } from './time-index.ts'

/** What tells the entries of both indexes from others. */
export interface IndexSums {
  readonly offsets: EntrySum
  readonly times: EntrySum
}

export const noIndexEntries: IndexSums = { offsets: noEntries, times: noEntries }

export class SegmentIndexes {
  readonly #offsets: OffsetIndex
  readonly #times: TimeIndex
  intervalBytes = 4096
  /** The largest timestamp, while the segment grows; see {@link newest}. */
  #newest: TimePoint | null = null
  #bytesSinceEntry = 0
  /** `unseen`: the files are as somebody left them; `good`: they are complete. */
  #state: 'growing' | 'unseen' | 'good' = 'unseen'

  /** `path` is that of the segment, without an ending. */
  constructor(pool: FilePool, path: string, baseOffset: Offset) {
    this.#offsets = new OffsetIndex(pool.file(`${path}.index`), baseOffset)
    this.#times = new TimeIndex(pool.file(`${path}.timeindex`), baseOffset)
  }

  get files(): readonly PooledFile[] {
    return [this.#offsets.entries.file, this.#times.entries.file]
  }

  get isGrowing(): boolean {
    return this.#state === 'growing'
  }

  /** False until {@link open} has said that the files are good, or they were built anew. */
  get isGood(): boolean {
    return this.#state !== 'unseen'
  }

  /** Bytes of the offset index, the larger of the two by entries. */
  get bytes(): number {
    return this.#offsets.entries.count * this.#offsets.entries.entryBytes
  }

  /** The largest timestamp and the last offset of the first batch that has it; null if there is none. */
  get newest(): TimePoint | null {
    return this.isGrowing ? this.#newest : this.#times.last()
  }

  /** Begins anew, to grow. */
  clear(): void {
    this.#state = 'growing'
    this.#offsets.entries.clear()
    this.#times.entries.clear()
    this.#newest = null
    this.#bytesSinceEntry = 0
  }

  get sums(): IndexSums {
    return { offsets: this.#offsets.entries.sum, times: this.#times.entries.sum }
  }

  /** To be read in place; false if they are not what was summed. */
  open(sums: IndexSums): boolean {
    const isGood = this.#offsets.entries.openSealed(sums.offsets) && this.#times.entries.openSealed(sums.times)
    if (isGood) this.#state = 'good'
    return isGood
  }

  /** To grow behind what was summed, and `position`; false if that is not there. */
  grow(sums: IndexSums, position: number, newest: TimePoint | null): boolean {
    if (!this.#offsets.entries.openForAppend(sums.offsets) || !this.#times.entries.openForAppend(sums.times)) return false
    this.#state = 'growing'
    this.#newest = newest
    this.#bytesSinceEntry = position - this.#offsets.lastPosition
    return true
  }

  /** The next batch. */
  note(header: RecordBatchHeader, position: number): void {
    this.noteTime(header)
    if (this.#bytesSinceEntry > this.intervalBytes) {
      this.#offsets.append(header.lastOffset, position)
      if (this.#newest !== null) this.#times.append(this.#newest)
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += header.size
  }

  noteTime(header: RecordBatchHeader): void {
    const timestamp = header.maxTimestamp
    if (timestamp >= 0 && (this.#newest === null || timestamp > this.#newest.timestamp)) this.#newest = { timestamp, offset: header.lastOffset }
  }

  /** A position at or before that of the batch which holds `offset`. */
  positionBefore(offset: Offset): number {
    return this.#offsets.positionBefore(offset)
  }

  /** A position that no record at or after `timestamp` lies before. */
  positionBeforeTime(timestamp: Timestamp): number {
    const before = this.#times.before(timestamp)
    return before === null ? 0 : this.#offsets.positionBefore(before.offset)
  }

  /** Cuts them with the segment. Answers from where on {@link noteTime} is to be told of batches once more. */
  truncate(position: number, endOffset: Offset): number {
    this.#offsets.truncate(position)
    this.#times.truncate(endOffset)
    if (this.#newest !== null && this.#newest.offset >= endOffset) this.#newest = this.#times.last()
    this.#bytesSinceEntry = position - this.#offsets.lastPosition
    return this.#offsets.lastPosition
  }

  /** Nothing more comes. Where there is no room to save them they stay in memory. */
  seal(): void {
    if (this.isGrowing && this.#newest !== null) this.#times.append(this.#newest)
    this.#state = 'good'
    try {
      this.#offsets.entries.seal()
      this.#times.entries.seal()
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
    }
  }

  /** Resolves when the entries so far are on the medium. */
  async save(): Promise<void> {
    for (const { entries } of [this.#offsets, this.#times]) if (entries.save()) await entries.file.sync()
  }
}
