// Walks the batches of a segment by their headers, known damage passed over.

import type { Offset } from '../../core/record.ts'
import type { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { scanBatches, type ScannedFile } from './batch-scan.ts'
import type { Damages } from './damage.ts'

/** A batch's place in a segment. */
export interface BatchPlace {
  readonly position: number
  readonly baseOffset: Offset
  readonly lastOffset: Offset
}

export interface WalkOptions {
  /** Where a batch begins. */
  readonly from: number
  readonly end: number
  readonly blockBytes: number | undefined
  /** Of the whole segment. */
  readonly minOffset: Offset
  readonly isContiguous: boolean
  readonly damages: Damages
}

/** Calls `visit` until it answers false. Answers where it met what is no batch and not known to be damaged; null if nowhere. */
export function walkBatches(file: ScannedFile, options: WalkOptions, visit: (header: RecordBatchHeader, position: number) => boolean | void): number | null {
  const { damages, end, blockBytes, isContiguous } = options
  let { minOffset } = options
  let isExact = options.from === 0
  for (let position = options.from; position < end; isExact = true) {
    const known = damages.at(position)
    if (known !== null) {
      position = known.end
      minOffset = Math.min(known.nextOffset, Number.MAX_SAFE_INTEGER)
      continue
    }
    const contiguous = !isContiguous ? 'none' : isExact ? 'all' : 'behind the first'
    const scan = scanBatches(file, { from: position, end: damages.nextPosition(position) ?? end, minOffset, checked: false, contiguous, ...(blockBytes === undefined ? {} : { blockBytes }) }, visit)
    if (scan.problem !== null) return scan.end
    if (scan.isStopped) return null
    position = scan.end
  }
  return null
}
