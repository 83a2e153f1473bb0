// Reads a whole number from the command line, within bounds.

import { MillraceError } from '../../core/error.ts'

/** @throws MillraceError USAGE */
export function wholeNumber(option: string, text: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  const bound = most !== Number.MAX_SAFE_INTEGER ? ` from ${least} to ${most}` : least === -Number.MAX_SAFE_INTEGER ? '' : ` of at least ${least}`
  throw new MillraceError('USAGE', `${option} is ${text}, which is no whole number${bound}.`)
}
