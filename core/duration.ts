// Durations as users write them: a number of milliseconds, or a date-fns Duration such as { minutes: 5 }.

import type { Duration as DateFnsDuration } from 'date-fns'
import { milliseconds } from 'date-fns/milliseconds'
import { MillraceError } from './error.ts'

/** Milliseconds, or a date-fns `Duration` object. Months and years are refused where a fixed length is needed. */
export type Duration = number | DateFnsDuration

/**
 * The length in whole milliseconds. `what` names the setting in the error.
 * @throws MillraceError BAD_DURATION for fractions, infinities, and calendar units, which have no fixed length
 */
export function toMs(duration: Duration, what = 'duration'): number {
  if (typeof duration !== 'number' && (duration.months || duration.years)) {
    throw new MillraceError('BAD_DURATION', `${what} is given in months or years, which have no fixed length.`, { hint: 'Use days or weeks.' })
  }
  const ms = typeof duration === 'number' ? duration : milliseconds(duration)
  if (!Number.isSafeInteger(ms)) throw new MillraceError('BAD_DURATION', `${what} is ${ms}, which is not a whole number of milliseconds.`)
  return ms
}
