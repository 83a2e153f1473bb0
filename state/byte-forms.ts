// The forms that keys take: bytes as latin1 strings for maps and order, and scratch bytes for what is copied at once.

import '../core/buffer-slices.ts'

/** Bytes as a string of one unit per byte: equal and ordered exactly as the bytes are. */
export function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).latin1Slice(0, bytes.length)
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

const LONGEST_KEPT_VIEW = 1024

/** One piece of memory seen at many lengths without a new object each time. What is in a view is gone at the next. */
export class ScratchBytes {
  #memory = Buffer.allocUnsafeSlow(LONGEST_KEPT_VIEW)
  #views: Buffer[] = []

  /** A buffer of exactly `length` bytes, good until the next call. */
  view(length: number): Buffer {
    if (length > LONGEST_KEPT_VIEW) return Buffer.allocUnsafeSlow(length)
    return (this.#views[length] ??= this.#memory.subarray(0, length))
  }
}

/** Estimated memory of a live value that takes `length` bytes when serialised. */
export function liveBytes(value: unknown, length: number): number {
  if (typeof value === 'string') return 24 + value.length
  if (typeof value === 'object') return 48 + 3 * length
  return typeof value === 'number' ? 16 : 24
}
