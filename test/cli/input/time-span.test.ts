// Lengths of time, short and as ISO 8601.

import { expect, test } from 'vitest'
import { timeSpan } from '../../../cli/input/time-span.ts'

test.each([['90s', 90_000], ['2h', 7_200_000], ['1d12h', 129_600_000], ['250ms', 250], ['1.5h', 5_400_000], ['P1DT12H', 129_600_000], ['PT30M', 1_800_000], ['P2W', 1_209_600_000], ['PT0.5S', 500]])('%s is %i ms', (text, ms) => {
  expect(timeSpan('--by-duration', text)).toBe(ms)
})

test.each(['', '5', 'P', 'soon', '-1h', 'P1Y', '1h later'])('%j is refused', text => {
  expect(() => timeSpan('--by-duration', text)).toThrow('is no length of time')
})
