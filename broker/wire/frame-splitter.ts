// Cuts the byte stream of a connection into frames; a frame that arrives whole is a view (unless copies are asked for), one that does not is put together in one buffer.

import { MillraceError } from '../../core/error.ts'
import type { LentBuffers } from './lent-buffers.ts'

/** What is allocated at once on the word of a length, unless it is told otherwise; the rest follows as bytes really come. */
const TRUSTED_BYTES = 1024 * 1024

export class FrameSplitter {
  /** Applies from the next frame on. */
  maxFrameBytes: number
  /** Where the memory for frames comes from that do not arrive whole. */
  readonly #buffers: LentBuffers
  readonly #trustedBytes: number
  readonly #copies: boolean
  /** The frame in the making, with its length; all of it before the length is known is in `#lengthBytes`. */
  #frame: Buffer | null = null
  #size = 0
  #filled = 0
  #lengthBytes = 0
  #lengthFilled = 0

  /** `copies`: no frame is a view, for chunks are used again. */
  constructor(maxFrameBytes: number, buffers: LentBuffers, { copies = false, trustedBytes = TRUSTED_BYTES }: { readonly copies?: boolean; readonly trustedBytes?: number } = {}) {
    this.#trustedBytes = trustedBytes
    this.#copies = copies
    this.maxFrameBytes = maxFrameBytes
    this.#buffers = buffers
  }

  /** What has come of a frame that is not whole yet. */
  get partialBytes(): number {
    return this.#frame === null ? 0 : this.#filled
  }

  /**
   * Calls `take` with each frame that is now complete, without its length.
   * @throws MillraceError MALFORMED_FRAME if the stream is beyond reading
   */
  push(chunk: Buffer, take: (frame: Buffer) => void): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#frame !== null) at = this.#fill(this.#frame, chunk, at, take)
      else if (this.#lengthFilled < 4) {
        this.#lengthBytes = this.#lengthBytes << 8 | chunk[at++]!
        if (++this.#lengthFilled === 4) at = this.#begin(this.#lengthBytes, chunk, at, take)
      }
    }
  }

  #begin(size: number, chunk: Buffer, at: number, take: (frame: Buffer) => void): number {
    this.#lengthBytes = 0
    this.#lengthFilled = 0
    if (size < 0) throw new MillraceError('MALFORMED_FRAME', `A frame announces ${size} bytes; this is not the Kafka protocol.`)
    if (size > this.maxFrameBytes) {
      const other = otherProtocol(size)
      if (other !== null) throw new MillraceError('MALFORMED_FRAME', other)
      throw new MillraceError('MALFORMED_FRAME', `A frame announces ${size} bytes; at most ${this.maxFrameBytes} are taken.`, {
        hint: 'Raise socket.request.max.bytes if such a request is meant; other protocols on this port look like this too.',
      })
    }
    if (chunk.length - at >= size) {
      const frame = chunk.subarray(at, at + size)
      take(this.#copies ? this.#buffers.copy(frame) : frame)
      return at + size
    }
    this.#size = size
    this.#filled = 0
    this.#frame = this.#buffers.take(Math.min(size, this.#trustedBytes))
    return at
  }

  #fill(frame: Buffer, chunk: Buffer, at: number, take: (frame: Buffer) => void): number {
    if (this.#filled === frame.length) {
      const larger = this.#buffers.take(Math.min(this.#size, frame.length * 2))
      frame.copy(larger)
      this.#buffers.give(frame)
      this.#frame = larger
      return at
    }
    const length = Math.min(frame.length - this.#filled, chunk.length - at)
    chunk.copy(frame, this.#filled, at, at + length)
    this.#filled += length
    if (this.#filled === this.#size) {
      this.#frame = null
      take(frame)
    }
    return at + length
  }
}

/** What the first bytes of a stream are, where they are those that others than Kafka's clients begin with; null otherwise. */
function otherProtocol(size: number): string | null {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(size)
  // Record type 22, a handshake, of version 3.x.
  if (bytes[0] === 0x16 && bytes[1] === 3) return 'The client speaks TLS, and this listener does not.'
  return ['GET ', 'POST', 'HEAD', 'PUT ', 'OPTI'].includes(bytes.toString('latin1')) ? 'The client speaks HTTP; this is the Kafka protocol.' : null
}
