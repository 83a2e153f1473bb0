// When to commit: early while that is cheap, rarely while it is dear, never later than the longest interval.

/** A commit may cost at most one part in this many of the time between commits. */
const COST_SHARE = 10
const SHORTEST_MS = 100
const SHORTEST_IDLE_MS = 10
const IDLE_COST_SHARE = 3

export class CommitPace {
  readonly #fixedMs: number | null
  readonly #longestMs: number
  #lastEnd: number
  #lastCost = 0

  /** `fixedMs`: the user's own interval, which then holds exactly; null to follow the cost. Times are the monotonic clock's. */
  constructor(fixedMs: number | null, longestMs: number, now: number) {
    this.#fixedMs = fixedMs
    this.#longestMs = longestMs
    this.#lastEnd = now
  }

  /** Milliseconds until the next commit is due, 0 if it is. `idle`: all input there is has been processed. */
  waitMs(now: number, idle: boolean): number {
    return Math.max(0, this.#lastEnd + this.#interval(idle) - now)
  }

  committed(start: number, end: number): void {
    this.#lastCost = end - start
    this.#lastEnd = end
  }

  #interval(idle: boolean): number {
    if (this.#fixedMs !== null) return this.#fixedMs
    if (idle) return Math.max(SHORTEST_IDLE_MS, this.#lastCost * IDLE_COST_SHARE)
    return Math.min(this.#longestMs, Math.max(SHORTEST_MS, this.#lastCost * COST_SHARE))
  }
}
