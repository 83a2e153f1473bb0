// Members of the classic protocol in consumer groups (KIP-848): JoinGroup, SyncGroup, Heartbeat and LeaveGroup, served from what the broker assigns.

import { uuid, type Random } from '../../core/random.ts'
import type { Timestamp } from '../../core/record.ts'
import type { ErrorName } from '../wire/error-code.ts'
import type { ConsumerGroup, ConsumerMember, Subscription } from './consumer-group.ts'
import { memberTimer, type ConsumerGroupRoom } from './consumer-group-room.ts'
import { ConsumerGroupTurn } from './consumer-group-turn.ts'
import type { ConsumerGroups } from './consumer-groups.ts'
import { assignmentFor, embeddedSubscription, partitionsByName, type EmbeddedSubscription } from './embedded-protocol.ts'
import type { JoinAnswer, LeaveAnswer } from './group-effects.ts'
import { mayDowngrade } from './group-migration.ts'
import { joinFailure, syncFailure, type JoinRequest, type MemberIdentity, type SyncRequest } from './classic-group-requests.ts'
import type { TopicPartitions } from './topic-partitions.ts'

export class ClassicMembers {
  readonly #groups: ConsumerGroups
  readonly #room: ConsumerGroupRoom
  readonly #random: Random

  constructor(groups: ConsumerGroups, room: ConsumerGroupRoom, random: Random) {
    this.#groups = groups
    this.#room = room
    this.#random = random
  }

  // ─── join ───

  join(group: ConsumerGroup, request: JoinRequest, token: number, now: Timestamp): void {
    const { groupId } = group
    const answer = this.#joined(group, request, now)
    this.#room.out.reply(groupId, token, typeof answer === 'string' ? joinFailure(answer, '') : answer, error => joinFailure(error, request.memberId))
  }

  #joined(group: ConsumerGroup, request: JoinRequest, now: Timestamp): JoinAnswer | ErrorName {
    const refused = this.#joinRefusal(group, request)
    if (refused !== null) return refused
    const memberId = request.memberId === '' ? uuid(this.#random) : request.memberId
    if (request.memberId === '' && request.needsKnownId) return joinFailure('MEMBER_ID_REQUIRED', memberId)
    const place = this.#placeOf(group, request)
    if (typeof place === 'string') return place
    const said = embeddedSubscription(request.protocols[0]!.metadata)
    return said === null ? 'UNKNOWN_SERVER_ERROR' : this.#take(group, { ...request, memberId }, said, place, now)
  }

  #joinRefusal(group: ConsumerGroup, { memberId, protocolType, protocols }: JoinRequest): ErrorName | null {
    const { migrationPolicy, maxSize } = this.#room.settings
    if (migrationPolicy === 'disabled') return 'INCONSISTENT_GROUP_PROTOCOL'
    if (group.members.size >= maxSize && !group.members.has(memberId)) return 'GROUP_MAX_SIZE_REACHED'
    const others = group.classicMembers()
    const isShared = (name: string): boolean => others.every(({ subscription }) => subscription.classic!.protocols.some(protocol => protocol.name === name))
    return protocolType === 'consumer' && protocols.some(({ name }) => isShared(name)) ? null : 'INCONSISTENT_GROUP_PROTOCOL'
  }

  /** The member that it is, one that it stands in for, being a static member's new process, or null: a new one. */
  #placeOf(group: ConsumerGroup, { memberId, groupInstanceId }: JoinRequest): ConsumerMember | ErrorName | null {
    if (groupInstanceId === null) return group.members.get(memberId) ?? null
    const holder = group.memberOfInstance(groupInstanceId)
    if (memberId === '') return holder ?? null
    if (holder === undefined) return 'UNKNOWN_MEMBER_ID'
    return holder.memberId === memberId ? holder : 'FENCED_INSTANCE_ID'
  }

  #take(group: ConsumerGroup, request: JoinRequest, said: EmbeddedSubscription, place: ConsumerMember | null, now: Timestamp): JoinAnswer {
    const { memberId, protocols } = request
    const isStandIn = place !== null && place.memberId !== memberId
    // The last of the new protocol hands its place over to a classic one.
    const downgrades = isStandIn && place.subscription.classic === null && mayDowngrade(this.#room.settings, group, [place], 1)
    const turn = new ConsumerGroupTurn(group, this.#room)
    const before = isStandIn ? turn.replace(place, memberId) : place
    turn.refresh(turn.subscribe(memberId, subscriptionOf(request, said), before), now)
    const owned = partitionsByName(said.ownedPartitions, this.#room.topics)
    const member = downgrades ? this.#downgrade(turn, memberId, owned, now) : this.#reconcile(turn, request, owned, now)
    return { errorCode: 0, generationId: member.current.memberEpoch, protocolType: 'consumer', protocolName: protocols[0]!.name, leader: '', memberId, members: [] }
  }

  /** Where all have what they shall have, the group goes on without a rebalance; else nobody would tell who waits for something that it is free. */
  #downgrade(turn: ConsumerGroupTurn, memberId: string, owned: TopicPartitions, now: Timestamp): ConsumerMember {
    const { group } = turn
    if (group.assignmentEpoch >= group.epoch) turn.reconcile(memberId, owned)
    const member = group.members.get(memberId)!
    this.#groups.downgrade(turn, group.phase !== 'Stable', now)
    return member
  }

  #reconcile(turn: ConsumerGroupTurn, { memberId, rebalanceTimeoutMs }: JoinRequest, owned: TopicPartitions, now: Timestamp): ConsumerMember {
    const { group } = turn
    const { out } = this.#room
    turn.assign(now)
    const member = turn.reconcile(memberId, owned)
    this.#groups.write(turn)
    group.awaitedJoins.delete(memberId)
    out.cancel(memberTimer(group, 'member-join', memberId))
    out.cancel(memberTimer(group, 'revocation', memberId))
    out.timer(memberTimer(group, 'member-sync', memberId), rebalanceTimeoutMs)
    this.#groups.beats(group, memberId)
    return member
  }

  // ─── sync, heartbeat, leave ───

  sync(group: ConsumerGroup, request: SyncRequest, token: number): void {
    const { groupId } = group
    const { memberId, protocolType, protocol } = request
    const member = classicMember(group, request)
    const refused = typeof member === 'string' ? member : this.#syncRefusal(group, member, request)
    if (typeof member === 'string' || refused !== null) return this.#room.out.reply(groupId, token, syncFailure(refused!), syncFailure)
    this.#room.out.cancel(memberTimer(group, 'member-sync', memberId))
    this.#groups.beats(group, memberId)
    const assignment = assignmentFor(member.subscription.classic!.protocols[0]!.metadata, member.current.assigned, this.#room.topics)
    this.#room.out.reply(groupId, token, { errorCode: 0, protocolType, protocolName: protocol, assignment }, syncFailure)
  }

  #syncRefusal(group: ConsumerGroup, member: ConsumerMember, { generation, protocolType, protocol }: SyncRequest): ErrorName | null {
    const { current, subscription } = member
    if (generation !== current.memberEpoch) return 'ILLEGAL_GENERATION'
    if (protocolType !== null && protocolType !== 'consumer') return 'INCONSISTENT_GROUP_PROTOCOL'
    if (protocol !== null && protocol !== subscription.classic!.protocols[0]!.name) return 'INCONSISTENT_GROUP_PROTOCOL'
    // One that has to give up gets to know it by this very answer.
    if (group.epoch <= current.memberEpoch || current.state === 'unrevoked') return null
    this.#awaitJoin(group, member)
    return 'REBALANCE_IN_PROGRESS'
  }

  /** A member is to join again when the group has moved on, when it has to give up, and when what it waits for is free. */
  heartbeat(group: ConsumerGroup, identity: MemberIdentity, generation: number): ErrorName {
    const member = classicMember(group, identity)
    if (typeof member === 'string') return member
    const { memberEpoch, state } = member.current
    if (generation !== memberEpoch) return 'ILLEGAL_GENERATION'
    this.#groups.beats(group, member.memberId)
    const isUpToDate = memberEpoch >= group.epoch && (state === 'stable' || (state === 'unreleased' && group.isWaitingForOthers(member)))
    if (isUpToDate) return 'NONE'
    this.#awaitJoin(group, member)
    return 'REBALANCE_IN_PROGRESS'
  }

  #awaitJoin(group: ConsumerGroup, { memberId, subscription }: ConsumerMember): void {
    if (group.awaitedJoins.has(memberId)) return
    group.awaitedJoins.add(memberId)
    this.#room.out.timer(memberTimer(group, 'member-join', memberId), subscription.rebalanceTimeoutMs)
  }

  /** Members of either protocol. */
  leave(group: ConsumerGroup, leaving: readonly MemberIdentity[], token: number, now: Timestamp): void {
    const { groupId } = group
    const gone = new Set<ConsumerMember>()
    const errors = leaving.map((identity): ErrorName => {
      const member = leavingMember(group, identity)
      if (typeof member === 'string') return member
      gone.add(member)
      return 'NONE'
    })
    if (gone.size > 0) this.#groups.remove(group, [...gone], now)
    this.#room.out.reply<LeaveAnswer>(groupId, token, { refused: null, errors }, refused => ({ refused, errors: [] }))
  }
}

function subscriptionOf({ groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols }: JoinRequest, { topics, rackId }: EmbeddedSubscription): Subscription {
  return {
    instanceId: groupInstanceId, rackId, clientId, clientHost, rebalanceTimeoutMs,
    topicNames: [...new Set(topics)].sort(), topicRegex: null, serverAssignor: null, classic: { sessionTimeoutMs, protocols },
  }
}

function memberOf(group: ConsumerGroup, { memberId, groupInstanceId }: MemberIdentity): ConsumerMember | ErrorName {
  const member = groupInstanceId === null ? group.members.get(memberId) : group.memberOfInstance(groupInstanceId)
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  return member.memberId === memberId ? member : 'FENCED_INSTANCE_ID'
}

function classicMember(group: ConsumerGroup, identity: MemberIdentity): ConsumerMember | ErrorName {
  const member = memberOf(group, identity)
  return typeof member === 'string' || member.subscription.classic !== null ? member : 'UNKNOWN_MEMBER_ID'
}

/** Administrators name a static member by its instance alone. */
function leavingMember(group: ConsumerGroup, identity: MemberIdentity): ConsumerMember | ErrorName {
  const { memberId, groupInstanceId } = identity
  if (memberId !== '' || groupInstanceId === null) return memberOf(group, identity)
  return group.memberOfInstance(groupInstanceId) ?? 'UNKNOWN_MEMBER_ID'
}
