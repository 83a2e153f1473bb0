// The sparse offset index of a segment, in Apache Kafka's format: last offset of a batch (relative) and the batch's position in the file.

import type { Offset } from '../../core/record.ts'
import type { PooledFile } from '../disk/file-pool.ts'
import { EntryFile } from './entry-file.ts'

export const offsetEntryBytes = 8

export class OffsetIndex {
  readonly entries: EntryFile
  readonly #baseOffset: Offset

  constructor(file: PooledFile, baseOffset: Offset) {
    this.entries = new EntryFile(file, offsetEntryBytes)
    this.#baseOffset = baseOffset
  }

  /** To be read in place; false if it cannot be an index of a log file of `logBytes`. */
  openSealed(logBytes: number): boolean {
    if (!this.entries.openSealed()) return false
    if (this.entries.count === 0) return true
    const { buffer, at } = this.entries.entry(this.entries.count - 1)
    return positionAt(buffer, at) < logBytes
  }

  /** To go on appending behind `logBytes` and `endOffset`; entries that are not in order, or lie beyond, are dropped: a crash may have torn them. */
  openForAppend(logBytes: number, endOffset: Offset): void {
    let lastOffset = -1
    // The batch at 0 is never indexed: an entry of zeros is one that a crash has taken.
    let lastPosition = 0
    this.entries.openForAppend((buffer, at) => {
      const ordered = offsetAt(buffer, at) > lastOffset && positionAt(buffer, at) > lastPosition
      const before = positionAt(buffer, at) < logBytes && this.#baseOffset + offsetAt(buffer, at) < endOffset
      lastOffset = offsetAt(buffer, at)
      lastPosition = positionAt(buffer, at)
      return ordered && before
    })
  }

  append(lastOffset: Offset, position: number): void {
    const { buffer, at } = this.entries.append()
    buffer.writeUInt32BE(lastOffset - this.#baseOffset, at)
    buffer.writeUInt32BE(position, at + 4)
  }

  /** A position at or before that of the batch which holds `offset`; 0 where the index says nothing. */
  positionBefore(offset: Offset): number {
    const index = this.entries.floor(offset - this.#baseOffset, offsetAt)
    if (index < 0) return 0
    const { buffer, at } = this.entries.entry(index)
    return positionAt(buffer, at)
  }

  /** Position of the last batch that the index knows; 0 if none. */
  get lastPosition(): number {
    if (this.entries.count === 0) return 0
    const { buffer, at } = this.entries.entry(this.entries.count - 1)
    return positionAt(buffer, at)
  }

  /** Drops entries of batches at or behind a position. */
  truncate(position: number): void {
    this.entries.truncate(this.entries.floor(position - 1, positionAt) + 1)
  }
}

function offsetAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at)
}

function positionAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at + 4)
}
