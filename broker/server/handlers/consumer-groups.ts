// ConsumerGroupHeartbeat, ConsumerGroupDescribe: consumer groups of KIP-848, whose partitions the broker assigns.

import { base64Uuid, uuidForTools } from '../../../core/random.ts'
import { operation, resourceType } from '../../kernel/acl.ts'
import { assignorOf } from '../../kernel/consumer-group-planning.ts'
import type { ConsumerGroup, ConsumerMember } from '../../kernel/consumer-group.ts'
import type { HeartbeatAnswer } from '../../kernel/group-effects.ts'
import { groupSettings } from '../../engine/group-host.ts'
import { partitionList, topicPartitions, withPartitions, type TopicPartitions } from '../../kernel/topic-partitions.ts'
import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { allowsTopic, authorizedOperations } from '../security/access.ts'
import { hostOf } from './groups.ts'
import type { Handler, RequestContext } from './handler.ts'

type Described = ResponseInput<'ConsumerGroupDescribe'>['groups'][number]
type Assignment = Described['members'][number]['assignment']

export const consumerGroupHeartbeat: Handler<'ConsumerGroupHeartbeat'> = (context, request) => {
  const { broker, version, access } = context
  const { groupId, memberEpoch, topicPartitions: owned, subscribedTopicNames: topicNames, subscribedTopicRegex: topicRegex } = request
  const host = broker.groupHost(groupId)
  if (host === null) return { errorCode: errorCodeOf('NOT_COORDINATOR'), memberEpoch: 0, heartbeatIntervalMs: 0 }
  // In version 0 the broker names a new member, from version 1 on it names itself.
  const memberId = version === 0 && memberEpoch === 0 && request.memberId === '' ? base64Uuid(uuidForTools(broker.random)) : request.memberId
  const { instanceId, rackId, rebalanceTimeoutMs, serverAssignor } = request
  return host.ask<HeartbeatAnswer>((token, now) => host.coordinator.consumerHeartbeat({
    groupId, memberId, memberEpoch, instanceId, rackId, rebalanceTimeoutMs, topicNames, topicRegex, serverAssignor,
    clientId: context.clientId ?? '', clientHost: hostOf(context), owned: owned === null ? null : topicPartitions(owned),
    mayDescribe: topic => allowsTopic(access, operation.describe, topic),
  }, token, now))
}

export const consumerGroupDescribe: Handler<'ConsumerGroupDescribe'> = (context, { groupIds, includeAuthorizedOperations }) => ({
  groups: groupIds.map((groupId): Described => {
    const { broker, answer, access } = context
    if (groupId === '') return undescribed(groupId, 'INVALID_GROUP_ID', null)
    const host = broker.groupHost(groupId)
    if (host === null) return undescribed(groupId, 'NOT_COORDINATOR', null)
    const group = host.coordinator.consumerGroup(groupId)
    if (group === undefined) {
      const reason = host.coordinator.describe(groupId) === null ? 'not found' : 'is not a consumer group'
      return undescribed(groupId, 'GROUP_ID_NOT_FOUND', `Group ${groupId} ${reason}.`)
    }
    answer.admit(group.members.size)
    return { ...described(context, group), ...(includeAuthorizedOperations ? { authorizedOperations: authorizedOperations(access, resourceType.group, groupId) } : {}) }
  }),
})

function undescribed(groupId: string, error: ErrorName, errorMessage: string | null): Described {
  return { errorCode: errorCodeOf(error), errorMessage, groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
}

function described(context: RequestContext, group: ConsumerGroup): Described {
  const { groupId, phase, epoch, assignmentEpoch } = group
  const assignorName = assignorOf(group, groupSettings(context.broker.config).consumer.assignors[0]!)
  return { errorCode: 0, groupId, groupState: phase, groupEpoch: epoch, assignmentEpoch, assignorName, members: Array.from(group.members.values(), member => describedMember(context, group, member)) }
}

/** As ConsumerGroupDescribe numbers the protocols of members. */
const memberTypes = { classic: 0, consumer: 1 } as const

function describedMember({ broker: { catalogue } }: RequestContext, group: ConsumerGroup, { memberId, subscription, current }: ConsumerMember): Described['members'][number] {
  const { instanceId, rackId, clientId, clientHost, topicNames, topicRegex } = subscription
  const named = (partitions: TopicPartitions): Assignment => ({
    topicPartitions: partitionList(partitions).flatMap(({ topicId, partitions: list }) => {
      const topicName = catalogue.topicById(topicId)?.name
      return topicName === undefined ? [] : [{ topicId, topicName, partitions: list }]
    }),
  })
  return {
    memberId, instanceId, rackId, clientId, clientHost, memberEpoch: current.memberEpoch, subscribedTopicNames: topicNames, subscribedTopicRegex: topicRegex ?? '',
    // What it is to give up it has until it says that it has not.
    assignment: named(withPartitions(current.assigned, current.pendingRevocation)), targetAssignment: named(group.targetOf(memberId)), memberType: subscription.classic === null ? memberTypes.consumer : memberTypes.classic,
  }
}
