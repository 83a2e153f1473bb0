// When a segment is followed by a new one, and how: before it grows beyond its bytes, its index, or its time.

import type { Offset } from '../../core/record.ts'
import { crc32c } from '../wire/crc32c.ts'
import type { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { Segment } from './segment.ts'
import type { SegmentHome } from './segment-home.ts'

export interface LogSettings {
  /** A segment that would grow beyond is followed by a new one. */
  readonly segmentBytes: number
  /** Longest time between the first and the last record of a segment, by their timestamps; by the clock where the first has none. */
  readonly segmentMs: number
  /** By how much that is shortened at most, for each segment otherwise. Default 0. */
  readonly segmentJitterMs?: number
  /** Bytes between two entries of an index. */
  readonly indexIntervalBytes: number
  readonly segmentIndexBytes: number
  /** How long the bytes of removed segments stay. Default 0. */
  readonly fileDeleteDelayMs?: number
}

/** Ends a segment and begins the next one to append to. Where it holds nothing it is removed. */
export function followedBy(home: SegmentHome, last: Segment, baseOffset: Offset): Segment {
  // Its file goes first where the next one has the same name; else there is one at all times.
  const hasItsName = last.baseOffset === baseOffset
  if (hasItsName) last.remove(0)
  const next = Segment.create(home, baseOffset)
  if (last.size > 0) last.seal()
  else if (!hasItsName) last.remove(0)
  return next
}

const largestRelativeOffset = 0xffffffff

/** Whether a batch must go to a new segment; `ageMs` is how long this process has written to the one there is. */
export function isFull(segment: Segment, next: RecordBatchHeader, settings: LogSettings, ageMs: number): boolean {
  if (next.lastOffset - segment.baseOffset > largestRelativeOffset) return true
  if (segment.size === 0) return false
  if (segment.size + next.size > settings.segmentBytes || segment.indexBytes + 8 > settings.segmentIndexBytes) return true
  const first = segment.firstTimestamp
  // As Apache Kafka: where the first record has no time, the clock's counts.
  const spanMs = first === null || first < 0 ? ageMs : next.maxTimestamp - first
  return spanMs > longestMs(segment, settings)
}

/** What is taken off follows from the segment's name: partitions that began together do not go on together, and it needs no chance. */
function longestMs({ path }: Segment, { segmentMs, segmentJitterMs = 0 }: LogSettings): number {
  const most = Math.min(segmentJitterMs, segmentMs)
  return most === 0 ? segmentMs : segmentMs - (crc32c(Buffer.from(path)) % most)
}
