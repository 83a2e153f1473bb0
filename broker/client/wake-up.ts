// A bell that one waits at and others ring.

import type { Clock } from '../../core/clock.ts'

export class WakeUp {
  #ring: (() => void) | null = null

  /** Ends the wait that is going on. With nobody waiting it does nothing: look at the state first, then wait. */
  ring(): void {
    this.#ring?.()
  }

  /** Resolves at the next ring, or after `timeoutMs`; Infinity waits for the ring alone. One at a time. */
  wait(clock: Clock, timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      let cancel = (): void => {}
      this.#ring = () => {
        this.#ring = null
        cancel()
        resolve()
      }
      if (timeoutMs !== Infinity) cancel = clock.after(timeoutMs, this.#ring)
    })
  }
}
