// When a log whose acknowledgements do not wait for fsync is made durable all the same: after so many records (flush.messages), or so long (flush.ms).

import type { Clock } from '../../core/clock.ts'

export interface FlushPaceSettings {
  readonly flushMessages: number
  readonly flushMs: number
}

/** The longest that a timer runs. Who asks for longer asks for none. */
const longestMs = 2_147_483_647

export class FlushPace {
  readonly #clock: Clock
  readonly #flush: () => void
  #cancel: (() => void) | null = null

  constructor(clock: Clock, flush: () => void) {
    this.#clock = clock
    this.#flush = flush
  }

  /** Records were appended; so many are not durable. Says whether they must be now: their acknowledgement then waits for it, as in Kafka. */
  appended(records: number, { flushMessages, flushMs }: FlushPaceSettings): boolean {
    if (records >= flushMessages) return true
    if (flushMs <= longestMs) this.#cancel ??= this.#clock.after(flushMs, () => this.#ring())
    return false
  }

  #ring(): void {
    this.#cancel = null
    this.#flush()
  }

  /** All is durable, or nothing will be any more. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }
}
