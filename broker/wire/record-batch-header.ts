// The fixed 61 bytes at the head of a record batch (magic 2), read and changed in place in the buffer that holds the batch.

import { readInt64, writeInt64 } from '../../core/serde.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import { crc32c } from './crc32c.ts'

/** Bytes of a batch before its records. */
export const batchHeaderBytes = 61
/** Bytes of a batch before those that its length field counts: base offset and the length itself. */
export const batchOverheadBytes = 12

/** Where each field begins, counted from the batch. The CRC covers everything from the attributes on. */
const at = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const

const attribute = { compression: 0x07, appendTime: 0x08, transactional: 0x10, control: 0x20, deleteHorizon: 0x40 } as const
/** Who writes attributes anew leaves out those that nobody knows. */
const knownAttributes = 0x7f

/** What to write at the head of a batch; see the fields of {@link RecordBatchHeader}. */
export interface BatchHeaderFields {
  readonly baseOffset?: Offset
  readonly leaderEpoch?: number
  readonly codec?: number
  readonly transactional?: boolean
  readonly control?: boolean
  readonly lastOffsetDelta: number
  readonly baseTimestamp: Timestamp
  readonly maxTimestamp: Timestamp
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly count: number
}

/**
 * A view of one batch that begins at `position` of `buffer`. Move it along a run of batches with `moveTo(buffer, header.end)`.
 * The fields trust the bytes: ask {@link problem} first where they come from a socket or a disk. 64-bit fields are exact below 2^53.
 */
export class RecordBatchHeader {
  buffer: Buffer
  position: number

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer
    this.position = position
  }

  moveTo(buffer: Buffer, position: number): this {
    this.buffer = buffer
    this.position = position
    return this
  }

  /** Bytes of the whole batch, header included. */
  get size(): number {
    return this.buffer.readInt32BE(this.position + at.length) + batchOverheadBytes
  }

  /** Position behind the batch. */
  get end(): number {
    return this.position + this.size
  }

  /** True if `limit` does not cut the batch off. Needs no more than `limit` bytes. */
  fits(limit: number): boolean {
    return this.position + batchOverheadBytes <= limit && this.end <= limit
  }

  get baseOffset(): Offset {
    return readInt64(this.buffer, this.position)
  }

  set baseOffset(offset: Offset) {
    writeInt64(this.buffer, offset, this.position)
  }

  /** Not covered by the CRC, as the base offset is not: a broker sets both without summing again. */
  get leaderEpoch(): number {
    return this.buffer.readInt32BE(this.position + at.leaderEpoch)
  }

  set leaderEpoch(epoch: number) {
    this.buffer.writeInt32BE(epoch, this.position + at.leaderEpoch)
  }

  get magic(): number {
    return this.buffer[this.position + at.magic]!
  }

  get crc(): number {
    return this.buffer.readUInt32BE(this.position + at.crc)
  }

  get attributes(): number {
    return this.buffer.readInt16BE(this.position + at.attributes)
  }

  /** Number of the compression codec; see compression.ts. */
  get codec(): number {
    return this.attributes & attribute.compression
  }

  /** True if the broker's clock gave the records their timestamp, which is then `maxTimestamp` for all. */
  get isAppendTime(): boolean {
    return (this.attributes & attribute.appendTime) !== 0
  }

  get isTransactional(): boolean {
    return (this.attributes & attribute.transactional) !== 0
  }

  get isControl(): boolean {
    return (this.attributes & attribute.control) !== 0
  }

  get lastOffsetDelta(): number {
    return this.buffer.readInt32BE(this.position + at.lastOffsetDelta)
  }

  get lastOffset(): Offset {
    return this.baseOffset + this.lastOffsetDelta
  }

  get baseTimestamp(): Timestamp {
    return readInt64(this.buffer, this.position + at.baseTimestamp)
  }

  get maxTimestamp(): Timestamp {
    return readInt64(this.buffer, this.position + at.maxTimestamp)
  }

  /** -1 where the producer is not idempotent; so are epoch and sequence. */
  get producerId(): number {
    return readInt64(this.buffer, this.position + at.producerId)
  }

  get producerEpoch(): number {
    return this.buffer.readInt16BE(this.position + at.producerEpoch)
  }

  get baseSequence(): number {
    return this.buffer.readInt32BE(this.position + at.baseSequence)
  }

  get lastSequence(): number {
    return this.baseSequence === -1 ? -1 : sequenceAfter(this.baseSequence, this.lastOffsetDelta)
  }

  /** Number of records; below `lastOffsetDelta + 1` after compaction. */
  get count(): number {
    return this.buffer.readInt32BE(this.position + at.count)
  }

  /** Gives the batch to another producer or place in its sequence. Call {@link seal} when done. */
  setProducer(id: number, epoch: number, baseSequence: number): void {
    writeInt64(this.buffer, id, this.position + at.producerId)
    this.buffer.writeInt16BE(epoch, this.position + at.producerEpoch)
    this.buffer.writeInt32BE(baseSequence, this.position + at.baseSequence)
  }

  /** Stamps the batch with the broker's time, and seals it. */
  setAppendTime(timestamp: Timestamp): void {
    this.buffer.writeInt16BE((this.attributes & knownAttributes) | attribute.appendTime, this.position + at.attributes)
    writeInt64(this.buffer, timestamp, this.position + at.maxTimestamp)
    this.seal()
  }

  /** Says what its records' largest timestamp is, and that it is their producer's; seals it. */
  setMaxTimestamp(timestamp: Timestamp): void {
    this.buffer.writeInt16BE(this.attributes & knownAttributes & ~attribute.appendTime, this.position + at.attributes)
    writeInt64(this.buffer, timestamp, this.position + at.maxTimestamp)
    this.seal()
  }

  /** Sums the batch and writes the CRC. */
  seal(): void {
    this.buffer.writeUInt32BE(this.computeCrc(), this.position + at.crc)
  }

  computeCrc(): number {
    return crc32c(this.buffer, this.position + at.attributes, this.end)
  }

  /** What is wrong with the batch that must end by `limit`, as a clause; null if nothing, its CRC included. */
  problem(limit: number): string | null {
    const problem = this.shapeProblem(limit)
    if (problem !== null) return problem
    const computed = this.computeCrc()
    return computed === this.crc ? null : `its CRC-32C is ${hex(computed)} where it says ${hex(this.crc)}`
  }

  /** The same without its CRC. */
  shapeProblem(limit: number): string | null {
    if (limit - this.position < batchHeaderBytes) return `there are ${limit - this.position} bytes, fewer than a batch header has`
    if (this.magic !== 2) return `its magic is ${this.magic}, not 2`
    if (this.size < batchHeaderBytes) return `its length says ${this.size} bytes`
    if (this.end > limit) return `its length says ${this.size} bytes of ${limit - this.position}`
    if (this.lastOffsetDelta < 0 || this.count < 0) return `it counts ${this.count} records up to offset delta ${this.lastOffsetDelta}`
    return null
  }
}

/** Writes a header for a batch of `size` bytes in all and seals it; the records must be in place. */
export function writeBatchHeader(buffer: Buffer, position: number, size: number, fields: BatchHeaderFields): void {
  const attributes = (fields.codec ?? 0) | (fields.transactional ? attribute.transactional : 0) | (fields.control ? attribute.control : 0)
  writeInt64(buffer, fields.baseOffset ?? 0, position + at.baseOffset)
  buffer.writeInt32BE(size - batchOverheadBytes, position + at.length)
  buffer.writeInt32BE(fields.leaderEpoch ?? -1, position + at.leaderEpoch)
  buffer[position + at.magic] = 2
  buffer.writeInt16BE(attributes, position + at.attributes)
  buffer.writeInt32BE(fields.lastOffsetDelta, position + at.lastOffsetDelta)
  writeInt64(buffer, fields.baseTimestamp, position + at.baseTimestamp)
  writeInt64(buffer, fields.maxTimestamp, position + at.maxTimestamp)
  buffer.writeInt32BE(fields.count, position + at.count)
  const header = new RecordBatchHeader(buffer, position)
  header.setProducer(fields.producerId ?? -1, fields.producerEpoch ?? -1, fields.baseSequence ?? -1)
  header.seal()
}

/** The sequence `count` records behind `sequence`; it wraps from 2^31 - 1 to 0. */
export function sequenceAfter(sequence: number, count: number): number {
  const next = sequence + count
  return next > 0x7fffffff ? next - 0x80000000 : next
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}
