// OffsetCommit, OffsetFetch, OffsetDelete: the positions of groups.

import { MillraceError } from '../../../core/error.ts'
import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { ZERO_UUID } from '../../wire/defaults.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { consumerProtocolSubscription } from '../../wire/records/consumer-protocol.ts'
import { decodeVersioned } from '../../wire/versioned.ts'
import { epochProblem } from '../../kernel/commit-rules.ts'
import type { OffsetCommitRequest } from '../../kernel/group-requests.ts'
import type { OffsetPlace } from '../../kernel/group-offsets.ts'
import type { CommittedOffsetValue } from '../../kernel/group-records.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import type { AnswerBudget } from './answer-budget.ts'
import { gatheredTopics, type AnsweredTopic } from './gathered-topics.ts'
import type { Handler } from './handler.ts'

type CommitTopic = RequestOf<'OffsetCommit'>['topics'][number]
type FetchedGroup = NonNullable<ResponseInput<'OffsetFetch'>['groups']>[number]
type FetchedTopic = FetchedGroup['topics'][number]
type FetchedPartition = FetchedTopic['partitions'][number]

export const offsetCommit: Handler<'OffsetCommit'> = async ({ broker, version }, request) => {
  const { groupId, memberId, groupInstanceId } = request
  const nameOf = (topic: CommitTopic): string | undefined => (version >= 10 ? broker.catalogue.topicById(topic.topicId)?.name : topic.name)
  const topics = request.topics.filter(topic => isAnswered(broker, nameOf(topic), topic.partitions))
  const names = topics.map(nameOf)
  const problems = topics.map((topic, index) => topic.partitions.map(asked => commitProblem(broker, names[index], asked)))
  const answer = (error: number): ResponseInput<'OffsetCommit'> => ({ topics: committedTopics(topics, problems, error) })
  if (concernsNothing(problems)) return answer(0)
  const host = broker.groupHost(groupId)
  if (host === null) return answer(errorCodeOf('NOT_COORDINATOR'))
  // Before version 9 the coordinator says ILLEGAL_GENERATION.
  if (version >= 9 && request.generationIdOrMemberEpoch >= 0 && host.coordinator.describe(groupId) === null && host.coordinator.consumerGroup(groupId) === undefined) return answer(errorCodeOf('GROUP_ID_NOT_FOUND'))
  const offsets = topics.flatMap((topic, at) => topic.partitions.filter((_, index) => problems[at]![index] === null).map(asked => commitOf(names[at]!, asked)))
  return answer(await host.ask<number>((token, now) => host.coordinator.commitOffsets({ groupId, memberId, groupInstanceId, generation: request.generationIdOrMemberEpoch, isOld: version < 9, offsets }, token, now)))
}

/** What is answered of each partition, where the group answers `ofGroup`. */
export function committedTopics(topics: readonly AnsweredTopic<{ readonly partitionIndex: number }>[], problems: readonly (readonly (ErrorName | null)[])[], ofGroup: number): readonly AnsweredTopic<{ partitionIndex: number; errorCode: number }>[] {
  const answers = topics.map(({ name, topicId, partitions }, at) => ({
    name, ...(topicId === undefined ? {} : { topicId }),
    partitions: partitions.map(({ partitionIndex }, index) => ({ partitionIndex, errorCode: commitCode(problems[at]![index] ?? null, ofGroup) })),
  }))
  return gatheredTopics(answers, (at, index) => isNowhere(problems[at]![index] ?? null))
}

/** Topics that are there are not answered for nothing. */
export function isAnswered(broker: BrokerState, topic: string | undefined, partitions: readonly unknown[]): boolean {
  return partitions.length > 0 || !broker.catalogue.topics.has(topic ?? '')
}

/** What nobody has is nothing to ask the group about, which may not even exist. */
export function concernsNothing(problems: readonly (readonly (ErrorName | null)[])[]): boolean {
  return problems.every(ofTopic => ofTopic.every(isNowhere))
}

function isNowhere(problem: ErrorName | null): boolean {
  return problem === 'UNKNOWN_TOPIC_ID' || problem === 'UNKNOWN_TOPIC_OR_PARTITION'
}

/** What the group refuses it refuses for all that is there. */
function commitCode(problem: ErrorName | null, ofGroup: number): number {
  return problem === null || (problem === 'OFFSET_METADATA_TOO_LARGE' && ofGroup !== 0) ? ofGroup : errorCodeOf(problem)
}

/** What keeps one offset from being committed; null if nothing. */
export function commitProblem(broker: BrokerState, topic: string | undefined, { partitionIndex, committedMetadata }: CommitTopic['partitions'][number]): ErrorName | null {
  if (topic === undefined) return 'UNKNOWN_TOPIC_ID'
  if (broker.partition(topic, partitionIndex) === undefined) return 'UNKNOWN_TOPIC_OR_PARTITION'
  return committedMetadata !== null && committedMetadata.length > broker.config.number('offset.metadata.max.bytes') ? 'OFFSET_METADATA_TOO_LARGE' : null
}

export function commitOf(topic: string, { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }: CommitTopic['partitions'][number]): OffsetCommitRequest['offsets'][number] {
  return { topic, partition: partitionIndex, offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: committedMetadata ?? '' }
}

export const offsetFetch: Handler<'OffsetFetch'> = ({ broker, version, answer }, request) => {
  const { requireStable } = request
  if (version < 8) {
    const { errorCode, topics } = fetchGroup({ broker, version, answer, requireStable, groupId: request.groupId }, request.topics)
    return { errorCode: errorCode ?? 0, topics: topics.map(topic => ({ name: topic.name ?? '', partitions: topic.partitions })) }
  }
  return {
    groups: request.groups.map(({ groupId, topics, memberId, memberEpoch }) => {
      const problem = memberProblem(broker, groupId, memberId, memberEpoch)
      return problem === null ? fetchGroup({ broker, version, answer, requireStable, groupId }, topics) : { groupId, errorCode: errorCodeOf(problem), topics: [] }
    }),
  }
}

/** Why one that asks as a member of a consumer group may not; null if it may, or asks as nobody's member. */
function memberProblem(broker: BrokerState, groupId: string, memberId: string | null, memberEpoch: number): ErrorName | null {
  const group = broker.groupHost(groupId)?.coordinator.consumerGroup(groupId)
  if (group === undefined || (memberId === null && memberEpoch < 0)) return null
  return epochProblem(group, memberId ?? '', memberEpoch)
}

type AskedTopics = readonly { readonly name: string; readonly topicId?: string; readonly partitionIndexes: readonly number[] }[]

interface GroupQuestion {
  readonly broker: BrokerState
  readonly version: number
  readonly answer: AnswerBudget
  readonly groupId: string
  /** A position that an open transaction may still move is not told. */
  readonly requireStable: boolean
}

function fetchGroup({ broker, version, answer, groupId, requireStable }: GroupQuestion, asked: AskedTopics | null): FetchedGroup {
  const host = broker.groupHost(groupId)
  if (host === null) return { groupId, errorCode: errorCodeOf('NOT_COORDINATOR'), topics: [] }
  const { coordinator } = host
  const at = (topic: string, partition: number): FetchedPartition =>
    requireStable && coordinator.positions.isUnstable(groupId, topic, partition) ? unknown(partition, 'UNSTABLE_OFFSET_COMMIT') : fetched(partition, coordinator.positions.committed(groupId, topic, partition))
  if (asked === null) return { groupId, topics: byTopic(broker, admitted(coordinator.positions.all(groupId), answer), at) }
  const topics = asked.map((topic): FetchedTopic => {
    const name = version >= 10 ? broker.catalogue.topicById(topic.topicId ?? ZERO_UUID)?.name : topic.name
    const partitions = topic.partitionIndexes.map(index => (name === undefined ? unknown(index, 'UNKNOWN_TOPIC_ID') : at(name, index)))
    return { name: topic.name, topicId: topic.topicId, partitions }
  })
  return { groupId, topics }
}

function* admitted<T>(parts: Iterable<T>, answer: AnswerBudget): Iterable<T> {
  for (const part of parts) {
    answer.admit(1)
    yield part
  }
}

function byTopic(broker: BrokerState, places: Iterable<OffsetPlace>, at: (topic: string, partition: number) => FetchedPartition): readonly FetchedTopic[] {
  const topics = new Map<string, FetchedPartition[]>()
  for (const { topic, partition } of places) {
    const partitions = topics.get(topic) ?? []
    topics.set(topic, partitions)
    partitions.push(at(topic, partition))
  }
  return [...topics].map(([name, partitions]) => ({ name, topicId: broker.catalogue.topics.get(name)?.id ?? ZERO_UUID, partitions }))
}

function fetched(partitionIndex: number, value: CommittedOffsetValue | undefined): FetchedPartition {
  if (value === undefined) return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode: 0 }
  return { partitionIndex, committedOffset: value.offset, committedLeaderEpoch: value.leaderEpoch, metadata: value.metadata, errorCode: 0 }
}

function unknown(partitionIndex: number, error: ErrorName): FetchedPartition {
  return { partitionIndex, committedOffset: -1, metadata: '', errorCode: errorCodeOf(error) }
}

export const offsetDelete: Handler<'OffsetDelete'> = async ({ broker }, request) => {
  const { groupId } = request
  if (groupId === '') return { errorCode: errorCodeOf('INVALID_GROUP_ID'), topics: [] }
  const host = broker.groupHost(groupId)
  if (host === null) return { errorCode: errorCodeOf('NOT_COORDINATOR'), topics: [] }
  const isThere = (topic: string, partition: number): boolean => broker.partition(topic, partition) !== undefined
  const places = request.topics.flatMap(({ name, partitions }) => partitions.filter(({ partitionIndex }) => isThere(name, partitionIndex)).map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })))
  let refused: ErrorName | null = null
  let isRead = (_topic: string): boolean => false
  const failed = await host.ask<number>((token, now) => {
    const outcome = host.coordinator.deleteOffsets(groupId, places, subscribedTopics, token, now)
    refused = outcome.refused
    isRead = outcome.isRead
    return refused === null ? outcome.effects : [{ kind: 'reply', token, answer: errorCodeOf(refused) }]
  })
  if (refused !== null) return { errorCode: errorCodeOf(refused), topics: [] }
  const codeOf = (topic: string, partition: number): number => {
    if (!isThere(topic, partition)) return errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION')
    return isRead(topic) ? errorCodeOf('GROUP_SUBSCRIBED_TO_TOPIC') : failed
  }
  const topics = request.topics.filter(({ name, partitions }) => isAnswered(broker, name, partitions))
  const answers = topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codeOf(name, partitionIndex) })) }))
  return { errorCode: 0, topics: gatheredTopics(answers, (at, index) => !isThere(answers[at]!.name, answers[at]!.partitions[index]!.partitionIndex)) }
}

/** What every version has, whatever comes behind it. */
const subscriptionsBeginning = { ...consumerProtocolSubscription, versions: [0, 0] } as const

function subscribedTopics(metadata: Buffer): readonly string[] | null {
  try {
    return decodeVersioned(subscriptionsBeginning, metadata).topics
  } catch (error) {
    if (error instanceof MillraceError) return null
    throw error
  }
}
