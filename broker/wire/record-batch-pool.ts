// Buffers for batches that are filled and sent again and again: a large buffer is dear to make, and each one brings the garbage collector nearer.

/** Where a writer of batches gets its buffers from. */
export interface BufferSource {
  /** A buffer of that many bytes at least, with anything in it. */
  take(bytes: number): Buffer
  /** Hands a buffer, or any view of all it belongs to, back: nobody may use it any more. */
  give(buffer: Buffer): void
}

/** Makes each buffer anew and keeps none. */
export const freshBuffers: BufferSource = { take: bytes => Buffer.allocUnsafeSlow(bytes), give() {} }

const smallestBits = 10
const largestBits = 20

/** Keeps up to `maxBytes` of buffers of 1 KiB to 1 MiB, in powers of two; larger ones are made as needed. */
export class BufferPool implements BufferSource {
  readonly #maxBytes: number
  readonly #free: Buffer[][] = Array.from({ length: largestBits - smallestBits + 1 }, () => [])
  #freeBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  take(bytes: number): Buffer {
    const bits = Math.max(smallestBits, 32 - Math.clz32(bytes - 1))
    if (bits > largestBits) return Buffer.allocUnsafeSlow(bytes)
    const free = this.#free[bits - smallestBits]!.pop()
    if (free === undefined) return Buffer.allocUnsafeSlow(1 << bits)
    this.#freeBytes -= free.length
    return free
  }

  give(buffer: Buffer): void {
    const whole = buffer.length === buffer.buffer.byteLength ? buffer : Buffer.from(buffer.buffer)
    const bits = 31 - Math.clz32(whole.length)
    if (whole.length !== 1 << bits || bits < smallestBits || bits > largestBits || this.#freeBytes + whole.length > this.#maxBytes) return
    this.#freeBytes += whole.length
    this.#free[bits - smallestBits]!.push(whole)
  }
}
