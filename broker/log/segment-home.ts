// Where the segments of a log live, and what their files are called.

import type { Offset } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import type { FilePool } from '../disk/file-pool.ts'
import type { Move, Trash } from '../disk/trash.ts'
import type { Damage } from './damage.ts'
import type { LentBuffers } from '../wire/lent-buffers.ts'

/** Where segments live. */
export interface SegmentHome {
  readonly disk: Disk
  readonly pool: FilePool
  readonly buffers: LentBuffers
  readonly directory: string
  /** Whose log it is: the id of its topic. Where it is given a log of somebody else is set aside. */
  readonly owner?: string
  /** Where removed files wait for their bytes to be freed. Without it they are freed at once. */
  readonly trash?: Trash
  /** Hears of each damage once. */
  readonly onDamage?: (damage: Damage) => void
}

/** Twenty digits, as Apache Kafka names its files. */
export function segmentName(baseOffset: Offset): string {
  return String(baseOffset).padStart(20, '0')
}

/** The ending of a file that was removed, as Apache Kafka has it. */
export const deletedEnding = '.deleted'

/** Removes files or directories; readers of them go on under the new names for a while. */
export function discard({ disk, trash }: Pick<SegmentHome, 'disk' | 'trash'>, moves: readonly Move[], delayMs: number): void {
  if (trash !== undefined) return trash.discard(moves, delayMs)
  for (const { from } of moves) disk.remove(from)
}
