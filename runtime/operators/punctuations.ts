// The calls that processors have asked for by stream time or wall time, and when each is due next.

import type { Cancellable } from '../../core/processor.ts'
import type { Timestamp } from '../../core/record.ts'

/** Calls of one kind of time, in a binary heap by due time. Calls due at the same time run in the order Kafka's heap would have. */
export class Punctuations {
  #heap: Punctuation[] = []
  /** When the next one is due; infinity if none waits. */
  nextDue: Timestamp = Infinity

  /** `call` gets the time of the call. The first call is at `firstDue`, the others at multiples of the interval from it. */
  add(firstDue: Timestamp, intervalMs: number, call: (time: Timestamp) => void): Cancellable {
    const punctuation: Punctuation = { due: firstDue, intervalMs, call, cancelled: false }
    this.#push(punctuation)
    return {
      cancel: () => {
        punctuation.cancelled = true
      },
    }
  }

  /** Calls all that are due at `time`; missed calls of one collapse into one. True if there were any. */
  run(time: Timestamp): boolean {
    let any = false
    while (this.nextDue <= time) {
      const next = this.#pop()
      if (next.cancelled) continue
      next.call(time)
      any = true
      if (next.cancelled) continue
      next.due += (Math.floor((time - next.due) / next.intervalMs) + 1) * next.intervalMs
      this.#push(next)
    }
    return any
  }

  #push(added: Punctuation): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const parent = heap[(at - 1) >>> 1]!
      if (added.due >= parent.due) break
      heap[at] = parent
      at = (at - 1) >>> 1
    }
    heap[at] = added
    this.nextDue = heap[0]!.due
  }

  #pop(): Punctuation {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) this.#sink(last)
    this.nextDue = heap.length === 0 ? Infinity : heap[0]!.due
    return first
  }

  #sink(moved: Punctuation): void {
    const heap = this.#heap
    let at = 0
    while (2 * at + 1 < heap.length) {
      let child = 2 * at + 1
      if (child + 1 < heap.length && heap[child]!.due > heap[child + 1]!.due) child++
      if (moved.due <= heap[child]!.due) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = moved
  }
}

interface Punctuation {
  due: Timestamp
  readonly intervalMs: number
  readonly call: (time: Timestamp) => void
  cancelled: boolean
}
