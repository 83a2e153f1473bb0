// Waits, for a limited time, for a state of things to come; whoever changes things asks it to look.

import type { Clock } from '../../core/clock.ts'

interface Waiter {
  readonly isCome: () => boolean
  readonly end: (hasCome: boolean) => void
}

export class Patience {
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves to whether `isCome` came to be true within a time. */
  until(isCome: () => boolean, timeoutMs: number): Promise<boolean> {
    if (this.#closed || isCome()) return Promise.resolve(!this.#closed)
    return new Promise(resolve => {
      const waiter: Waiter = {
        isCome,
        end: hasCome => {
          cancel()
          this.#waiters.delete(waiter)
          resolve(hasCome)
        },
      }
      const cancel = this.#clock.after(timeoutMs, () => waiter.end(false))
      this.#waiters.add(waiter)
    })
  }

  /** Resolves after a time, or when all is over. */
  async pause(delayMs: number): Promise<void> {
    await this.until(() => false, delayMs)
  }

  /** Things have changed. */
  look(): void {
    for (const { isCome, end } of this.#waiters) if (isCome()) end(true)
  }

  /** Nobody waits any longer. */
  close(): void {
    this.#closed = true
    for (const { end } of this.#waiters) end(false)
  }

  get isClosed(): boolean {
    return this.#closed
  }
}
