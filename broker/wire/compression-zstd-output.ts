// What has been decompressed of a zstd stream; grows as needed, up to a limit.

import { MillraceError } from '../../core/error.ts'
import { corruptZstd } from './compression-zstd-tables.ts'

export class ZstdOutput {
  length = 0
  readonly #maxBytes: number
  #bytes: Buffer

  constructor(maxBytes: number, initialBytes: number) {
    this.#maxBytes = maxBytes
    this.#bytes = Buffer.allocUnsafe(initialBytes)
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }

  append(from: Buffer, start: number, end: number): void {
    this.#reserve(end - start)
    this.length += from.copy(this.#bytes, this.length, start, end)
  }

  fill(value: number, count: number): void {
    this.#reserve(count)
    this.#bytes.fill(value, this.length, this.length + count)
    this.length += count
  }

  /** Appends `count` bytes from `offset` back, which may reach into what is being appended. */
  repeat(offset: number, count: number, frameStart: number): void {
    const from = this.length - offset
    if (offset <= 0 || from < frameStart) throw corruptZstd('an offset before the beginning')
    this.#reserve(count)
    const bytes = this.#bytes
    if (offset >= count) bytes.copyWithin(this.length, from, from + count)
    else for (let i = 0; i < count; i++) bytes[this.length + i] = bytes[from + i]!
    this.length += count
  }

  #reserve(count: number): void {
    const needed = this.length + count
    if (needed > this.#maxBytes) throw new MillraceError('CORRUPT_RECORD', `the zstd stream holds more than ${this.#maxBytes} bytes`)
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(needed, 2 * this.#bytes.length)))
    this.#bytes.copy(larger, 0, 0, this.length)
    this.#bytes = larger
  }
}
