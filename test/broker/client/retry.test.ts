// Trying again is bounded, waits longer each time, and ends when asked to.

import { describe, expect, it } from 'vitest'
import { backoffMs, retrying, type ClientWorld } from '../../../broker/client/retry.ts'
import { MillraceError } from '../../../core/error.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { silentLogger } from '../../../core/logger.ts'
import { seededRandom } from '../../../core/random.ts'

const passing = new MillraceError('LEADER_NOT_AVAILABLE', 'not yet', { retriable: true })

async function runs(clock: VirtualClock, work: Promise<unknown>): Promise<unknown> {
  const state: { outcome?: unknown } = {}
  void work.then(
    value => (state.outcome = value),
    error => (state.outcome = error),
  )
  for (let i = 0; i < 10_000 && state.outcome === undefined; i++) {
    await new Promise(resolve => setImmediate(resolve))
    if (state.outcome === undefined) clock.advance(10)
  }
  return state.outcome
}

describe('trying again', () => {
  const worldOf = (clock: VirtualClock): ClientWorld => ({ clock, random: seededRandom(1), logger: silentLogger })

  it('until it succeeds', async () => {
    const clock = new VirtualClock()
    const action = async (attempt: number): Promise<string> => {
      if (attempt < 4) throw passing
      return `after ${attempt}`
    }
    expect(await runs(clock, retrying(worldOf(clock), { deadlineMs: 60_000 }, action))).toBe('after 4')
    expect(clock.monotonic()).toBeGreaterThan(50 + 100 + 200)
  })

  it('until the deadline, and then throws the last error', async () => {
    const clock = new VirtualClock()
    const outcome = await runs(clock, retrying(worldOf(clock), { deadlineMs: 5_000 }, async () => Promise.reject(passing)))
    expect(outcome).toBe(passing)
    expect(clock.monotonic()).toBeLessThanOrEqual(5_010)
  })

  it('never after an error that stays, nor when asked to end', async () => {
    const clock = new VirtualClock()
    const lasting = new MillraceError('INVALID_CONFIG', 'never')
    expect(await runs(clock, retrying(worldOf(clock), { deadlineMs: 5_000 }, async () => Promise.reject(lasting)))).toBe(lasting)
    const abort = new AbortController()
    abort.abort()
    expect(await runs(clock, retrying(worldOf(clock), { deadlineMs: 5_000, signal: abort.signal }, async () => Promise.reject(passing)))).toBe(passing)
    expect(clock.monotonic()).toBe(0)
  })

  it('waits 50 ms at first, a second at most, a fifth more or less', () => {
    const random = seededRandom(7)
    for (let attempt = 0; attempt < 40; attempt++) {
      const base = Math.min(1000, 50 * 2 ** attempt)
      const waitMs = backoffMs(random, attempt)
      expect(waitMs).toBeGreaterThanOrEqual(base * 0.8)
      expect(waitMs).toBeLessThanOrEqual(base * 1.2)
    }
  })
})
