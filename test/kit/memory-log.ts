// The log of the test driver: topics as lists of records in memory, written by tasks and tests, read by tasks.

import { MillraceError } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { FetchedRecords } from '../../core/log-port.ts'
import { partitionOf } from '../../core/murmur2.ts'
import { partitionName, type Offset, type RecordCursor, type Timestamp } from '../../core/record.ts'
import type { Collector } from '../../runtime/operators/collector.ts'

/** A record as the log has it. */
export interface MemoryRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: Timestamp
  readonly headers: Headers | null
}

export class MemoryLog implements Collector {
  readonly #partitionsOf: (topic: string) => number
  readonly #onRecord: (record: MemoryRecord) => void
  readonly #nextOffsets = new Map<string, Offset>()
  readonly #keyless = new Map<string, number>()

  /** `onRecord` gets every record that is sent. */
  constructor(partitionsOf: (topic: string) => number, onRecord: (record: MemoryRecord) => void) {
    this.#partitionsOf = partitionsOf
    this.#onRecord = onRecord
  }

  partitionsOf(topic: string): number {
    return this.#partitionsOf(topic)
  }

  send(topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp, headers: Headers | null): void {
    this.#onRecord(this.append(topic, partition, key, value, timestamp, headers))
  }

  /** Places a record and gives it back, untold. @throws MillraceError UNKNOWN_PARTITION */
  append(topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp, headers: Headers | null): MemoryRecord {
    const partitions = this.#partitionsOf(topic)
    const at = partition ?? (key === null ? this.#nextKeyless(topic, partitions) : partitionOf(key, partitions))
    if (at < 0 || at >= partitions) {
      throw new MillraceError('UNKNOWN_PARTITION', `${partitionName(topic, at)} does not exist: the topic has ${partitions} partitions.`, { hint: 'Tell the driver how many it should have: { partitions: … }.' })
    }
    const name = partitionName(topic, at)
    const offset = this.#nextOffsets.get(name) ?? 0
    this.#nextOffsets.set(name, offset + 1)
    return { topic, partition: at, offset, key: copyOf(key), value: copyOf(value), timestamp, headers: headers === null || headers.size === 0 ? null : headers.copy() }
  }

  /** Keyless records go around. */
  #nextKeyless(topic: string, partitions: number): number {
    const next = this.#keyless.get(topic) ?? 0
    this.#keyless.set(topic, next + 1)
    return next % partitions
  }
}

/** One record as a fetch brings it. */
export function fetchedRecord(record: MemoryRecord): FetchedRecords {
  const { topic, partition, offset } = record
  return { topic, partition, cursor: new SingleRecordCursor(record), bytes: 1, nextOffset: offset + 1, highWatermark: offset + 1 }
}

class SingleRecordCursor implements RecordCursor {
  readonly buffer: Buffer
  readonly offset: Offset
  readonly timestamp: Timestamp
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  readonly #headers: Headers | null
  #read = false

  constructor({ key, value, offset, timestamp, headers }: MemoryRecord) {
    this.buffer = Buffer.concat([key ?? EMPTY, value ?? EMPTY])
    this.offset = offset
    this.timestamp = timestamp
    this.keyStart = key === null ? -1 : 0
    this.keyEnd = key?.length ?? 0
    this.valueStart = value === null ? -1 : this.keyEnd
    this.valueEnd = this.buffer.length
    this.#headers = headers
  }

  next(): boolean {
    const first = !this.#read
    this.#read = true
    return first
  }

  headers(): Headers | null {
    return this.#headers?.copy() ?? null
  }
}

const EMPTY = Buffer.alloc(0)

function copyOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes)
}
