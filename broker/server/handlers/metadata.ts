// Metadata: brokers, topics and leaders; makes topics that are asked for by name, where that is allowed.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { ZERO_UUID } from '../../wire/defaults.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { internalTopics, maxPartitionsPerRequest, topicNameProblem, type Topic } from '../../kernel/catalogue.ts'
import { isRefusal, type BrokerState } from '../../engine/broker-state.ts'
import { resourceType } from '../../kernel/acl.ts'
import { authorizedOperations, clusterOperations } from '../security/access.ts'
import type { Handler, RequestContext } from './handler.ts'

type TopicAnswer = ResponseInput<'Metadata'>['topics'][number]
type AskedTopic = NonNullable<RequestOf<'Metadata'>['topics']>[number]

/** Versions 10 and 11 tell the ids of topics, and do not take them. */
const firstVersionById = 12

export const metadata: Handler<'Metadata'> = async (context, request) => {
  const { broker, version } = context
  const wanted = request.topics === null || (version === 0 && request.topics.length === 0) ? null : askedBy(request.topics, version)
  if (version < firstVersionById && wanted?.some(({ name, topicId }) => name === null || topicId !== ZERO_UUID) === true) return { brokers: [], clusterId: null, controllerId: -1, topics: wanted.map(({ name, topicId }) => failure(name ?? '', topicId, 'INVALID_REQUEST')) }
  const mayCreate = request.allowAutoTopicCreation && broker.config.flag('auto.create.topics.enable') && unknown(broker, wanted ?? []) * broker.config.number('num.partitions') <= maxPartitionsPerRequest
  for (const topic of wanted === null ? broker.catalogue.topics.values() : wanted.map(asked => topicOf(broker, asked))) context.answer.admit(topic?.partitions ?? 1)
  const topics = wanted === null
    ? [...broker.catalogue.topics.values()].map(topic => described(broker, topic))
    : await Promise.all(wanted.map(asked => answer(broker, asked, version, mayCreate)))
  return {
    brokers: [{ nodeId: broker.nodeId, ...context.endpoint }], clusterId: broker.clusterId, controllerId: broker.nodeId,
    topics: request.includeTopicAuthorizedOperations ? topics.map(topic => withOperations(context, topic)) : topics,
    ...(request.includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: clusterOperations(context.access) } : {}),
  }
}

/** Each once. Where some are asked for by id, those by name are passed over. */
function askedBy(topics: readonly AskedTopic[], version: number): readonly AskedTopic[] {
  const byId = version < firstVersionById ? [] : topics.filter(({ topicId }) => topicId !== ZERO_UUID)
  return [...new Map((byId.length > 0 ? byId : topics).map(topic => [topic.topicId === ZERO_UUID ? topic.name : topic.topicId, topic] as const)).values()]
}

/** How many topics would have to be made. Apache Kafka makes none of them where that is more than one request may. */
function unknown(broker: BrokerState, asked: readonly AskedTopic[]): number {
  return asked.filter(one => one.name !== null && topicOf(broker, one) === undefined).length
}

/** Also on topics that are not there (yet). */
function withOperations({ access }: RequestContext, topic: TopicAnswer): TopicAnswer {
  return topic.errorCode === errorCodeOf('UNKNOWN_TOPIC_ID') ? topic : { ...topic, topicAuthorizedOperations: authorizedOperations(access, resourceType.topic, topic.name ?? '') }
}

function topicOf(broker: BrokerState, { name, topicId }: AskedTopic): Topic | undefined {
  return topicId !== ZERO_UUID || name === null ? broker.catalogue.topicById(topicId) : broker.catalogue.topics.get(name)
}

async function answer(broker: BrokerState, { name, topicId }: AskedTopic, version: number, mayCreate: boolean): Promise<TopicAnswer> {
  if (version >= 10 && topicId !== ZERO_UUID) {
    const topic = broker.catalogue.topicById(topicId)
    // A null name is for versions that know it; older ones of these do not ask by id.
    return topic === undefined ? failure(version >= 12 ? null : '', topicId, 'UNKNOWN_TOPIC_ID') : described(broker, topic)
  }
  if (name === null || topicNameProblem(name) !== null) return failure(name ?? '', ZERO_UUID, 'INVALID_TOPIC_EXCEPTION')
  const topic = broker.catalogue.topics.get(name)
  if (topic !== undefined) return described(broker, topic)
  if (!mayCreate || internalTopics.has(name)) return failure(name, ZERO_UUID, 'UNKNOWN_TOPIC_OR_PARTITION')
  return create(broker, name)
}

async function create(broker: BrokerState, name: string): Promise<TopicAnswer> {
  const created = await broker.createTopic({ name, partitions: -1, replicationFactor: -1, configs: {} })
  if (!isRefusal(created)) return described(broker, created)
  const other = broker.catalogue.topics.get(name)
  return other === undefined ? failure(name, ZERO_UUID, created.error) : described(broker, other)
}

function described(broker: BrokerState, topic: Topic): TopicAnswer {
  const nodes = [broker.nodeId]
  return {
    errorCode: 0,
    name: topic.name,
    topicId: topic.id,
    isInternal: internalTopics.has(topic.name),
    partitions: Array.from({ length: topic.partitions }, (_, partitionIndex) => ({
      errorCode: 0, partitionIndex, leaderId: broker.nodeId, leaderEpoch: broker.leaderEpoch, replicaNodes: nodes, isrNodes: nodes, offlineReplicas: [],
    })),
  }
}

function failure(name: string | null, topicId: string, error: ErrorName): TopicAnswer {
  return { errorCode: errorCodeOf(error), name, topicId, partitions: [] }
}
