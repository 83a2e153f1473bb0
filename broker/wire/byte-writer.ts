// Writes the scalars of Kafka's protocol into a list of chunks: large byte runs are passed on as they are, nothing written is copied again.

import { assert, MillraceError } from '../../core/error.ts'

const FIRST_CHUNK_BYTES = 512
const LATER_CHUNK_BYTES = 16 * 1024
/** Byte runs from this size on become chunks of their own. */
const REFERENCE_FROM_BYTES = 1024
/** Bytes of one message that are made for it, not passed on. Ends what a small request can ask for. */
const MAX_WRITTEN_BYTES = 128 * 1024 * 1024
const SHORT_STRING = 48
const HEX_OF_UUID = /-/g

export class ByteWriter {
  readonly #chunks: Buffer[] = []
  #buffer: Buffer
  #start = 0
  #position = 0
  #closedBytes = 0
  #referencedBytes = 0

  constructor(firstChunkBytes: number = FIRST_CHUNK_BYTES) {
    this.#buffer = Buffer.allocUnsafe(firstChunkBytes)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#closedBytes + this.#position - this.#start
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.#reserve(1)
    this.#buffer[at] = value
  }

  int16(value: number): void {
    const at = this.#reserve(2)
    this.#buffer[at] = value >> 8
    this.#buffer[at + 1] = value
  }

  int32(value: number): void {
    const at = this.#reserve(4)
    const buffer = this.#buffer
    buffer[at] = value >> 24
    buffer[at + 1] = value >> 16
    buffer[at + 2] = value >> 8
    buffer[at + 3] = value
  }

  /** A whole number; one beyond Java's Long becomes the largest Long, so that Long.MAX_VALUE, read as 2^63, is written as it was. */
  int64(value: number): void {
    if (value >= 0x8000_0000_0000_0000) {
      this.int32(0x7fff_ffff)
      this.int32(-1)
      return
    }
    const high = Math.floor(value / 0x1_0000_0000)
    this.int32(high)
    this.int32(value - high * 0x1_0000_0000)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  uuid(value: string): void {
    const at = this.#reserve(16)
    const written = this.#buffer.write(value.replace(HEX_OF_UUID, ''), at, 16, 'hex')
    assert(written === 16 && value.length === 36, `${JSON.stringify(value)} is no uuid`)
  }

  unsignedVarint(value: number): void {
    let at = this.#reserve(5)
    const buffer = this.#buffer
    let rest = value >>> 0
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    buffer[at++] = rest
    this.#position = at
  }

  /** A length as the version writes it; -1 is null. */
  writeLength(length: number, width: 'compact' | 'int16' | 'int32'): void {
    if (width === 'compact') this.unsignedVarint(length + 1)
    else if (width === 'int32') this.int32(length)
    else {
      assert(length <= 0x7fff, `a string of ${length} bytes is longer than this version can write (32767)`)
      this.int16(length)
    }
  }

  /** Length and UTF-8 bytes. */
  utf8(value: string, width: 'compact' | 'int16'): void {
    if (value.length <= SHORT_STRING && this.#shortAscii(value, width)) return
    const length = Buffer.byteLength(value, 'utf8')
    this.writeLength(length, width)
    const at = this.#reserve(length)
    this.#buffer.write(value, at, length, 'utf8')
  }

  /** The bytes alone. Runs of 1 KiB and more are not copied: they must not change until the chunks are used. */
  bytes(value: Uint8Array): void {
    if (value.length >= REFERENCE_FROM_BYTES) {
      this.#closeChunk()
      this.#chunks.push(Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.length))
      this.#closedBytes += value.length
      this.#referencedBytes += value.length
    } else {
      const at = this.#reserve(value.length)
      this.#buffer.set(value, at)
    }
  }

  /** The chunks, in order. The writer must not be used afterwards. */
  finish(): Buffer[] {
    this.#closeChunk()
    return this.#chunks
  }

  #shortAscii(value: string, width: 'compact' | 'int16'): boolean {
    const length = value.length
    const start = this.#reserve(length + 2)
    const buffer = this.#buffer
    let at = start
    // Shorter than 127, so a compact length is one byte.
    if (width === 'compact') buffer[at++] = length + 1
    else {
      buffer[at++] = 0
      buffer[at++] = length
    }
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 127) {
        this.#position = start
        return false
      }
      buffer[at++] = code
    }
    this.#position = at
    return true
  }

  #reserve(bytes: number): number {
    if (this.#position + bytes > this.#buffer.length) {
      this.#closeChunk()
      if (this.#closedBytes - this.#referencedBytes + bytes > MAX_WRITTEN_BYTES) throw new MillraceError('MESSAGE_TOO_LARGE', `A message has more than ${MAX_WRITTEN_BYTES} bytes besides its records.`)
      this.#buffer = Buffer.allocUnsafe(Math.max(LATER_CHUNK_BYTES, bytes))
      this.#start = 0
      this.#position = 0
    }
    const at = this.#position
    this.#position = at + bytes
    return at
  }

  #closeChunk(): void {
    if (this.#position === this.#start) return
    this.#chunks.push(this.#buffer.subarray(this.#start, this.#position))
    this.#closedBytes += this.#position - this.#start
    this.#start = this.#position
  }
}
