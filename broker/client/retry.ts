// Trying again: how long to wait between tries, which failures are worth it, and when to give up.

import { sleep, type Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Random } from '../../core/random.ts'

/** The world of a client: time, chance, and where to tell what happened. */
export interface ClientWorld {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface RetryLimits {
  /** From the first try to the last; the error of the last is thrown then. */
  readonly deadlineMs: number
  /** Aborting ends the waiting, and the next failure is thrown. */
  readonly signal?: AbortSignal
}

const firstBackoffMs = 50
const maxBackoffMs = 1000

/** Does `action` until it succeeds, fails with an error that is not retriable, or the deadline has come. */
export async function retrying<T>(world: ClientWorld, limits: RetryLimits, action: (attempt: number) => Promise<T>): Promise<T> {
  const end = world.clock.monotonic() + limits.deadlineMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await action(attempt)
    } catch (error) {
      const waitMs = backoffMs(world.random, attempt)
      if (!isRetriable(error) || limits.signal?.aborted === true || world.clock.monotonic() + waitMs > end) throw error
      await sleep(world.clock, waitMs, limits.signal)
    }
  }
}

/** How long to wait before try `attempt + 1`: doubling up to a second, a fifth more or less by chance. */
export function backoffMs(random: Random, attempt: number): number {
  const base = Math.min(firstBackoffMs * 2 ** Math.min(attempt, 10), maxBackoffMs)
  return base * (0.8 + (random.uint32() / 2 ** 32) * 0.4)
}

export function isRetriable(error: unknown): boolean {
  return error instanceof MillraceError && error.retriable
}

/** The error as one of ours, for those that must be thrown later and elsewhere. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
