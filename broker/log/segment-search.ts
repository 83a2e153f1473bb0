// Finds where an offset lies in the segments of a log.

import type { Offset } from '../../core/record.ts'
import type { ReadingPlace } from './reading-places.ts'
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

/** The first batch that ends at or behind an offset; null if there is none. */
export function placeOf(segments: readonly Segment[], offset: Offset): ReadingPlace | null {
  const segment = segments[segmentIndexOf(segments, offset)]
  if (segment === undefined) return null
  const place = segment.locate(offset)
  return place === null ? startOfNext(segments, segment) : { segment, position: place.position }
}

/** Null behind the last one. */
export function startOfNext(segments: readonly Segment[], segment: Segment): ReadingPlace | null {
  const next = segments[segments.indexOf(segment) + 1]
  return next === undefined ? null : { segment: next, position: 0 }
}
