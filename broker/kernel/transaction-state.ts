// The state of one transactional id, and the steps it may take; each step is a function from state to state.

import type { Timestamp } from '../../core/record.ts'

/** Kafka's names, in the order of their numbers in the log. */
export const transactionStatuses = ['Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort', 'Dead', 'PrepareEpochFence'] as const
export type TransactionStatus = (typeof transactionStatuses)[number]

export interface TransactionState {
  readonly producerId: number
  /** The id before, where epochs ran out; else -1. So is the next one, while the end of a transaction is under way. */
  readonly previousProducerId: number
  readonly nextProducerId: number
  readonly producerEpoch: number
  /** The epoch before a bump that its producer has asked for; else -1. Not in the log: a repeated request after a restart is fenced. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly status: TransactionStatus
  /** What the transaction writes to, by topic. */
  readonly partitions: ReadonlyMap<string, readonly number[]>
  /** -1 before the first. */
  readonly startedAt: Timestamp
  readonly updatedAt: Timestamp
  /** 2 for a client of transaction.version 2, which gets a new epoch with every end (KIP-890); else 0. */
  readonly clientVersion: number
}

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** The last epoch that a client sees; the one behind it is left for fencing. */
export const lastEpoch = 32766
const noPartitions: ReadonlyMap<string, readonly number[]> = new Map()

/** A transactional id that is new. */
export function newTransaction(producerId: number, timeoutMs: number, now: Timestamp): TransactionState {
  return { producerId, previousProducerId: -1, nextProducerId: -1, producerEpoch: 0, lastProducerEpoch: -1, timeoutMs, status: 'Empty', partitions: noPartitions, startedAt: -1, updatedAt: now, clientVersion: 0 }
}

export function isExhausted(state: TransactionState): boolean {
  return state.producerEpoch >= lastEpoch
}

/** The end is decided and not everywhere yet. */
export function isEnding(state: TransactionState): boolean {
  return state.status === 'PrepareCommit' || state.status === 'PrepareAbort'
}

/** Its producer starts anew, with the next epoch. `last`: what {@link TransactionState.lastProducerEpoch} becomes. */
export function renewed(state: TransactionState, last: number, timeoutMs: number, now: Timestamp): TransactionState {
  return { ...idle(state, now), producerEpoch: state.producerEpoch + 1, lastProducerEpoch: last, timeoutMs }
}

/** As it was after {@link renewed}, or after it was {@link fenced}: the answer that said so was lost. */
export function renewedAlready(state: TransactionState, timeoutMs: number, now: Timestamp): TransactionState {
  return { ...idle(state, now), timeoutMs }
}

/** As {@link renewed}, with another producer id, since the epochs ran out. */
export function rotated(state: TransactionState, producerId: number, last: number, timeoutMs: number, now: Timestamp): TransactionState {
  return { ...idle(state, now), producerId, previousProducerId: state.producerId, producerEpoch: 0, lastProducerEpoch: last, timeoutMs }
}

function idle(state: TransactionState, now: Timestamp): TransactionState {
  return { ...state, nextProducerId: -1, status: 'Empty', partitions: noPartitions, startedAt: -1, updatedAt: now }
}

export function withPartitions(state: TransactionState, added: ReadonlyMap<string, readonly number[]>, clientVersion: number, now: Timestamp): TransactionState {
  const partitions = new Map(state.status === 'Ongoing' ? state.partitions : noPartitions)
  for (const [topic, indexes] of added) partitions.set(topic, [...new Set([...(partitions.get(topic) ?? []), ...indexes])])
  return { ...state, status: 'Ongoing', partitions, startedAt: state.status === 'Ongoing' ? state.startedAt : now, updatedAt: now, clientVersion }
}

export function holdsPartitions(state: TransactionState, asked: ReadonlyMap<string, readonly number[]>): boolean {
  return state.status === 'Ongoing' && [...asked].every(([topic, indexes]) => indexes.every(index => state.partitions.get(topic)?.includes(index)))
}

/** The end is decided. A client of version 2 gets the next epoch with it; where epochs ran out `nextProducerId` takes over when all is done. */
export function ended(state: TransactionState, isCommit: boolean, clientVersion: number, nextProducerId: number, now: Timestamp): TransactionState {
  const isBumped = clientVersion >= 2
  return {
    ...state,
    status: isCommit ? 'PrepareCommit' : 'PrepareAbort',
    nextProducerId,
    producerEpoch: isBumped ? state.producerEpoch + 1 : state.producerEpoch,
    lastProducerEpoch: isBumped ? state.producerEpoch : state.lastProducerEpoch,
    startedAt: state.status === 'Ongoing' ? state.startedAt : now,
    updatedAt: now,
    clientVersion,
  }
}

/** Aborted by the coordinator: whoever holds the current epoch is shut out, unless it asks for the next one before anybody else does. */
export function fenced(state: TransactionState, now: Timestamp): TransactionState {
  return { ...state, status: 'PrepareAbort', nextProducerId: -1, producerEpoch: Math.min(state.producerEpoch + 1, lastEpoch + 1), lastProducerEpoch: state.producerEpoch, updatedAt: now }
}

/** The markers are everywhere. */
export function completed(state: TransactionState, now: Timestamp): TransactionState {
  const rotation = state.nextProducerId === -1 ? {} : { producerId: state.nextProducerId, previousProducerId: state.producerId, nextProducerId: -1, producerEpoch: 0 }
  return { ...state, ...rotation, status: state.status === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort', partitions: noPartitions, updatedAt: now }
}
