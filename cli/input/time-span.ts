// Reads lengths of time as people write them: 90s, 2h, 1d12h, or ISO 8601 as P1DT12H.

import { MillraceError } from '../../core/error.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Milliseconds. @throws MillraceError USAGE */
export function timeSpan(option: string, text: string): number {
  const short = text.replace(/^P(?=\d|T\d)/i, '').replace(/T/i, '').toLowerCase()
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(short)) throw new MillraceError('USAGE', `${option} is ${text}, which is no length of time.`, { hint: 'For example 30m, 1d12h or P1DT12H.' })
  let ms = 0
  for (const [, number, unit] of short.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) ms += Number(number) * unitMs[unit!]!
  return Math.round(ms)
}
