// The memory of requests of clients that have not said who they are: little, apart from that of the others, and who takes most of it is sent away.

import { MillraceError } from '../../../core/error.ts'
import type { MemoryShare } from './request-memory.ts'

/** A login has some hundred bytes. */
export const maxStrangerBytes: number = 32 * 1024 * 1024

export class StrangerMemory {
  readonly #maxBytes: number
  readonly #held = new Map<(reason: MillraceError) => void, number>()
  #bytes = 0

  constructor(maxBytes: number = maxStrangerBytes) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** `hangUp`: ends the connection, which then releases its share. */
  share(hangUp: (reason: MillraceError) => void): MemoryShare {
    return { isFull: false, hold: bytes => this.#hold(hangUp, bytes), wait: () => {}, release: () => this.#forget(hangUp) }
  }

  #hold(holder: (reason: MillraceError) => void, bytes: number): void {
    this.#forget(holder)
    if (bytes === 0) return
    this.#held.set(holder, bytes)
    this.#bytes += bytes
    if (this.#bytes > this.#maxBytes) this.#sendAwayGreediest()
  }

  #forget(holder: (reason: MillraceError) => void): void {
    this.#bytes -= this.#held.get(holder) ?? 0
    this.#held.delete(holder)
  }

  /** One is enough: it holds at least as much as the one that grew. */
  #sendAwayGreediest(): void {
    let [greediest, most] = this.#held.entries().next().value!
    for (const [holder, bytes] of this.#held) if (bytes > most) [greediest, most] = [holder, bytes]
    this.#forget(greediest)
    greediest(new MillraceError('REQUEST_MEMORY_FULL', `Clients that have not said who they are hold more than ${this.#maxBytes} bytes of requests, and this one holds most.`, { hint: 'Lower max.connections.per.ip or sasl.server.max.receive.size.' }))
  }
}
