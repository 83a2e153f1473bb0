// The sparse time index of a segment, in Apache Kafka's format: the largest timestamp so far and the (relative) offset that has it.

import { readInt64, writeInt64 } from '../../core/serde.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { PooledFile } from '../disk/file-pool.ts'
import { EntryFile } from './entry-file.ts'

export const timeEntryBytes = 12

export interface TimePoint {
  readonly timestamp: Timestamp
  readonly offset: Offset
}

export class TimeIndex {
  readonly entries: EntryFile
  readonly #baseOffset: Offset

  constructor(file: PooledFile, baseOffset: Offset) {
    this.entries = new EntryFile(file, timeEntryBytes)
    this.#baseOffset = baseOffset
  }

  /** Does nothing unless the timestamp is above the last one. */
  append(point: TimePoint): void {
    const last = this.last()
    if (point.timestamp < 0 || (last !== null && (point.timestamp <= last.timestamp || point.offset <= last.offset))) return
    const { buffer, at } = this.entries.append()
    writeInt64(buffer, point.timestamp, at)
    buffer.writeUInt32BE(point.offset - this.#baseOffset, at + 8)
  }

  last(): TimePoint | null {
    return this.#point(this.entries.count - 1)
  }

  /** The last entry whose timestamp is below `timestamp`: nothing up to its offset is that late. Null if there is none. */
  before(timestamp: Timestamp): TimePoint | null {
    return this.#point(this.entries.floor(timestamp - 1, timestampAt))
  }

  /** Drops entries of offsets from `offset` on. */
  truncate(offset: Offset): void {
    this.entries.truncate(this.entries.floor(offset - this.#baseOffset - 1, relativeAt) + 1)
  }

  #point(index: number): TimePoint | null {
    if (index < 0) return null
    const { buffer, at } = this.entries.entry(index)
    return { timestamp: timestampAt(buffer, at), offset: this.#baseOffset + relativeAt(buffer, at) }
  }
}

function timestampAt(buffer: Buffer, at: number): Timestamp {
  return readInt64(buffer, at)
}

function relativeAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at + 8)
}
