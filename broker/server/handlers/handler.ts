// What a handler is: a function from a request's body to its answer, with the broker's state and the client's circumstances at hand.

import type { ApiName, RequestOf, ResponseInput } from '../../wire/apis.ts'
import type { Peer } from '../../wire/session.ts'
import type { BrokerState, Endpoint } from '../../engine/broker-state.ts'
import type { AnswerBudget } from './answer-budget.ts'
import type { Access } from '../security/access.ts'
import type { Authentication } from '../security/authentication.ts'

/** Whether anyone still waits for an answer. */
export interface Connection {
  readonly isClosed: boolean
  /** Calls `listener` once when the connection closes. Answers how to stop. */
  onClose(listener: () => void): () => void
  /** Bytes of records that an answer may bring beyond a first batch; see engine/answer-memory.ts. */
  readonly answerRoom: number
  /** An answer with so many bytes of records is on its way. */
  holdAnswer(bytes: number): void
}

export interface RequestContext {
  readonly broker: BrokerState
  readonly version: number
  readonly clientId: string | null
  readonly peer: Peer
  readonly connection: Connection
  /** Where the client is told to find the broker: the address of the listener that it came in by. */
  readonly endpoint: Endpoint
  readonly answer: AnswerBudget
  readonly authentication: Authentication
  /** What the client may do; what a request as a whole needs is looked at before its handler is called. */
  readonly access: Access
}

/**
 * Answers one request. What changes state does so before the first `await`: requests of a connection take effect in their order.
 * Null where Kafka sends no answer.
 */
export type Handler<N extends ApiName> = (context: RequestContext, request: RequestOf<N>) => Promise<ResponseInput<N> | null> | ResponseInput<N> | null
