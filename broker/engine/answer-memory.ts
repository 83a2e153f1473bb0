// Memory of records that were read for clients and not taken by them yet: who holds how much, how much one more answer may bring, and who is cut off.

import type { Clock } from '../../core/clock.ts'

/** A client with an answer on its way. */
export interface AnswerHolder {
  /** Ends the client's connection: it does not take its answer, and the memory is needed. */
  cutOff(): void
}

/** A client may be so long about one answer before it is cut off, where memory is short. */
const longestTakingMs = 10_000

export class AnswerMemory {
  readonly #maxBytes: number
  readonly #clock: Clock
  #heldBytes = 0
  /** Those who wait for the network longest come first. */
  readonly #holders = new Map<AnswerHolder, { bytes: number; readonly sinceMs: number }>()

  constructor(maxBytes: number, clock: Clock) {
    this.#maxBytes = maxBytes
    this.#clock = clock
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Bytes that one more answer may bring beyond a first batch: half of what is left, so that others find some, too. */
  get room(): number {
    return Math.max(0, Math.floor((this.#maxBytes - this.#heldBytes) / 2))
  }

  /** An answer is on its way. Where all together are twice what they may be, the client that is slowest to take its answer is cut off. */
  hold(holder: AnswerHolder, bytes: number): void {
    const held = this.#holders.get(holder)
    if (held === undefined) this.#holders.set(holder, { bytes, sinceMs: this.#clock.monotonic() })
    else held.bytes += bytes
    this.#heldBytes += bytes
    if (this.#heldBytes > 2 * this.#maxBytes) this.#cutOffSlowest()
  }

  /** So many bytes of a holder's answers were taken; all of them by default. More than it holds is no fault: answers have heads. */
  release(holder: AnswerHolder, bytes: number = Infinity): void {
    const held = this.#holders.get(holder)
    if (held === undefined) return
    const released = Math.min(bytes, held.bytes)
    held.bytes -= released
    this.#heldBytes -= released
    if (held.bytes === 0) this.#holders.delete(holder)
  }

  #cutOffSlowest(): void {
    const [slowest] = this.#holders
    if (slowest === undefined || this.#clock.monotonic() - slowest[1].sinceMs < longestTakingMs) return
    this.release(slowest[0])
    slowest[0].cutOff()
  }
}
