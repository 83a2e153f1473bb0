// Times as people write them, and what they mean.

import { expect, test } from 'vitest'
import { parseEventTime } from '../../../cli/input/event-time.ts'

test.each([
  [0, 0],
  [1700000000000, 1700000000000],
  [1.9, 1],
  ['1700000000000', 1700000000000],
  ['-5', -5],
  ['2001/01/01 00:47', 978310020000],
  ['2001-01-01 00:47', 978310020000],
  ['2001-01-01T00:47:00Z', 978310020000],
  ['2001-01-01T01:47:00+01:00', 978310020000],
  ['2001-01-01T00:47:00.250Z', 978310020250],
  ['2001-01-01', 978307200000],
])('%j is %d', (value, time) => {
  expect(parseEventTime(value)).toBe(time)
})

test.each([['yesterday'], [''], [null], [undefined], [true], [Number.NaN], ['2001/13/01 00:00'], ['2001-02-30'], [{}]])('%j is no time', value => {
  expect(parseEventTime(value)).toBeNull()
})
