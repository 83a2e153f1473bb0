// Finds records of a log by their time.

import type { Offset, Timestamp } from '../../core/record.ts'
import { canDecompress } from '../wire/compression.ts'
import { RecordBatchCursor } from '../wire/record-batch-cursor.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import type { Log } from './log.ts'
import type { BatchPlace } from './batch-walk.ts'
import type { Segment } from './segment.ts'
import type { SegmentRead } from './segment-read.ts'
import type { TimePoint } from './time-index.ts'

/** First record at or after a time, below `limit` and not before the log's start; null if there is none. @throws MillraceError LOG_CORRUPT */
export function findTimestamp(log: Log, timestamp: Timestamp, limit: Offset): TimePoint | null {
  for (const segment of log.segments) {
    const { newest } = segment
    if (newest === null || newest.timestamp < timestamp) continue
    for (let place = segment.locateTime(timestamp); place !== null; ) {
      if (place.baseOffset >= limit) return null
      const read = readOrPassOver(segment, place, limit)
      if (read === null) {
        place = segment.locateTime(timestamp, place.position)
        continue
      }
      const found = recordAt(read.records, timestamp, log.logStartOffset, limit)
      if (found !== null) return found
      place = segment.locateTime(timestamp, read.end)
    }
  }
  return null
}

/** Null if the batch is damaged, which the segment knows then: it does not find it again. */
function readOrPassOver(segment: Segment, place: BatchPlace, limit: Offset): SegmentRead | null {
  try {
    return segment.read(place.position, { offset: place.baseOffset, maxBytes: 0, limit, atLeastOne: true })
  } catch (error) {
    if (!segment.isDamagedAt(place.position)) throw error
    return null
  }
}

/** The record with the largest timestamp below `limit`, the first of several; null if there is none. @throws MillraceError LOG_CORRUPT */
export function findMaxTimestamp(log: Log, limit: Offset): TimePoint | null {
  let best: TimePoint | null = null
  for (const { newest } of log.segments) if (newest !== null && (best === null || newest.timestamp > best.timestamp)) best = newest
  if (best === null || log.logStartOffset >= limit) return null
  const first = firstBatch(log, limit)
  const isVisible = best.offset < limit && best.offset >= first.nextOffset
  return findTimestamp(log, isVisible ? best.timestamp : Math.max(first.timestamp, largestByReading(log, first.nextOffset, limit)), limit)
}

/** The largest timestamp in the batch that holds the log's start, of records that are not deleted; and where the next one begins. */
function firstBatch(log: Log, limit: Offset): { readonly timestamp: Timestamp; readonly nextOffset: Offset } {
  const read = log.read(log.logStartOffset, { maxBytes: 0, limit, atLeastOne: true })
  if (read === null) return { timestamp: -1, nextOffset: limit }
  const { codec, maxTimestamp, isControl } = new RecordBatchHeader(read.records)
  if (isControl || !canDecompress(codec)) return { timestamp: maxTimestamp, nextOffset: read.nextOffset }
  const cursor = new RecordBatchCursor(read.records, { fromOffset: log.logStartOffset })
  let timestamp = -1
  while (cursor.next()) timestamp = Math.max(timestamp, cursor.timestamp)
  return { timestamp, nextOffset: read.nextOffset }
}

/** The record with the largest timestamp is deleted or not visible yet, which is rare: the headers tell which one is next. */
function largestByReading(log: Log, from: Offset, limit: Offset): Timestamp {
  let timestamp = -1
  for (const segment of log.segments) {
    if (segment.baseOffset >= limit) break
    segment.scan({ from: 0, checked: false }, header => {
      if (header.baseOffset >= limit) return false
      if (header.baseOffset >= from) timestamp = Math.max(timestamp, header.maxTimestamp)
      return true
    })
  }
  return timestamp
}

/**
 * Of a batch whose codec is unknown nothing is known but its header: the batch's first offset
 * stands for the record, so that who reads on from there misses nothing.
 */
function recordAt(batch: Buffer, timestamp: Timestamp, from: Offset, limit: Offset): TimePoint | null {
  const { codec, baseOffset, maxTimestamp, isControl } = new RecordBatchHeader(batch)
  // A marker has a time as every record has, and consumers that look for one may be sent to it.
  if (isControl) return maxTimestamp >= timestamp && baseOffset >= from && baseOffset < limit ? { timestamp: maxTimestamp, offset: baseOffset } : null
  if (!canDecompress(codec)) return { timestamp: maxTimestamp, offset: Math.max(baseOffset, from) }
  const cursor = new RecordBatchCursor(batch, { fromOffset: from })
  while (cursor.next() && cursor.offset < limit) {
    if (cursor.timestamp >= timestamp) return { timestamp: cursor.timestamp, offset: cursor.offset }
  }
  return null
}
