// Receives frames straight from the socket into their own buffers, without copying large ones; a client's half of reading.

import { MillraceError } from '../../core/error.ts'

/** Small frames, and the beginnings of large ones, come in here and are copied out; so it is used again and again. */
const SCRATCH_BYTES = 64 * 1024

export class FrameReceiver {
  readonly #maxFrameBytes: number
  readonly #scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
  #scratchFilled = 0
  /** The large frame that is coming in, if there is one. */
  #frame: Buffer | null = null
  #frameFilled = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Where the next bytes go; asked anew for each read. */
  space(): Buffer {
    return this.#frame === null ? this.#scratch.subarray(this.#scratchFilled) : this.#frame.subarray(this.#frameFilled)
  }

  /**
   * Says that so many bytes of the space are filled; calls `take` with each frame that is now complete, without its length.
   * @throws MillraceError MALFORMED_FRAME if the stream is beyond reading
   */
  filled(bytes: number, take: (frame: Buffer) => void): void {
    const frame = this.#frame
    if (frame === null) {
      this.#scratchFilled += bytes
      return this.#cutScratch(take)
    }
    this.#frameFilled += bytes
    if (this.#frameFilled < frame.length) return
    this.#frame = null
    take(frame)
  }

  #cutScratch(take: (frame: Buffer) => void): void {
    const scratch = this.#scratch
    const end = this.#scratchFilled
    let at = 0
    while (end - at >= 4) {
      const frame = Buffer.allocUnsafe(this.#checked(scratch.readInt32BE(at)))
      at += 4
      const copied = scratch.copy(frame, 0, at, Math.min(end, at + frame.length))
      at += copied
      if (copied < frame.length) {
        this.#frame = frame
        this.#frameFilled = copied
      } else take(frame)
    }
    scratch.copyWithin(0, at, end)
    this.#scratchFilled = end - at
  }

  #checked(size: number): number {
    if (size >= 0 && size <= this.#maxFrameBytes) return size
    throw new MillraceError('MALFORMED_FRAME', `A frame announces ${size} bytes; at most ${this.#maxFrameBytes} are taken.`, { hint: 'Check that a Kafka broker listens there, without TLS.' })
  }
}
