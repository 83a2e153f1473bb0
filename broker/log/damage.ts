// Damage in a segment: bytes that are no batch, what offsets were lost with them, and where good batches go on.

import { MillraceError } from '../../core/error.ts'
import type { Offset } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../wire/record-batch-header.ts'
import { ScanWindow, shapeProblem, type ScannedFile } from './batch-scan.ts'

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

  /** Takes the place of those it covers. */
  add(damage: Damage): void {
    this.#damages = [...this.#damages.filter(({ position, end }) => end <= damage.position || position >= damage.end), damage].sort((a, b) => a.position - b.position)
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

  /** Batches are appended at a position, from an offset on: what lies before has an end. */
  appended(offset: Offset): void {
    const last = this.#damages.at(-1)
    if (last?.nextOffset === Number.POSITIVE_INFINITY) this.#damages[this.#damages.length - 1] = { ...last, nextOffset: offset }
  }

  /** The segment is cut at a position. */
  truncate(position: number): void {
    this.#damages = this.#damages.filter(damage => damage.end <= position)
  }
}

export interface SearchOptions {
  /** Where the damage begins. */
  readonly from: number
  readonly end: number
  /** No batch begins below. */
  readonly minOffset: Offset
}

/** The first good batch behind a bad one; null if there is none. */
export function nextGoodBatch(file: ScannedFile, options: SearchOptions): { readonly position: number; readonly baseOffset: Offset } | null {
  const window = new ScanWindow(file, options.end, searchBlockBytes)
  const stated = statedEnd(window, options)
  // Where the length is good it leads to the next batch; records may hold bytes that look like batches.
  if (stated !== null) {
    const baseOffset = goodBatchAt(window, stated, options)
    if (baseOffset !== null) return { position: stated, baseOffset }
  }
  for (let position = options.from + 1; window.holds(position, batchHeaderBytes); ) {
    const magicAt = window.indexOf(2, position + magicOffset)
    if (magicAt === null) {
      position = window.end - magicOffset
      continue
    }
    position = magicAt - magicOffset
    const baseOffset = goodBatchAt(window, position, options)
    if (baseOffset !== null) return { position, baseOffset }
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

function goodBatchAt(window: ScanWindow, position: number, { end, minOffset }: SearchOptions): Offset | null {
  if (!window.holds(position, batchHeaderBytes)) return null
  const header = new RecordBatchHeader(window.buffer, position - window.start)
  if (shapeProblem(header, end - position, minOffset) !== null || header.count > header.lastOffsetDelta + 1) return null
  const { size } = header
  if (!window.holds(position, size)) return null
  header.moveTo(window.buffer, position - window.start)
  return header.problem(header.position + size) === null ? header.baseOffset : null
}

/**
 * Whether bytes that are no batch are a write that a crash has taken: a batch is one write, so that it leaves zeros from its beginning to the
 * end of a page, or whole pages of zeros. Nobody heard of such a batch, nor of those behind; other damage happened to what was whole once.
 */
export function isLostWrite(file: ScannedFile, from: number, end: number): boolean {
  const page = Buffer.alloc(pageBytes)
  for (let start = from; start < end; start = nextPage(start)) {
    const stop = nextPage(start)
    if (stop > end) return false
    const bytes = page.subarray(0, stop - start)
    if (file.read(start, bytes) === bytes.length && bytes.equals(zeros.subarray(0, bytes.length))) return true
  }
  return false
}

const pageBytes = 4096
const zeros: Buffer = Buffer.alloc(pageBytes)

function nextPage(position: number): number {
  return (Math.floor(position / pageBytes) + 1) * pageBytes
}

/** Copies bytes of a file aside, once; nothing is ever taken from there. @throws MillraceError DISK_FULL, DISK_FAILED */
export function setBytesAside(disk: Disk, file: ScannedFile & { readonly path: string }, from: number, end: number): string {
  const path = `${file.path.replace(/\.log$/, '')}.${from}.corrupt`
  if (disk.size(path) === end - from) return path
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
  return path
}
