// Reads event times as people write them: milliseconds, or a date and time that is UTC where it names no zone.

import { parseISO } from 'date-fns/parseISO'
import type { Timestamp } from '../../core/record.ts'

const NUMBER = /^-?\d+(\.\d+)?$/
const DATE_TIME = /^(\d{4})[-/](\d{2})[-/](\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?))? ?(Z|[+-]\d{2}:?\d{2})?$/i

/** Milliseconds since the epoch; null where the value is no time. */
export function parseEventTime(value: unknown): Timestamp | null {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : null
  if (typeof value !== 'string') return null
  if (NUMBER.test(value)) return Math.trunc(Number(value))
  const match = DATE_TIME.exec(value)
  if (match === null) return null
  const [, year, month, day, time = '00:00', zone = 'Z'] = match
  const parsed = parseISO(`${year}-${month}-${day}T${time.replace(',', '.')}${zone.toUpperCase()}`).getTime()
  return Number.isNaN(parsed) ? null : parsed
}
