// Refuses options that nobody knows, which only programs that were not type-checked can give.

import { MillraceError } from './error.ts'
import { nearestName } from './nearest-name.ts'

/** `known` has every name that the type has. @throws MillraceError UNKNOWN_OPTION with the nearest name */
export function refuseUnknownOptions<Options extends object>(of: string, options: Options, known: Readonly<Record<keyof Options, true>>): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    const near = nearestName(name, Object.keys(known))
    throw new MillraceError('UNKNOWN_OPTION', `${of} has no option ${name}.`, { hint: near === null ? `It has ${Object.keys(known).join(', ')}.` : `Did you mean ${near}?` })
  }
}
