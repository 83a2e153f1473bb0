// What members of consumer groups ask and are told, and which requests are refused whatever the group is like.

import { errorCodeOf } from '../wire/error-code.ts'
import type { HeartbeatAnswer } from './group-effects.ts'
import { staticLeaveEpoch, type ConsumerMember, type Subscription } from './consumer-group.ts'
import { partitionList, type TopicPartitions } from './topic-partitions.ts'
import type { Refusal } from './topic-config.ts'
import { topicPattern } from './topic-pattern.ts'

export interface HeartbeatRequest {
  readonly groupId: string
  readonly memberId: string
  /** 0: joins; -1: leaves; -2: leaves and may come back, being a static member. */
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** -1 where it is as before; so are null names, pattern, assignor and partitions. */
  readonly rebalanceTimeoutMs: number
  readonly topicNames: readonly string[] | null
  readonly topicRegex: string | null
  readonly serverAssignor: string | null
  readonly owned: TopicPartitions | null
  /** Whether it may know of a topic, of those that a pattern stands for. Default: of all. */
  readonly mayDescribe?: (topic: string) => boolean
}

export const joinEpoch = 0
export const leaveEpoch = -1

/** What is wrong with a request in itself; null if nothing. */
export function requestRefusal(request: HeartbeatRequest, assignors: readonly string[]): Refusal | null {
  const { memberEpoch, serverAssignor, topicRegex } = request
  if (isBlank(request.groupId)) return invalid("GroupId can't be empty.")
  if (isBlank(request.memberId)) return invalid("MemberId can't be empty.")
  if (isBlank(request.instanceId)) return invalid("InstanceId can't be empty.")
  if (isBlank(request.rackId)) return invalid("RackId can't be empty.")
  if (memberEpoch === staticLeaveEpoch && request.instanceId === null) return invalid("InstanceId can't be null.")
  if (memberEpoch < staticLeaveEpoch) return invalid('MemberEpoch is invalid.')
  if (memberEpoch === joinEpoch) {
    if (request.rebalanceTimeoutMs === -1) return invalid('RebalanceTimeoutMs must be provided in first request.')
    if (request.owned === null || request.owned.size > 0) return invalid('TopicPartitions must be empty when (re-)joining.')
    if (request.topicNames === null && topicRegex === null) return invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.')
  }
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    return { error: 'UNSUPPORTED_ASSIGNOR', message: `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.` }
  }
  return null
}

/** Who asks comes before what pattern it subscribes to. */
export function patternRefusal({ topicRegex }: HeartbeatRequest): Refusal | null {
  const pattern = topicRegex === null || topicRegex === '' ? null : topicPattern(topicRegex)
  return typeof pattern === 'string' ? { error: 'INVALID_REGULAR_EXPRESSION', message: `SubscribedTopicRegex \`${topicRegex}\` is not a valid regular expression: ${pattern}` } : null
}

/** Spaces alone are no name. */
function isBlank(name: string | null): boolean {
  return name !== null && name.trim() === ''
}

function invalid(message: string): Refusal {
  return { error: 'INVALID_REQUEST', message }
}

export function fullGroup(maxSize: number): Refusal {
  return { error: 'GROUP_MAX_SIZE_REACHED', message: `The consumer group has reached its maximum capacity of ${maxSize} members.` }
}

export function refusedHeartbeat({ error, message }: Refusal): HeartbeatAnswer {
  return { errorCode: errorCodeOf(error), errorMessage: message, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

/** With its partitions where it needs to be told. */
export function heartbeatAnswer({ memberId, current }: ConsumerMember, heartbeatIntervalMs: number, withPartitions: boolean): HeartbeatAnswer {
  const assignment = withPartitions ? { topicPartitions: partitionList(current.assigned) } : null
  return { errorCode: 0, memberId, memberEpoch: current.memberEpoch, heartbeatIntervalMs, assignment }
}

/** It says all there is to say, and so wants to hear everything. */
export function isFullRequest({ rebalanceTimeoutMs, topicNames, topicRegex, owned }: HeartbeatRequest): boolean {
  return rebalanceTimeoutMs !== -1 && (topicNames !== null || topicRegex !== null) && owned !== null
}

/** What a member subscribes to after a request. */
export function subscriptionAfter(request: HeartbeatRequest, before: Subscription | null): Subscription {
  const { instanceId, rackId, clientId, clientHost, rebalanceTimeoutMs, topicNames, topicRegex, serverAssignor } = request
  return {
    instanceId: instanceId ?? before?.instanceId ?? null,
    rackId: rackId ?? before?.rackId ?? null,
    clientId, clientHost,
    topicNames: topicNames === null ? (before?.topicNames ?? []) : [...new Set(topicNames)].sort(),
    topicRegex: (topicRegex ?? before?.topicRegex ?? null) || null,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? (before?.rebalanceTimeoutMs ?? -1) : rebalanceTimeoutMs,
    serverAssignor: serverAssignor ?? before?.serverAssignor ?? null,
    classic: null,
  }
}

export function sameSubscription(a: Subscription, b: Subscription): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

export function sameTopics(a: Pick<Subscription, 'topicNames' | 'topicRegex'>, b: Pick<Subscription, 'topicNames' | 'topicRegex'>): boolean {
  return a.topicRegex === b.topicRegex && a.topicNames.length === b.topicNames.length && a.topicNames.every((name, index) => name === b.topicNames[index])
}
