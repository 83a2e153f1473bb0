// Compacts a log: of each key the last record stays, tombstones for their time; offsets never change.

import type { Offset, Timestamp } from '../../core/record.ts'
import { readMarker } from '../wire/control-batch.ts'
import type { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { filterBatch, visitRecords, type FilteredRecord } from './batch-filter.ts'
import type { Log } from './log.ts'
import type { Segment } from './segment.ts'

export interface CompactionSettings {
  readonly deleteRetentionMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly segmentBytes: number
  /** Most bytes that the keys of one pass may take; a pass ends early when they do. */
  readonly maxKeyBytes: number
  /** Default: none. */
  readonly aborted?: AbortedRecords
}

/** The aborted transactions that readers are told of. */
export interface AbortedRecords {
  /** Whether a producer's records at an offset belong to one: they say nothing about their keys, and go. */
  has(producerId: number, offset: Offset): boolean
  /** Whether the marker at an offset ends one: whoever is told of it passes over its producer's records until that marker. */
  isEndedAt(offset: Offset): boolean
}

const nothingAborted: AbortedRecords = { has: () => false, isEndedAt: () => false }

export interface CompactionRange {
  /** Complete segments from the start up to where compaction may go. */
  readonly segments: readonly Segment[]
  /** Where the segment behind them begins. */
  readonly end: Offset
  /** Records from here on were not compacted before. */
  readonly dirtyFrom: Offset
  readonly dirtyBytes: number
  readonly bytes: number
}

export interface CompactionResult {
  readonly from: Offset
  /** Everything below is compact now. */
  readonly to: Offset
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/** Bytes of bookkeeping for each key of a pass, beside its own. */
const keyOverheadBytes = 64
const largestRelativeOffset = 0xffffffff

/** What could be compacted now: sealed segments below the last stable offset, old enough; null if it is not worth it. */
export function compactionRange(log: Log, settings: CompactionSettings, lastStableOffset: Offset, now: Timestamp): CompactionRange | null {
  const segments: Segment[] = []
  let dirtyBytes = 0
  let bytes = 0
  let isOverdue = false
  let end = 0
  for (const [index, segment] of log.segments.entries()) {
    const next = log.segments[index + 1]
    // A damaged segment stays as it is, and so do those behind: a tombstone there may be all that hides an older record of it.
    if (next === undefined || next.baseOffset > lastStableOffset || segment.damages.length > 0) break
    const newest = segment.newestTime ?? -1
    const isDirty = next.baseOffset > log.compactedOffset
    if (isDirty && settings.minCompactionLagMs > 0 && newest > now - settings.minCompactionLagMs) break
    if (isDirty && segment.size > 0 && newest >= 0 && newest <= now - settings.maxCompactionLagMs) isOverdue = true
    segments.push(segment)
    end = next.baseOffset
    bytes += segment.size
    if (isDirty) dirtyBytes += segment.size
  }
  if (dirtyBytes === 0 || (!isOverdue && !(dirtyBytes / bytes > settings.minCleanableDirtyRatio))) return null
  return { segments, end, dirtyFrom: log.compactedOffset, dirtyBytes, bytes }
}

/**
 * One pass over a range. `pause` is awaited now and then, so that others have their turn; the log may grow, lose old segments or end meanwhile.
 * @throws MillraceError DISK_FULL and others; the log is as it was then, or compacted in part
 */
export async function compact(log: Log, range: CompactionRange, settings: CompactionSettings, now: Timestamp, pause: () => Promise<void>): Promise<CompactionResult> {
  const { aborted = nothingAborted, maxKeyBytes } = settings
  const unchanged: CompactionResult = { from: range.dirtyFrom, to: range.dirtyFrom, bytesBefore: range.bytes, bytesAfter: range.bytes }
  const seen = await latestOffsets(log, range, { aborted, maxKeyBytes }, pause)
  if (seen === null) return unchanged
  const { latest, end } = seen
  const markers = new Markers(aborted, now - settings.deleteRetentionMs)
  const isWanted = ({ key, offset, isTombstone, deleteHorizon }: FilteredRecord): boolean => {
    if (key === null) return false
    const last = latest.get(key)
    if (last !== undefined && last > offset) return false
    return !isTombstone || deleteHorizon === null || deleteHorizon > now
  }
  const segments = range.segments.filter(({ baseOffset }) => baseOffset < end)
  let bytesAfter = 0
  for (const group of groupsOf(segments, settings.segmentBytes)) {
    const rewritten = await rewrite(log, group, { isWanted, aborted, markers, end, deleteHorizon: now + settings.deleteRetentionMs, pause })
    if (rewritten === null) return unchanged
    bytesAfter += rewritten
  }
  log.compactedOffset = end
  return { from: range.dirtyFrom, to: end, bytesBefore: segments.reduce((sum, { size }) => sum + size, 0), bytesAfter }
}

interface SeenKeys {
  readonly latest: ReadonlyMap<string, Offset>
  readonly end: Offset
}

/** The last offset of each key in the part that was not compacted, or as much of it as fits; null if the log has changed below our feet. */
async function latestOffsets(log: Log, range: CompactionRange, { aborted, maxKeyBytes }: { readonly aborted: AbortedRecords; readonly maxKeyBytes: number }, pause: () => Promise<void>): Promise<SeenKeys | null> {
  const latest = new LatestOffsets()
  let end = range.dirtyFrom
  for (const segment of range.segments) {
    for (let position = 0; position < segment.size; ) {
      if (latest.bytes >= maxKeyBytes) return { latest: latest.offsets, end }
      if (!log.has(segment)) return null
      segment.scan({ from: position, checked: true, blockBytes: pauseBytes }, (header, start) => {
        position = start + header.size
        if (header.lastOffset < range.dirtyFrom) return true
        if (!header.isControl && !isAborted(header, aborted)) visitRecords(header, ({ key, offset }) => latest.note(key, offset))
        end = header.lastOffset + 1
        return latest.bytes < maxKeyBytes && position % pauseBytes >= start % pauseBytes
      })
      await pause()
    }
  }
  return { latest: latest.offsets, end: latest.bytes < maxKeyBytes ? range.end : end }
}

class LatestOffsets {
  readonly offsets: Map<string, Offset> = new Map<string, Offset>()
  /** What they take in memory, about. */
  bytes = 0

  note(key: string | null, offset: Offset): void {
    if (key === null) return
    if (!this.offsets.has(key)) this.bytes += key.length + keyOverheadBytes
    this.offsets.set(key, offset)
  }
}

/** A pause is due where a batch crosses a multiple of this. */
const pauseBytes = 256 * 1024

/** Neighbours that fit into one file together. */
function groupsOf(segments: readonly Segment[], segmentBytes: number): readonly (readonly Segment[])[] {
  const groups: Segment[][] = []
  let bytes = 0
  for (const segment of segments) {
    const group = groups.at(-1)
    bytes += segment.size
    const fits = group !== undefined && bytes <= segmentBytes && segment.baseOffset - group[0]!.baseOffset < largestRelativeOffset / 2
    if (fits) group.push(segment)
    else {
      groups.push([segment])
      bytes = segment.size
    }
  }
  return groups
}

interface RewriteOptions {
  readonly isWanted: (record: FilteredRecord) => boolean
  readonly aborted: AbortedRecords
  readonly markers: Markers
  /** Records from here on stay: their keys were not looked at. */
  readonly end: Offset
  readonly deleteHorizon: Timestamp
  readonly pause: () => Promise<void>
}

/** Answers the bytes that are left; null if the log has changed below our feet. */
async function rewrite(log: Log, group: readonly Segment[], options: RewriteOptions): Promise<number | null> {
  const rewriting = log.rewrite(group)
  let isChanged = group.length > 1
  try {
    for (const segment of group) {
      for (let position = 0; position < segment.size; ) {
        if (!log.has(segment)) return null
        segment.scan({ from: position, checked: true, blockBytes: pauseBytes }, (header, start) => {
          position = start + header.size
          const batch = compacted(header, options)
          if (batch !== 'unchanged') isChanged = true
          if (batch !== null) rewriting.append(batch === 'unchanged' ? header.buffer.subarray(header.position, header.end) : batch)
          return position % pauseBytes >= start % pauseBytes
        })
        await options.pause()
      }
    }
    if (!isChanged) return rewriting.bytes
    return (await rewriting.commit()) ? rewriting.bytes : null
  } finally {
    rewriting.discard()
  }
}

const maxBatchBytes = 128 * 1024 * 1024

function compacted(header: RecordBatchHeader, { isWanted, aborted, markers, end, deleteHorizon }: RewriteOptions): Buffer | 'unchanged' | null {
  if (header.baseOffset >= end) return 'unchanged'
  if (header.isControl) return markers.isNeeded(header) ? 'unchanged' : null
  if (isAborted(header, aborted)) return null
  const batch = filterBatch(header, { deleteHorizon, maxBatchBytes }, isWanted)
  if (batch !== null) markers.noteKept(header)
  return batch
}

function isAborted(header: RecordBatchHeader, aborted: AbortedRecords): boolean {
  return header.isTransactional && aborted.has(header.producerId, header.baseOffset)
}

/**
 * Which ends of transactions may go, when those who read had time to pass them: commits of which no record is left, since records without an
 * end would count as a transaction that is open; and aborts that readers are not told of any more.
 */
class Markers {
  readonly #aborted: AbortedRecords
  readonly #horizon: Timestamp
  /** Producers of which records are kept since their last marker. */
  readonly #open = new Set<number>()

  constructor(aborted: AbortedRecords, horizon: Timestamp) {
    this.#aborted = aborted
    this.#horizon = horizon
  }

  noteKept(header: RecordBatchHeader): void {
    if (header.isTransactional) this.#open.add(header.producerId)
  }

  isNeeded(header: RecordBatchHeader): boolean {
    const hasRecords = this.#open.delete(header.producerId)
    return hasRecords || header.maxTimestamp > this.#horizon || readMarker(header) === null || this.#aborted.isEndedAt(header.baseOffset)
  }
}
