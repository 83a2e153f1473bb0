// The consumer groups (KIP-848) of one partition of __consumer_offsets: heartbeats, departures and time in, facts and answers out.

import type { Timestamp } from '../../core/record.ts'
import { errorCodeOf, type ErrorName } from '../wire/error-code.ts'
import { inProcessHost } from './classic-group.ts'
import { ConsumerGroup, leftStatically, staticLeaveEpoch, type ConsumerGroupFact, type ConsumerMember } from './consumer-group.ts'
import {
  fullGroup, heartbeatAnswer, isFullRequest, joinEpoch, leaveEpoch, patternRefusal, refusedHeartbeat, requestRefusal, subscriptionAfter, type HeartbeatRequest,
} from './consumer-group-requests.ts'
import { cancelTimers, memberTimer, sessionTimeoutOf, type ConsumerGroupRoom, type GroupWrite } from './consumer-group-room.ts'
import { ConsumerGroupTurn } from './consumer-group-turn.ts'
import type { HeartbeatAnswer } from './group-effects.ts'
import { classicGroupOf, mayDowngrade } from './group-migration.ts'
import type { Refusal } from './topic-config.ts'
import { isWithin, noPartitions, samePartitions } from './topic-partitions.ts'

export class ConsumerGroups {
  readonly #groups = new Map<string, ConsumerGroup>()
  readonly #room: ConsumerGroupRoom
  /** Facts that could not be written, by group: they are written again with the next ones. */
  readonly #unwritten = new Map<string, Map<string, GroupWrite[number]>>()

  constructor(room: ConsumerGroupRoom) {
    this.#room = room
  }

  get(groupId: string): ConsumerGroup | undefined {
    return this.#groups.get(groupId)
  }

  all(): Iterable<ConsumerGroup> {
    return this.#groups.values()
  }

  /** Takes a fact into account that is in the log. */
  replay(fact: ConsumerGroupFact): void {
    let group = this.#groups.get(fact.groupId)
    if (group === undefined) {
      if (fact.value === null) return
      this.#groups.set(fact.groupId, (group = new ConsumerGroup(fact.groupId)))
    }
    if (!group.replay(fact)) this.#groups.delete(fact.groupId)
  }

  /** After the last record: members have to show that they live. Those of the broker's own process ended with it. */
  loaded(now: Timestamp): void {
    for (const group of this.#groups.values()) {
      const ghosts = [...group.members.values()].filter(({ subscription }) => subscription.clientHost === inProcessHost)
      if (ghosts.length > 0) this.remove(group, ghosts, now)
      if (this.#groups.get(group.groupId) !== group) continue
      for (const { memberId, subscription, current } of group.members.values()) {
        this.beats(group, memberId)
        if (current.state === 'unrevoked' && subscription.classic === null) this.#room.out.timer(memberTimer(group, 'revocation', memberId), subscription.rebalanceTimeoutMs)
      }
    }
  }

  /** Drops a group that is none any more, or that another kind has taken the place of. */
  forget(groupId: string): void {
    this.#groups.delete(groupId)
  }

  /** Ends an empty group, since one of the other kind takes its name. */
  dissolve(group: ConsumerGroup): void {
    this.forget(group.groupId)
    this.#room.out.write(group.groupId, [...this.owed(group.groupId), ...group.removal()])
  }

  /** Takes over a classic group that these facts state; they are written with what its next member writes. */
  adopt(groupId: string, facts: GroupWrite): void {
    for (const fact of facts) if (fact.kind !== 'group') this.replay(fact)
    this.writesFailed(groupId, facts)
    for (const memberId of this.get(groupId)!.members.keys()) this.beats(this.get(groupId)!, memberId)
  }

  // ─── members ───

  heartbeat(request: HeartbeatRequest, token: number, now: Timestamp): void {
    const { groupId } = request
    const answer = requestRefusal(request, this.#room.settings.assignors) ?? this.#served(request, now)
    const failed = (error: ErrorName): HeartbeatAnswer => ({ errorCode: errorCodeOf(error), memberEpoch: 0, heartbeatIntervalMs: 0 })
    this.#room.out.reply(groupId, token, 'error' in answer ? refusedHeartbeat(answer) : answer, failed)
  }

  #served(request: HeartbeatRequest, now: Timestamp): HeartbeatAnswer | Refusal {
    const { groupId, memberEpoch } = request
    const group = this.#groups.get(groupId)
    if (group === undefined && memberEpoch !== joinEpoch) return { error: 'GROUP_ID_NOT_FOUND', message: `Consumer group ${groupId} not found.` }
    if (memberEpoch < 0) return this.#leave(group!, request, now)
    return this.#beat(group ?? new ConsumerGroup(groupId), request, now)
  }

  #beat(group: ConsumerGroup, request: HeartbeatRequest, now: Timestamp): HeartbeatAnswer | Refusal {
    const found = this.#memberOf(group, request)
    if (found !== null && 'error' in found) return found
    const refused = patternRefusal(request)
    if (refused !== null) return refused
    this.#groups.set(group.groupId, group)
    const turn = new ConsumerGroupTurn(group, this.#room)
    const { memberId } = request
    const before = found !== null && found.memberId !== memberId ? turn.replace(found, memberId) : found
    // From the classic protocol it comes with nothing but its name.
    if (before !== null && before.subscription.classic !== null) cancelTimers(this.#room, group, memberId)
    const topicsChanged = turn.subscribe(memberId, subscriptionAfter(request, before?.subscription ?? null), before)
    turn.refresh(topicsChanged, now, request.mayDescribe ?? (() => true))
    turn.assign(now)
    const member = turn.reconcile(memberId, request.owned)
    this.write(turn)
    this.beats(group, memberId)
    const isTold = request.memberEpoch === joinEpoch || isFullRequest(request) || !samePartitions(before?.current.assigned ?? noPartitions, member.current.assigned)
    return heartbeatAnswer(member, this.#heartbeatIntervalMs(group), isTold)
  }

  #heartbeatIntervalMs({ groupId }: ConsumerGroup): number {
    const { heartbeatIntervalMs, ofGroup } = this.#room.settings
    return ofGroup?.(groupId).heartbeatIntervalMs ?? heartbeatIntervalMs
  }

  /** A member has shown that it lives. */
  beats(group: ConsumerGroup, memberId: string): void {
    this.#room.out.timer(memberTimer(group, 'session', memberId), sessionTimeoutOf(this.#room, group, memberId))
  }

  /** The member that asks, one that has left and that it stands in for, or null: a new one. */
  #memberOf(group: ConsumerGroup, { memberId, instanceId, memberEpoch, owned }: HeartbeatRequest): ConsumerMember | Refusal | null {
    const { maxSize } = this.#room.settings
    if (group.members.size >= maxSize && !group.members.has(memberId)) return fullGroup(maxSize)
    const member = instanceId === null ? group.members.get(memberId) : group.memberOfInstance(instanceId)
    // One that has come without an instance id may take one.
    if (member === undefined) return memberEpoch === joinEpoch ? (group.members.get(memberId) ?? null) : { error: 'UNKNOWN_MEMBER_ID', message: `Member ${memberId} is not a member of group ${group.groupId}.` }
    if (instanceId !== null && memberEpoch === joinEpoch) {
      if (member.current.memberEpoch === staticLeaveEpoch || member.subscription.classic !== null) return member
      return { error: 'UNRELEASED_INSTANCE_ID', message: `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by member ${member.memberId}.` }
    }
    if (member.memberId !== memberId) return fencedInstance(member)
    if (memberEpoch === joinEpoch) return member
    const { current } = member
    const isLate = memberEpoch === current.previousMemberEpoch && owned !== null && isWithin(owned, current.assigned)
    if (memberEpoch === current.memberEpoch || (isLate && memberEpoch > 0)) return member
    const relation = memberEpoch > current.memberEpoch ? 'greater' : 'smaller'
    return { error: 'FENCED_MEMBER_EPOCH', message: `The consumer group member has a ${relation} member epoch (${memberEpoch}) than the one known by the group coordinator (${current.memberEpoch}). The member must abandon all its partitions and rejoin.` }
  }

  #leave(group: ConsumerGroup, { memberId, instanceId, memberEpoch }: HeartbeatRequest, now: Timestamp): HeartbeatAnswer | Refusal {
    const member = instanceId === null ? group.members.get(memberId) : group.memberOfInstance(instanceId)
    if (member === undefined) return { error: 'UNKNOWN_MEMBER_ID', message: `Member ${memberId} is not a member of group ${group.groupId}.` }
    if (member.memberId !== memberId) return fencedInstance(member)
    if (memberEpoch === leaveEpoch) this.remove(group, [member], now)
    else {
      const turn = new ConsumerGroupTurn(group, this.#room)
      turn.say({ kind: 'current', groupId: group.groupId, memberId, value: leftStatically(member.current) })
      this.#room.out.cancel(memberTimer(group, 'revocation', memberId))
      this.write(turn)
    }
    return { errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: 0 }
  }

  /** When all that are left are of the classic protocol, the group is, too. */
  remove(group: ConsumerGroup, members: readonly ConsumerMember[], now: Timestamp): void {
    const downgrades = members.every(({ subscription }) => subscription.classic === null) && mayDowngrade(this.#room.settings, group, members)
    const turn = new ConsumerGroupTurn(group, this.#room)
    for (const member of members) turn.remove(member)
    if (downgrades) return this.downgrade(turn, true, now)
    turn.refresh(true, now)
    this.write(turn)
  }

  /** Goes on as a classic group, whose members are all of that protocol. */
  downgrade({ group, facts }: ConsumerGroupTurn, rebalances: boolean, now: Timestamp): void {
    const { groupId } = group
    const classic = classicGroupOf(group, this.#room.topics, now)
    for (const memberId of group.members.keys()) cancelTimers(this.#room, group, memberId)
    this.forget(groupId)
    const removals = [...this.owed(groupId), ...facts.filter(({ value }) => value === null), ...group.removal()]
    this.#room.out.downgrade(classic, removals, rebalances, now)
  }

  /** A member was silent for too long, or has not given up, joined or asked for its assignment in time. */
  timeUp(group: ConsumerGroup, kind: 'session' | 'revocation' | 'member-join' | 'member-sync', memberId: string, now: Timestamp): void {
    const member = group.members.get(memberId)
    if (member === undefined || (kind === 'revocation' && member.current.state !== 'unrevoked')) return
    this.remove(group, [member], now)
  }

  // ─── writes ───

  write({ group: { groupId }, facts }: ConsumerGroupTurn): void {
    const late = this.owed(groupId)
    if (facts.length + late.length > 0) this.#room.out.write(groupId, [...late, ...facts])
  }

  /** What is still to be written of a group, as things are now: of one that is no consumer group any more, that it is none. */
  owed(groupId: string): GroupWrite {
    const late = this.#unwritten.get(groupId)
    this.#unwritten.delete(groupId)
    const group = this.#groups.get(groupId)
    return Array.from(late?.values() ?? [], (fact): GroupWrite[number] => {
      if (fact.kind === 'group') return { ...fact, value: null }
      return group === undefined ? { ...fact, value: null } : group.factNow(fact)
    })
  }

  /** A record of a classic group comes again with its next change. */
  writesFailed(groupId: string, facts: GroupWrite): void {
    const late = this.#unwritten.get(groupId) ?? new Map<string, GroupWrite[number]>()
    for (const fact of facts) if (fact.kind !== 'group' || fact.value === null) late.set(keyOf(fact), fact)
    if (late.size > 0) this.#unwritten.set(groupId, late)
  }
}

function fencedInstance({ memberId, subscription }: ConsumerMember): Refusal {
  return { error: 'FENCED_INSTANCE_ID', message: `The instance id ${subscription.instanceId} belongs to member ${memberId}.` }
}

function keyOf(fact: GroupWrite[number]): string {
  return JSON.stringify([fact.kind, 'memberId' in fact ? fact.memberId : 'regex' in fact ? fact.regex : ''])
}
