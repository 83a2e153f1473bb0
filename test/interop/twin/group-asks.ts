// Questions of members of groups, and of those who look after their offsets.

import type { Body } from './plain-answer.ts'
import { many } from './record-asks.ts'
import { consumerGroupNames, consumerNames, groupNames, topicNames, type Group, type Member, type World } from './world.ts'
import type { VersionedAsk } from './transaction-asks.ts'

interface GroupNow {
  readonly groupId: string
  readonly group: Group
  readonly member: Member | null
}

function groupNow(world: World): GroupNow {
  const groupId = world.pick(groupNames)
  const group = world.group(groupId)
  return { groupId, group, member: group.members.length > 0 && !world.chance(5) ? world.pick(group.members) : null }
}

/** Alone in its group: who joins with others must not wait for them. */
export function joinGroupAsk(world: World): VersionedAsk & { readonly isAlone: boolean } {
  const { groupId, group } = groupNow(world)
  const member = group.members[0]
  const instanceId = member?.instanceId ?? (world.chance(4) ? 'static' : null)
  const body = {
    groupId, sessionTimeoutMs: world.chance(15) ? world.pick([0, -1, 5999, 6000, 1_800_000, 1_800_001]) : 60_000, rebalanceTimeoutMs: 3000,
    memberId: member?.memberId ?? (world.chance(15) ? 'stranger' : ''), groupInstanceId: instanceId,
    protocolType: world.chance(15) ? world.pick(['other', '']) : 'consumer',
    protocols: world.chance(15) ? [] : many(world, () => world.pick(['range', 'sticky'])).map(name => ({ name, metadata: { bytes: world.pick(['meta', 'meta', '']) } })), reason: world.pick([null, 'why']),
  }
  return { body, isAlone: group.members.length <= 1, version: member === undefined ? undefined : world.pick([5, 6, 7, 8, 9, 9]) }
}

export function syncGroupAsk(world: World): Body {
  const { groupId, group, member: some } = groupNow(world)
  // Who does not lead waits for who does.
  const member = some === null ? null : group.members.find(({ memberId }) => memberId === group.leader) ?? some
  const memberId = member?.memberId ?? 'stranger'
  return {
    groupId, generationId: generationFor(world, group), memberId, groupInstanceId: member?.instanceId ?? null, protocolType: world.chance(10) ? 'other' : 'consumer', protocolName: world.chance(10) ? 'nonsense' : group.protocol,
    assignments: world.chance(5) ? [] : [{ memberId, assignment: { bytes: `part ${world.random.uint32() % 9}` } }],
  }
}

function generationFor(world: World, group: Group): number {
  return world.chance(8) ? world.pick([group.generation - 1, group.generation + 1, -1, 0]) : group.generation
}

export function heartbeatAsk(world: World): Body {
  const { groupId, group, member } = groupNow(world)
  return { groupId, generationId: generationFor(world, group), memberId: member?.memberId ?? 'stranger', groupInstanceId: world.chance(10) ? 'static' : member?.instanceId ?? null }
}

export function leaveGroupAsk(world: World): Body {
  const { groupId, member } = groupNow(world)
  const memberId = member?.memberId ?? 'stranger'
  const members = world.chance(4) ? [{ memberId: '', groupInstanceId: member?.instanceId ?? 'static' }] : [{ memberId, groupInstanceId: member?.instanceId ?? null }]
  return { groupId, memberId, members: world.chance(8) ? [...members, { memberId: 'stranger', groupInstanceId: null }] : world.chance(20) ? [] : members }
}

/** Members begin with a name that the story gives them, go on with the epoch that they were told, and leave with a negative one. */
export function consumerGroupHeartbeatAsk(world: World): Body {
  const known = world.consumers.length > 0 && !world.chance(3) ? world.pick(world.consumers) : null
  const isFirst = known === null || world.chance(8)
  const groupId = known?.groupId ?? (world.chance(12) ? world.pick(groupNames) : world.pick(consumerGroupNames))
  const instanceId = known?.instanceId ?? (world.chance(5) ? world.pick(['i1', 'i2']) : null)
  const epoch = isFirst ? 0 : world.chance(8) ? world.pick([known.epoch - 1, known.epoch + 1, -1, -2, -3, 0, 1000]) : known.epoch
  const owned = isFirst ? [] : world.chance(6) ? world.pick([null, [], [{ topicId: world.topic().idName, partitions: [0, 1] }]]) : known.topicPartitions
  return {
    groupId, memberId: known?.memberId ?? world.pick(consumerNames), memberEpoch: epoch, instanceId, rackId: world.pick([null, null, 'r']),
    rebalanceTimeoutMs: isFirst ? 60_000 : world.pick([-1, 60_000]), serverAssignor: world.chance(8) ? world.pick(['uniform', 'range', 'nonsense']) : null,
    subscribedTopicNames: isFirst ? many(world, () => world.pick(topicNames)) : world.chance(6) ? many(world, () => world.pick(topicNames)) : null,
    // One that is a pattern Apache Kafka looks up in a while.
    subscribedTopicRegex: world.chance(25) ? world.pick(['(', '']) : null, topicPartitions: owned,
  }
}

/** Who a member of a consumer group would be, to those who ask for one. */
function consumerNow(world: World): GroupNow | null {
  const consumer = world.consumers.length > 0 && world.chance(3) ? world.pick(world.consumers) : null
  if (consumer === null) return null
  const { groupId, memberId, instanceId, epoch } = consumer
  return { groupId, group: { generation: epoch, leader: '', protocol: null, members: [] }, member: { lane: 0, memberId, instanceId } }
}

export function offsetCommitAsk(world: World): Body {
  const { groupId, group, member } = consumerNow(world) ?? groupNow(world)
  const isPlain = member === null || world.chance(4)
  return {
    groupId, generationIdOrMemberEpoch: isPlain ? (world.chance(8) ? 0 : -1) : generationFor(world, group), memberId: isPlain ? '' : member.memberId, groupInstanceId: isPlain ? null : member.instanceId, retentionTimeMs: -1,
    topics: many(world, () => world.topic()).map(topic => ({
      name: topic.name, topicId: topic.idName,
      partitions: many(world, () => world.partitionOf(topic)).map(partitionIndex => ({ partitionIndex, committedOffset: world.chance(10) ? world.pick([-1, -2, 2 ** 53 - 1]) : world.random.uint32() % 20, committedLeaderEpoch: world.pick([-1, -1, 0, 5]), committedMetadata: world.chance(20) ? 'm'.repeat(world.pick([4096, 4097])) : world.pick(['', 'meta', null]) })),
    })),
  }
}

export function offsetFetchAsk(world: World): Body {
  const consumer = consumerNow(world)
  const groupId = consumer?.groupId ?? world.pick([...groupNames, ...groupNames, ...consumerGroupNames, '~nothing'])
  const topics = world.chance(3) ? null : many(world, () => world.topic()).map(topic => ({ name: topic.name, topicId: topic.idName, partitionIndexes: many(world, () => world.partitionOf(topic)) }))
  const { members } = world.group(groupId)
  const member = consumer?.member ?? (members.length > 0 && world.chance(3) ? world.pick(members) : null)
  const group = { groupId, memberId: world.chance(10) ? null : member?.memberId ?? null, memberEpoch: member === null ? (world.chance(10) ? 1 : -1) : generationFor(world, consumer?.group ?? world.group(groupId)), topics }
  return { groupId, topics, groups: world.chance(5) ? [group, { groupId: world.pick(groupNames), memberId: null, memberEpoch: -1, topics: null }] : [group], requireStable: world.chance(2) }
}

export function offsetDeleteAsk(world: World): Body {
  return { groupId: world.pick([...groupNames, ...consumerGroupNames, '~nothing']), topics: many(world, () => world.topic()).map(topic => ({ name: topic.name, partitions: many(world, () => world.partitionOf(topic)).map(partitionIndex => ({ partitionIndex })) })) }
}

export function describeGroupsAsk(world: World): Body {
  return { groups: many(world, () => world.pick([...groupNames, ...consumerGroupNames, '~nothing', ''])), includeAuthorizedOperations: world.chance(4) }
}

export function listGroupsAsk(world: World): Body {
  return { statesFilter: world.chance(3) ? [world.pick(['Stable', 'Empty', 'empty', 'Dead', 'PreparingRebalance', 'Nonsense'])] : [], typesFilter: world.chance(4) ? [world.pick(['classic', 'consumer', 'Classic', 'nonsense', 'share'])] : [] }
}

export function deleteGroupsAsk(world: World): Body {
  return { groupsNames: many(world, () => world.pick([...groupNames, ...consumerGroupNames, '~nothing', ''])) }
}

export function findCoordinatorAsk(world: World): Body {
  const keyType = world.chance(8) ? world.pick([2, 3, -1]) : world.pick([0, 1])
  return { key: world.pick(['~g1', '', '~x1']), keyType, coordinatorKeys: world.chance(15) ? [] : many(world, () => world.pick(['~g1', '~x1', ''])) }
}

export function consumerGroupDescribeAsk(world: World): Body {
  return { groupIds: many(world, () => world.pick([...groupNames, ...consumerGroupNames, ...consumerGroupNames, '~nothing', ''])), includeAuthorizedOperations: world.chance(4) }
}
