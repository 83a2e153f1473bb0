// DescribeTopicPartitions: topics by name, page by page; a cursor says where the next page begins.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { ZERO_UUID } from '../../wire/defaults.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { internalTopics, topicNameProblem, type Topic } from '../../kernel/catalogue.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { resourceType } from '../../kernel/acl.ts'
import { authorizedOperations } from '../security/access.ts'
import type { Handler } from './handler.ts'

type DescribedTopic = ResponseInput<'DescribeTopicPartitions'>['topics'][number]
type Cursor = RequestOf<'DescribeTopicPartitions'>['cursor']

export const describeTopicPartitions: Handler<'DescribeTopicPartitions'> = ({ broker, access }, request) => {
  const { cursor } = request
  const asked = request.topics.length === 0 ? null : request.topics.map(({ name }) => name)
  if (cursor !== null && isWrong(cursor, asked)) return { topics: (asked ?? []).map(name => failure(name, 'INVALID_REQUEST')) }
  const names = [...new Set(asked ?? broker.catalogue.topics.keys())].filter(name => cursor === null || name >= cursor.topicName).sort()
  const limit = Math.min(broker.config.number('max.request.partition.size.limit'), request.responsePartitionLimit)
  const { topics, nextCursor } = page(broker, names, cursor, Math.max(1, limit))
  return { topics: topics.map(topic => ({ ...topic, topicAuthorizedOperations: authorizedOperations(access, resourceType.topic, topic.name!) })), nextCursor }
}

/** Topics that are named must be those that the cursor came from. */
function isWrong(cursor: NonNullable<Cursor>, asked: readonly string[] | null): boolean {
  return cursor.partitionIndex < 0 || (asked !== null && !asked.includes(cursor.topicName))
}

/** Unknown topics count nothing. A topic behind a full page is named as the next one without a look at it. */
function page(broker: BrokerState, names: readonly string[], cursor: Cursor, limit: number): ResponseInput<'DescribeTopicPartitions'> {
  const topics: DescribedTopic[] = []
  let left = limit
  for (const name of names) {
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const topic = broker.catalogue.topics.get(name)
    if (topic === undefined) {
      topics.push(failure(name, topicNameProblem(name) === null ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'))
      continue
    }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    const end = Math.min(topic.partitions, first + left)
    topics.push(described(broker, topic, first, end))
    left -= Math.max(0, end - first)
    if (end < topic.partitions) return { topics, nextCursor: { topicName: name, partitionIndex: end } }
  }
  return { topics, nextCursor: null }
}

function described(broker: BrokerState, { name, id }: Topic, first: number, end: number): DescribedTopic {
  const nodes = [broker.nodeId]
  const partitions = Array.from({ length: Math.max(0, end - first) }, (_, index) => ({
    errorCode: 0, partitionIndex: first + index, leaderId: broker.nodeId, leaderEpoch: broker.leaderEpoch,
    replicaNodes: nodes, isrNodes: nodes, eligibleLeaderReplicas: [], lastKnownElr: [], offlineReplicas: [],
  }))
  return { errorCode: 0, name, topicId: id, isInternal: internalTopics.has(name), partitions }
}

function failure(name: string, error: ErrorName): DescribedTopic {
  return { errorCode: errorCodeOf(error), name, topicId: ZERO_UUID, isInternal: internalTopics.has(name), partitions: [] }
}
