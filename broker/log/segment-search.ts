// Finds the segment of a log that an offset lies in.

import type { Offset } from '../../core/record.ts'
import type { Segment } from './segment.ts'

/** Index of the last segment that begins at or before an offset; 0 if none does. */
export function segmentIndexOf(segments: readonly Segment[], offset: Offset): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (segments[middle]!.baseOffset <= offset) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}
