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
  if (isEnding(state) && holdsWhatWasHandedOut(state, { producerId, producerEpoch })) return 'CONCURRENT_TRANSACTIONS'
  const isRotatedRetry = state.previousProducerId === producerId && producerEpoch === lastEpoch && state.producerEpoch === 0
  if (state.producerId !== producerId && !isRotatedRetry) return 'INVALID_PRODUCER_ID_MAPPING'
  const isBumpedRetry = state.producerEpoch === producerEpoch + 1
  if (isEnding(state)) {
    if (!isBumpedRetry) return 'PRODUCER_FENCED'
    return (state.status === 'PrepareCommit') === isCommit ? 'CONCURRENT_TRANSACTIONS' : 'INVALID_TXN_STATE'
  }
  const isComplete = state.status === 'CompleteCommit' || state.status === 'CompleteAbort'
  if (isComplete && (isRotatedRetry || isBumpedRetry)) return (state.status === 'CompleteCommit') === isCommit ? 'done' : 'INVALID_TXN_STATE'
  if (state.producerEpoch !== producerEpoch) return 'PRODUCER_FENCED'
  return state.status === 'Ongoing' || !isCommit ? 'end' : 'INVALID_TXN_STATE'
}

/**
 * Whether the client has heard of the end under way and ends its next transaction already, which has written nothing: clients send such aborts.
 * Apache Kafka calls it fenced, which it can afford as its markers hardly take time; a client that is told to wait asks again.
 */
function holdsWhatWasHandedOut(state: TransactionState, { producerId, producerEpoch }: ProducerIdentity): boolean {
  return state.nextProducerId >= 0 ? producerId === state.nextProducerId && producerEpoch === 0 : producerId === state.producerId && producerEpoch === state.producerEpoch
}
