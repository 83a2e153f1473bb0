// The machine's clock: what it is asked to wait for long, it waits for.

import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../core/clock.ts'

afterEach(() => void vi.useRealTimers())

const day = 24 * 60 * 60 * 1000

test.each([10, 24 * day, 25 * day, 100 * day])('an action is called once, after %i ms', delayMs => {
  vi.useFakeTimers()
  let calls = 0
  systemClock.after(delayMs, () => calls++)
  vi.advanceTimersByTime(Math.max(0, delayMs - 1))
  expect(calls).toBe(0)
  vi.advanceTimersByTime(1)
  expect(calls).toBe(1)
  vi.advanceTimersByTime(200 * day)
  expect(calls).toBe(1)
})

test.each([0, 30 * day])('it can be cancelled after %i ms of 60 days', elapsedMs => {
  vi.useFakeTimers()
  let calls = 0
  const cancel = systemClock.after(60 * day, () => calls++)
  vi.advanceTimersByTime(elapsedMs)
  cancel()
  vi.advanceTimersByTime(100 * day)
  expect(calls).toBe(0)
})
