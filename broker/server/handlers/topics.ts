// CreateTopics, DeleteTopics, CreatePartitions: changes of the topic catalogue.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { ZERO_UUID } from '../../wire/defaults.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import type { NewTopicRequest, Topic } from '../../kernel/catalogue.ts'
import { topicConfigs, type Refusal } from '../../kernel/topic-config.ts'
import { isRefusal, type BrokerState } from '../../engine/broker-state.ts'
import type { Handler } from './handler.ts'

type AskedTopic = RequestOf<'CreateTopics'>['topics'][number]
type CreatedTopic = ResponseInput<'CreateTopics'>['topics'][number]

export const createTopics: Handler<'CreateTopics'> = async ({ broker }, request) => {
  const seen = new Map<string, number>()
  for (const { name } of request.topics) seen.set(name, (seen.get(name) ?? 0) + 1)
  const topics = request.topics.map(async asked => {
    const refused = seen.get(asked.name)! > 1 ? { error: 'INVALID_REQUEST', message: 'Duplicate topic name.' } as const : assignmentRefusal(broker, asked)
    return created(broker, asked.name, refused ?? (await broker.createTopic(newTopic(asked), request.validateOnly)))
  })
  return { topics: await Promise.all(topics) }
}

function newTopic({ name, numPartitions, replicationFactor, assignments, configs }: AskedTopic): NewTopicRequest {
  const byHand = assignments.length > 0
  return {
    name,
    partitions: byHand ? assignments.length : numPartitions,
    replicationFactor: byHand ? -1 : replicationFactor,
    configs: Object.fromEntries(configs.map(({ name: config, value }) => [config, value])),
  }
}

/** Replicas placed by hand can only be placed on this broker. */
function assignmentRefusal(broker: BrokerState, { assignments, numPartitions, replicationFactor }: AskedTopic): Refusal | null {
  if (assignments.length === 0) return null
  if (numPartitions !== -1 || replicationFactor !== -1) {
    return { error: 'INVALID_REQUEST', message: 'Partitions and replication factor must be -1 where replicas are assigned by hand.' }
  }
  const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
  const good = indexes.size === assignments.length && assignments.every(({ partitionIndex, brokerIds }) => {
    return partitionIndex >= 0 && partitionIndex < assignments.length && brokerIds.length === 1 && brokerIds[0] === broker.nodeId
  })
  return good ? null : { error: 'INVALID_REPLICA_ASSIGNMENT', message: `Every partition from 0 on must be on broker ${broker.nodeId} alone.` }
}

function created(broker: BrokerState, name: string, answer: Refusal | Topic): CreatedTopic {
  if (isRefusal(answer)) return { name, topicId: ZERO_UUID, errorCode: errorCodeOf(answer.error), errorMessage: answer.message, configs: null }
  const configs = [...topicConfigs.keys()].map(config => {
    const { value, source } = broker.config.topicLayersOf(config, answer.configs)[0]!
    return { name: config, value, readOnly: false, configSource: source, isSensitive: false }
  })
  return { name, topicId: answer.id, errorCode: 0, errorMessage: null, numPartitions: answer.partitions, replicationFactor: 1, configs }
}

export const deleteTopics: Handler<'DeleteTopics'> = async ({ broker, version }, request) => {
  const asked = version >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: ZERO_UUID }))
  const responses = asked.map(async ({ name, topicId }) => {
    const known = name ?? broker.catalogue.topicById(topicId)?.name
    if (known === undefined) return { name: null, topicId, errorCode: errorCodeOf('UNKNOWN_TOPIC_ID'), errorMessage: 'There is no topic with this id.' }
    const id = broker.catalogue.topics.get(known)?.id ?? topicId
    const refused: Refusal | null = broker.config.flag('delete.topic.enable')
      ? await broker.deleteTopic(known)
      : { error: 'TOPIC_DELETION_DISABLED', message: 'Topic deletion is disabled (delete.topic.enable).' }
    return { name: known, topicId: id, errorCode: codeOf(refused), errorMessage: refused?.message ?? null }
  })
  return { responses: await Promise.all(responses) }
}

export const createPartitions: Handler<'CreatePartitions'> = async ({ broker }, request) => {
  const results = request.topics.map(async ({ name, count }) => {
    const refused = await broker.createPartitions(name, count, request.validateOnly)
    return { name, errorCode: codeOf(refused), errorMessage: refused?.message ?? null }
  })
  return { results: await Promise.all(results) }
}

function codeOf(refused: Refusal | null): number {
  return refused === null ? 0 : errorCodeOf(refused.error)
}
