// How errors of transactions reach clients of older versions, and those who only write.

import type { ErrorName } from '../../wire/error-code.ts'

/** Clients of before KIP-588 know a producer that was shut out by its epoch alone. */
export function fencing(error: ErrorName, knowsFencing: boolean): ErrorName {
  return error === 'PRODUCER_FENCED' && !knowsFencing ? 'INVALID_PRODUCER_EPOCH' : error
}

/** Why a producer may not write in its transaction. `knowsAbortable`: its version has TRANSACTION_ABORTABLE (KIP-890). */
export function writeError(error: ErrorName, knowsAbortable: boolean): ErrorName {
  if (error === 'PRODUCER_FENCED') return 'INVALID_PRODUCER_EPOCH'
  return error === 'TRANSACTION_ABORTABLE' && !knowsAbortable ? 'INVALID_TXN_STATE' : error
}
