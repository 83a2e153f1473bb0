// How a group with members goes from one protocol to the other (KIP-848): what a classic group is as a consumer group, and the other way round.

import type { Timestamp } from '../../core/record.ts'
import { epochsOf } from './assignment-epochs.ts'
import { ClassicGroup, type Member } from './classic-group.ts'
import type { ConsumerGroup, ConsumerGroupFact, ConsumerMember, Subscription } from './consumer-group.ts'
import type { TopicsView } from './consumer-group-planning.ts'
import { fullGroup, joinEpoch, type HeartbeatRequest } from './consumer-group-requests.ts'
import type { ConsumerGroupSettings, GroupWrite } from './consumer-group-room.ts'
import { assignmentFor, embeddedAssignment, embeddedSubscription } from './embedded-protocol.ts'
import type { Refusal } from './topic-config.ts'
import { noPartitions } from './topic-partitions.ts'

/** What states a classic group with members as a consumer group, for the first member of the new protocol; or why that cannot be. */
export function upgradeOf(group: ClassicGroup, { memberId, memberEpoch }: HeartbeatRequest, { migrationPolicy, maxSize }: ConsumerGroupSettings, topics: TopicsView): GroupWrite | Refusal {
  const { groupId, protocolType, members, hasRecord } = group
  const refuse = (why: string): Refusal => ({ error: 'GROUP_ID_NOT_FOUND', message: `Group ${groupId} is no consumer group${why}.` })
  if (memberEpoch !== joinEpoch) return refuse('')
  if (migrationPolicy !== 'bidirectional' && migrationPolicy !== 'upgrade') return refuse(', and group.consumer.migration.policy does not let it become one')
  if (protocolType !== 'consumer') return refuse(', and its members are no consumers')
  if (members.size > maxSize) return refuse(`, and has more members than one may have, which is ${maxSize}`)
  if (members.size === maxSize && !members.has(memberId)) return fullGroup(maxSize)
  const facts = upgradeFacts(group, topics)
  if (typeof facts === 'string') return refuse(`, and ${facts}`)
  return hasRecord ? [{ kind: 'group', groupId, value: null }, ...facts] : facts
}

/** The members have what they had. A text says why they cannot. */
function upgradeFacts(group: ClassicGroup, topics: TopicsView): readonly ConsumerGroupFact[] | string {
  const { groupId, generation: epoch } = group
  const facts: ConsumerGroupFact[] = [{ kind: 'group-epoch', groupId, value: { epoch, metadataHash: 0 } }]
  for (const member of group.members.values()) {
    const { memberId } = member
    const subscription = subscriptionOf(group, member)
    const assignment = embeddedAssignment(member.assignment, topics)
    if (subscription === null || assignment === null) return 'what its members say is not the consumer protocol'
    if (assignment.hasUserData) return "what its assignor told members besides their partitions would be lost: switch to one of Kafka's own first"
    const { partitions: assigned } = assignment
    facts.push({ kind: 'subscription', groupId, memberId, value: subscription })
    facts.push({ kind: 'target', groupId, memberId, value: assigned })
    facts.push({ kind: 'current', groupId, memberId, value: { memberEpoch: epoch, previousMemberEpoch: epoch, state: 'stable', assigned, pendingRevocation: noPartitions, epochs: epochsOf([assigned], () => epoch) } })
  }
  return [...facts, { kind: 'target-epoch', groupId, value: { epoch, timestamp: 0 } }]
}

function subscriptionOf(group: ClassicGroup, member: Member): Subscription | null {
  const { groupInstanceId: instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = member
  // One that has not had its first assignment yet has no protocol in use.
  const said = embeddedSubscription(group.protocol === null ? protocols[0]!.metadata : group.metadataOf(member))
  if (said === null) return null
  return {
    instanceId, rackId: said.rackId, clientId, clientHost, rebalanceTimeoutMs,
    topicNames: [...new Set(said.topics)].sort(), topicRegex: null, serverAssignor: null, classic: { sessionTimeoutMs, protocols },
  }
}

/** Whether a group becomes a classic one when these members are out of it: only such as speak that protocol are left, or come in their place. */
export function mayDowngrade({ migrationPolicy, classicMaxSize }: ConsumerGroupSettings, group: ConsumerGroup, without: readonly ConsumerMember[], standIns = 0): boolean {
  const staying = [...group.members.values()].filter(member => !without.includes(member))
  const left = staying.length + standIns
  const isAllowed = migrationPolicy === 'bidirectional' || migrationPolicy === 'downgrade'
  return isAllowed && left > 0 && left <= classicMaxSize && staying.every(({ subscription }) => subscription.classic !== null)
}

/** The classic group that a consumer group's members, all of that protocol, go on as. */
export function classicGroupOf(group: ConsumerGroup, topics: TopicsView, now: Timestamp): ClassicGroup {
  const classic = new ClassicGroup(group.groupId, now)
  classic.generation = group.epoch
  classic.protocolType = 'consumer'
  classic.hasRecord = true
  for (const { memberId, subscription } of group.classicMembers()) {
    const { instanceId, clientId, clientHost, rebalanceTimeoutMs } = subscription
    const { sessionTimeoutMs, protocols } = subscription.classic!
    classic.add({
      memberId, groupInstanceId: instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols,
      assignment: Buffer.alloc(0), joinToken: null, syncToken: null, deadline: now + sessionTimeoutMs,
    })
  }
  classic.protocol = classic.selectProtocol()
  for (const member of classic.members.values()) member.assignment = assignmentFor(classic.metadataOf(member), group.targetOf(member.memberId), topics)
  classic.enter('Stable', now)
  return classic
}
