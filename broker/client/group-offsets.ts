// The committed offsets of a group: written as a member of a generation or from outside, and read.

import type { CommittedOffset } from '../../core/log-port.ts'
import { partitionName, type TopicPartition } from '../../core/record.ts'
import type { RequestInput } from '../wire/apis.ts'
import { kafkaError } from '../wire/error-code.ts'
import type { Coordinator } from './coordinator.ts'
import { groupByTopic } from './partition-groups.ts'

/** Who commits. From outside of a group without members: generation -1 and no member id. */
export interface Committer {
  readonly generationId: number
  readonly memberId: string
  /** Kafka's group.instance.id, where the member has one. */
  readonly instanceId?: string
}

export const outsider: Committer = { generationId: -1, memberId: '' }

/** @throws MillraceError the first partition's failure, as ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS */
export async function commitOffsets(coordinator: Coordinator, committer: Committer, offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void> {
  if (offsets.length === 0) return
  const topics = Array.from(groupByTopic(offsets), ([name, group]) => ({
    name,
    partitions: group.map(({ partition, offset, metadata }) => ({ partitionIndex: partition, committedOffset: offset, committedMetadata: metadata })),
  }))
  const { generationId, memberId, instanceId } = committer
  const body = (version: number): RequestInput<'OffsetCommit'> => ({
    groupId: coordinator.groupId, generationIdOrMemberEpoch: generationId, memberId, ...(instanceId === undefined || version < 7 ? {} : { groupInstanceId: instanceId }), topics,
  })
  const answer = await coordinator.ask('OffsetCommit', 9, body, answer => firstCode(answer.topics))
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode } of partitions) {
      if (errorCode !== 0) throw kafkaError(errorCode, `commit of group ${coordinator.groupId} for ${partitionName(name, partitionIndex)}`)
    }
  }
}

/** Keys are `partitionName`s; partitions without a committed offset are left out. Null asks for all. What waits for a transaction is waited for if `stable`. */
export async function fetchOffsets(coordinator: Coordinator, partitions: readonly TopicPartition[] | null, stable = true): Promise<Map<string, CommittedOffset>> {
  const found = new Map<string, CommittedOffset>()
  if (partitions?.length === 0) return found
  const topics = partitions === null ? null : Array.from(groupByTopic(partitions), ([name, group]) => ({ name, partitionIndexes: group.map(({ partition }) => partition) }))
  const { groupId } = coordinator
  const answer = await coordinator.ask(
    'OffsetFetch',
    9,
    version => (version >= 8 ? { groups: [{ groupId, topics }], requireStable: stable } : { groupId, topics, ...(version === 7 ? { requireStable: stable } : {}) }),
    answer => (answer.groups[0] ?? answer).errorCode || firstCode((answer.groups[0] ?? answer).topics),
  )
  const group = answer.groups[0] ?? answer
  if (group.errorCode !== 0) throw kafkaError(group.errorCode, `offsets of group ${groupId}`)
  for (const { name, partitions } of group.topics) {
    for (const { partitionIndex, committedOffset, metadata, errorCode } of partitions) {
      if (errorCode !== 0) throw kafkaError(errorCode, `offset of group ${groupId} for ${partitionName(name, partitionIndex)}`)
      if (committedOffset >= 0) found.set(partitionName(name, partitionIndex), { offset: committedOffset, metadata: metadata ?? '' })
    }
  }
  return found
}

/** @throws MillraceError GROUP_SUBSCRIBED_TO_TOPIC, GROUP_ID_NOT_FOUND */
export async function deleteOffsets(coordinator: Coordinator, partitions: readonly TopicPartition[]): Promise<void> {
  if (partitions.length === 0) return
  const { groupId } = coordinator
  const topics = Array.from(groupByTopic(partitions), ([name, group]) => ({ name, partitions: group.map(({ partition }) => ({ partitionIndex: partition })) }))
  const answer = await coordinator.ask('OffsetDelete', 0, () => ({ groupId, topics }), answer => answer.errorCode || firstCode(answer.topics))
  const code = answer.errorCode || firstCode(answer.topics)
  if (code !== 0) throw kafkaError(code, `deleting offsets of group ${groupId}`)
}

interface TopicCodes {
  readonly partitions: readonly { readonly errorCode: number }[]
}

function firstCode(topics: readonly TopicCodes[]): number {
  for (const { partitions } of topics) for (const { errorCode } of partitions) if (errorCode !== 0) return errorCode
  return 0
}
