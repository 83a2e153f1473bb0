// What a start has found behind the checkpoint of a log: acknowledged, perhaps, and on the medium, perhaps. It is kept until that is certain.

import type { Offset } from '../../core/record.ts'
import type { Segment } from './segment.ts'

export interface FoundBytes {
  readonly segment: Segment
  /** Position from which on nobody knows whether they are on the medium. */
  readonly from: number
}

const blockBytes = 1024 * 1024

export class RecoveredTail {
  #found: readonly FoundBytes[]
  /** Nothing below is taken back. */
  readonly endOffset: Offset

  constructor(found: readonly FoundBytes[], endOffset: Offset) {
    this.#found = found
    this.endOffset = endOffset
  }

  /** A sync is done. */
  synced(): void {
    this.#found = []
  }

  /** A segment has gone. */
  forget(segment: Segment): void {
    this.#found = this.#found.filter(found => found.segment !== segment)
  }

  /** After a sync that failed: pages that are not on the medium count as written, and the next sync would say all is well. */
  writeAgain(): void {
    for (const { segment, from } of this.#found) {
      for (let position = from; position < segment.size; position += blockBytes) {
        const block = Buffer.allocUnsafe(Math.min(blockBytes, segment.size - position))
        if (segment.file.read(position, block) === block.length) segment.file.overwrite(position, block)
      }
    }
  }
}
