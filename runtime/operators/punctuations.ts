// The calls that processors have asked for by stream time or wall time, and when each is due next.

import type { Cancellable } from '../../core/processor.ts'
import type { Timestamp } from '../../core/record.ts'

/** Calls of one kind of time. Those due at once run in order of their due times, then in the order they were asked for. */
export class Punctuations {
  #waiting: Punctuation[] = []
  #serial = 0
  /** When the next one is due; infinity if none waits. */
  nextDue: Timestamp = Infinity

  /** `run` gets the time of the call. The first call is at `firstDue`, the others at multiples of the interval from it. */
  add(firstDue: Timestamp, intervalMs: number, run: (time: Timestamp) => void): Cancellable {
    const punctuation: Punctuation = { due: firstDue, intervalMs, run, serial: this.#serial++, cancelled: false }
    this.#waiting.push(punctuation)
    this.#refresh()
    return {
      cancel: () => {
        punctuation.cancelled = true
        this.#waiting = this.#waiting.filter(other => other !== punctuation)
        this.#refresh()
      },
    }
  }

  /** Calls all that are due at `time`; missed calls of one collapse into one. True if there were any. */
  run(time: Timestamp): boolean {
    let any = false
    while (this.nextDue <= time) {
      const next = this.#first()
      this.#waiting = this.#waiting.filter(other => other !== next)
      next.run(time)
      any = true
      if (!next.cancelled) {
        const intervals = Math.floor((time - next.due) / next.intervalMs) + 1
        next.due += intervals * next.intervalMs
        next.serial = this.#serial++
        this.#waiting.push(next)
      }
      this.#refresh()
    }
    return any
  }

  clear(): void {
    this.#waiting = []
    this.#refresh()
  }

  #first(): Punctuation {
    return this.#waiting.reduce((first, other) => (other.due < first.due || (other.due === first.due && other.serial < first.serial) ? other : first))
  }

  #refresh(): void {
    this.nextDue = this.#waiting.length === 0 ? Infinity : this.#first().due
  }
}

interface Punctuation {
  due: Timestamp
  readonly intervalMs: number
  readonly run: (time: Timestamp) => void
  serial: number
  cancelled: boolean
}
