// Takes records out of a batch for compaction: what stays keeps its offset, its timestamp and its bytes.

import '../../core/buffer-slices.ts'
import { MillraceError } from '../../core/error.ts'
import { writeInt64 } from '../../core/serde.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import { compress, decompress } from '../wire/compression.ts'
import { batchHeaderBytes, batchOverheadBytes, RecordBatchHeader } from '../wire/record-batch-header.ts'
import { writeZigzag, zigzagSize } from '../wire/varint.ts'

/** A record as compaction looks at it. */
export interface FilteredRecord {
  readonly offset: Offset
  /** The key's bytes, one character each; null where there is none. */
  readonly key: string | null
  readonly isTombstone: boolean
  /** When its batch's tombstones may go; null if that was not decided yet. */
  readonly deleteHorizon: Timestamp | null
}

export interface FilterOptions {
  /** When tombstones that are seen for the first time may go. */
  readonly deleteHorizon: Timestamp
  readonly maxBatchBytes: number
}

/** Where the fields lie that a filtered batch changes. */
const at = { length: 8, attributes: 21, baseTimestamp: 27, maxTimestamp: 35, count: 57 } as const
/** The bit that says: the base timestamp is the delete horizon. */
const horizonBit = 0x40
const defaultMaxBatchBytes = 128 * 1024 * 1024

/** Calls `visit` with each record of a whole batch. @throws MillraceError CORRUPT_RECORD */
export function visitRecords(header: RecordBatchHeader, visit: (record: FilteredRecord) => void): void {
  const deleteHorizon = horizonOf(header)
  const records = recordsOf(header, defaultMaxBatchBytes)
  for (let position = 0, left = header.count; left > 0; left--) {
    const place = readRecord(records, position)
    visit({ offset: header.baseOffset + place.offsetDelta, key: place.key, isTombstone: place.isTombstone, deleteHorizon })
    position = place.end
  }
}

/** The batch with those records that `keep` wants; null if it wants none. @throws MillraceError CORRUPT_RECORD */
export function filterBatch(header: RecordBatchHeader, options: FilterOptions, keep: (record: FilteredRecord) => boolean): Buffer | 'unchanged' | null {
  const known = horizonOf(header)
  const records = recordsOf(header, options.maxBatchBytes)
  const kept: RecordPlace[] = []
  let tombstones = 0
  for (let position = 0, left = header.count; left > 0; left--) {
    const place = readRecord(records, position)
    position = place.end
    if (!keep({ offset: header.baseOffset + place.offsetDelta, key: place.key, isTombstone: place.isTombstone, deleteHorizon: known })) continue
    kept.push(place)
    if (place.isTombstone) tombstones++
  }
  if (kept.length === 0) return null
  const horizon = known ?? (tombstones > 0 ? options.deleteHorizon : null)
  if (kept.length === header.count && horizon === known) return 'unchanged'
  return rewrite(header, records, kept, horizon)
}

function rewrite(header: RecordBatchHeader, records: Buffer, kept: readonly RecordPlace[], horizon: Timestamp | null): Buffer {
  const base = horizon ?? header.baseTimestamp
  const shift = header.baseTimestamp - base
  const payload = Buffer.concat(kept.map(place => (shift === 0 ? records.subarray(place.start, place.end) : shifted(records, place, shift))))
  const body = header.codec === 0 ? payload : compress(header.codec, payload)
  const batch = Buffer.allocUnsafeSlow(batchHeaderBytes + body.length)
  header.buffer.copy(batch, 0, header.position, header.position + batchHeaderBytes)
  batch.set(body, batchHeaderBytes)
  batch.writeInt32BE(batch.length - batchOverheadBytes, at.length)
  batch.writeInt32BE(kept.length, at.count)
  if (horizon !== null) batch.writeInt16BE(header.attributes | horizonBit, at.attributes)
  writeInt64(batch, base, at.baseTimestamp)
  // With LogAppendTime the largest timestamp is that of every record.
  if (!header.isAppendTime) writeInt64(batch, Math.max(...kept.map(({ timestampDelta }) => header.baseTimestamp + timestampDelta)), at.maxTimestamp)
  new RecordBatchHeader(batch).seal()
  return batch
}

/** The record with a timestamp delta from another base. */
function shifted(records: Buffer, place: RecordPlace, shift: number): Buffer {
  const delta = place.timestampDelta + shift
  const rest = place.end - place.restStart
  const bodySize = 1 + zigzagSize(delta) + rest
  const record = Buffer.allocUnsafe(zigzagSize(bodySize) + bodySize)
  let position = writeZigzag(record, 0, bodySize)
  record[position++] = 0
  position = writeZigzag(record, position, delta)
  records.copy(record, position, place.restStart, place.end)
  return record
}

function horizonOf(header: RecordBatchHeader): Timestamp | null {
  return (header.attributes & horizonBit) === 0 ? null : header.baseTimestamp
}

function recordsOf(header: RecordBatchHeader, maxBytes: number): Buffer {
  const bytes = header.buffer.subarray(header.position + batchHeaderBytes, header.end)
  return header.codec === 0 ? bytes : decompress(header.codec, bytes, maxBytes)
}

interface RecordPlace {
  readonly start: number
  readonly end: number
  readonly timestampDelta: number
  /** Where the offset delta begins: everything from there on stays as it is. */
  readonly restStart: number
  readonly offsetDelta: number
  readonly key: string | null
  readonly isTombstone: boolean
}

function readRecord(records: Buffer, start: number): RecordPlace {
  const reader = new ZigzagReader(records, start)
  const length = reader.next()
  const end = reader.position + length
  if (length < 6 || end > records.length) throw corrupt(`a record says it has ${length} bytes`)
  reader.position++
  const timestampDelta = reader.next()
  const restStart = reader.position
  const offsetDelta = reader.next()
  const keyLength = reader.next()
  const keyStart = reader.position
  if (keyLength > end - keyStart) throw corrupt(`a key says it has ${keyLength} bytes`)
  const key = keyLength < 0 ? null : records.latin1Slice(keyStart, keyStart + keyLength)
  reader.position += Math.max(0, keyLength)
  const isTombstone = reader.next() < 0
  return { start, end, timestampDelta, restStart, offsetDelta, key, isTombstone }
}

class ZigzagReader {
  readonly #buffer: Buffer
  position: number

  constructor(buffer: Buffer, position: number) {
    this.#buffer = buffer
    this.position = position
  }

  next(): number {
    let value = 0
    for (let scale = 1, i = 0; i < 10; i++, scale *= 128) {
      const byte = this.#buffer[this.position++]
      if (byte === undefined) break
      value += (byte & 127) * scale
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
    throw corrupt('a number has no end')
  }
}

function corrupt(what: string): MillraceError {
  return new MillraceError('CORRUPT_RECORD', `A record batch is corrupt: ${what}.`)
}
