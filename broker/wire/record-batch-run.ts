// How far a run of record batches goes: found by its headers alone.

import type { Offset } from '../../core/record.ts'
import { batchHeaderBytes, RecordBatchHeader } from './record-batch-header.ts'

export interface BatchRun {
  /** Offset behind the last whole batch, its records that were compacted away included; -1 if there is no whole batch. */
  readonly nextOffset: Offset
  /** Position behind the last whole batch. */
  readonly end: number
  /** Records of the whole batches, markers of transactions aside. */
  readonly count: number
}

/** The whole batches from the start of `buffer` on. Trusts their lengths; whoever reads the records checks them. */
export function measureRun(buffer: Buffer): BatchRun {
  const header = new RecordBatchHeader(buffer)
  let nextOffset = -1
  let end = 0
  let count = 0
  while (end + batchHeaderBytes <= buffer.length) {
    header.moveTo(buffer, end)
    if (header.size < batchHeaderBytes || header.end > buffer.length) break
    nextOffset = header.lastOffset + 1
    end = header.end
    if (!header.isControl) count += header.count
  }
  return { nextOffset, end, count }
}
