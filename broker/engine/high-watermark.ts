// How far a log is acknowledged: who waits until it is, and who looks on.

import type { MillraceError } from '../../core/error.ts'
import type { Offset } from '../../core/record.ts'

interface Waiter {
  readonly offset: Offset
  resolve(): void
  reject(error: MillraceError): void
}

export class HighWatermark {
  #offset: Offset
  /** In the order of their offsets. */
  #waiters: Waiter[] = []
  readonly #watchers = new Set<(bytes: number) => void>()

  constructor(offset: Offset) {
    this.#offset = offset
  }

  /** Records below are acknowledged and may be read. */
  get offset(): Offset {
    return this.#offset
  }

  /** Resolves when records below `offset` are acknowledged. @throws MillraceError what {@link fail} was told */
  reached(offset: Offset): Promise<void> {
    if (offset <= this.#offset) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const place = this.#waiters.findLastIndex(other => other.offset <= offset) + 1
      this.#waiters.splice(place, 0, { offset, resolve, reject })
    })
  }

  /** Calls `listener` whenever it moves, with the bytes it passed, or will move no more. Answers how to stop. */
  watch(listener: (bytes: number) => void): () => void {
    this.#watchers.add(listener)
    return () => void this.#watchers.delete(listener)
  }

  /** Moves on; never back. */
  advance(offset: Offset, bytes: number): void {
    this.#offset = offset
    let done = 0
    while (done < this.#waiters.length && this.#waiters[done]!.offset <= offset) this.#waiters[done++]!.resolve()
    if (done > 0) this.#waiters.splice(0, done)
    this.#tell(bytes)
  }

  /** What is waited for will not be acknowledged. */
  fail(error: MillraceError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
  }

  /** As `fail`, and it moves no more. */
  end(error: MillraceError): void {
    this.fail(error)
    this.#tell(0)
  }

  #tell(bytes: number): void {
    for (const watcher of this.#watchers) watcher(bytes)
  }
}
