// Opens a log from its directory: trusts what lies before the checkpoint, checks what lies behind, passes over damage, and cuts a torn tail.

import type { Offset } from '../../core/record.ts'
import type { RecordBatchHeader } from '../wire/record-batch-header.ts'
import type { ScanResult } from './batch-scan.ts'
import { readCheckpoint, type Checkpoint, type Json, type RecoveryPoint } from './checkpoint.ts'
import type { FoundBytes } from './recovered-tail.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { Log } from './log.ts'
import { followedBy, type LogSettings } from './segment-rolling.ts'
import { finishSwap } from './segment-rewriting.ts'
import { Segment } from './segment.ts'
import { readSeal } from './segment-seal.ts'
import { deletedEnding, discard, segmentName, type SegmentHome } from './segment-home.ts'

/** What was found behind the checkpoint that could not be trusted. */
export interface CutTail {
  readonly file: string
  readonly position: number
  /** Why, as a clause. */
  readonly problem: string
  readonly bytes: number
  /** Segments that came later; set aside under the ending `.orphan`. */
  readonly orphans: readonly string[]
  /** Where the bytes are set aside, if there were good batches among them. */
  readonly copy: string | null
}

export interface OpenedLog {
  readonly log: Log
  /** What the owner gave with the last checkpoint; null where there was none. */
  readonly state: Json
  /** False if the log ended at its checkpoint, as after a clean shutdown. */
  readonly recovered: boolean
  readonly cut: CutTail | null
  /** Where a log of another owner lies, which was in its place. */
  readonly stray: string | null
}

/** What the opening of a log shows of it. */
export interface RecoveryVisitor {
  /** The owner's state at the checkpoint; null where there was none, and then every batch follows. */
  restore(state: Json): void
  /** Each batch behind it, in order. */
  batch(header: RecordBatchHeader): void
}

/** Creates the directory of a new log. */
export function openLog(home: SegmentHome, settings: LogSettings, visitor: RecoveryVisitor): OpenedLog {
  const { read, stray } = readOwn(home)
  const bases = segmentBases(home)
  if (bases.length === 0) home.disk.makeDirectory(home.directory)
  const isNew = read === 'missing' && !wasCompacted(home, bases)
  const checkpoint = typeof read === 'string' ? null : read
  const state = checkpoint?.state ?? null
  visitor.restore(state)
  const leaderEpochs = new LeaderEpochs(checkpoint?.leaderEpochs)
  const found = recoverSegments(home, bases, { checkpoint, mayHaveGaps: checkpoint === null && !isNew }, header => {
    leaderEpochs.assign(header.leaderEpoch, header.baseOffset)
    visitor.batch(header)
  })
  const logStartOffset = Math.min(found.endOffset, Math.max(checkpoint?.logStartOffset ?? 0, found.segments[0]!.baseOffset))
  const trusted = checkpoint?.recoveryPoint.offset ?? found.segments[0]!.baseOffset
  const log = new Log({ home, settings, ...found, logStartOffset, durableOffset: Math.min(trusted, found.endOffset), leaderEpochs, compactedOffset: checkpoint?.compactedOffset ?? 0, checkpoint: checkpoint ?? (isNew ? 'missing' : 'broken') })
  return { log, state, stray, recovered: found.endOffset > trusted || found.cut !== null || found.isShort || (checkpoint === null && !isNew), cut: found.cut }
}

/** A crash of a file system that keeps no order may bring a removed directory back in the place of its successor. */
function readOwn({ disk, directory, owner }: SegmentHome): { readonly read: ReturnType<typeof readCheckpoint>; readonly stray: string | null } {
  const read = readCheckpoint(disk, directory)
  if (typeof read === 'string' || owner === undefined || read.owner === undefined || read.owner === owner) return { read, stray: null }
  const stray = `${directory.slice(0, maxStemLength)}.stray.${read.owner.replaceAll('-', '')}`
  disk.rename(directory, stray)
  return { read: 'missing', stray }
}

const maxStemLength = 200

/** By the seals of its segments: a log that was compacted had a checkpoint. */
function wasCompacted(home: SegmentHome, bases: readonly Offset[]): boolean {
  return bases.some(base => readSeal(home.pool.file(`${home.directory}/${segmentName(base)}.seal`))?.isContiguous === false)
}

/** The segment that was appended to has lost bytes which a checkpoint speaks of: nothing is appended to it any more, so that no offset is given twice. */
function shortened(home: SegmentHome, { segment, position }: RecoveryPoint, compactedOffset: Offset): Segment {
  const short = Segment.sealed(home, segment, { bytes: position, isContiguous: segment >= compactedOffset })
  short.check()
  return short
}

function sizeOf(home: SegmentHome, base: Offset): number {
  return home.disk.size(`${home.directory}/${segmentName(base)}.log`) ?? 0
}

function segmentBases(home: SegmentHome): readonly Offset[] {
  const bases: Offset[] = []
  let names = home.disk.list(home.directory)
  const swaps = names.filter(name => name.endsWith('.swap'))
  for (const name of swaps) finishSwap(home, name)
  if (swaps.length > 0) names = home.disk.list(home.directory)
  for (const name of names) {
    if (/^\d{20}\.log$/.test(name)) bases.push(Number(name.slice(0, 20)))
  }
  sweep(home, names, bases)
  return bases
}

/** Frees what a crash has left: files half written, files removed, and indexes without their segment. */
function sweep(home: SegmentHome, names: readonly string[], bases: readonly Offset[]): void {
  const stems = new Set(bases.map(segmentName))
  const isLeft = (name: string): boolean => /\.tmp$|\.cleaned\./.test(name) || (/^\d{20}\.(index|timeindex|seal)$/.test(name) && !stems.has(name.slice(0, 20)))
  const moves = names.filter(name => isLeft(name) && !name.endsWith(deletedEnding)).map(name => ({ from: `${home.directory}/${name}`, to: `${home.directory}/${name}${deletedEnding}` }))
  discard(home, moves, 0)
  const removed = names.filter(name => name.endsWith(deletedEnding)).map(name => `${home.directory}/${name}`)
  home.trash?.free(removed, 0)
}

interface FoundSegments {
  readonly segments: readonly Segment[]
  readonly recovered: readonly FoundBytes[]
  readonly endOffset: Offset
  /** The medium has lost bytes before the checkpoint. */
  readonly isShort: boolean
  readonly cut: CutTail | null
}

interface Trust {
  readonly checkpoint: Checkpoint | null
  /** A checkpoint was lost, so nobody knows whether the log was compacted. */
  readonly mayHaveGaps: boolean
}

function recoverSegments(home: SegmentHome, bases: readonly Offset[], { checkpoint, mayHaveGaps }: Trust, visit: (header: RecordBatchHeader) => void): FoundSegments {
  const point = checkpoint?.recoveryPoint ?? null
  const segments = bases.filter(base => point !== null && base < point.segment).map(base => Segment.sealed(home, base))
  const recovered: FoundBytes[] = []
  const found = (endOffset: Offset, cut: CutTail | null): FoundSegments => ({ segments, recovered, endOffset, isShort, cut })
  const isShort = point !== null && sizeOf(home, point.segment) < point.position
  if (isShort) segments.push(shortened(home, point, checkpoint!.compactedOffset))
  const unsure = bases.filter(base => point === null || (isShort ? base > point.segment : base >= point.segment))
  let endOffset = point?.offset ?? unsure[0] ?? 0
  let stale: CutTail | null = null
  for (const [index, base] of unsure.entries()) {
    if (base < endOffset && recovered.length > 0) {
      stale = overlap(home, base, endOffset)
      continue
    }
    const isLostByMedium = isShort && index === 0
    // Behind a checkpoint, or before the first, nothing was compacted yet: a gap between segments is what a crash has taken.
    if (!mayHaveGaps && !isLostByMedium && base > endOffset && segments.length > 0) {
      const cut = gapBefore(home, segments.at(-1)!, endOffset, unsure.slice(index))
      if (!segments.at(-1)!.isActive) segments.push(Segment.create(home, endOffset))
      return found(endOffset, cut)
    }
    if (recovered.length > 0) segments.at(-1)!.seal()
    const start = { point: base === point?.segment ? point : null, mayHaveGaps: mayHaveGaps || base < (checkpoint?.compactedOffset ?? 0) }
    const { segment, scan } = Segment.recover(home, base, start, header => {
      endOffset = header.lastOffset + 1
      visit(header)
    })
    segments.push(segment)
    recovered.push({ segment, from: start.point?.position ?? 0 })
    if (scan.problem === null) continue
    const cut = cutTornEnd(home, segment, scan, unsure.slice(index + 1))
    if (segment.size === 0) {
      segments.pop()
      recovered.pop()
    }
    // Not appended to any more: a crash might bring back some pages of what was cut.
    segments.push(followedBy(home, segment, Math.max(endOffset, base)))
    return found(segments.at(-1)!.baseOffset, cut)
  }
  if (segments.at(-1)?.isActive !== true) segments.push(Segment.create(home, endOffset))
  return found(Math.max(endOffset, segments.at(-1)!.baseOffset), stale)
}

/** What is cut off was never acknowledged; nor was what comes later. */
function cutTornEnd(home: SegmentHome, segment: Segment, { end, minOffset, problem }: ScanResult, later: readonly Offset[]): CutTail {
  const bytes = segment.file.size - end
  const copy = segment.cut(minOffset)
  return { file: segment.path, position: end, problem: problem!, bytes, orphans: setAside(home, later), copy }
}

/** A file that was taken back, whose removal a crash has undone; or one that followed a cut which a crash has undone. What is in its place in the file before is as good: nobody heard of either. */
function overlap(home: SegmentHome, base: Offset, endOffset: Offset): CutTail {
  const file = `${home.directory}/${segmentName(base)}.log`
  const bytes = sizeOf(home, base)
  return { file, position: 0, problem: `it begins at ${base}, and the file before it ends at ${endOffset}`, bytes, orphans: setAside(home, [base]), copy: null }
}

function gapBefore(home: SegmentHome, last: Segment, endOffset: Offset, bases: readonly Offset[]): CutTail {
  const problem = `it ends before offset ${endOffset}, and the next file begins at ${bases[0]}`
  return { file: last.path, position: last.size, problem, bytes: 0, orphans: setAside(home, bases), copy: null }
}

function setAside(home: SegmentHome, bases: readonly Offset[]): readonly string[] {
  return bases.map(base => {
    const path = `${home.directory}/${segmentName(base)}`
    home.disk.remove(`${path}.index`)
    home.disk.remove(`${path}.timeindex`)
    home.disk.remove(`${path}.seal`)
    home.disk.rename(`${path}.log`, `${path}.log.orphan`)
    return `${path}.log.orphan`
  })
}
