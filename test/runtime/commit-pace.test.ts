// When commits are due: a table of moments.

import { expect, test } from 'vitest'
import { CommitPace } from '../../runtime/commit-pace.ts'

test('a fixed interval holds, whatever commits cost', () => {
  const pace = new CommitPace(500, 30_000, 0)
  expect(pace.waitMs(0, true)).toBe(500)
  pace.committed(500, 900)
  expect(pace.waitMs(900, false)).toBe(500)
  expect(pace.waitMs(1400, false)).toBe(0)
})

test.each([
  { cost: 0, idle: false, wait: 100, why: 'never more often than ten times a second under load' },
  { cost: 30, idle: false, wait: 300, why: 'a commit costs a tenth of the time between commits' },
  { cost: 10_000, idle: false, wait: 30_000, why: 'and is never later than the longest interval' },
  { cost: 0, idle: true, wait: 10, why: 'with nothing else to do it is soon' },
  { cost: 50, idle: true, wait: 150, why: 'but not back to back' },
])('$why', ({ cost, idle, wait }) => {
  const pace = new CommitPace(null, 30_000, 0)
  pace.committed(1000, 1000 + cost)
  expect(pace.waitMs(1000 + cost, idle)).toBe(wait)
})
