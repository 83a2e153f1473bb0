// What a partition writes down from time to time, so that opening it reads only what was appended since.

import type { Offset } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import type { LeaderEpochEntry } from './leader-epochs.ts'
import type { IndexSums } from './segment-indexes.ts'
import { decodeSummed, encodeSummed } from './summed-json.ts'
import type { TimePoint } from './time-index.ts'

/** Data that survives `JSON.parse(JSON.stringify(…))`. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A place in the log: everything before it is on the medium and was checked. */
export interface RecoveryPoint {
  /** Base offset of the segment that is appended to. */
  readonly segment: Offset
  /** Bytes of that segment. */
  readonly position: number
  /** The offset behind them. */
  readonly offset: Offset
  /** The largest timestamp among them. */
  readonly newest: TimePoint | null
  /** Its indexes up to there. Absent in old checkpoints. */
  readonly indexes?: IndexSums
}

/** Where a segment is recovered from. */
export interface RecoveryStart {
  readonly point: RecoveryPoint | null
  /** It may have been compacted: a checkpoint that said so was lost. */
  readonly mayHaveGaps: boolean
}

export interface Checkpoint {
  /** Whose log it is; absent in old checkpoints. */
  readonly owner?: string
  readonly logStartOffset: Offset
  readonly recoveryPoint: RecoveryPoint
  /** Records below were compacted. */
  readonly compactedOffset: Offset
  readonly leaderEpochs: readonly LeaderEpochEntry[]
  /** State that follows from the records before the recovery point; the log keeps it for its owner. */
  readonly state: Json
}

const fileName = 'checkpoint'
const version = 1

/** Takes the place of the one before; a crash leaves either. */
export function writeCheckpoint(disk: Disk, directory: string, checkpoint: Checkpoint): Promise<void> {
  return disk.replaceFile(`${directory}/${fileName}`, encodeSummed({ version, ...checkpoint }))
}

/** For when a log is cut below its checkpoint. */
export function removeCheckpoint(disk: Disk, directory: string): void {
  disk.remove(`${directory}/${fileName}`)
}

/** `missing`: nothing was ever acknowledged. `broken`: the medium has lost it, or somebody has changed it; then the whole log is checked instead. */
export function readCheckpoint(disk: Disk, directory: string): Checkpoint | 'missing' | 'broken' {
  const content = disk.readFile(`${directory}/${fileName}`)
  if (content === null) return 'missing'
  const checkpoint = decodeSummed(content) as (Checkpoint & { readonly version: number }) | null
  return checkpoint !== null && checkpoint.version === version ? checkpoint : 'broken'
}
