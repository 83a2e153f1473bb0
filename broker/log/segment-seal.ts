// What is written beside a segment that is complete, so that bytes lost later, of the segment or its indexes, are seen.

import { MillraceError } from '../../core/error.ts'
import type { Offset } from '../../core/record.ts'
import type { PooledFile } from '../disk/file-pool.ts'
import type { IndexSums } from './segment-indexes.ts'
import { decodeSummed, encodeSummed } from './summed-json.ts'

export interface SegmentSeal {
  /** That the segment should have. */
  readonly bytes: number
  /** The offset behind its last. */
  readonly endOffset: Offset
  /** Its offsets have no gaps: it was not compacted. */
  readonly isContiguous: boolean
  /** Damage was found: it is looked at anew, for somebody may have put a good copy in its place. */
  readonly isDamaged: boolean
  readonly indexes: IndexSums
}

const version = 1

/** Does nothing where there is no room: the segment is looked at as a whole then when it is used after the next start. */
export function writeSeal(file: PooledFile, seal: SegmentSeal): void {
  try {
    if (file.size > 0) file.truncate(0)
    file.append([encodeSummed({ version, ...seal })])
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
  }
}

/** Null if there is none, or it is broken. */
export function readSeal(file: PooledFile): SegmentSeal | null {
  const { size } = file
  if (size === 0) return null
  const content = Buffer.allocUnsafe(size)
  const read = file.read(0, content)
  // It is looked at once.
  file.close()
  const seal = decodeSummed(content.subarray(0, read)) as (SegmentSeal & { readonly version: number }) | null
  return seal !== null && seal.version === version ? seal : null
}
