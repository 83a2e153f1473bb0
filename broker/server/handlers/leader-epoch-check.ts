// Compares the leader epoch that a client knows with the one that is.

import type { ErrorName } from '../../wire/error-code.ts'

/** -1: the client does not know one. */
export function leaderEpochProblem(known: number, current: number): ErrorName | null {
  if (known === -1 || known === current) return null
  return known < current ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}
