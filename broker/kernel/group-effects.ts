// What a group coordinator wants done: answers, records to append, timers; plain data that its driver carries out in order.

import type { ResponseInput } from '../wire/apis.ts'
import type { ErrorName } from '../wire/error-code.ts'
import type { ProducerIdentity } from './transaction-state.ts'

/** Something that may come due. One of the same kind and names replaces the one before. */
export type GroupTimer =
  | { readonly kind: 'session' | 'revocation' | 'member-join' | 'member-sync'; readonly groupId: string; readonly memberId: string }
  | { readonly kind: 'rebalance' | 'sync'; readonly groupId: string }

/** A record of __consumer_offsets; a null value removes what the key stands for. */
export interface GroupRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

export type JoinAnswer = ResponseInput<'JoinGroup'>
export type SyncAnswer = ResponseInput<'SyncGroup'>
export type HeartbeatAnswer = ResponseInput<'ConsumerGroupHeartbeat'>

/** One error per member that was to leave, in order; or why none of them could. */
export interface LeaveAnswer {
  readonly refused: ErrorName | null
  readonly errors: readonly ErrorName[]
}

/** A number is an error code of Kafka's. */
export type GroupAnswer = JoinAnswer | SyncAnswer | HeartbeatAnswer | LeaveAnswer | number

export type GroupEffect =
  /** `token` is the one that came with the request; every token is answered once. */
  | { readonly kind: 'reply'; readonly token: number; readonly answer: GroupAnswer }
  /** Tell the coordinator by `appended(id, …)` when the records are acknowledged, or cannot be. `producer`: in whose transaction they are. */
  | { readonly kind: 'append'; readonly id: number; readonly records: readonly GroupRecord[]; readonly producer?: ProducerIdentity }
  | { readonly kind: 'timer'; readonly timer: GroupTimer; readonly delayMs: number }
  | { readonly kind: 'cancel'; readonly timer: GroupTimer }
