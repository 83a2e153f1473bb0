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
