// CreateTopics, CreatePartitions: changes of the topic catalogue.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { ZERO_UUID } from '../../wire/defaults.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { maxPartitionsPerRequest, type NewTopicRequest, type Topic } from '../../kernel/catalogue.ts'
import { assignmentsRefusal, replicasRefusal } from '../../kernel/replica-assignment.ts'
import { topicConfigs, type Refusal } from '../../kernel/topic-config.ts'
import { isRefusal, type BrokerState } from '../../engine/broker-state.ts'
import { metadataTopic } from '../../engine/metadata-log.ts'
import type { Handler } from './handler.ts'

type AskedTopic = RequestOf<'CreateTopics'>['topics'][number]
type MorePartitions = RequestOf<'CreatePartitions'>['topics'][number]
type CreatedTopic = ResponseInput<'CreateTopics'>['topics'][number]

export const createTopics: Handler<'CreateTopics'> = async ({ broker, answer }, request) => {
  answer.admit(request.topics.length * topicConfigs.size)
  const { once, repeated } = split(request.topics)
  const isTooMuch = maxPartitionsPerRequest < once.reduce((sum, asked) => sum + partitionsAsked(broker, asked), 0)
  const topics = once.map(async asked => created(broker, asked.name, isTooMuch ? tooManyPartitions : await create(broker, asked, request.validateOnly)))
  return { topics: [...(await Promise.all(topics)), ...repeated.map(name => created(broker, name, repeatedName))] }
}

const tooManyPartitions: Refusal = { error: 'POLICY_VIOLATION', message: `Excessively large number of partitions per request: at most ${maxPartitionsPerRequest} are created at once.` }

function partitionsAsked(broker: BrokerState, { numPartitions, assignments }: AskedTopic): number {
  if (assignments.length > 0) return assignments.length
  return numPartitions === -1 ? broker.config.number('num.partitions') : Math.max(0, numPartitions)
}

const repeatedName: Refusal = { error: 'INVALID_REQUEST', message: 'Duplicate topic name.' }

/** What is named twice is not done at all. */
function split<T extends { readonly name: string }>(asked: readonly T[]): { readonly once: readonly T[]; readonly repeated: readonly string[] } {
  const counts = new Map<string, number>()
  for (const { name } of asked) counts.set(name, (counts.get(name) ?? 0) + 1)
  return { once: asked.filter(({ name }) => counts.get(name) === 1), repeated: [...counts.keys()].filter(name => counts.get(name)! > 1) }
}

/** Kafka looks at names and settings first, at replicas then. */
async function create(broker: BrokerState, asked: AskedTopic, validateOnly: boolean): Promise<Refusal | Topic> {
  if (asked.name === metadataTopic) return invalid(`Creation of internal topic ${metadataTopic} is prohibited.`)
  const request = newTopic(asked)
  const refused = assignmentRefusal(broker, asked)
  if (refused === null) return broker.createTopic(request, validateOnly)
  const would = await broker.createTopic({ ...request, partitions: 1, replicationFactor: 1 }, true)
  return isRefusal(would) ? would : refused
}

function newTopic({ name, numPartitions, replicationFactor, assignments, configs }: AskedTopic): NewTopicRequest {
  const byHand = assignments.length > 0
  return {
    name,
    partitions: byHand ? assignments.length : numPartitions,
    replicationFactor: byHand ? 1 : replicationFactor,
    configs: Object.fromEntries(configs.map(({ name: config, value }) => [config, value])),
  }
}

/** Replicas placed by hand can only be placed on this broker. */
function assignmentRefusal(broker: BrokerState, { assignments, numPartitions, replicationFactor }: AskedTopic): Refusal | null {
  if (assignments.length === 0) return null
  if (replicationFactor !== -1) return invalid('A manual partition assignment was specified, but replication factor was not set to -1.')
  if (numPartitions !== -1) return invalid('A manual partition assignment was specified, but numPartitions was not set to -1.')
  return assignmentsRefusal(assignments, broker.nodeId)
}

function created(broker: BrokerState, name: string, answer: Refusal | Topic): CreatedTopic {
  if (isRefusal(answer)) return { name, topicId: ZERO_UUID, errorCode: errorCodeOf(answer.error), errorMessage: answer.message, configs: [] }
  const configs = [...topicConfigs.keys()].map(config => {
    const { value, source } = broker.config.topicLayersOf(config, answer.configs)[0]!
    return { name: config, value, readOnly: false, configSource: source, isSensitive: false }
  })
  return { name, topicId: answer.id, errorCode: 0, errorMessage: null, numPartitions: answer.partitions, replicationFactor: 1, configs }
}

export const createPartitions: Handler<'CreatePartitions'> = async ({ broker }, request) => {
  const { once, repeated } = split(request.topics)
  const results = once.map(async asked => answer(asked.name, await addPartitions(broker, asked, request.validateOnly)))
  return { results: [...(await Promise.all(results)), ...repeated.map(name => answer(name, repeatedName))] }

  function answer(name: string, refused: Refusal | null) {
    return { name, errorCode: codeOf(refused), errorMessage: refused?.message ?? null }
  }
}

async function addPartitions(broker: BrokerState, { name, count, assignments }: MorePartitions, validateOnly: boolean): Promise<Refusal | null> {
  const refused = await broker.createPartitions(name, count, true)
  if (refused !== null || assignments === null) return refused ?? broker.createPartitions(name, count, validateOnly)
  const added = count - broker.catalogue.topics.get(name)!.partitions
  if (assignments.length !== added) {
    return { error: 'INVALID_REPLICA_ASSIGNMENT', message: `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.` }
  }
  const misplaced = assignments.map(({ brokerIds }) => replicasRefusal(brokerIds, broker.nodeId)).find(refusal => refusal !== null)
  return misplaced ?? broker.createPartitions(name, count, validateOnly)
}

function invalid(message: string): Refusal {
  return { error: 'INVALID_REQUEST', message }
}

function codeOf(refused: Refusal | null): number {
  return refused === null ? 0 : errorCodeOf(refused.error)
}
