// Time as an argument: everything that waits or asks what time it is gets a Clock; this file alone touches the machine's.

import type { Timestamp } from './record.ts'

export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. May step backwards. */
  now(): Timestamp
  /** Milliseconds from an arbitrary start, never backwards, with fractions. */
  monotonic(): number
  /** Calls `action` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, action: () => void): () => void
  /** Resolves when the event loop has gone round once: lets sockets and files have their turn. */
  turn(): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, action) {
    if (delayMs > MAX_TIMEOUT_MS) return afterLong(delayMs, action)
    const timer = setTimeout(action, delayMs)
    return () => clearTimeout(timer)
  },
  turn: () => new Promise(resolve => setImmediate(resolve)),
}

/** The longest that a timer of Node waits; asked for more, it would not wait at all. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

function afterLong(delayMs: number, action: () => void): () => void {
  const next = (): void => void (cancel = systemClock.after(delayMs - MAX_TIMEOUT_MS, action))
  let cancel = systemClock.after(MAX_TIMEOUT_MS, next)
  return () => cancel()
}

/** A time as ISO 8601 in UTC, to the millisecond. */
export function isoTime(time: Timestamp): string {
  return new Date(time).toISOString()
}

/** Resolves after `delayMs`, or at once when the signal is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    signal?.addEventListener('abort', done)
  })
}

/** A clock that a test or simulation moves by hand. Actions due run in order of their time, then of their making. */
export class VirtualClock implements Clock {
  #now: number
  #waiting: { at: number; action: () => void }[] = []

  constructor(startMs = 0) {
    this.#now = startMs
  }

  now(): Timestamp {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(delayMs: number, action: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, delayMs), action }
    const place = this.#waiting.findLastIndex(other => other.at <= entry.at) + 1
    this.#waiting.splice(place, 0, entry)
    return () => {
      const index = this.#waiting.indexOf(entry)
      if (index >= 0) this.#waiting.splice(index, 1)
    }
  }

  turn(): Promise<void> {
    return Promise.resolve()
  }

  /** Moves time forward, running what falls due at its own time. */
  advance(byMs: number): void {
    const end = this.#now + byMs
    for (let first = this.#waiting[0]; first !== undefined && first.at <= end; first = this.#waiting[0]) {
      this.#waiting.shift()
      this.#now = first.at
      first.action()
    }
    this.#now = end
  }
}
