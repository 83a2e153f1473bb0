// Damage in a segment: bytes that are no batch, what offsets were lost with them, and where good batches go on.

import { MillraceError } from '../../core/error.ts'
import type { Offset } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../wire/record-batch-header.ts'
import { scanBatches, ScanWindow, shapeProblem, type ScannedFile, type ScanOptions, type ScanResult } from './batch-scan.ts'

export interface Damage {
  readonly file: string
  /** Bytes `[position, end)` are no good batches. */
  readonly position: number
  readonly end: number
  /** Offsets `[fromOffset, nextOffset)` cannot be read. Endless where nothing good follows in the file. */
  readonly fromOffset: Offset
  readonly nextOffset: Offset
  /** What is wrong, as a clause. */
  readonly problem: string
  /** Where a copy of the bytes lies; null where there was no room for one. */
  readonly copy: string | null
}

export function damageError(disk: string, { file, position, problem, nextOffset }: Damage): MillraceError {
  return new MillraceError('LOG_CORRUPT', `The log file ${disk}/${file} is damaged at byte ${position}: ${problem}.`, {
    hint: `Records before and behind it can be read${Number.isFinite(nextOffset) ? `, again from offset ${nextOffset}` : ''}; restore the file from a good copy to have them all.`,
  })
}

/** The damages of one segment, in their order. */
export class Damages {
  #damages: Damage[] = []

  get all(): readonly Damage[] {
    return this.#damages
  }

  /** In their order. Answers those that were not known. */
  set(damages: readonly Damage[]): readonly Damage[] {
    const known = this.#damages
    this.#damages = [...damages]
    return damages.filter(({ position, end }) => !known.some(other => other.position === position && other.end === end))
  }

  /** The one that holds a position. */
  at(position: number): Damage | null {
    return this.#damages.find(damage => damage.position <= position && position < damage.end) ?? null
  }

  /** Where the next one behind a position begins; null if there is none. */
  nextPosition(position: number): number | null {
    return this.#damages.find(damage => damage.position > position)?.position ?? null
  }

  /** The one that took an offset. */
  covering(offset: Offset): Damage | null {
    return this.#damages.find(({ fromOffset, nextOffset }) => fromOffset <= offset && offset < nextOffset) ?? null
  }

  /** Batches are appended from an offset on: answers whether damage lies right before, which has an end now. */
  appended(offset: Offset): boolean {
    const last = this.#damages.at(-1)
    if (last?.nextOffset !== Number.POSITIVE_INFINITY) return false
    this.#damages[this.#damages.length - 1] = { ...last, nextOffset: offset }
    return true
  }

  /** The segment is cut at a position. */
  truncate(position: number): void {
    this.#damages = this.#damages.filter(damage => damage.end <= position)
  }
}

/** Damage as it is found in a file. */
export type DamagedBytes = Omit<Damage, 'file' | 'copy'>

export interface CheckOptions extends Pick<ScanOptions, 'from' | 'minOffset' | 'contiguous'> {
  readonly end: number
  /** The offset behind the last batch, where that is known. */
  readonly endOffset: Offset | null
  /** True where the bad bytes from a position on, with the next good batch if there is one, are no damage but the torn end of a file. */
  isTornEnd(position: number, next: number | null): boolean
}

/** Calls `visit` with each good batch, and finds what lies between. The answer's `scan` is the last one: its problem is that of a torn end. */
export function checkBatches(file: ScannedFile, options: CheckOptions, visit: (header: RecordBatchHeader, position: number) => void): { readonly damages: readonly DamagedBytes[]; readonly scan: ScanResult } {
  const damages: DamagedBytes[] = []
  let { from, minOffset } = options
  for (;;) {
    const scan = scanBatches(file, { ...options, from, minOffset, checked: true }, visit)
    if (scan.problem === null) return { damages, scan }
    const next = nextBatch(file, { ...options, from: scan.end, minOffset: scan.minOffset })
    if (options.isTornEnd(scan.end, next?.position ?? null)) return { damages, scan }
    damages.push({ position: scan.end, end: next?.position ?? options.end, fromOffset: scan.minOffset, nextOffset: next?.baseOffset ?? Number.POSITIVE_INFINITY, problem: scan.problem })
    if (next === null) return { damages, scan: { ...scan, end: options.end, problem: null } }
    from = next.position
    minOffset = next.baseOffset
  }
}

/** Where offsets have no gaps a batch is good if it ends where the one behind it begins: no sum covers its base offset. */
function nextBatch(file: ScannedFile, options: SearchOptions & Pick<CheckOptions, 'contiguous' | 'endOffset'>): FoundBatch | null {
  let next = nextGoodBatch(file, options)
  while (next !== null && options.contiguous === 'all' && !isFollowed(file, next, options)) next = nextGoodBatch(file, { ...options, from: next.position })
  return next
}

function isFollowed(file: ScannedFile, { end, endOffset: lastEnd }: FoundBatch, { end: fileEnd, endOffset }: { readonly end: number; readonly endOffset: Offset | null }): boolean {
  if (end === fileEnd) return endOffset === null || lastEnd === endOffset
  const behind = goodBatchAt(new ScanWindow(file, fileEnd, batchHeaderBytes), end, { end: fileEnd, minOffset: 0 })
  return behind === null || behind.baseOffset === lastEnd
}

export interface SearchOptions {
  /** Where the damage begins. */
  readonly from: number
  readonly end: number
  /** No batch begins below. */
  readonly minOffset: Offset
}

/** A batch that is good as such. */
export interface FoundBatch {
  readonly position: number
  readonly end: number
  readonly baseOffset: Offset
  /** The offset behind its last. */
  readonly endOffset: Offset
}

/** The first good batch behind a bad one; null if there is none. */
export function nextGoodBatch(file: ScannedFile, options: SearchOptions): FoundBatch | null {
  const window = new ScanWindow(file, options.end, searchBlockBytes)
  const stated = statedEnd(window, options)
  // Where the length is good it leads to the next batch; records may hold bytes that look like batches.
  if (stated !== null) {
    const found = goodBatchAt(window, stated, options)
    if (found !== null) return found
  }
  for (let position = options.from + 1; window.holds(position, batchHeaderBytes); ) {
    const magicAt = window.indexOf(2, position + magicOffset)
    if (magicAt === null) {
      position = window.end - magicOffset
      continue
    }
    position = magicAt - magicOffset
    const found = goodBatchAt(window, position, options)
    if (found !== null) return found
    position++
  }
  return null
}

const searchBlockBytes = 1024 * 1024
const magicOffset = 16

function statedEnd(window: ScanWindow, { from, end }: SearchOptions): number | null {
  if (!window.holds(from, batchHeaderBytes)) return null
  const { size } = new RecordBatchHeader(window.buffer, from - window.start)
  return size >= batchHeaderBytes && from + size < end ? from + size : null
}

function goodBatchAt(window: ScanWindow, position: number, { end, minOffset }: Pick<SearchOptions, 'end' | 'minOffset'>): FoundBatch | null {
  if (!window.holds(position, batchHeaderBytes)) return null
  const header = new RecordBatchHeader(window.buffer, position - window.start)
  if (shapeProblem(header, end - position, minOffset) !== null || header.count > header.lastOffsetDelta + 1) return null
  const { size } = header
  if (!window.holds(position, size)) return null
  header.moveTo(window.buffer, position - window.start)
  if (header.problem(header.position + size) !== null) return null
  return { position, end: position + size, baseOffset: header.baseOffset, endOffset: header.lastOffset + 1 }
}

/**
 * Whether bytes that are no batch are a write that a crash has taken: a batch is one write, so that it leaves zeros from its beginning to the
 * end of a page, or whole pages of zeros. Nobody heard of such a batch, nor of those behind; other damage happened to what was whole once.
 */
export function isLostWrite(file: ScannedFile, from: number, end: number): boolean {
  const page = Buffer.alloc(pageBytes)
  for (let start = from; start < end; start = nextPage(start)) {
    // To the end of the page even where the next batch begins in it: its first bytes are zeros in any case.
    const bytes = page.subarray(0, nextPage(start) - start)
    if (file.read(start, bytes) === bytes.length && bytes.equals(zeros.subarray(0, bytes.length))) return true
  }
  return false
}

const pageBytes = 4096
const zeros: Buffer = Buffer.alloc(pageBytes)

function nextPage(position: number): number {
  return (Math.floor(position / pageBytes) + 1) * pageBytes
}

/** Copies bytes of a file aside, once; nothing is ever taken from there. Null where there are none, or no room. */
export function setBytesAside(disk: Disk, file: ScannedFile & { readonly path: string }, from: number, end: number): string | null {
  if (from === end) return null
  const path = `${file.path.replace(/\.log$/, '')}.${from}.corrupt`
  try {
    if (disk.size(path) !== end - from) copyBytes(disk, file, path, { from, end })
    return path
  } catch (error) {
    if (error instanceof MillraceError) return null
    throw error
  }
}

function copyBytes(disk: Disk, file: ScannedFile, path: string, { from, end }: { readonly from: number; readonly end: number }): void {
  disk.remove(path)
  const copy = disk.open(path)
  try {
    for (let position = from; position < end; position += searchBlockBytes) {
      const block = Buffer.allocUnsafeSlow(Math.min(searchBlockBytes, end - position))
      copy.append([block.subarray(0, file.read(position, block))])
    }
  } finally {
    copy.close()
  }
}
