// ListTransactions, DescribeTransactions, DescribeProducers, WriteTxnMarkers: transactions as admin tools see and mend them.

import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import type { Partition } from '../../engine/partition.ts'
import { topicNameProblem } from '../../kernel/catalogue.ts'
import { topicPattern } from '../../kernel/topic-pattern.ts'
import { transactionStatuses, type TransactionState } from '../../kernel/transaction-state.ts'
import type { TransactionMarker } from '../../wire/control-batch.ts'
import type { Handler } from './handler.ts'

/** No transaction has a greater one. */
const maxEpoch = 0x7fff

type Described = ResponseInput<'DescribeTransactions'>['transactionStates'][number]
type DescribedPartition = ResponseInput<'DescribeProducers'>['topics'][number]['partitions'][number]

export const listTransactions: Handler<'ListTransactions'> = ({ broker }, { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }) => {
  const names: readonly string[] = transactionStatuses
  const unknownStateFilters = [...new Set(stateFilters.filter(state => !names.includes(state)))]
  const isNamed = transactionalIdPattern === null || transactionalIdPattern === '' ? () => true : topicPattern(transactionalIdPattern)
  if (typeof isNamed === 'string') return { errorCode: errorCodeOf('INVALID_REGULAR_EXPRESSION'), unknownStateFilters: [], transactionStates: [] }
  const now = broker.clock.now()
  const isWanted = ({ producerId, status, startedAt }: TransactionState): boolean =>
    (stateFilters.length === 0 || stateFilters.includes(status)) &&
    (producerIdFilters.length === 0 || producerIdFilters.includes(producerId)) &&
    // What has not begun is as old as can be.
    (durationFilter < 0 || now - startedAt > durationFilter)
  const all = broker.transactions.all.flatMap(({ coordinator }) => [...coordinator.all()])
  const transactionStates = all
    .filter(([transactionalId, state]) => isNamed(transactionalId) && isWanted(state))
    .map(([transactionalId, { producerId, status }]) => ({ transactionalId, producerId, transactionState: status }))
  return { errorCode: 0, unknownStateFilters, transactionStates }
}

export const describeTransactions: Handler<'DescribeTransactions'> = ({ broker }, { transactionalIds }) => ({
  transactionStates: transactionalIds.map((transactionalId): Described => {
    const host = broker.transactions.of(transactionalId)
    const state = host?.coordinator.get(transactionalId) ?? null
    const error = transactionalId === '' ? 'INVALID_REQUEST' : host === null ? 'NOT_COORDINATOR' : 'TRANSACTIONAL_ID_NOT_FOUND'
    if (state === null) {
      return { errorCode: errorCodeOf(error), transactionalId, transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0, producerId: 0, producerEpoch: 0, topics: [] }
    }
    return {
      errorCode: 0, transactionalId, transactionState: state.status, transactionTimeoutMs: state.timeoutMs, transactionStartTimeMs: state.startedAt,
      producerId: state.producerId, producerEpoch: state.producerEpoch,
      topics: [...state.partitions].map(([topic, partitions]) => ({ topic, partitions })),
    }
  }),
})

export const describeProducers: Handler<'DescribeProducers'> = ({ broker, answer }, { topics }) => ({
  topics: topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex): DescribedPartition => {
      const partition = broker.partition(name, partitionIndex)
      if (partition === undefined) return { partitionIndex, errorCode: errorCodeOf(topicNameProblem(name) === null ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'), activeProducers: [] }
      answer.admit(partition.producers.size)
      return { partitionIndex, errorCode: 0, activeProducers: producersOf(partition) }
    }),
  })),
})

function producersOf({ producers, transactions }: Partition): DescribedPartition['activeProducers'] {
  return [...producers.all()].map(({ producerId, epoch, lastSequence, lastTimestamp }) => ({
    producerId, producerEpoch: epoch, lastSequence, lastTimestamp,
    coordinatorEpoch: transactions.coordinatorEpochOf(producerId),
    currentTxnStartOffset: transactions.openSince(producerId) ?? -1,
  }))
}

/** What an admin does about a transaction that its coordinator has forgotten. */
export const writeTxnMarkers: Handler<'WriteTxnMarkers'> = async ({ broker }, request) => {
  const asked = request.markers.map(marker => ({ ...marker, topics: marker.topics.filter(({ partitionIndexes }) => partitionIndexes.length > 0) }))
  // Of one that is for no partition there is nothing to say.
  const markers = asked.filter(({ topics }) => topics.length > 0).map(async ({ producerId, producerEpoch, transactionResult: isCommit, coordinatorEpoch, transactionVersion, topics }) => {
    const marker = { producerId, producerEpoch, isCommit, coordinatorEpoch }
    const written = topics.map(async ({ name, partitionIndexes }) => ({
      name,
      partitions: await Promise.all(partitionIndexes.map(async partitionIndex => ({ partitionIndex, errorCode: errorCodeOf(markerRefusal(broker.partition(name, partitionIndex), marker, transactionVersion) ?? (await broker.markers.write(marker, name, partitionIndex, { unlessEnded: false }))) }))),
    }))
    return { producerId, topics: await Promise.all(written) }
  })
  return { markers: await Promise.all(markers) }
}

/** In the second way of transactions each has an epoch of its own, so that a marker of the epoch that is known already ends what has ended, or what is not its own. */
function markerRefusal(partition: Partition | undefined, { producerId, producerEpoch, coordinatorEpoch }: TransactionMarker, transactionVersion: number): ErrorName | null {
  if (partition === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  if (producerId < 0 || producerEpoch < 0) return 'INVALID_PRODUCER_EPOCH'
  const { producers, transactions } = partition
  const epoch = producers.epochOf(producerId)
  const endsAnother = transactionVersion >= 2 && producerEpoch === epoch && producerEpoch !== maxEpoch && transactions.openSince(producerId) !== undefined
  if (producerEpoch < epoch || endsAnother) return 'INVALID_PRODUCER_EPOCH'
  return coordinatorEpoch < transactions.coordinatorEpochOf(producerId) ? 'TRANSACTION_COORDINATOR_FENCED' : null
}
