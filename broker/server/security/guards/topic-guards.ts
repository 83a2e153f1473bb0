// Who may see, make, change and delete topics.

import { operation } from '../../../kernel/acl.ts'
import type { RequestOf, ResponseInput } from '../../../wire/apis.ts'
import { ZERO_UUID } from '../../../wire/defaults.ts'
import { errorCodeOf } from '../../../wire/error-code.ts'
import { allowsCluster, allowsTopic, type Access } from '../access.ts'
import { partly, type Asking, type Guard } from '../guard.ts'

type AskedDeletion = RequestOf<'DeleteTopics'>['topics'][number]

const topicRefused = errorCodeOf('TOPIC_AUTHORIZATION_FAILED')
const message = 'Topic authorization failed.'

/** Who asks for all topics sees those that he may see; who names one that he may not hears so, whether it is there or not. */
export const guardMetadata: Guard<'Metadata'> = (asking, request) => {
  const { access, version } = asking
  const { topics } = request
  if (topics === null || (version === 0 && topics.length === 0)) return { request, finish: answer => ({ ...answer, topics: answer.topics.filter(topic => isVisible(access, topic.name)) }) }
  const verdict = partly<'Metadata', (typeof topics)[number]>({
    request, items: topics,
    isAllowed: topic => mayAskFor(asking, topic, request.allowAutoTopicCreation),
    narrow: allowed => ({ ...request, topics: allowed }),
    widen: (answer, refused) => ({ ...answer, topics: [...answer.topics, ...refused.map(topic => unseen(topic, version))] }),
  })
  // In version 0 no topics mean all of them.
  const leftNone = 'request' in verdict && verdict.request.topics?.length === 0 && topics.length > 0 && version === 0
  if (!leftNone || !('request' in verdict)) return verdict
  return { ...verdict, finish: answer => verdict.finish!({ ...answer, topics: [] }) }
}

function isVisible(access: Access, name: string | null | undefined): boolean {
  return typeof name === 'string' && allowsTopic(access, operation.describe, name)
}

type AskedTopic = { readonly name: string | null; readonly topicId: string }

function mayAskFor({ access, broker, version }: Asking, { name, topicId }: AskedTopic, creates: boolean): boolean {
  const isById = version >= 10 && topicId !== ZERO_UUID
  const known = isById ? broker.catalogue.topicById(topicId)?.name : name
  // The handler says what is wrong with a name or id that nobody can have.
  if (known === null || known === undefined) return true
  if (!allowsTopic(access, operation.describe, known)) return false
  const isNew = creates && !broker.catalogue.topics.has(known) && broker.config.flag('auto.create.topics.enable')
  return !isNew || mayCreate(access, known)
}

function mayCreate(access: Access, name: string): boolean {
  return allowsCluster(access, operation.create) || allowsTopic(access, operation.create, name)
}

function unseen({ name, topicId }: AskedTopic, version: number): ResponseInput<'Metadata'>['topics'][number] {
  const isById = version >= 10 && topicId !== ZERO_UUID
  return { errorCode: topicRefused, name: isById ? (version >= 12 ? null : '') : name, topicId: isById ? topicId : ZERO_UUID, partitions: [] }
}

/** Pages are made of what may be seen: the handler hears of no other topic. */
export const guardDescribeTopicPartitions: Guard<'DescribeTopicPartitions'> = ({ access, broker }, request) => {
  const { topics, cursor } = request
  const isSeen = (name: string): boolean => allowsTopic(access, operation.describe, name)
  const asked = topics.length > 0 ? topics.map(({ name }) => name) : Array.from(broker.catalogue.topics.keys())
  const allowed = asked.filter(isSeen).map(name => ({ name }))
  const refused = topics.length === 0 ? [] : asked.filter(name => !isSeen(name) && (cursor === null || name >= cursor.topicName))
  const unseenTopics = refused.map(name => ({ errorCode: topicRefused, name, topicId: ZERO_UUID, isInternal: false, partitions: [] }))
  // No topics mean all of them, and a cursor must come from one that is named.
  if (allowed.length === 0) return { answer: { topics: unseenTopics } }
  const isGone = cursor !== null && cursor.partitionIndex >= 0 && (topics.length === 0 || asked.includes(cursor.topicName)) && !allowed.some(({ name }) => name === cursor.topicName)
  const rest = isGone ? { topicName: nextOf(allowed, cursor.topicName), partitionIndex: 0 } : cursor
  if (isGone && rest?.topicName === '') return { answer: { topics: unseenTopics } }
  return { refuses: refused.length > 0, request: { ...request, topics: allowed, cursor: rest }, finish: answer => ({ ...answer, topics: [...answer.topics, ...unseenTopics] }) }
}

/** The first name behind another; '' where there is none. */
function nextOf(topics: readonly { readonly name: string }[], name: string): string {
  return topics.map(topic => topic.name).filter(other => other > name).sort()[0] ?? ''
}

export const guardCreateTopics: Guard<'CreateTopics'> = ({ access }, request) => {
  const verdict = partly<'CreateTopics', (typeof request.topics)[number]>({
    request, items: request.topics,
    isAllowed: ({ name }) => mayCreate(access, name),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({ topics: [...answer.topics, ...refused.map(({ name }) => ({ name, topicId: ZERO_UUID, errorCode: topicRefused, errorMessage: message, configs: null }))] }),
  })
  if (!('request' in verdict)) return verdict
  return { ...verdict, finish: answer => verdict.finish?.(withoutConfigs(access, answer)) ?? withoutConfigs(access, answer) }
}

/** A topic's settings are told to who may see them. */
function withoutConfigs(access: Access, answer: ResponseInput<'CreateTopics'>): ResponseInput<'CreateTopics'> {
  return {
    topics: answer.topics.map(topic =>
      topic.errorCode !== 0 || allowsTopic(access, operation.describeConfigs, topic.name)
        ? topic
        : { ...topic, topicConfigErrorCode: topicRefused, numPartitions: -1, replicationFactor: -1, configs: null }),
  }
}

/** What is wrong whoever asks, the handler says. Whose topic an id is hears only who may see it. */
export const guardDeleteTopics: Guard<'DeleteTopics'> = ({ access, broker, version }, request) => {
  const asked = version >= 6 ? request.topics : request.topicNames.map(name => ({ name, topicId: ZERO_UUID }))
  const once = new Set<string>()
  const twice = new Set<string>()
  for (const topic of asked) (once.has(keyOf(topic)) ? twice : once).add(keyOf(topic))
  const nameOf = ({ name, topicId }: AskedDeletion): string | null => name ?? broker.catalogue.topicById(topicId)?.name ?? null
  const isSeen = (name: string): boolean => allowsTopic(access, operation.describe, name)
  return partly({
    request, items: asked,
    isAllowed: topic => {
      const name = nameOf(topic)
      const isOdd = name === null || (topic.name !== null && topic.topicId !== ZERO_UUID) || !broker.config.flag('delete.topic.enable')
      if (isOdd || allowsTopic(access, operation.delete, name) || allowsCluster(access, operation.delete)) return true
      return twice.has(keyOf(topic)) || (!broker.catalogue.topics.has(name) && isSeen(name))
    },
    narrow: topics => (version >= 6 ? { ...request, topics } : { ...request, topicNames: topics.map(({ name }) => name!) }),
    widen: (answer, refused) => ({
      responses: [...answer.responses, ...refused.map(topic => {
        const name = nameOf(topic)
        return { name: topic.name ?? (name !== null && isSeen(name) ? name : null), topicId: topic.topicId, errorCode: topicRefused, errorMessage: message }
      })],
    }),
  })
}

function keyOf({ name, topicId }: AskedDeletion): string {
  return `${topicId}/${name ?? ''}`
}

export const guardCreatePartitions: Guard<'CreatePartitions'> = ({ access }, request) =>
  partly({
    request, items: request.topics,
    isAllowed: ({ name }) => allowsTopic(access, operation.alter, name),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({ results: [...answer.results, ...refused.map(({ name }) => ({ name, errorCode: topicRefused, errorMessage: message }))] }),
  })
