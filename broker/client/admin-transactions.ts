// Transactions from outside: listed and described, the producers of partitions, and the end of a transaction that nobody else will end.

import { partitionName, type Offset, type Timestamp, type TopicPartition } from '../../core/record.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import type { Cluster } from './cluster.ts'
import { Coordinator } from './coordinator.ts'
import { groupByLeader, groupByTopic } from './partition-groups.ts'

export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: number
  /** As Kafka names it: Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort. */
  readonly state: string
}

export interface TransactionFilter {
  readonly states?: readonly string[]
  readonly producerIds?: readonly number[]
  /** Only transactions that have been open for longer, milliseconds. */
  readonly openForMs?: number
}

export interface TransactionDescription extends TransactionListing {
  readonly producerEpoch: number
  readonly timeoutMs: number
  /** Null where no transaction is open. */
  readonly startTime: Timestamp | null
  readonly partitions: readonly TopicPartition[]
}

/** A producer as a partition remembers it. */
export interface PartitionProducer extends TopicPartition {
  readonly producerId: number
  readonly producerEpoch: number
  readonly lastSequence: number
  /** -1 if unknown. */
  readonly lastTimestamp: Timestamp
  /** Of the coordinator that last ended a transaction of it; -1 if none has. */
  readonly coordinatorEpoch: number
  /** Where its open transaction begins; null if none is open. */
  readonly openSince: Offset | null
}

export interface TransactionAdmin {
  listTransactions(filter?: TransactionFilter): Promise<readonly TransactionListing[]>
  /** Null if the id is not known. */
  describeTransaction(transactionalId: string): Promise<TransactionDescription | null>
  describeProducers(partitions: readonly TopicPartition[]): Promise<readonly PartitionProducer[]>
  /** Aborts what a producer has open in one partition, without its coordinator. For transactions that no coordinator knows any more. @throws MillraceError INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED */
  abortTransaction(producer: Pick<PartitionProducer, 'topic' | 'partition' | 'producerId' | 'producerEpoch' | 'coordinatorEpoch'>): Promise<void>
}

export function createTransactionAdmin(cluster: Cluster): TransactionAdmin {
  return {
    listTransactions: filter => listTransactions(cluster, filter ?? {}),
    describeTransaction: transactionalId => describeTransaction(cluster, transactionalId),
    describeProducers: partitions => describeProducers(cluster, partitions),
    abortTransaction: producer => abortTransaction(cluster, producer),
  }
}

/** Each broker knows the transactions that it coordinates. */
async function listTransactions(cluster: Cluster, { states = [], producerIds = [], openForMs = -1 }: TransactionFilter): Promise<readonly TransactionListing[]> {
  await cluster.describeTopics([])
  const asked = Array.from(cluster.brokers.keys(), node =>
    cluster.retrying(async () => {
      const channel = await cluster.channelTo(node)
      const version = channel.versionOf('ListTransactions')
      const answer = await channel.request('ListTransactions', { stateFilters: states, producerIdFilters: producerIds, ...(version >= 1 ? { durationFilter: openForMs } : {}) }, { version })
      if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, 'listing transactions')
      return answer.transactionStates
    }),
  )
  const found = (await Promise.all(asked)).flat().map(({ transactionalId, producerId, transactionState }) => ({ transactionalId, producerId, state: transactionState }))
  return found.sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
}

async function describeTransaction(cluster: Cluster, transactionalId: string): Promise<TransactionDescription | null> {
  const connections = cluster.connections()
  try {
    const coordinator = new Coordinator(cluster, connections, transactionalId, 'transactions')
    const answer = await coordinator.ask('DescribeTransactions', 0, () => ({ transactionalIds: [transactionalId] }), answer => answer.transactionStates[0]?.errorCode ?? 0)
    const found = answer.transactionStates[0]
    if (found === undefined || found.errorCode === errors.TRANSACTIONAL_ID_NOT_FOUND.code) return null
    if (found.errorCode !== 0) throw kafkaError(found.errorCode, `describing transactional id ${transactionalId}`)
    return {
      transactionalId,
      producerId: found.producerId,
      producerEpoch: found.producerEpoch,
      state: found.transactionState,
      timeoutMs: found.transactionTimeoutMs,
      startTime: found.transactionStartTimeMs < 0 ? null : found.transactionStartTimeMs,
      partitions: found.topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition }))),
    }
  } finally {
    connections.close()
  }
}

async function describeProducers(cluster: Cluster, partitions: readonly TopicPartition[]): Promise<readonly PartitionProducer[]> {
  if (partitions.length === 0) return []
  return cluster.retrying(async () => {
    await cluster.refresh(new Set(partitions.map(({ topic }) => topic)))
    const asked = [...groupByLeader(cluster, partitions)].map(async ([node, group]) => {
      const topics = Array.from(groupByTopic(group), ([name, of]) => ({ name, partitionIndexes: of.map(({ partition }) => partition) }))
      return (await (await cluster.channelTo(node)).request('DescribeProducers', { topics })).topics
    })
    const producers: PartitionProducer[] = []
    for (const { name: topic, partitions } of (await Promise.all(asked)).flat()) {
      for (const { partitionIndex: partition, errorCode, errorMessage, activeProducers } of partitions) {
        if (errorCode !== 0) throw kafkaError(errorCode, `producers of ${partitionName(topic, partition)}`, errorMessage)
        for (const { currentTxnStartOffset, ...producer } of activeProducers) producers.push({ topic, partition, ...producer, openSince: currentTxnStartOffset < 0 ? null : currentTxnStartOffset })
      }
    }
    return producers
  })
}

async function abortTransaction(cluster: Cluster, producer: Parameters<TransactionAdmin['abortTransaction']>[0]): Promise<void> {
  const { topic, partition, producerId, producerEpoch } = producer
  const marker = {
    producerId, producerEpoch,
    transactionResult: false,
    topics: [{ name: topic, partitionIndexes: [partition] }],
    // A producer whose first transaction hangs was never heard of by a coordinator.
    coordinatorEpoch: Math.max(0, producer.coordinatorEpoch),
  }
  await cluster.retrying(async () => {
    await cluster.refresh([topic])
    const [node] = groupByLeader(cluster, [producer]).keys()
    const answer = await (await cluster.channelTo(node)).request('WriteTxnMarkers', { markers: [marker] })
    const code = answer.markers[0]?.topics[0]?.partitions[0]?.errorCode ?? 0
    if (code !== 0) throw kafkaError(code, `aborting the transaction of producer ${producerId} in ${partitionName(topic, partition)}`)
  })
}
