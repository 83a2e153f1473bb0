// Encodes records into one batch (magic 2) in a growing buffer: no object and no BigInt per record.

import type { Headers } from '../../core/headers.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import { compress } from './compression.ts'
import { batchHeaderBytes, writeBatchHeader } from './record-batch-header.ts'
import { freshBuffers, type BufferSource } from './record-batch-pool.ts'
import { writeZigzag, zigzagSize } from './varint.ts'

/** What a batch is closed with; everything by default as a producer without idempotence has it. */
export interface BatchClosing {
  /** Number of the codec; see compression.ts. Where compressing would not shrink the batch it is left as it is. Default 0, none. */
  readonly codec?: number
  readonly baseOffset?: Offset
  readonly leaderEpoch?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  /** Its records are the broker's own; see control-batch.ts. */
  readonly control?: boolean
}

/** Appends records, then closes them into a batch; after that it is empty and can be used again. */
export class RecordBatchWriter {
  /** Records appended. */
  count = 0
  /** Bytes so far, batch header included, before compression. */
  size: number = batchHeaderBytes
  #buffer: Buffer
  #baseTimestamp: Timestamp = 0
  #maxTimestamp: Timestamp = 0

  readonly #source: BufferSource

  /** Gets its buffers from `source`, and gives back those it grew out of. */
  constructor(initialBytes = 4096, source: BufferSource = freshBuffers) {
    this.#source = source
    this.#buffer = source.take(Math.max(initialBytes, batchHeaderBytes))
  }

  /** Copies the bytes. Null or absent headers mean none. */
  append(key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp, headers: Headers | null = null): void {
    if (this.count === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    const timestampDelta = timestamp - this.#baseTimestamp
    const bodySize = recordBodySize(key, value, timestampDelta, this.count, headers)
    const needed = this.size + bodySize + 5
    if (needed > this.#buffer.length) this.#grow(needed)
    const buffer = this.#buffer
    let at = writeZigzag(buffer, this.size, bodySize)
    buffer[at++] = 0
    at = writeZigzag(buffer, at, timestampDelta)
    at = writeZigzag(buffer, at, this.count)
    at = writeBytes(buffer, at, key)
    at = writeBytes(buffer, at, value)
    if (headers === null || headers.size === 0) buffer[at++] = 0
    else at = writeHeaders(buffer, at, headers)
    this.size = at
    this.count++
  }

  /** The batch, in a buffer of the source that is the caller's from now on. There must be a record at least. */
  close(closing: BatchClosing = {}): Buffer {
    const batch = this.#compressed(closing.codec ?? 0) ?? { buffer: this.#buffer, size: this.size, codec: 0 }
    writeBatchHeader(batch.buffer, 0, batch.size, {
      ...closing,
      codec: batch.codec,
      lastOffsetDelta: this.count - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      count: this.count,
    })
    if (batch.buffer !== this.#buffer) this.#source.give(this.#buffer)
    this.#buffer = emptyBuffer
    this.count = 0
    this.size = batchHeaderBytes
    return batch.buffer.length === batch.size ? batch.buffer : batch.buffer.subarray(0, batch.size)
  }

  #compressed(codec: number): { buffer: Buffer; size: number; codec: number } | null {
    if (codec === 0) return null
    const compressed = compress(codec, this.#buffer.subarray(batchHeaderBytes, this.size))
    const size = batchHeaderBytes + compressed.length
    if (size >= this.size) return null
    const buffer = this.#source.take(size)
    buffer.set(compressed, batchHeaderBytes)
    return { buffer, size, codec }
  }

  #grow(needed: number): void {
    const grown = this.#source.take(Math.max(needed, this.#buffer.length * 2))
    if (this.size > batchHeaderBytes) this.#buffer.copy(grown, batchHeaderBytes, batchHeaderBytes, this.size)
    if (this.#buffer !== emptyBuffer) this.#source.give(this.#buffer)
    this.#buffer = grown
  }
}

const emptyBuffer: Buffer = Buffer.alloc(0)

/** Most bytes that a record may take in a batch: its own, and the widest of each number before them. */
export function recordSizeBound(key: Uint8Array | null, value: Uint8Array | null, headers: Headers | null = null): number {
  let size = 36 + (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
  if (headers !== null) for (const header of headers) size += 10 + header.key.length * 3 + (header.value === null ? 0 : header.value.length)
  return size
}

function recordBodySize(key: Uint8Array | null, value: Uint8Array | null, timestampDelta: number, offsetDelta: number, headers: Headers | null): number {
  return (
    1 + zigzagSize(timestampDelta) + zigzagSize(offsetDelta) +
    (key === null ? 1 : zigzagSize(key.length) + key.length) +
    (value === null ? 1 : zigzagSize(value.length) + value.length) +
    (headers === null || headers.size === 0 ? 1 : headersSize(headers))
  )
}

function headersSize(headers: Headers): number {
  let size = zigzagSize(headers.size)
  for (const { key, value } of headers) {
    const keyLength = Buffer.byteLength(key, 'utf8')
    size += zigzagSize(keyLength) + keyLength + (value === null ? 1 : zigzagSize(value.length) + value.length)
  }
  return size
}

function writeHeaders(buffer: Buffer, start: number, headers: Headers): number {
  let at = writeZigzag(buffer, start, headers.size)
  for (const { key, value } of headers) {
    at = writeZigzag(buffer, at, Buffer.byteLength(key, 'utf8'))
    at += buffer.write(key, at, 'utf8')
    at = writeBytes(buffer, at, value)
  }
  return at
}

/** A length and the bytes; -1 and nothing for null. */
function writeBytes(buffer: Buffer, start: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    buffer[start] = 1
    return start + 1
  }
  const length = bytes.length
  const at = writeZigzag(buffer, start, length)
  if (length > 48) buffer.set(bytes, at)
  else for (let i = 0; i < length; i++) buffer[at + i] = bytes[i]!
  return at + length
}
