// Memory for large frames that come and large reads that go: kept and used again, for fresh memory costs more than what is done with it.

import { BufferPool } from './record-batch-pool.ts'

export class LentBuffers {
  readonly #pool: BufferPool
  readonly #smallestBytes: number

  /** Keeps up to `maxIdleBytes` while nobody uses them; those below `smallestBytes` are cheaper to make than to keep. */
  constructor(maxIdleBytes: number, smallestBytes: number = 16 * 1024) {
    this.#smallestBytes = smallestBytes
    this.#pool = new BufferPool(maxIdleBytes)
  }

  /** A buffer of that length with anything in it. One that is never handed back is freed like any other. */
  take(bytes: number): Buffer {
    if (bytes < this.#smallestBytes) return Buffer.allocUnsafeSlow(bytes)
    const whole = this.#pool.take(bytes)
    const memory = whole.buffer as Lendable
    memory[lentBy] = this
    return whole.length === bytes ? whole : whole.subarray(0, bytes)
  }

  /** A copy to be handed back or not, as one taken. */
  copy(bytes: Buffer): Buffer {
    if (bytes.length < this.#smallestBytes) return Buffer.from(bytes)
    const copy = this.take(bytes.length)
    bytes.copy(copy)
    return copy
  }

  /** Hands a buffer, or any view of it, back if it came from here: nobody may use it any more. */
  give(buffer: Buffer): void {
    const memory = buffer.buffer as Lendable
    if (memory[lentBy] !== this) return
    memory[lentBy] = null
    this.#pool.give(buffer)
  }
}

/** Only what was lent is taken back: other buffers may be views of memory that others use. A mark on the memory costs less than a WeakSet. */
const lentBy = Symbol('lent by')

interface Lendable extends ArrayBuffer {
  [lentBy]?: LentBuffers | null
}
