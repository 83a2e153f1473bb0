// A buffer that a compressor writes into, used again at each call.

/** Larger ones are not kept. */
const maxKeptBytes = 4 * 1024 * 1024

export class Scratch {
  #buffer: Buffer = Buffer.alloc(0)

  /** A buffer of that many bytes at least, with anything in it. */
  of(bytes: number): Buffer {
    if (bytes <= this.#buffer.length) return this.#buffer
    const made = Buffer.allocUnsafeSlow(bytes)
    if (bytes <= maxKeptBytes) this.#buffer = made
    return made
  }
}
