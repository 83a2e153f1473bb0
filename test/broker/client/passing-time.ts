// Virtual time that passes while work is under way.

import type { VirtualClock } from '../../../core/clock.ts'

const longestMs = 3_600_000

/** Moves the clock on step by step until the work is done. @throws Error where an hour of that clock is not enough */
export async function passing<T>(clock: VirtualClock, work: Promise<T>, stepMs = 5): Promise<T> {
  const state = { open: true }
  const done = work.finally(() => (state.open = false))
  done.catch(() => {})
  for (let passedMs = 0; state.open; passedMs += stepMs) {
    if (passedMs > longestMs) throw new Error('an hour went by')
    await new Promise(resolve => setImmediate(resolve))
    if (state.open) clock.advance(stepMs)
  }
  return done
}
