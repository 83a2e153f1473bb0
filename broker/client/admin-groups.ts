// Consumer groups from outside: listed, described, deleted, and their offsets read and set.

import type { CommittedOffset, LogAdmin } from '../../core/log-port.ts'
import type { TopicPartition } from '../../core/record.ts'
import { MillraceError } from '../../core/error.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import type { Cluster } from './cluster.ts'
import { Coordinator } from './coordinator.ts'
import { commitOffsets, deleteOffsets, fetchOffsets, outsider } from './group-offsets.ts'
import { decodeAssignment } from './member-protocol.ts'

export interface GroupListing {
  readonly groupId: string
  readonly protocolType: string
  /** As Kafka names it: Stable, Empty, PreparingRebalance…; empty where the broker does not say. */
  readonly state: string
  /** `classic`, `consumer` (KIP-848), `share`, `streams`; empty where the broker does not say. */
  readonly type: string
}

export interface GroupDescription extends GroupListing {
  /** Name of the assignor that its members chose. */
  readonly protocol: string
  readonly members: readonly GroupMemberDescription[]
}

export interface GroupMemberDescription {
  readonly memberId: string
  /** Of a static member. */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly partitions: readonly TopicPartition[]
}

export interface GroupAdmin extends Pick<LogAdmin, 'committedOffsets'> {
  listGroups(): Promise<readonly GroupListing[]>
  /** Groups that are not there are left out. */
  describeGroups(groupIds: readonly string[]): Promise<ReadonlyMap<string, GroupDescription>>
  /** @throws MillraceError NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND */
  deleteGroups(groupIds: readonly string[]): Promise<void>
  /** Every offset that a group has committed, as it is now: what a transaction will commit does not count. Keys are `partitionName`s. */
  allCommittedOffsets(groupId: string): Promise<ReadonlyMap<string, CommittedOffset>>
  /** Sets offsets of a group that has no members. @throws MillraceError UNKNOWN_MEMBER_ID if it has */
  resetOffsets(groupId: string, offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void>
  /** @throws MillraceError GROUP_SUBSCRIBED_TO_TOPIC, GROUP_ID_NOT_FOUND */
  deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void>
}

export function createGroupAdmin(cluster: Cluster): GroupAdmin {
  return {
    listGroups: () => listGroups(cluster),
    async describeGroups(groupIds) {
      const found = await Promise.all(groupIds.map(groupId => describeGroup(cluster, groupId)))
      return new Map(found.filter(group => group !== null).map(group => [group.groupId, group]))
    },
    async deleteGroups(groupIds) {
      await Promise.all(groupIds.map(groupId => deleteGroup(cluster, groupId)))
    },
    committedOffsets: (groupId, partitions) => atCoordinator(cluster, groupId, coordinator => fetchOffsets(coordinator, partitions)),
    allCommittedOffsets: groupId => atCoordinator(cluster, groupId, coordinator => fetchOffsets(coordinator, null, false)),
    resetOffsets: (groupId, offsets) => atCoordinator(cluster, groupId, coordinator => commitOffsets(coordinator, outsider, offsets)),
    deleteOffsets: (groupId, partitions) => atCoordinator(cluster, groupId, coordinator => deleteOffsets(coordinator, partitions)),
  }
}

async function atCoordinator<T>(cluster: Cluster, groupId: string, action: (coordinator: Coordinator) => Promise<T>): Promise<T> {
  const connections = cluster.connections()
  try {
    return await action(new Coordinator(cluster, connections, groupId))
  } finally {
    connections.close()
  }
}

/** Each broker knows the groups that it coordinates. */
async function listGroups(cluster: Cluster): Promise<readonly GroupListing[]> {
  await cluster.describeTopics([])
  const answers = await Promise.all(
    Array.from(cluster.brokers.keys(), node =>
      cluster.retrying(async () => {
        const answer = await cluster.ask('ListGroups', {}, { node })
        if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, 'listing groups')
        return answer.groups
      }),
    ),
  )
  const groups = answers.flat().map(({ groupId, protocolType, groupState, groupType }) => ({ groupId, protocolType, state: groupState, type: groupType.toLowerCase() }))
  return groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
}

/** Groups of KIP-848 are described by another request than the others; a broker that does not know it has none. */
async function describeGroup(cluster: Cluster, groupId: string): Promise<GroupDescription | null> {
  return atCoordinator(cluster, groupId, async coordinator => (await describeConsumerGroup(coordinator, groupId).catch(nullIfUnsupported)) ?? describeClassicGroup(coordinator, groupId))
}

function nullIfUnsupported(error: unknown): null {
  if (error instanceof MillraceError && error.code === 'UNSUPPORTED_VERSION') return null
  throw error
}

async function describeConsumerGroup(coordinator: Coordinator, groupId: string): Promise<GroupDescription | null> {
  const answer = await coordinator.ask('ConsumerGroupDescribe', 1, () => ({ groupIds: [groupId], includeAuthorizedOperations: false }), answer => answer.groups[0]?.errorCode ?? 0)
  const group = answer.groups[0]
  if (group === undefined || group.errorCode === errors.GROUP_ID_NOT_FOUND.code) return null
  if (group.errorCode !== 0) throw kafkaError(group.errorCode, `describing group ${groupId}`, group.errorMessage)
  const members = group.members.map(({ memberId, instanceId, clientId, clientHost, assignment }) => ({
    memberId, instanceId, clientId, clientHost,
    partitions: assignment.topicPartitions.flatMap(({ topicName, partitions }) => partitions.map(partition => ({ topic: topicName, partition }))),
  }))
  return { groupId, type: 'consumer', protocolType: 'consumer', state: group.groupState, protocol: group.assignorName, members }
}

async function describeClassicGroup(coordinator: Coordinator, groupId: string): Promise<GroupDescription | null> {
  const answer = await coordinator.ask('DescribeGroups', 6, () => ({ groups: [groupId] }), answer => answer.groups[0]?.errorCode ?? 0)
  const group = answer.groups[0]
  if (group === undefined || group.errorCode === errors.GROUP_ID_NOT_FOUND.code || group.groupState === 'Dead') return null
  if (group.errorCode !== 0) throw kafkaError(group.errorCode, `describing group ${groupId}`, group.errorMessage)
  const { protocolType, protocolData, groupState } = group
  const members = group.members.map(({ memberId, groupInstanceId, clientId, clientHost, memberAssignment }) => ({
    memberId, instanceId: groupInstanceId, clientId, clientHost, partitions: partitionsIn(protocolType, memberAssignment),
  }))
  return { groupId, type: 'classic', protocolType, state: groupState, protocol: protocolData, members }
}

/** Only members of the protocol type `consumer` say it in bytes that we know. */
function partitionsIn(protocolType: string, assignment: Buffer): readonly TopicPartition[] {
  if (protocolType !== 'consumer') return []
  try {
    return decodeAssignment(assignment).partitions
  } catch (error) {
    if (error instanceof MillraceError) return []
    throw error
  }
}

async function deleteGroup(cluster: Cluster, groupId: string): Promise<void> {
  const answer = await atCoordinator(cluster, groupId, coordinator => coordinator.ask('DeleteGroups', 2, () => ({ groupsNames: [groupId] }), answer => answer.results[0]?.errorCode ?? 0))
  const code = answer.results[0]?.errorCode ?? 0
  if (code !== 0) throw kafkaError(code, `deleting group ${groupId}`)
}
