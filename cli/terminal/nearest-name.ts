// Hints at the name that a person may have meant, or says which there are.

import { nearestName } from '../../core/nearest-name.ts'

/** `beginning` opens the list of all names where none is near; `nothing` is the sentence where there are none. */
export function nearest(name: string, known: readonly string[], beginning: string, nothing: string): string {
  const near = nearestName(name, known)
  if (near !== null) return `Did you mean ${near}?`
  if (known.length === 0) return nothing
  const more = known.length > mostNames ? ` and ${known.length - mostNames} more` : ''
  return `${known.length === 1 ? beginning.replace(/ are$/, ' is only') : beginning} ${known.slice(0, mostNames).join(', ')}${more}.`
}

/** More of them would hide what they are to help with. */
const mostNames = 12
