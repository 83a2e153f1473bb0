// Who may be a member of a group, see and end one, and commit, read and delete its offsets.

import { operation, resourceType } from '../../../kernel/acl.ts'
import type { ApiName, RequestOf, ResponseInput } from '../../../wire/apis.ts'
import { ZERO_UUID } from '../../../wire/defaults.ts'
import { errorCodeOf } from '../../../wire/error-code.ts'
import { allowsCluster, allowsGroup, allowsTopic } from '../access.ts'
import { partly, type Asking, type Guard, type Verdict } from '../guard.ts'
import { nameOf } from './record-guards.ts'

const groupRefused = errorCodeOf('GROUP_AUTHORIZATION_FAILED')
const topicRefused = errorCodeOf('TOPIC_AUTHORIZATION_FAILED')
const message = 'Group authorization failed.'
const keyTypes = { group: 0, transaction: 1 } as const

/** For requests of members. */
function asMember<N extends ApiName>(refused: (request: RequestOf<N>) => ResponseInput<N>): (asking: Asking, request: RequestOf<N> & { readonly groupId: string }) => Verdict<N> {
  return ({ access }, request) => (allowsGroup(access, operation.read, request.groupId) ? { request } : { answer: refused(request) })
}

export const guardJoinGroup: Guard<'JoinGroup'> = asMember<'JoinGroup'>(() => ({ errorCode: groupRefused, protocolName: '', leader: '', memberId: '', members: [] }))
export const guardSyncGroup: Guard<'SyncGroup'> = asMember<'SyncGroup'>(() => ({ errorCode: groupRefused, assignment: Buffer.alloc(0) }))
export const guardHeartbeat: Guard<'Heartbeat'> = asMember<'Heartbeat'>(() => ({ errorCode: groupRefused }))
export const guardLeaveGroup: Guard<'LeaveGroup'> = asMember<'LeaveGroup'>(() => ({ errorCode: groupRefused, members: [] }))

export const guardFindCoordinator: Guard<'FindCoordinator'> = ({ access, version }, request) => {
  const isGroup = request.keyType === keyTypes.group
  const errorCode = isGroup ? groupRefused : errorCodeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  const errorMessage = isGroup ? message : 'Transactional Id authorization failed.'
  const nowhere = { nodeId: -1, host: '', port: -1, errorCode, errorMessage }
  const isAllowed = (key: string): boolean =>
    isGroup ? allowsGroup(access, operation.describe, key) : request.keyType !== keyTypes.transaction || access.allows(operation.describe, resourceType.transactionalId, key)
  if (version < 4) return isAllowed(request.key) ? { request } : { answer: nowhere }
  return partly({
    request, items: request.coordinatorKeys, isAllowed,
    narrow: coordinatorKeys => ({ ...request, coordinatorKeys }),
    widen: (answer, refused) => ({ ...answer, coordinators: [...(answer.coordinators ?? []), ...refused.map(key => ({ key, ...nowhere }))] }),
  })
}

export const guardOffsetCommit: Guard<'OffsetCommit'> = (asking, request) => {
  const { access } = asking
  const refusedWith = (topics: typeof request.topics, errorCode: number) =>
    topics.map(({ name, topicId, partitions }) => ({ name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }))
  if (!allowsGroup(access, operation.read, request.groupId)) return { answer: { topics: refusedWith(request.topics, groupRefused) } }
  return partly({
    request, items: request.topics,
    isAllowed: topic => {
      const name = nameOf(asking, topic, topic.name, 10)
      return name === undefined || allowsTopic(access, operation.read, name)
    },
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({ topics: [...answer.topics, ...refusedWith(refused, topicRefused)] }),
  })
}

type FetchedTopic = ResponseInput<'OffsetFetch'>['groups'] extends readonly (infer G)[] | undefined ? (G extends { readonly topics: readonly (infer T)[] } ? T : never) : never

/** Offsets of topics that one may not see are not told, nor, where all are asked for, that there are some. */
export const guardOffsetFetch: Guard<'OffsetFetch'> = (asking, request) => {
  const { access, version } = asking
  if (version < 8) {
    if (!allowsGroup(access, operation.describe, request.groupId)) return { answer: { errorCode: groupRefused, topics: [] } }
    return { request, finish: answer => ({ ...answer, topics: told(asking, answer.topics ?? [], request.topics === null).map(topic => ({ ...topic, name: topic.name ?? '' })) }) }
  }
  const verdict = partly<'OffsetFetch', (typeof request.groups)[number]>({
    request, items: request.groups,
    isAllowed: ({ groupId }) => allowsGroup(access, operation.describe, groupId),
    narrow: groups => ({ ...request, groups }),
    widen: (answer, refused) => ({ ...answer, groups: [...(answer.groups ?? []), ...refused.map(({ groupId }) => ({ groupId, errorCode: groupRefused, topics: [] }))] }),
  })
  const asksForAll = new Set(request.groups.filter(({ topics }) => topics === null).map(({ groupId }) => groupId))
  const seen = (answer: ResponseInput<'OffsetFetch'>): ResponseInput<'OffsetFetch'> =>
    ({ ...answer, groups: answer.groups?.map(group => ({ ...group, topics: told(asking, group.topics, asksForAll.has(group.groupId)) })) ?? [] })
  if (!('request' in verdict)) return verdict
  return { ...verdict, finish: answer => verdict.finish?.(seen(answer)) ?? seen(answer) }
}

function told(asking: Asking, topics: readonly FetchedTopic[], areAll: boolean): readonly FetchedTopic[] {
  const isSeen = ({ name = '', topicId = ZERO_UUID }: FetchedTopic): boolean => {
    const known = nameOf(asking, { topicId }, name, 10)
    return known === undefined || allowsTopic(asking.access, operation.describe, known)
  }
  if (areAll) return topics.filter(isSeen)
  return topics.map(topic => (isSeen(topic) ? topic : { ...topic, partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, committedOffset: -1, metadata: '', errorCode: topicRefused })) }))
}

export const guardOffsetDelete: Guard<'OffsetDelete'> = ({ access }, request) => {
  if (!allowsGroup(access, operation.delete, request.groupId)) return { answer: { errorCode: groupRefused, topics: [] } }
  return partly({
    request, items: request.topics,
    isAllowed: ({ name }) => allowsTopic(access, operation.read, name),
    narrow: topics => ({ ...request, topics }),
    widen: (answer, refused) => ({
      ...answer,
      topics: [...answer.topics, ...refused.map(({ name, partitions }) => ({ name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: topicRefused })) }))],
    }),
  })
}

/** Who may see the cluster sees all groups. */
export const guardListGroups: Guard<'ListGroups'> = ({ access }, request) => {
  if (allowsCluster(access, operation.describe)) return { request }
  return { request, finish: answer => ({ ...answer, groups: answer.groups.filter(({ groupId }) => allowsGroup(access, operation.describe, groupId)) }) }
}

export const guardDescribeGroups: Guard<'DescribeGroups'> = ({ access }, request) =>
  partly({
    request, items: request.groups,
    isAllowed: groupId => allowsGroup(access, operation.describe, groupId),
    narrow: groups => ({ ...request, groups }),
    widen: (answer, refused) => ({
      groups: [...answer.groups, ...refused.map(groupId => ({ errorCode: groupRefused, errorMessage: message, groupId, groupState: '', protocolType: '', protocolData: '', members: [] }))],
    }),
  })

export const guardDeleteGroups: Guard<'DeleteGroups'> = ({ access }, request) =>
  partly({
    request, items: request.groupsNames,
    isAllowed: groupId => allowsGroup(access, operation.delete, groupId),
    narrow: groupsNames => ({ ...request, groupsNames }),
    widen: (answer, refused) => ({ results: [...answer.results, ...refused.map(groupId => ({ groupId, errorCode: groupRefused }))] }),
  })

export const guardConsumerGroupHeartbeat: Guard<'ConsumerGroupHeartbeat'> = ({ access }, request) => {
  const refused = (errorCode: number) => ({ answer: { errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 } })
  if (!allowsGroup(access, operation.read, request.groupId)) return refused(groupRefused)
  return (request.subscribedTopicNames ?? []).every(name => allowsTopic(access, operation.describe, name)) ? { request } : refused(topicRefused)
}

type ConsumerGroup = ResponseInput<'ConsumerGroupDescribe'>['groups'][number]

/** A group that reads what one may not see is not shown. */
export const guardConsumerGroupDescribe: Guard<'ConsumerGroupDescribe'> = ({ access }, request) => {
  const refused = (groupId: string, errorCode: number, errorMessage: string): ConsumerGroup => ({ errorCode, errorMessage, groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] })
  const isShown = ({ members }: ConsumerGroup): boolean =>
    members.every(({ subscribedTopicNames, assignment }) => [...subscribedTopicNames, ...assignment.topicPartitions.map(({ topicName }) => topicName)].every(name => allowsTopic(access, operation.describe, name)))
  const allowed = request.groupIds.filter(groupId => allowsGroup(access, operation.describe, groupId))
  const hidden = request.groupIds.filter(groupId => !allowed.includes(groupId))
  return {
    request: { ...request, groupIds: allowed },
    refuses: hidden.length > 0,
    finish: answer => ({
      ...answer,
      groups: [
        ...answer.groups.map(group => (isShown(group) ? group : refused(group.groupId, topicRefused, 'The group has described topic(s) that the client is not authorized to describe.'))),
        ...hidden.map(groupId => refused(groupId, groupRefused, message)),
      ],
    }),
  }
}
