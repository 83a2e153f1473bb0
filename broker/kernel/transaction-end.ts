// What becomes of a request to end a transaction: it ends, it has ended so before, or an error says why not.

import type { ErrorName } from '../wire/error-code.ts'
import { isEnding, lastEpoch, type ProducerIdentity, type TransactionState } from './transaction-state.ts'

export interface EndRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly isCommit: boolean
  readonly clientVersion: number
}

export type EndVerdict = 'end' | 'done' | ErrorName

export function endVerdict(state: TransactionState, request: EndRequest): EndVerdict {
  return request.clientVersion >= 2 ? bumpingVerdict(state, request) : plainVerdict(state, request)
}

/** Of a client that keeps its epoch: a repeated request looks like the first. */
function plainVerdict(state: TransactionState, { producerId, producerEpoch, isCommit }: EndRequest): EndVerdict {
  if (state.producerId !== producerId) return 'INVALID_PRODUCER_ID_MAPPING'
  if (state.producerEpoch !== producerEpoch) return 'PRODUCER_FENCED'
  if (state.status === 'Ongoing') return 'end'
  if (isEnding(state)) return (state.status === 'PrepareCommit') === isCommit ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE'
  return state.status === (isCommit ? 'CompleteCommit' : 'CompleteAbort') ? 'done' : 'INVALID_TXN_STATE'
}

/** Of a client that gets a new epoch with every end: a repeated request still has the one before. An abort may come before anything was written. */
function bumpingVerdict(state: TransactionState, { producerId, producerEpoch, isCommit }: EndRequest): EndVerdict {
  const isRotatedRetry = state.previousProducerId === producerId && producerEpoch === lastEpoch && state.producerEpoch === 0
  const isBumpedRetry = state.producerId === producerId && state.producerEpoch === producerEpoch + 1
  if (state.producerId !== producerId && !isRotatedRetry) return 'INVALID_PRODUCER_ID_MAPPING'
  if (isEnding(state)) {
    if (!isBumpedRetry) return 'PRODUCER_FENCED'
    return (state.status === 'PrepareCommit') === isCommit ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE'
  }
  const isComplete = state.status === 'CompleteCommit' || state.status === 'CompleteAbort'
  if (isComplete && (isRotatedRetry || isBumpedRetry)) return (state.status === 'CompleteCommit') === isCommit ? 'done' : 'INVALID_TXN_STATE'
  if (state.producerEpoch !== producerEpoch) return 'PRODUCER_FENCED'
  return state.status === 'Ongoing' || !isCommit ? 'end' : 'INVALID_TXN_STATE'
}
