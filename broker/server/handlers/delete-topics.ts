// DeleteTopics: by name or by id, each topic once.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { ZERO_UUID } from '../../wire/defaults.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import type { Refusal } from '../../kernel/topic-config.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import type { Handler } from './handler.ts'

type AskedTopic = RequestOf<'DeleteTopics'>['topics'][number]
type DeletedTopic = ResponseInput<'DeleteTopics'>['responses'][number]

/** What is named twice is not deleted, and answered once: as it was named. */
export const deleteTopics: Handler<'DeleteTopics'> = async ({ broker, version }, request) => {
  const asked = version >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: ZERO_UUID }))
  const forbidden = deletionRefusal(broker, version)
  if (forbidden !== null) return { responses: asked.map(topic => answered(topic, forbidden)) }
  const names = counted(asked.flatMap(({ name, topicId }) => (name !== null && topicId === ZERO_UUID ? [name] : [])))
  const ids = counted(asked.flatMap(({ name, topicId }) => (name === null && topicId !== ZERO_UUID ? [topicId] : [])))
  const byName = [...names].map(([name, count]) => named(broker, ids, name, count))
  const withNames = new Set(byName.map(({ topic }) => topic.topicId))
  // An id whose topic is named, too, is answered with its name only, unless it is there twice itself.
  const byId = [...ids].filter(([id, count]) => count > 1 || !withNames.has(id)).map(([id, count]) => identified(broker, id, count))
  const others = asked.filter(({ name, topicId }) => (name === null) === (topicId === ZERO_UUID)).map(topic => ({ topic, refused: neitherOrBoth(topic) }))
  const responses = [...others, ...byName, ...byId].map(async ({ topic, refused }) => answered(topic, refused ?? (await broker.deleteTopic(topic.name!))))
  return { responses: await Promise.all(responses) }
}

interface Resolved {
  readonly topic: AskedTopic
  readonly refused: Refusal | null
}

function named(broker: BrokerState, ids: ReadonlyMap<string, number>, name: string, count: number): Resolved {
  if (count > 1) return { topic: { name, topicId: ZERO_UUID }, refused: invalid('Duplicate topic name.') }
  const id = broker.catalogue.topics.get(name)?.id
  if (id === undefined) return { topic: { name, topicId: ZERO_UUID }, refused: { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'This server does not host this topic-partition.' } }
  return { topic: { name, topicId: id }, refused: ids.has(id) ? invalid('The provided topic name maps to an ID that was already supplied.') : null }
}

function identified(broker: BrokerState, topicId: string, count: number): Resolved {
  if (count > 1) return { topic: { name: null, topicId }, refused: invalid('Duplicate topic id.') }
  const name = broker.catalogue.topicById(topicId)?.name ?? null
  return { topic: { name, topicId }, refused: name === null ? { error: 'UNKNOWN_TOPIC_ID', message: 'This server does not host this topic ID.' } : null }
}

function neitherOrBoth({ name }: AskedTopic): Refusal {
  return invalid(name === null ? 'Neither topic name nor id were specified.' : 'You may not specify both topic name and topic id.')
}

function counted(keys: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

function answered({ name, topicId }: AskedTopic, refused: Refusal | null): DeletedTopic {
  return { name, topicId, errorCode: refused === null ? 0 : errorCodeOf(refused.error), errorMessage: refused?.message ?? null }
}

/** Clients of before version 3 do not know the error. */
function deletionRefusal(broker: BrokerState, version: number): Refusal | null {
  if (broker.config.flag('delete.topic.enable')) return null
  const message = 'Topic deletion is disabled (delete.topic.enable).'
  return version < 3 ? invalid(message) : { error: 'TOPIC_DELETION_DISABLED', message }
}

function invalid(message: string): Refusal {
  return { error: 'INVALID_REQUEST', message }
}
