// Who may write in transactions, and see and mend them.

import { operation, resourceType } from '../../../kernel/acl.ts'
import type { ResponseInput } from '../../../wire/apis.ts'
import { errorCodeOf } from '../../../wire/error-code.ts'
import { allowsCluster, allowsGroup, allowsTopic, type Access } from '../access.ts'
import { partly, type Guard } from '../guard.ts'

const idRefused = errorCodeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
const topicRefused = errorCodeOf('TOPIC_AUTHORIZATION_FAILED')
const groupRefused = errorCodeOf('GROUP_AUTHORIZATION_FAILED')
const clusterRefused = errorCodeOf('CLUSTER_AUTHORIZATION_FAILED')

function allowsId(access: Access, asked: number, transactionalId: string): boolean {
  return access.allows(asked, resourceType.transactionalId, transactionalId)
}

/** Who may write to any topic may do it idempotently. */
export const guardInitProducerId: Guard<'InitProducerId'> = ({ access }, request) => {
  const { transactionalId } = request
  const isAllowed = transactionalId === null
    ? allowsCluster(access, operation.idempotentWrite) || access.allowsAny(operation.write, resourceType.topic)
    : allowsId(access, operation.write, transactionalId)
  return isAllowed ? { request } : { answer: { errorCode: transactionalId === null ? clusterRefused : idRefused, producerId: -1, producerEpoch: -1 } }
}

/** All or nothing: where one topic is refused, no partition is added. From version 4 on it is brokers that ask. */
export const guardAddPartitionsToTxn: Guard<'AddPartitionsToTxn'> = ({ access, version }, request) => {
  if (version >= 4) return allowsCluster(access, operation.clusterAction) ? { request } : { answer: { errorCode: clusterRefused } }
  const topics = request.v3AndBelowTopics
  const refused = (codeOf: (topic: string) => number) => ({
    answer: { resultsByTopicV3AndBelow: topics.map(({ name, partitions }) => ({ name, resultsByPartition: partitions.map(partitionIndex => ({ partitionIndex, partitionErrorCode: codeOf(name) })) })) },
  })
  if (!allowsId(access, operation.write, request.v3AndBelowTransactionalId)) return refused(() => idRefused)
  const isAllowed = (name: string): boolean => allowsTopic(access, operation.write, name)
  return topics.every(({ name }) => isAllowed(name)) ? { request } : refused(name => (isAllowed(name) ? errorCodeOf('OPERATION_NOT_ATTEMPTED') : topicRefused))
}

export const guardAddOffsetsToTxn: Guard<'AddOffsetsToTxn'> = ({ access }, request) => {
  if (!allowsId(access, operation.write, request.transactionalId)) return { answer: { errorCode: idRefused } }
  return allowsGroup(access, operation.read, request.groupId) ? { request } : { answer: { errorCode: groupRefused } }
}

export const guardEndTxn: Guard<'EndTxn'> = ({ access }, request) =>
  allowsId(access, operation.write, request.transactionalId) ? { request } : { answer: { errorCode: idRefused } }

export const guardTxnOffsetCommit: Guard<'TxnOffsetCommit'> = ({ access }, request) => {
  const refusedWith = (topics: typeof request.topics, errorCode: number): ResponseInput<'TxnOffsetCommit'>['topics'] =>
    topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }))
  if (!allowsId(access, operation.write, request.transactionalId)) return { answer: { topics: refusedWith(request.topics, idRefused) } }
  if (!allowsGroup(access, operation.read, request.groupId)) return { answer: { topics: refusedWith(request.topics, groupRefused) } }
  return partly({
    request, items: request.topics,
    isAllowed: ({ name }) => allowsTopic(access, operation.read, name),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({ topics: [...answer.topics, ...refusedWith(refused, topicRefused)] }),
  })
}

export const guardWriteTxnMarkers: Guard<'WriteTxnMarkers'> = ({ access }, request) => {
  if (allowsCluster(access, operation.alter) || allowsCluster(access, operation.clusterAction)) return { request }
  const markers = request.markers.map(({ producerId, topics }) => ({
    producerId, topics: topics.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode: clusterRefused })) })),
  }))
  return { answer: { markers } }
}

export const guardListTransactions: Guard<'ListTransactions'> = ({ access }, request) =>
  ({ request, finish: answer => ({ ...answer, transactionStates: answer.transactionStates.filter(({ transactionalId }) => allowsId(access, operation.describe, transactionalId)) }) })

/** Topics that one may not see are left out of the transactions that one may. */
export const guardDescribeTransactions: Guard<'DescribeTransactions'> = ({ access }, request) => {
  const seen = (answer: ResponseInput<'DescribeTransactions'>): ResponseInput<'DescribeTransactions'> => ({
    ...answer,
    transactionStates: answer.transactionStates.map(state => ({ ...state, topics: state.topics.filter(({ topic }) => allowsTopic(access, operation.describe, topic)) })),
  })
  const verdict = partly<'DescribeTransactions', string>({
    request, items: request.transactionalIds,
    isAllowed: transactionalId => allowsId(access, operation.describe, transactionalId),
    narrow: transactionalIds => ({ ...request, transactionalIds }),
    widen: (answer, refused) => ({ ...answer, transactionStates: [...answer.transactionStates, ...refused.map(unseen)] }),
  })
  if (!('request' in verdict)) return verdict
  return { ...verdict, finish: answer => verdict.finish?.(seen(answer)) ?? seen(answer) }
}

function unseen(transactionalId: string): ResponseInput<'DescribeTransactions'>['transactionStates'][number] {
  return { errorCode: idRefused, transactionalId, transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0, producerId: 0, producerEpoch: 0, topics: [] }
}
