// Walks the batches of a log file in blocks, by their headers alone or with every byte checked.

import type { Offset } from '../../core/record.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../wire/record-batch-header.ts'

/** What a scan reads from. */
export interface ScannedFile {
  readonly size: number
  read(position: number, target: Uint8Array): number
}

export interface ScanOptions {
  /** Where the first batch begins. */
  readonly from: number
  /** Bytes of the file that count; default all. */
  readonly end?: number
  /** No batch may begin below this offset. */
  readonly minOffset: Offset
  /** Whether each batch must begin where the one before has ended: the first too (at `minOffset`), all behind it, or none. Default none. */
  readonly contiguous?: 'all' | 'behind the first' | 'none'
  /** Check CRCs; otherwise only headers are looked at, and large batches are not read. */
  readonly checked: boolean
  /** Bytes read at a time. Default 1 MiB. */
  readonly blockBytes?: number
}

export interface ScanResult {
  /** Position behind the last good batch. */
  readonly end: number
  /** What is wrong there, as a clause; null if the file ends there. */
  readonly problem: string | null
  /** No good batch behind it begins below. */
  readonly minOffset: Offset
  /** True if `visit` has ended it. */
  readonly isStopped: boolean
}

const defaultBlockBytes = 1024 * 1024

/** Calls `visit` with each good batch in order (the header is moved on afterwards) and stops before the first bad one, or when it answers false. */
export function scanBatches(file: ScannedFile, options: ScanOptions, visit: (header: RecordBatchHeader, position: number) => boolean | void): ScanResult {
  const end = options.end ?? file.size
  const window = new ScanWindow(file, end, options.blockBytes ?? defaultBlockBytes)
  const header = new RecordBatchHeader(window.buffer)
  let minOffset = options.minOffset
  let position = options.from
  let isExact = options.contiguous === 'all'
  while (position < end) {
    if (!window.holds(position, batchHeaderBytes)) return { end: position, problem: `there are only ${end - position} bytes of a batch`, minOffset, isStopped: false }
    header.moveTo(window.buffer, position - window.start)
    const problem = shapeProblem(header, end - position, minOffset) ?? (isExact && header.baseOffset !== minOffset ? gapProblem(header, minOffset) : null)
    if (problem !== null) return { end: position, problem, minOffset, isStopped: false }
    const size = header.size
    // What a control batch says follows from its bytes.
    if (options.checked || header.isControl) {
      if (!window.holds(position, size)) return { end: position, problem: 'the file ends within a batch', minOffset, isStopped: false }
      header.moveTo(window.buffer, position - window.start)
      const damage = options.checked ? header.problem(header.position + size) : null
      if (damage !== null) return { end: position, problem: damage, minOffset, isStopped: false }
    }
    minOffset = header.lastOffset + 1
    isExact = options.contiguous === 'all' || options.contiguous === 'behind the first'
    if (visit(header, position) === false) return { end: position, problem: null, minOffset, isStopped: true }
    position += size
  }
  return { end: position, problem: null, minOffset, isStopped: false }
}

/** What is wrong with a header as such. Bytes of lost writes are zeros, so an impossible length or magic is the usual sign. */
export function shapeProblem(header: RecordBatchHeader, bytesLeft: number, minOffset: Offset): string | null {
  const size = header.size
  if (header.magic !== 2) return `its magic is ${header.magic}, not 2`
  if (size < batchHeaderBytes) return `its length says ${size} bytes`
  if (size > bytesLeft) return `its length says ${size} bytes of ${bytesLeft}`
  if (header.baseOffset < minOffset) return `its base offset ${header.baseOffset} is below ${minOffset}`
  if (header.lastOffsetDelta < 0) return `its last offset delta is ${header.lastOffsetDelta}`
  return null
}

/** Said of a batch that does not begin where the one before has ended. */
export function gapProblem(header: RecordBatchHeader, expected: Offset): string {
  return `its base offset is ${header.baseOffset}, not ${expected}`
}

/** A part of the file in memory, which moves forward. */
export class ScanWindow {
  readonly #file: ScannedFile
  readonly #end: number
  buffer: Buffer
  start = 0
  #length = 0

  constructor(file: ScannedFile, end: number, blockBytes: number) {
    this.#file = file
    this.#end = end
    this.buffer = Buffer.allocUnsafeSlow(Math.max(batchHeaderBytes, Math.min(blockBytes, end)))
  }

  /** Sees to it that `[position, position + bytes)` is in the buffer; false if the file ends before. */
  holds(position: number, bytes: number): boolean {
    if (position >= this.start && position + bytes <= this.start + this.#length) return true
    if (position + bytes > this.#end) return false
    if (bytes > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(bytes)
    this.start = position
    this.#length = this.#file.read(position, this.buffer.subarray(0, Math.min(this.buffer.length, this.#end - position)))
    return this.#length >= bytes
  }

  /** Position behind the bytes in the buffer. */
  get end(): number {
    return this.start + this.#length
  }

  /** Where a byte comes next in the buffer, from a position in it on; null if it does not. */
  indexOf(byte: number, position: number): number | null {
    const index = this.buffer.indexOf(byte, position - this.start)
    return index < 0 || index >= this.#length ? null : this.start + index
  }
}
