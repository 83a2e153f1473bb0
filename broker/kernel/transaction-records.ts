// The records of __transaction_state, in Apache Kafka's format.

import { transactionLogRecord } from '../wire/records/transaction-log.ts'
import { decodeRecordKey, decodeVersioned, encodeRecordKey, encodeVersioned, keyTypeOf } from '../wire/versioned.ts'
import { transactionStatuses, type TransactionState } from './transaction-state.ts'

/** A record as what it means; a null state forgets the id. */
export interface TransactionFact {
  readonly transactionalId: string
  readonly state: TransactionState | null
}

export interface TransactionRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

const valueVersion = 1

export function encodeTransaction({ transactionalId, state }: TransactionFact): TransactionRecord {
  const key = encodeRecordKey(transactionLogRecord, { transactionalId })
  return { key, value: state === null ? null : encodeVersioned(transactionLogRecord.value, valueVersion, valueOf(state)) }
}

function valueOf(state: TransactionState) {
  const partitions = [...state.partitions].map(([topic, partitionIds]) => ({ topic, partitionIds }))
  return {
    producerId: state.producerId,
    previousProducerId: state.previousProducerId,
    nextProducerId: state.nextProducerId,
    producerEpoch: state.producerEpoch,
    transactionTimeoutMs: state.timeoutMs,
    transactionStatus: transactionStatuses.indexOf(state.status),
    transactionPartitions: state.status === 'Empty' ? null : partitions,
    transactionLastUpdateTimestampMs: state.updatedAt,
    transactionStartTimestampMs: state.startedAt,
    clientTransactionVersion: state.clientVersion,
  }
}

/** Null for records of another kind. The bytes are not kept. */
export function decodeTransaction(key: Buffer, value: Buffer | null): TransactionFact | null {
  if (keyTypeOf(key) !== transactionLogRecord.keyType) return null
  const { transactionalId } = decodeRecordKey(transactionLogRecord, key)
  return { transactionalId, state: value === null ? null : stateOf(value) }
}

function stateOf(bytes: Buffer): TransactionState {
  const value = decodeVersioned(transactionLogRecord.value, bytes)
  return {
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: -1,
    timeoutMs: value.transactionTimeoutMs,
    status: transactionStatuses[value.transactionStatus] ?? 'Dead',
    partitions: new Map((value.transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, partitionIds])),
    startedAt: value.transactionStartTimestampMs,
    updatedAt: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  }
}
