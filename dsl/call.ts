// One call of a verb: what it is called, where in the user's script, under which name; and the errors that point back at it.

import { MillraceError } from '../core/error.ts'
import { callSite } from './site.ts'

export interface Call {
  /** As the user wrote it: `groupBy`. */
  readonly verb: string
  readonly site: string | null
  /** Given by the user; null leaves it to the structure. */
  readonly name: string | null
}

/** @throws MillraceError TOPOLOGY if the name is not one that a topic may have */
export function callOf(verb: string, options?: { readonly name?: string | undefined }): Call {
  const call = { verb, site: callSite(), name: options?.name ?? null }
  if (call.name !== null) checkName(call.name, 'name', call)
  return call
}

/** An error of the topology: the operator, its line, the fact, and what to do. */
export function topologyError(call: Pick<Call, 'verb' | 'site'>, fact: string, hint: string): MillraceError {
  return new MillraceError('TOPOLOGY', `${whereabouts(call)}: ${fact}`, { hint })
}

/** `groupBy at word-count.ts:8`. */
export function whereabouts(call: Pick<Call, 'verb' | 'site'>): string {
  return call.site === null ? call.verb : `${call.verb} at ${call.site}`
}

/** Kafka's limit for topic names is 249; what the application adds around a name must fit, too. */
const NAME_LIMIT = 200

/** Names become parts of topic names, so they obey the same rules. @throws MillraceError TOPOLOGY */
export function checkName(name: string, what: string, call: Pick<Call, 'verb' | 'site'>): void {
  if (/^[a-zA-Z0-9._-]+$/.test(name) && name !== '.' && name !== '..' && name.length <= NAME_LIMIT) return
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
  throw topologyError(call, `the ${what} ${shown} is not allowed.`, `Use up to ${NAME_LIMIT} letters, digits, dots, underscores and hyphens.`)
}
