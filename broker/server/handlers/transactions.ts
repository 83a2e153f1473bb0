// InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn: the producers' side of transactions.

import { MillraceError } from '../../../core/error.ts'
import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { errorFields } from '../../engine/error-fields.ts'
import { offsetsTopic } from '../../engine/group-host.ts'
import type { ProducerIdentity } from '../../kernel/transaction-state.ts'
import type { Handler } from './handler.ts'
import { fencing } from './transaction-errors.ts'

type AddedTopic = NonNullable<ResponseInput<'AddPartitionsToTxn'>['resultsByTopicV3AndBelow']>[number]
type AskedTopics = readonly { readonly name: string; readonly partitions: readonly number[] }[]

export const initProducerId: Handler<'InitProducerId'> = async ({ broker, version }, request) => {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
  const failed = (error: ErrorName) => ({ errorCode: errorCodeOf(error), producerId: -1, producerEpoch: -1 })
  if (transactionalId === '' || (producerId === -1) !== (producerEpoch === -1)) return failed('INVALID_REQUEST')
  if (transactionalId === null) return idempotentOnly(broker)
  const host = broker.transactions.of(transactionalId)
  if (host === null) return failed('NOT_COORDINATOR')
  const current = producerId === -1 ? null : { producerId, producerEpoch }
  const { error, ...identity } = await host.ask(transactionalId, (token, now, fresh) => host.coordinator.initProducerId({ transactionalId, timeoutMs, current }, fresh, token, now), true)
  return { errorCode: errorCodeOf(fencing(error, version >= 4)), ...identity }
}

async function idempotentOnly(broker: BrokerState): Promise<ResponseInput<'InitProducerId'>> {
  try {
    return { errorCode: 0, producerId: await broker.newProducerId(), producerEpoch: 0 }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    broker.logger.error('could not allocate a producer id', errorFields(error))
    // The error that every client takes for one to try again.
    return { errorCode: errorCodeOf('COORDINATOR_LOAD_IN_PROGRESS'), producerId: -1, producerEpoch: -1 }
  }
}

export const addPartitionsToTxn: Handler<'AddPartitionsToTxn'> = async ({ broker, version }, request) => {
  if (version < 4) {
    const { v3AndBelowTransactionalId: transactionalId, v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch, v3AndBelowTopics: topics } = request
    const added = absenceOf(broker, topics) ?? (await addPartitions(broker, { transactionalId, producerId, producerEpoch }, topics))
    return { resultsByTopicV3AndBelow: resultsOf(topics, added, version >= 2) }
  }
  const transactions = request.transactions.map(async transaction => {
    const { transactionalId, topics, verifyOnly } = transaction
    const outcome = absenceOf(broker, topics) ?? (verifyOnly ? verifyPartitions(broker, transaction) : await addPartitions(broker, transaction, topics))
    return { transactionalId, topicResults: resultsOf(topics, outcome, true) }
  })
  return { errorCode: 0, resultsByTransaction: await Promise.all(transactions) }
}

interface Producer extends ProducerIdentity {
  readonly transactionalId: string
}

type Outcome = (topic: string, partition: number) => ErrorName

/** All or nothing: where one partition is not there, none is added, nor looked for. Null if all are there. */
function absenceOf(broker: BrokerState, topics: AskedTopics): Outcome | null {
  const isThere = (topic: string, partition: number): boolean => broker.partition(topic, partition) !== undefined
  if (topics.every(({ name, partitions }) => partitions.every(index => isThere(name, index)))) return null
  return (topic, partition) => (isThere(topic, partition) ? 'OPERATION_NOT_ATTEMPTED' : 'UNKNOWN_TOPIC_OR_PARTITION')
}

async function addPartitions(broker: BrokerState, producer: Producer, topics: AskedTopics): Promise<Outcome> {
  const error = await add(broker, producer, new Map(topics.map(({ name, partitions }) => [name, partitions])))
  return () => error
}

async function add(broker: BrokerState, { transactionalId, producerId, producerEpoch }: Producer, partitions: ReadonlyMap<string, readonly number[]>): Promise<ErrorName> {
  const host = broker.transactions.of(transactionalId)
  if (host === null) return 'NOT_COORDINATOR'
  const { error } = await host.ask(transactionalId, (token, now) => host.coordinator.addPartitions({ transactionalId, producerId, producerEpoch, partitions, clientVersion: 0 }, token, now))
  return error
}

function verifyPartitions(broker: BrokerState, producer: Producer): Outcome {
  const host = broker.transactions.of(producer.transactionalId)
  return (topic, partition) => host?.coordinator.verify({ ...producer, topic, partition }) ?? 'NOT_COORDINATOR'
}

function resultsOf(topics: AskedTopics, outcome: Outcome, knowsFencing: boolean): readonly AddedTopic[] {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: errorCodeOf(fencing(outcome(name, partitionIndex), knowsFencing)) })),
  }))
}

/** What is added is the partition in which the group's offsets are kept. */
export const addOffsetsToTxn: Handler<'AddOffsetsToTxn'> = async ({ broker, version }, request) => {
  const { groupId } = request
  const error = await add(broker, request, new Map([[offsetsTopic, [broker.groups.partitionOf(groupId)]]]))
  return { errorCode: errorCodeOf(fencing(error, version >= 2)) }
}

/** From version 5 on the answer has the epoch to go on with. */
export const endTxn: Handler<'EndTxn'> = async ({ broker, version }, request) => {
  const { transactionalId, producerId, producerEpoch, committed: isCommit } = request
  const host = broker.transactions.of(transactionalId)
  if (host === null) return { errorCode: errorCodeOf('NOT_COORDINATOR') }
  const asked = { transactionalId, producerId, producerEpoch, isCommit, clientVersion: version >= 5 ? 2 : 0 }
  const { error, ...identity } = await host.ask(transactionalId, (token, now, fresh) => host.coordinator.end(asked, fresh, token, now), true)
  return { errorCode: errorCodeOf(fencing(error, version >= 2)), ...identity }
}
