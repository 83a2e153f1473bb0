// Groups, offsets and records as tools see them, and what Apache Kafka 4.3 answers, step by step: the unit tests ask our broker, test/interop asks Apache Kafka itself.

import type { RequestInput } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { batchOf } from '../log/batches.ts'
import type { Step } from './admin-story.ts'

type Ask = (channel: Channel) => Promise<unknown>

const stranger = '11111111-1111-1111-1111-111111111111'
const nothing = Buffer.alloc(0)

// ─── asking ───

/** Until the coordinator is there: Apache Kafka's takes a moment. */
const coordinator: Ask = async channel => {
  for (let attempts = 2000; ; attempts--) {
    const { coordinators } = await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    const { errorCode } = (await channel.request('OffsetFetch', { groups: [{ groupId: 'g', topics: null }], requireStable: false }, { version: 9 })).groups[0]!
    if ((coordinators[0]!.errorCode === 0 && errorCode === 0) || attempts === 0) return [errorNameOf(coordinators[0]!.errorCode), coordinators[0]!.nodeId]
  }
}

function finding(keyType: number, coordinatorKeys: readonly string[]): Ask {
  return async channel => (await channel.request('FindCoordinator', { keyType, coordinatorKeys })).coordinators.map(({ key, errorCode }) => [key, errorNameOf(errorCode)])
}

interface Commit {
  readonly group?: string
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly metadata?: string | null
  readonly generation?: number
  readonly member?: string
}

function committing({ group = 'g', topic = 'read', partition = 0, offset = 5, metadata = '', generation = -1, member = '' }: Commit): Ask {
  return async channel => {
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: metadata }] }]
    const answer = await channel.request('OffsetCommit', { groupId: group, generationIdOrMemberEpoch: generation, memberId: member, topics }, { version: 9 })
    return errorNameOf(answer.topics[0]!.partitions[0]!.errorCode)
  }
}

function fetching(groupId: string, topics: NonNullable<RequestInput<'OffsetFetch'>['groups']>[number]['topics']): Ask {
  return async channel => {
    const group = (await channel.request('OffsetFetch', { groups: [{ groupId, topics }], requireStable: true }, { version: 9 })).groups[0]!
    return [errorNameOf(group.errorCode), group.topics.map(({ name, partitions }) => [name, partitions.map(({ partitionIndex, committedOffset, metadata, errorCode }) => [partitionIndex, committedOffset, metadata, errorNameOf(errorCode)])])]
  }
}

function describing(groups: readonly string[], version: number): Ask {
  return async channel => (await channel.request('DescribeGroups', { groups }, { version })).groups.map(({ groupId, errorCode, errorMessage, groupState, protocolType, protocolData, members }) => [groupId, errorNameOf(errorCode), errorMessage !== null, groupState, protocolType, protocolData, members.length])
}

function byId<T extends { readonly groupId: string }>(groups: readonly T[]): readonly T[] {
  return [...groups].sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
}

function listing(statesFilter: readonly string[], typesFilter: readonly string[] = []): Ask {
  return async channel => {
    const { errorCode, groups } = await channel.request('ListGroups', { statesFilter, typesFilter })
    return [errorNameOf(errorCode), byId(groups).map(({ groupId, protocolType, groupState, groupType }) => [groupId, protocolType, groupState, groupType.toLowerCase()])]
  }
}

function deleting(groupsNames: readonly string[]): Ask {
  return async channel => byId((await channel.request('DeleteGroups', { groupsNames })).results).map(({ groupId, errorCode }) => [groupId, errorNameOf(errorCode)])
}

function forgetting(groupId: string, topic: string, partitions: readonly number[]): Ask {
  return async channel => {
    const { errorCode, topics } = await channel.request('OffsetDelete', { groupId, topics: [{ name: topic, partitions: partitions.map(partitionIndex => ({ partitionIndex })) }] })
    return [errorNameOf(errorCode), topics.map(({ name, partitions }) => [name, partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorNameOf(errorCode)])])]
  }
}

/** Who was given a name last. */
const named: { id: string } = { id: '' }

type Join = Partial<RequestInput<'JoinGroup'>>

function joining(more: Join, version = 9): Ask {
  return async channel => {
    const protocols = [{ name: 'range', metadata: nothing }]
    const answer = await channel.request('JoinGroup', { groupId: 'joined', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '', protocolType: 'consumer', protocols, ...more }, { version })
    named.id = answer.memberId
    return [errorNameOf(answer.errorCode), answer.generationId, answer.memberId !== '']
  }
}

/** The one member of a group, with a name of its own. */
const member: { id: string; generation: number } = { id: '', generation: -1 }

const joinedAndAssigned: Ask = async channel => {
  const body = { groupId: 'joined', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '', groupInstanceId: 'static', protocolType: 'consumer', protocols: [{ name: 'range', metadata: subscription('read') }] }
  const joined = await channel.request('JoinGroup', body, { version: 9 })
  Object.assign(member, { id: joined.memberId, generation: joined.generationId })
  const synced = await channel.request('SyncGroup', { groupId: 'joined', generationId: joined.generationId, memberId: joined.memberId, groupInstanceId: 'static', protocolType: 'consumer', protocolName: 'range', assignments: [{ memberId: joined.memberId, assignment: Buffer.from('mine') }] })
  return [errorNameOf(joined.errorCode), joined.generationId, joined.protocolName, joined.leader === joined.memberId, joined.members.length, errorNameOf(synced.errorCode), synced.assignment.toString()]
}

/** Version 0 of the subscription of a consumer to one topic, without user data. */
function subscription(topic: string): Buffer {
  const bytes = Buffer.alloc(12 + topic.length)
  bytes.writeInt32BE(1, 2)
  bytes.writeInt16BE(topic.length, 6)
  bytes.write(topic, 8)
  bytes.writeInt32BE(-1, 8 + topic.length)
  return bytes
}

function heartbeating(groupId: string, generationId: number, memberId: string, groupInstanceId: string | null = null): Ask {
  return async channel => errorNameOf((await channel.request('Heartbeat', { groupId, generationId, memberId, groupInstanceId })).errorCode)
}

function leaving(groupId: string, members: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[]): Ask {
  return async channel => {
    const answer = await channel.request('LeaveGroup', { groupId, members })
    return [errorNameOf(answer.errorCode), answer.members.map(({ groupInstanceId, errorCode }) => [groupInstanceId, errorNameOf(errorCode)])]
  }
}

function purging(name: string, partitionIndex: number, offset: number): Ask {
  return async channel => {
    const { errorCode, lowWatermark } = (await channel.request('DeleteRecords', { topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 10_000 })).topics[0]!.partitions[0]!
    return [errorNameOf(errorCode), lowWatermark]
  }
}

function at(timestamp: number, partitionIndex = 0, name = 'read'): Ask {
  return async channel => {
    const { errorCode, offset, timestamp: found } = (await channel.request('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions: [{ partitionIndex, timestamp }] }] })).topics[0]!.partitions[0]!
    return [errorNameOf(errorCode), offset, found]
  }
}

function metadata(topics: RequestInput<'Metadata'>['topics'], more: Partial<RequestInput<'Metadata'>> = {}, version = 12): Ask {
  return async channel => {
    const answer = await channel.request('Metadata', { topics, allowAutoTopicCreation: false, ...more }, { version })
    return answer.topics.map(({ errorCode, name, topicId, isInternal, partitions, topicAuthorizedOperations }) => [errorNameOf(errorCode), name, version < 10 ? 'none' : topicId === stranger ? 'stranger' : /^[0-]+$/.test(topicId) ? 'none' : 'some', isInternal, partitions.length, topicAuthorizedOperations])
  }
}

// ─── the story ───

const beginning: readonly Step[] = [
  ['topics and records', async channel => {
    const configs = [{ name: 'cleanup.policy', value: 'compact' }]
    await channel.request('CreateTopics', { topics: [{ name: 'read', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }, { name: 'kept', numPartitions: 1, replicationFactor: 1, assignments: [], configs }] })
    const records = batchOf(Array.from({ length: 10 }, (_, i) => ({ key: 'k', value: String(i), timestamp: 1_700_000_000_000 + i })))
    for (let attempts = 2000; ; attempts--) {
      const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 10_000, topicData: [{ name: 'read', partitionData: [{ index: 0, records: Buffer.from(records) }] }] }, { version: 11 })
      const { errorCode } = responses[0]!.partitionResponses[0]!
      if (errorCode === 0 || attempts === 0) return errorNameOf(errorCode)
    }
  }, 'NONE'],
  ['the coordinator of a group', coordinator, ['NONE', 1]],
  ['the coordinator of a group without a name', finding(0, ['']), [['', 'NONE']]],
  ['the coordinator of something unheard of', finding(9, ['g']), [['g', 'INVALID_REQUEST']]],
]

const offsets: readonly Step[] = [
  ['offsets of a group that is not there', fetching('g', null), ['NONE', []]],
  ['one offset of it', fetching('g', [{ name: 'read', partitionIndexes: [0, 7] }, { name: 'nothing', partitionIndexes: [0] }]), ['NONE', [['read', [[0, -1, '', 'NONE'], [7, -1, '', 'NONE']]], ['nothing', [[0, -1, '', 'NONE']]]]]],
  ['its description', describing(['g'], 5), [['g', 'NONE', false, 'Dead', '', '', 0]]],
  ['its description in the newest version', describing(['g'], 6), [['g', 'GROUP_ID_NOT_FOUND', true, 'Dead', '', '', 0]]],
  ['the description of a group without a name', describing([''], 5), [['', 'NONE', false, 'Dead', '', '', 0]]],
  ['a commit from outside', committing({ metadata: 'here' }), 'NONE'],
  ['a commit for a topic that is not there', committing({ topic: 'nothing' }), 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['a commit for a partition that is not there', committing({ partition: 9 }), 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['a commit with much metadata', committing({ metadata: 'x'.repeat(5000) }), 'OFFSET_METADATA_TOO_LARGE'],
  ['a commit without metadata', committing({ partition: 1, metadata: null }), 'NONE'],
  ['a commit as a member that is none', committing({ member: 'nobody', generation: 1 }), 'UNKNOWN_MEMBER_ID'],
  ['a commit with a generation of a new group', committing({ group: 'other', generation: 3 }), 'GROUP_ID_NOT_FOUND'],
  ['a commit of a group without a name', committing({ group: '' }), 'NONE'],
  ['what is committed', fetching('g', null), ['NONE', [['read', [[0, 5, 'here', 'NONE'], [1, 5, '', 'NONE']]]]]],
  ['some of it', fetching('g', [{ name: 'read', partitionIndexes: [0, 7] }]), ['NONE', [['read', [[0, 5, 'here', 'NONE'], [7, -1, '', 'NONE']]]]]],
  ['offsets of a group without a name', fetching('', null), ['NONE', [['read', [[0, 5, '', 'NONE']]]]]],
  ['the group', describing(['g'], 6), [['g', 'NONE', false, 'Empty', '', '', 0]]],
  ['all groups', listing([]), ['NONE', [['', '', 'Empty', 'classic'], ['g', '', 'Empty', 'classic']]]],
  ['groups in a state', listing(['Empty']), ['NONE', [['', '', 'Empty', 'classic'], ['g', '', 'Empty', 'classic']]]],
  ['groups in a state, small letters', listing(['empty']), ['NONE', [['', '', 'Empty', 'classic'], ['g', '', 'Empty', 'classic']]]],
  ['groups in another state', listing(['Stable']), ['NONE', []]],
  ['groups of a type', listing([], ['classic']), ['NONE', [['', '', 'Empty', 'classic'], ['g', '', 'Empty', 'classic']]]],
  ['groups of another type', listing([], ['consumer']), ['NONE', []]],
  ['groups of a type unheard of', listing([], ['odd']), ['NONE', []]],
]

const members: readonly Step[] = [
  ['a session too short', joining({ sessionTimeoutMs: 10 }), ['INVALID_SESSION_TIMEOUT', -1, false]],
  ['a session too long', joining({ sessionTimeoutMs: 2_000_000 }), ['INVALID_SESSION_TIMEOUT', -1, false]],
  ['a group without a name', joining({ groupId: '' }), ['INVALID_GROUP_ID', -1, false]],
  ['no protocol', joining({ protocols: [] }), ['INCONSISTENT_GROUP_PROTOCOL', -1, false]],
  ['no kind of protocol', joining({ protocolType: '' }), ['INCONSISTENT_GROUP_PROTOCOL', -1, false]],
  ['a member that is none', joining({ memberId: 'nobody' }), ['UNKNOWN_MEMBER_ID', -1, true]],
  ['a new member is given a name first', joining({}), ['MEMBER_ID_REQUIRED', -1, true]],
  // Whoever joins next would wait a session for it.
  ['and may go before it has joined with it', channel => leaving('joined', [{ memberId: named.id, groupInstanceId: null }])(channel), ['NONE', [[null, 'NONE']]]],
  ['a static member joins and is assigned', joinedAndAssigned, ['NONE', 1, 'range', true, 1, 'NONE', 'mine']],
  ['a member of another kind', joining({ protocolType: 'connect', groupInstanceId: 'x' }), ['INCONSISTENT_GROUP_PROTOCOL', -1, false]],
  ['a member with another protocol', joining({ protocols: [{ name: 'sticky', metadata: nothing }], groupInstanceId: 'x' }), ['INCONSISTENT_GROUP_PROTOCOL', -1, false]],
  ['the group with a member', describing(['joined'], 5), [['joined', 'NONE', false, 'Stable', 'consumer', 'range', 1]]],
  ['its offsets cannot be set from outside', committing({ group: 'joined' }), 'UNKNOWN_MEMBER_ID'],
  ['nor with another generation', async channel => committing({ group: 'joined', member: member.id, generation: member.generation + 1 })(channel), 'ILLEGAL_GENERATION'],
  ['its member can', async channel => committing({ group: 'joined', member: member.id, generation: member.generation })(channel), 'NONE'],
  ['offsets that are read cannot be forgotten', forgetting('joined', 'read', [0]), ['NONE', [['read', [[0, 'GROUP_SUBSCRIBED_TO_TOPIC']]]]]],
  ['a group with members stays', deleting(['joined']), [['joined', 'NON_EMPTY_GROUP']]],
  ['a heartbeat', async channel => heartbeating('joined', member.generation, member.id, 'static')(channel), 'NONE'],
  ['a heartbeat of another generation', async channel => heartbeating('joined', member.generation + 1, member.id, 'static')(channel), 'ILLEGAL_GENERATION'],
  ['a heartbeat of a member that is none', heartbeating('joined', 1, 'nobody'), 'UNKNOWN_MEMBER_ID'],
  ['a heartbeat of another with its instance', heartbeating('joined', 1, 'nobody', 'static'), 'FENCED_INSTANCE_ID'],
  ['a heartbeat in a group that is not there', heartbeating('nowhere', 1, 'nobody'), 'UNKNOWN_MEMBER_ID'],
  ['a heartbeat in a group without a name', heartbeating('', 1, 'nobody'), 'INVALID_GROUP_ID'],
  ['a member that is none leaves', leaving('joined', [{ memberId: 'nobody', groupInstanceId: null }]), ['NONE', [[null, 'UNKNOWN_MEMBER_ID']]]],
  ['out of a group that is not there', leaving('nowhere', [{ memberId: 'nobody', groupInstanceId: null }]), ['NONE', [[null, 'UNKNOWN_MEMBER_ID']]]],
  ['an instance is made to leave', leaving('joined', [{ memberId: '', groupInstanceId: 'static' }, { memberId: '', groupInstanceId: 'other' }]), ['NONE', [['static', 'NONE'], ['other', 'UNKNOWN_MEMBER_ID']]]],
  ['the group without members', describing(['joined'], 5), [['joined', 'NONE', false, 'Empty', 'consumer', '', 0]]],
]

const ends: readonly Step[] = [
  ['offsets forgotten', forgetting('g', 'read', [1]), ['NONE', [['read', [[1, 'NONE']]]]]],
  ['offsets that are not there', forgetting('g', 'read', [1]), ['NONE', [['read', [[1, 'NONE']]]]]],
  ['of a topic that is not there', forgetting('g', 'nothing', [0]), ['NONE', [['nothing', [[0, 'UNKNOWN_TOPIC_OR_PARTITION']]]]]],
  ['of a partition that is not there', forgetting('g', 'read', [9]), ['NONE', [['read', [[9, 'UNKNOWN_TOPIC_OR_PARTITION']]]]]],
  ['of a group that is not there', forgetting('nowhere', 'read', [0]), ['GROUP_ID_NOT_FOUND', []]],
  ['of a group without a name', forgetting('', 'read', [0]), ['INVALID_GROUP_ID', []]],
  ['what is left', fetching('g', null), ['NONE', [['read', [[0, 5, 'here', 'NONE']]]]]],
  ['groups deleted', deleting(['g', 'joined', 'nowhere', '']), [['', 'NONE'], ['g', 'NONE'], ['joined', 'NONE'], ['nowhere', 'GROUP_ID_NOT_FOUND']]],
  ['which are gone', listing([]), ['NONE', []]],
]

const records: readonly Step[] = [
  ['where it begins', at(-2), ['NONE', 0, -1]],
  ['where it ends', at(-1), ['NONE', 10, -1]],
  ['its newest record', at(-3), ['NONE', 9, 1700000000009]],
  ['at a time', at(1_700_000_000_003), ['NONE', 3, 1700000000003]],
  ['after its end', at(1_800_000_000_000), ['NONE', -1, -1]],
  ['in an empty partition', at(-3, 1), ['NONE', -1, -1]],
  ['in a partition that is not there', at(-1, 9), ['UNKNOWN_TOPIC_OR_PARTITION', -1, -1]],
  ['records deleted', purging('read', 0, 4), ['NONE', 4]],
  ['less than before', purging('read', 0, 2), ['NONE', 4]],
  ['more than there are', purging('read', 0, 11), ['OFFSET_OUT_OF_RANGE', -1]],
  ['less than nothing', purging('read', 0, -2), ['OFFSET_OUT_OF_RANGE', -1]],
  ['all there are', purging('read', 0, -1), ['NONE', 10]],
  ['of a partition that is not there', purging('read', 9, 0), ['UNKNOWN_TOPIC_OR_PARTITION', -1]],
  ['of a topic that is not there', purging('nothing', 0, 0), ['UNKNOWN_TOPIC_OR_PARTITION', -1]],
  ['of a topic that is compacted', purging('kept', 0, 0), ['POLICY_VIOLATION', -1]],
  ["of the broker's own", purging('__consumer_offsets', 0, 0), ['INVALID_TOPIC_EXCEPTION', -1]],
]

const cluster: readonly Step[] = [
  ['a topic', metadata([{ name: 'read' }]), [['NONE', 'read', 'some', false, 2, -2147483648]]],
  ['a topic that is not there', metadata([{ name: 'nothing' }]), [['UNKNOWN_TOPIC_OR_PARTITION', 'nothing', 'none', false, 0, -2147483648]]],
  ['a topic that cannot be', metadata([{ name: 'a b' }, { name: '' }]), [['INVALID_TOPIC_EXCEPTION', 'a b', 'none', false, 0, -2147483648], ['INVALID_TOPIC_EXCEPTION', '', 'none', false, 0, -2147483648]]],
  ['an id that nobody has', metadata([{ name: null, topicId: stranger }]), [['UNKNOWN_TOPIC_ID', null, 'stranger', false, 0, -2147483648]]],
  ['no topics', metadata([]), []],
  ['one of the broker', metadata([{ name: '__consumer_offsets' }], {}, 9), [['NONE', '__consumer_offsets', 'none', true, 4, -2147483648]]],
  ['what one may do with a topic', metadata([{ name: 'read' }], { includeTopicAuthorizedOperations: true }), [['NONE', 'read', 'some', false, 2, 3576]]],
  ['what one may do with the cluster', async channel => (await channel.request('DescribeCluster', { includeClusterAuthorizedOperations: true })).clusterAuthorizedOperations, 8096],
  ['what one may do with the cluster, without asking', async channel => (await channel.request('DescribeCluster', { includeClusterAuthorizedOperations: false })).clusterAuthorizedOperations, -2147483648],
  ['what one may do with the cluster, in metadata', async channel => (await channel.request('Metadata', { topics: [], includeClusterAuthorizedOperations: true }, { version: 9 })).clusterAuthorizedOperations, 8096],
  ['what one may do with a group', async channel => (await channel.request('DescribeGroups', { groups: ['g'], includeAuthorizedOperations: true }, { version: 5 })).groups[0]!.authorizedOperations, 3400],
  ['the brokers', async channel => {
    const { errorCode, brokers, controllerId } = await channel.request('DescribeCluster', { includeClusterAuthorizedOperations: false, endpointType: 1 })
    return [errorNameOf(errorCode), controllerId, brokers.map(({ brokerId, rack, isFenced }) => [brokerId, rack, isFenced])]
  }, ['NONE', 1, [[1, null, false]]]],
  ['the controllers, of a broker', async channel => errorNameOf((await channel.request('DescribeCluster', { includeClusterAuthorizedOperations: false, endpointType: 2 })).errorCode), 'MISMATCHED_ENDPOINT_TYPE'],
  ['endpoints unheard of', async channel => errorNameOf((await channel.request('DescribeCluster', { includeClusterAuthorizedOperations: false, endpointType: 3 })).errorCode), 'UNSUPPORTED_ENDPOINT_TYPE'],
]

export const groupStory: readonly Step[] = [...beginning, ...offsets, ...members, ...ends, ...records, ...cluster]
