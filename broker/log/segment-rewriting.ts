// Writes one segment that takes the place of some neighbours, so that a crash at any moment leaves either them or it.

import { assert } from '../../core/error.ts'
import type { Offset } from '../../core/record.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { Segment } from './segment.ts'
import { deletedEnding, discard, segmentName, type SegmentHome } from './segment-home.ts'

/** What the log does for it: see whether the old segments are still its own, and put the new one in their place. */
export interface RewrittenLog {
  has(segment: Segment): boolean
  replace(old: readonly Segment[], next: Segment): void
  /** How long the bytes of the old ones stay. */
  readonly fileDeleteDelayMs: number
}

export class SegmentRewriting {
  readonly #home: SegmentHome
  readonly #log: RewrittenLog
  readonly #old: readonly Segment[]
  readonly #stem: string
  readonly #segment: Segment
  readonly #header = new RecordBatchHeader(Buffer.alloc(0))
  #isOpen = true

  /** `endOffset` is where the segment behind the old ones begins. */
  constructor(home: SegmentHome, log: RewrittenLog, old: readonly Segment[], endOffset: Offset) {
    const { baseOffset } = old[0]!
    this.#home = home
    this.#log = log
    this.#old = old
    this.#stem = `${segmentName(baseOffset)}-${segmentName(endOffset)}`
    this.#segment = Segment.create(home, baseOffset, `${this.#stem}.cleaned`)
  }

  get bytes(): number {
    return this.#segment.size
  }

  /** A batch with its offsets, behind those before. */
  append(batch: Buffer): void {
    this.#segment.append(batch, this.#header.moveTo(batch, 0))
  }

  /** Makes it durable and puts it in place; false if the old ones have gone meanwhile. */
  async commit(): Promise<boolean> {
    this.#segment.seal()
    await this.#segment.syncWithIndexes()
    if (!this.#old.every(segment => this.#log.has(segment))) return false
    const { disk, directory } = this.#home
    this.#segment.close()
    // Records without timestamps are as old as the file that they came from.
    const modifiedAt = disk.modifiedAt(this.#old.at(-1)!.path)
    if (modifiedAt !== null) disk.setModified(this.#segment.path, modifiedAt)
    this.#isOpen = false
    disk.rename(`${directory}/${this.#stem}.cleaned.log`, `${directory}/${this.#stem}.swap`)
    for (const segment of this.#old) segment.remove(this.#log.fileDeleteDelayMs)
    finishSwap(this.#home, `${this.#stem}.swap`)
    this.#log.replace(this.#old, Segment.sealed(this.#home, this.#old[0]!.baseOffset))
    await disk.syncDirectory(directory)
    return true
  }

  /** Removes what was not put in place. */
  discard(): void {
    if (this.#isOpen) this.#segment.remove(0)
    this.#isOpen = false
  }
}

/** From the renaming to `.swap` on the new file counts and the old ones do not. Can be done again after a crash in its midst. */
export function finishSwap(home: SegmentHome, swap: string): void {
  const { disk, directory } = home
  const stem = swap.slice(0, -'.swap'.length)
  const [base, end] = stem.split('-').map(Number)
  assert(base !== undefined && end !== undefined, `${swap} names two offsets`)
  for (const name of disk.list(directory)) {
    const match = /^(\d{20})\.(log|index|timeindex|seal)$/.exec(name)
    if (match !== null && Number(match[1]) >= base && Number(match[1]) < end) discard(home, [{ from: `${directory}/${name}`, to: `${directory}/${name}${deletedEnding}` }], 0)
  }
  for (const kind of ['index', 'timeindex', 'seal']) {
    const from = `${directory}/${stem}.cleaned.${kind}`
    if (disk.size(from) !== null) disk.rename(from, `${directory}/${segmentName(base)}.${kind}`)
  }
  disk.rename(`${directory}/${swap}`, `${directory}/${segmentName(base)}.log`)
}
