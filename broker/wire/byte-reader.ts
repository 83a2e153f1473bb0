// Reads the scalars of Kafka's protocol from a frame, never past its end and never more elements than a frame may hold.

import '../../core/buffer-slices.ts'
import { MillraceError } from '../../core/error.ts'
import { readUtf8 } from '../../core/serde.ts'

/** Structs and array elements that one message may bring; what bounds the memory that a small hostile frame can ask for. */
export const MAX_ELEMENTS_PER_MESSAGE = 2_000_000

export class ByteReader {
  readonly buffer: Buffer
  /** Where the next read begins; at `end` when all is read. */
  position: number
  end: number
  #elementsLeft = MAX_ELEMENTS_PER_MESSAGE

  constructor(buffer: Buffer, start = 0, end: number = buffer.length) {
    this.buffer = buffer
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return this.buffer[this.#take(1)]! << 24 >> 24
  }

  int16(): number {
    return this.uint16() << 16 >> 16
  }

  uint16(): number {
    const at = this.#take(2)
    return this.buffer[at]! << 8 | this.buffer[at + 1]!
  }

  int32(): number {
    const at = this.#take(4)
    const buffer = this.buffer
    return buffer[at]! << 24 | buffer[at + 1]! << 16 | buffer[at + 2]! << 8 | buffer[at + 3]!
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** Exact up to 2^53; the nearest number beyond. */
  int64(): number {
    const high = this.int32()
    return high * 0x1_0000_0000 + (this.int32() >>> 0)
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.#take(8))
  }

  uuid(): string {
    const at = this.#take(16)
    const hex = this.buffer.toString('hex', at, at + 16)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.#take(1)]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new MillraceError('MALFORMED_FRAME', `A varint is longer than five bytes (at byte ${this.position}).`)
  }

  /** A length as the version writes it: compact (plus one, as varint), or -1 for null in an int16 or int32. Null is -1. */
  length(width: 'compact' | 'int16' | 'int32'): number {
    const length = width === 'compact' ? this.unsignedVarint() - 1 : width === 'int16' ? this.int16() : this.int32()
    if (length < -1) throw new MillraceError('MALFORMED_FRAME', `A length is ${length} (at byte ${this.position}).`)
    return length
  }

  utf8(length: number): string {
    const at = this.#take(length)
    return readUtf8(this.buffer, at, at + length)
  }

  /** A view of the frame's bytes, not a copy. */
  bytes(length: number): Buffer {
    const at = this.#take(length)
    return this.buffer.subarray(at, at + length)
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** To be called before an array of `count` elements is made, each of at least `minimalBytes`. */
  admit(count: number, minimalBytes: number): void {
    if (count * minimalBytes > this.remaining) throw this.#truncated(count * minimalBytes)
    this.#elementsLeft -= count
    if (this.#elementsLeft < 0) {
      throw new MillraceError('MALFORMED_FRAME', `A message brings more than ${MAX_ELEMENTS_PER_MESSAGE} elements.`)
    }
  }

  #take(length: number): number {
    const at = this.position
    if (at + length > this.end) throw this.#truncated(length)
    this.position = at + length
    return at
  }

  #truncated(wanted: number): MillraceError {
    return new MillraceError('MALFORMED_FRAME', `A message ends too early: ${wanted} bytes are announced at byte ${this.position} and ${this.remaining} are left.`)
  }
}
