// What a transaction coordinator wants done: answers, records to append, markers to write; plain data that its driver carries out in order.

import type { ErrorName } from '../wire/error-code.ts'
import type { TransactionRecord } from './transaction-records.ts'

export interface TransactionAnswer {
  readonly error: ErrorName
  /** -1 where there is none to tell. */
  readonly producerId: number
  readonly producerEpoch: number
}

export type TransactionEffect =
  /** `token` is the one that came with the request; every token is answered once. */
  | { readonly kind: 'reply'; readonly token: number; readonly answer: TransactionAnswer }
  /** Tell the coordinator by `appended(id, …)` when the record is acknowledged, or cannot be. */
  | { readonly kind: 'append'; readonly id: number; readonly record: TransactionRecord }
  /** Put the marker into all partitions, as often as it takes; then tell the coordinator by `marked(transactionalId, …)`. */
  | {
    readonly kind: 'mark'
    readonly transactionalId: string
    readonly producerId: number
    readonly producerEpoch: number
    readonly isCommit: boolean
    readonly partitions: ReadonlyMap<string, readonly number[]>
    /** Not before this time has passed. */
    readonly delayMs: number
  }
