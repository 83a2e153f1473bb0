// Memory for large frames that come and large reads that go: kept and used again, for fresh memory costs more than what is done with it.

import { BufferPool } from './record-batch-pool.ts'

/** Smaller ones are cheaper to make than to keep. */
const smallestLentBytes = 16 * 1024

export class LentBuffers {
  readonly #pool: BufferPool
  /** Only what was lent is taken back: other buffers may be views of memory that others use. */
  readonly #lent = new WeakSet<ArrayBufferLike>()

  /** Keeps up to `maxIdleBytes` while nobody uses them. */
  constructor(maxIdleBytes: number) {
    this.#pool = new BufferPool(maxIdleBytes)
  }

  /** A buffer of that length with anything in it. One that is never handed back is freed like any other. */
  take(bytes: number): Buffer {
    if (bytes < smallestLentBytes) return Buffer.allocUnsafeSlow(bytes)
    const whole = this.#pool.take(bytes)
    this.#lent.add(whole.buffer)
    return whole.length === bytes ? whole : whole.subarray(0, bytes)
  }

  /** Hands a buffer, or any view of it, back if it came from here: nobody may use it any more. */
  give(buffer: Buffer): void {
    if (this.#lent.delete(buffer.buffer)) this.#pool.give(buffer)
  }
}
