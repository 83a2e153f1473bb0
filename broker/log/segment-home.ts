// Where the segments of a log live, and what their files are called.

import type { Offset } from '../../core/record.ts'
import type { Disk } from '../disk/disk.ts'
import type { FilePool } from '../disk/file-pool.ts'
import type { Damage } from './damage.ts'
import type { LentBuffers } from '../wire/lent-buffers.ts'

/** Where segments live. */
export interface SegmentHome {
  readonly disk: Disk
  readonly pool: FilePool
  readonly buffers: LentBuffers
  readonly directory: string
  /** Hears of each damage once. */
  readonly onDamage?: (damage: Damage) => void
}

/** Twenty digits, as Apache Kafka names its files. */
export function segmentName(baseOffset: Offset): string {
  return String(baseOffset).padStart(20, '0')
}

