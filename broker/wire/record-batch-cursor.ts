// Reads the records of a run of batches (magic 2) in place, one after the other, checking and decompressing each batch when it is reached.

import { assert, MillraceError } from '../../core/error.ts'
import { Headers } from '../../core/headers.ts'
import type { Offset, RecordCursor, Timestamp, TopicPartition } from '../../core/record.ts'
import { decompress } from './compression.ts'
import { batchHeaderBytes, RecordBatchHeader } from './record-batch-header.ts'

/** A transaction that was aborted: its producer's records from `firstOffset` on, up to its abort marker, do not count. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
}

export interface CursorOptions {
  /** Where the batches begin and end in the buffer. Default: all of it. A batch that the end cuts off is not read. */
  readonly start?: number
  readonly end?: number
  /** Records below are passed over: a fetch brings whole batches. Default 0. */
  readonly fromOffset?: Offset
  /** Named in errors. */
  readonly source?: TopicPartition
  /** Most bytes that the records of one batch may have when decompressed. Default 128 MiB. */
  readonly maxBatchBytes?: number
  /** Reading committed: transactions whose records are passed over. Default none. */
  readonly aborted?: readonly AbortedTransaction[]
  /** The sums were compared a moment ago. */
  readonly isSummed?: boolean
}

const defaultMaxBatchBytes = 128 * 1024 * 1024

/** `next` throws MillraceError CORRUPT_RECORD, or UNSUPPORTED_COMPRESSION_TYPE, naming topic, partition and offset. */
export class RecordBatchCursor implements RecordCursor {
  buffer: Buffer
  offset: Offset = -1
  timestamp: Timestamp = -1
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1
  /** Where the next record of this batch begins, and the batch's records end, in `buffer`. */
  #at = 0
  #end = 0
  /** Records of this batch not read yet. */
  #left = 0
  #baseOffset = 0
  #baseTimestamp = 0
  #appendTime = -1
  #headersAt = 0
  #recordEnd = 0
  readonly #fetched: Buffer
  readonly #fetchedEnd: number
  readonly #header: RecordBatchHeader
  #nextBatchAt: number
  readonly #fromOffset: Offset
  readonly #maxBatchBytes: number
  readonly #source: TopicPartition | undefined
  readonly #aborted: AbortedTransactions | null
  readonly #isSummed: boolean

  constructor(buffer: Buffer, options: CursorOptions = {}) {
    this.buffer = this.#fetched = buffer
    this.#nextBatchAt = options.start ?? 0
    this.#fetchedEnd = options.end ?? buffer.length
    assert(this.#nextBatchAt >= 0 && this.#fetchedEnd <= buffer.length, 'the batches lie in the buffer')
    this.#header = new RecordBatchHeader(buffer, this.#nextBatchAt)
    this.#fromOffset = options.fromOffset ?? 0
    this.#maxBatchBytes = options.maxBatchBytes ?? defaultMaxBatchBytes
    this.#source = options.source
    this.#aborted = options.aborted === undefined || options.aborted.length === 0 ? null : new AbortedTransactions(options.aborted)
    this.#isSummed = options.isSummed ?? false
  }

  next(): boolean {
    do {
      while (this.#left === 0) if (!this.#enterBatch()) return false
      this.#readRecord()
    } while (this.offset < this.#fromOffset)
    return true
  }

  headers(): Headers | null {
    const recordAt = this.#at
    this.#at = this.#headersAt
    const count = this.#varint()
    let headers: Headers | null = null
    if (count < 0 || count > this.#recordEnd - this.#at) throw this.#corrupt(`it counts ${count} headers`)
    for (let i = 0; i < count; i++) {
      const keyLength = this.#length()
      if (keyLength < 0) throw this.#corrupt('a header has no key')
      const key = this.buffer.utf8Slice(this.#at, this.#at + keyLength)
      this.#at += keyLength
      const valueLength = this.#length()
      const value = valueLength < 0 ? null : this.buffer.subarray(this.#at, this.#at + valueLength)
      if (valueLength > 0) this.#at += valueLength
      headers ??= new Headers()
      headers.add(key, value)
    }
    this.#at = recordAt
    return headers
  }

  /** Makes sure that the headers of the current record are whole and that it ends with them, without making them. */
  checkHeaders(): void {
    const recordAt = this.#at
    this.#at = this.#headersAt
    const count = this.#varint()
    if (count < 0 || count > this.#recordEnd - this.#at) throw this.#corrupt(`it counts ${count} headers`)
    for (let i = 0; i < count; i++) {
      const keyLength = this.#length()
      if (keyLength < 0) throw this.#corrupt('a header has no key')
      this.#at += keyLength
      const valueLength = this.#length()
      if (valueLength > 0) this.#at += valueLength
    }
    if (this.#at !== this.#recordEnd) throw this.#corrupt(`its record ${this.#header.count - this.#left - 1} has ${this.#recordEnd - this.#at} bytes behind its headers`)
    this.#at = recordAt
  }

  /** Bytes of the current batch behind its current record, or of the last batch, behind its last. */
  get bytesLeft(): number {
    return this.#end - this.#at
  }

  /** Moves into the next batch that has records to show; false where the run ends. */
  #enterBatch(): boolean {
    const header = this.#header
    for (;;) {
      header.moveTo(this.#fetched, this.#nextBatchAt)
      if (this.#nextBatchAt + batchHeaderBytes > this.#fetchedEnd) return false
      if (header.size >= batchHeaderBytes && header.end > this.#fetchedEnd) return false
      const problem = this.#isSummed ? header.shapeProblem(this.#fetchedEnd) : header.problem(this.#fetchedEnd)
      if (problem !== null) throw this.#corruptBatch(problem)
      this.#nextBatchAt = header.end
      if (this.#isShown(header)) break
    }
    this.#openRecords(header)
    return true
  }

  #isShown(header: RecordBatchHeader): boolean {
    if (this.#aborted?.covers(header)) return false
    return !header.isControl && header.count > 0 && header.lastOffset >= this.#fromOffset
  }

  #openRecords(header: RecordBatchHeader): void {
    this.#baseOffset = header.baseOffset
    this.#baseTimestamp = header.baseTimestamp
    this.#appendTime = header.isAppendTime ? header.maxTimestamp : -1
    this.#left = header.count
    const start = header.position + batchHeaderBytes
    if (header.codec === 0) {
      this.buffer = this.#fetched
      this.#at = start
      this.#end = header.end
      return
    }
    this.buffer = this.#decompressed(header, start)
    this.#at = 0
    this.#end = this.buffer.length
  }

  #decompressed(header: RecordBatchHeader, start: number): Buffer {
    try {
      return decompress(header.codec, this.#fetched.subarray(start, header.end), this.#maxBatchBytes)
    } catch (cause) {
      if (cause instanceof MillraceError && cause.code !== 'CORRUPT_RECORD') throw cause
      throw this.#corruptBatch(cause instanceof Error ? cause.message : String(cause), cause)
    }
  }

  #readRecord(): void {
    const length = this.#varint()
    const bodyAt = this.#at
    const end = bodyAt + length
    if (length < 6 || end > this.#end) throw this.#corrupt(`its record ${this.#header.count - this.#left} says it has ${length} bytes of ${this.#end - bodyAt}`)
    this.#recordEnd = end
    // One byte of attributes, unused.
    this.#at = bodyAt + 1
    const timestampDelta = this.#varint()
    this.timestamp = this.#appendTime === -1 ? this.#baseTimestamp + timestampDelta : this.#appendTime
    this.offset = this.#baseOffset + this.#varint()
    const keyLength = this.#length()
    this.keyStart = keyLength < 0 ? -1 : this.#at
    this.keyEnd = keyLength < 0 ? -1 : (this.#at += keyLength)
    const valueLength = this.#length()
    this.valueStart = valueLength < 0 ? -1 : this.#at
    this.valueEnd = valueLength < 0 ? -1 : (this.#at += valueLength)
    if (this.#at >= end) throw this.#corrupt('it has no room for its headers')
    this.#headersAt = this.#at
    this.#at = end
    this.#left--
  }

  /** The length of bytes that must lie within the record; -1 for null. */
  #length(): number {
    const length = this.#varint()
    if (length < -1 || length > this.#recordEnd - this.#at) throw this.#corrupt(`a part of it says it has ${length} bytes of ${this.#recordEnd - this.#at}`)
    return length
  }

  /** A zigzag varint. Reading beyond the buffer gives zeros and ends; the caller checks positions against the record's end. */
  #varint(): number {
    const buffer = this.buffer
    let at = this.#at
    let byte = buffer[at++]!
    if (byte < 128) {
      this.#at = at
      return (byte >>> 1) ^ -(byte & 1)
    }
    let low = byte & 127
    byte = buffer[at++]!
    low |= (byte & 127) << 7
    if (byte > 127) {
      byte = buffer[at++]!
      low |= (byte & 127) << 14
      if (byte > 127) {
        byte = buffer[at++]!
        low |= (byte & 127) << 21
        if (byte > 127) return this.#longVarint(at, low)
      }
    }
    this.#at = at
    return (low >>> 1) ^ -(low & 1)
  }

  /** The rest of a varint of five to ten bytes, in floats: exact below 2^53, as timestamps are. */
  #longVarint(start: number, low: number): number {
    let at = start
    let value = low
    let scale = 2 ** 28
    for (let i = 0; ; i++) {
      const byte = this.buffer[at++]
      if (byte === undefined || i > 5) throw this.#corrupt('a number in it has no end')
      value += (byte & 127) * scale
      if (byte < 128) break
      scale *= 128
    }
    this.#at = at
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #corrupt(what: string): MillraceError {
    return this.#corruptBatch(`${what} (a record behind offset ${Math.max(this.offset, this.#baseOffset - 1)})`)
  }

  #corruptBatch(what: string, cause?: unknown): MillraceError {
    const { topic, partition } = this.#source ?? { topic: 'unknown topic', partition: -1 }
    const offset = this.#header.position + 8 <= this.#fetchedEnd ? this.#header.baseOffset : this.#fromOffset
    return new MillraceError('CORRUPT_RECORD', `The record batch at ${topic}-${partition} offset ${offset} is corrupt: ${what}.`, {
      hint: 'Read from an offset behind it, or restore the partition from a good copy.',
      cause,
    })
  }
}

/** Follows, batch by batch, which producers are in an aborted transaction. */
class AbortedTransactions {
  readonly #waiting: AbortedTransaction[]
  readonly #open = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  covers(header: RecordBatchHeader): boolean {
    if (!header.isTransactional) return false
    for (let first = this.#waiting[0]; first !== undefined && first.firstOffset <= header.lastOffset; first = this.#waiting[0]) {
      this.#open.add(first.producerId)
      this.#waiting.shift()
    }
    // The marker of the transaction's end; a committed one of the same producer cannot come before it.
    if (header.isControl) this.#open.delete(header.producerId)
    return this.#open.has(header.producerId)
  }
}
