// What a read of a segment may hand out: whole batches that are good, as far as they are in a buffer.

import type { Offset } from '../../core/record.ts'
import type { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { gapProblem, shapeProblem } from './batch-scan.ts'

export interface SegmentReadOptions {
  /** One that the first batch holds, or lies behind. */
  readonly offset: Offset
  readonly maxBytes: number
  /** No batch that begins here or behind is read. */
  readonly limit: Offset
  /** The first batch is read alone if it is larger than `maxBytes`. */
  readonly atLeastOne: boolean
}

export interface SegmentRead {
  readonly records: Buffer
  /** The offset behind the last batch read. */
  readonly nextOffset: Offset
  /** Where the file goes on behind it. */
  readonly end: number
}

export interface ReadPlace extends Pick<SegmentReadOptions, 'offset' | 'limit'> {
  /** Where the buffer begins in the file. */
  readonly position: number
  /** Of the segment. */
  readonly baseOffset: Offset
  readonly isContiguous: boolean
  /** The sums of batches from this position on need no check. */
  readonly uncheckedFrom: number
}

/** The good batches at the beginning of the header's buffer; null if there is no whole one; what is wrong with the first, as a clause. */
export function wholeBatches(header: RecordBatchHeader, place: ReadPlace): SegmentRead | string | null {
  const { buffer } = header
  const { position, limit } = place
  // Before anything is said of the limit: a base offset that is wrong may lie behind it.
  const miss = header.moveTo(buffer, 0).fits(buffer.length) ? missProblem(header, place) : null
  if (miss !== null) return miss
  let end = 0
  let nextOffset = -1
  while (header.moveTo(buffer, end).fits(buffer.length) && (header.baseOffset < limit || header.magic !== 2)) {
    const problem = problemOf(header, nextOffset, place)
    if (problem !== null && end === 0) return problem
    if (problem !== null) break
    nextOffset = header.lastOffset + 1
    end = header.end
  }
  return end === 0 ? null : { records: end === buffer.length ? buffer : buffer.subarray(0, end), nextOffset, end: position + end }
}

/** `expected`: where the batch before has ended; -1 if it is the first. */
function problemOf(header: RecordBatchHeader, expected: Offset, { position, baseOffset, isContiguous, uncheckedFrom }: ReadPlace): string | null {
  const problem = shapeProblem(header, header.buffer.length - header.position, Math.max(baseOffset, expected))
  if (problem !== null) return problem
  if (isContiguous && expected >= 0 && header.baseOffset !== expected) return gapProblem(header, expected)
  return position + header.position >= uncheckedFrom ? null : header.problem(header.end)
}

/** Where the first batch is not the one that holds the offset: neither places nor indexes lead elsewhere while all is well. */
function missProblem(header: RecordBatchHeader, { offset, baseOffset, isContiguous }: ReadPlace): string | null {
  if (header.lastOffset < offset) return `it ends at offset ${header.lastOffset}, before ${offset}`
  return isContiguous && header.baseOffset > offset && offset >= baseOffset ? `it begins at offset ${header.baseOffset}, behind ${offset}` : null
}
