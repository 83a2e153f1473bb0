// The consumer groups (KIP-848) of one partition of __consumer_offsets: heartbeats, departures and time in, facts and answers out.

import type { Timestamp } from '../../core/record.ts'
import type { ErrorName } from '../wire/error-code.ts'
import { inProcessHost } from './classic-group.ts'
import { memberRemoval, ConsumerGroup, leftStatically, staticLeaveEpoch, type ConsumerGroupFact, type ConsumerMember } from './consumer-group.ts'
import { plannedTargets, subscribedMetadataHash, topicsMatching, type TopicsView } from './consumer-group-planning.ts'
import { reconciled } from './consumer-group-reconciliation.ts'
import {
  heartbeatAnswer, isFullRequest, joinEpoch, leaveEpoch, refusedHeartbeat, requestRefusal, sameSubscription, sameTopics, subscriptionAfter, type HeartbeatRequest,
} from './consumer-group-requests.ts'
import type { GroupTimer, HeartbeatAnswer } from './group-effects.ts'
import type { Refusal } from './topic-config.ts'
import { isWithin, noPartitions, samePartitions } from './topic-partitions.ts'

export interface ConsumerGroupSettings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** What a group has of its own. */
  readonly ofGroup?: (groupId: string) => Partial<MemberTiming>
  readonly maxSize: number
  /** The one for groups whose members do not say. */
  readonly assignor: string
}

export interface MemberTiming {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

/** Where the groups say what they want done; the coordinator is behind it. */
export interface ConsumerGroupsOutbox {
  /** Writes the facts; answers are given when they, and all of the group before them, are durable. `writesFailed` is told if they cannot be. */
  write(groupId: string, facts: readonly ConsumerGroupFact[]): void
  reply(groupId: string, token: number, answer: HeartbeatAnswer): void
  timer(timer: GroupTimer, delayMs: number): void
  cancel(timer: GroupTimer): void
}

/** Its generation is its epoch; negative: not as a member. */
export interface CommittingMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generation: number
}

export class ConsumerGroups {
  readonly #groups = new Map<string, ConsumerGroup>()
  readonly #topics: TopicsView
  readonly #settings: ConsumerGroupSettings
  readonly #out: ConsumerGroupsOutbox
  /** Facts that could not be written, by group: they are written again with the next ones. */
  readonly #unwritten = new Map<string, Map<string, ConsumerGroupFact>>()

  constructor(topics: TopicsView, settings: ConsumerGroupSettings, out: ConsumerGroupsOutbox) {
    this.#topics = topics
    this.#settings = settings
    this.#out = out
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
      if (ghosts.length > 0) this.#remove(group, ghosts, now)
      for (const member of group.members.values()) {
        this.#out.timer(sessionTimer(group, member), this.#timing(group).sessionTimeoutMs)
        if (member.current.state === 'unrevoked') this.#out.timer(revocationTimer(group, member), member.subscription.rebalanceTimeoutMs)
      }
    }
  }

  /** Drops a group that another kind has taken the place of. */
  forget(groupId: string): void {
    this.#groups.delete(groupId)
    this.#unwritten.delete(groupId)
  }

  /** Ends an empty group, since one of the other kind takes its name. */
  dissolve(group: ConsumerGroup): void {
    this.#out.write(group.groupId, group.removal())
    this.forget(group.groupId)
  }

  // ─── members ───

  heartbeat(request: HeartbeatRequest, token: number, now: Timestamp): void {
    const { groupId } = request
    const answer = requestRefusal(request) ?? this.#served(request, now)
    this.#out.reply(groupId, token, 'error' in answer ? refusedHeartbeat(answer) : answer)
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
    this.#groups.set(group.groupId, group)
    const turn = new Turn(group)
    const before = found !== null && found.memberId !== request.memberId ? this.#replace(turn, found, request.memberId) : found
    const topicsChanged = this.#subscribe(turn, request, before)
    this.#refresh(turn, topicsChanged, now)
    if (group.epoch > group.assignmentEpoch) this.#assign(turn, now)
    const member = this.#reconcile(turn, request)
    this.#write(turn)
    this.#out.timer(sessionTimer(group, member), this.#timing(group).sessionTimeoutMs)
    const isTold = request.memberEpoch === joinEpoch || isFullRequest(request) || !samePartitions(before?.current.assigned ?? noPartitions, member.current.assigned)
    return heartbeatAnswer(member, this.#timing(group).heartbeatIntervalMs, isTold)
  }

  #timing({ groupId }: ConsumerGroup): MemberTiming {
    const { sessionTimeoutMs, heartbeatIntervalMs, ofGroup } = this.#settings
    return { sessionTimeoutMs, heartbeatIntervalMs, ...ofGroup?.(groupId) }
  }

  /** The member that asks, one that has left and that it stands in for, or null: a new one. */
  #memberOf(group: ConsumerGroup, { memberId, instanceId, memberEpoch, owned }: HeartbeatRequest): ConsumerMember | Refusal | null {
    const member = instanceId === null ? group.members.get(memberId) : group.memberOfInstance(instanceId)
    if (member === undefined) {
      const stranger: Refusal = { error: 'UNKNOWN_MEMBER_ID', message: `Member ${memberId} is not a member of group ${group.groupId}.` }
      if (memberEpoch !== joinEpoch) return stranger
      return group.members.size < this.#settings.maxSize ? null : { error: 'GROUP_MAX_SIZE_REACHED', message: `The consumer group has reached its maximum capacity of ${this.#settings.maxSize} members.` }
    }
    if (member.memberId !== memberId) {
      if (memberEpoch !== joinEpoch) return fencedInstance(member)
      if (member.current.memberEpoch === staticLeaveEpoch) return member
      return { error: 'UNRELEASED_INSTANCE_ID', message: `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by member ${member.memberId}.` }
    }
    if (memberEpoch === joinEpoch) return member
    const { current } = member
    const isLate = memberEpoch === current.previousMemberEpoch && owned !== null && isWithin(owned, current.assigned)
    if (memberEpoch === current.memberEpoch || (isLate && memberEpoch > 0)) return member
    const relation = memberEpoch > current.memberEpoch ? 'greater' : 'smaller'
    return { error: 'FENCED_MEMBER_EPOCH', message: `The consumer group member has a ${relation} member epoch (${memberEpoch}) than the one known by the group coordinator (${current.memberEpoch}). The member must abandon all its partitions and rejoin.` }
  }

  /** A static member's new process takes the place of the one that left. */
  #replace(turn: Turn, old: ConsumerMember, memberId: string): ConsumerMember {
    const { group } = turn
    const { groupId } = group
    const target = group.targetOf(old.memberId)
    for (const fact of memberRemoval(groupId, old.memberId)) turn.say(fact)
    this.#cancelTimers(group, old)
    turn.say({ kind: 'subscription', groupId, memberId, value: old.subscription })
    turn.say({ kind: 'target', groupId, memberId, value: target })
    turn.say({ kind: 'current', groupId, memberId, value: { ...old.current, memberEpoch: 0, previousMemberEpoch: 0 } })
    return group.members.get(memberId)!
  }

  /** Answers whether the topics that it subscribes to are others than before. */
  #subscribe({ group, say }: Turn, request: HeartbeatRequest, before: ConsumerMember | null): boolean {
    const { groupId } = group
    const { memberId } = request
    const subscription = subscriptionAfter(request, before?.subscription ?? null)
    if (before === null || !sameSubscription(before.subscription, subscription)) say({ kind: 'subscription', groupId, memberId, value: subscription })
    return before === null || !sameTopics(before.subscription, subscription)
  }

  /** Looks at the catalogue where it or the subscriptions changed; a new epoch is what follows from a change. */
  #refresh({ group, say }: Turn, topicsChanged: boolean, now: Timestamp): void {
    const { groupId } = group
    const version = this.#topics.topicsVersion
    if (!topicsChanged && group.seenTopicsVersion === version) return
    group.seenTopicsVersion = version
    const used = new Set([...group.members.values()].flatMap(({ subscription }) => subscription.topicRegex ?? []))
    for (const regex of used) {
      const topics = topicsMatching(regex, this.#topics)
      if (group.regexes.get(regex)?.topics.join() !== topics.join()) say({ kind: 'regex', groupId, regex, value: { topics, version, timestamp: now } })
    }
    for (const regex of group.regexes.keys()) if (!used.has(regex)) say({ kind: 'regex', groupId, regex, value: null })
    const metadataHash = subscribedMetadataHash(group, this.#topics)
    if (topicsChanged || metadataHash !== group.metadataHash) say({ kind: 'group-epoch', groupId, value: { epoch: group.epoch + 1, metadataHash } })
  }

  #assign({ group, say }: Turn, now: Timestamp): void {
    const { groupId } = group
    for (const [memberId, target] of plannedTargets(group, this.#topics, this.#settings.assignor)) {
      if (!group.targets.has(memberId) || !samePartitions(group.targetOf(memberId), target)) say({ kind: 'target', groupId, memberId, value: target })
    }
    say({ kind: 'target-epoch', groupId, value: { epoch: group.epoch, timestamp: now } })
  }

  #reconcile({ group, say }: Turn, { memberId, owned }: HeartbeatRequest): ConsumerMember {
    const { groupId, assignmentEpoch } = group
    const member = group.members.get(memberId)!
    const isFree = (topicId: string, partition: number): boolean => group.ownerOf(topicId, partition) === undefined
    const next = reconciled(member.current, { epoch: assignmentEpoch, target: group.targetOf(memberId), isFree, owned })
    if (next === member.current) return member
    say({ kind: 'current', groupId, memberId, value: next })
    // Who does not give up in time what it has to is taken for dead.
    if (next.state === 'unrevoked') this.#out.timer(revocationTimer(group, member), member.subscription.rebalanceTimeoutMs)
    else if (member.current.state === 'unrevoked') this.#out.cancel(revocationTimer(group, member))
    return group.members.get(memberId)!
  }

  #leave(group: ConsumerGroup, { memberId, instanceId, memberEpoch }: HeartbeatRequest, now: Timestamp): HeartbeatAnswer | Refusal {
    const member = instanceId === null ? group.members.get(memberId) : group.memberOfInstance(instanceId)
    if (member === undefined) return { error: 'UNKNOWN_MEMBER_ID', message: `Member ${memberId} is not a member of group ${group.groupId}.` }
    if (member.memberId !== memberId) return fencedInstance(member)
    if (memberEpoch === leaveEpoch) this.#remove(group, [member], now)
    else {
      const turn = new Turn(group)
      turn.say({ kind: 'current', groupId: group.groupId, memberId, value: leftStatically(member.current) })
      this.#out.cancel(revocationTimer(group, member))
      this.#write(turn)
    }
    return { errorCode: 0, memberId, memberEpoch, heartbeatIntervalMs: 0 }
  }

  #remove(group: ConsumerGroup, members: readonly ConsumerMember[], now: Timestamp): void {
    const turn = new Turn(group)
    for (const member of members) {
      for (const fact of memberRemoval(group.groupId, member.memberId)) turn.say(fact)
      this.#cancelTimers(group, member)
    }
    this.#refresh(turn, true, now)
    this.#write(turn)
  }

  #cancelTimers(group: ConsumerGroup, member: ConsumerMember): void {
    this.#out.cancel(sessionTimer(group, member))
    this.#out.cancel(revocationTimer(group, member))
  }

  /** A member was silent for too long, or has not given up in time what it had to. */
  timeUp(group: ConsumerGroup, kind: 'session' | 'revocation', memberId: string, now: Timestamp): void {
    const member = group.members.get(memberId)
    if (member === undefined || (kind === 'revocation' && member.current.state !== 'unrevoked')) return
    this.#remove(group, [member], now)
  }

  // ─── writes ───

  #write({ group, facts }: Turn): void {
    const late = this.#unwritten.get(group.groupId)
    this.#unwritten.delete(group.groupId)
    const again = late === undefined ? [] : Array.from(late.values(), fact => group.factNow(fact))
    if (facts.length + again.length > 0) this.#out.write(group.groupId, [...again, ...facts])
  }

  writesFailed(groupId: string, facts: readonly ConsumerGroupFact[]): void {
    if (!this.#groups.has(groupId)) return
    const late = this.#unwritten.get(groupId) ?? new Map<string, ConsumerGroupFact>()
    this.#unwritten.set(groupId, late)
    for (const fact of facts) late.set(keyOf(fact), fact)
  }

  // ─── offsets ───

  /** Why a member may not commit offsets; null if it may. Nobody's member may where there are none, and producers of before KIP-447 in transactions. */
  commitRefusal(group: ConsumerGroup, { memberId, groupInstanceId, generation }: CommittingMember, isTransactional: boolean): ErrorName | null {
    if (generation < 0 && group.members.size === 0) return null
    if (isTransactional && generation < 0 && memberId === '' && groupInstanceId === null) return null
    const problem = epochProblem(group, memberId, generation)
    return problem === 'STALE_MEMBER_EPOCH' && isTransactional ? 'ILLEGAL_GENERATION' : problem
  }
}

/** Why a member may not ask with an epoch; null if it may. */
export function epochProblem(group: ConsumerGroup, memberId: string, memberEpoch: number): ErrorName | null {
  const member = group.members.get(memberId)
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  return memberEpoch === member.current.memberEpoch ? null : 'STALE_MEMBER_EPOCH'
}

/** One request's facts: each changes the group at once, so that what follows sees it. */
class Turn {
  readonly group: ConsumerGroup
  readonly facts: ConsumerGroupFact[] = []

  constructor(group: ConsumerGroup) {
    this.group = group
  }

  readonly say = (fact: ConsumerGroupFact): void => {
    this.group.replay(fact)
    this.facts.push(fact)
  }
}

function fencedInstance({ memberId, subscription }: ConsumerMember): Refusal {
  return { error: 'FENCED_INSTANCE_ID', message: `The instance id ${subscription.instanceId} belongs to member ${memberId}.` }
}

function sessionTimer({ groupId }: ConsumerGroup, { memberId }: ConsumerMember): GroupTimer {
  return { kind: 'session', groupId, memberId }
}

function revocationTimer({ groupId }: ConsumerGroup, { memberId }: ConsumerMember): GroupTimer {
  return { kind: 'revocation', groupId, memberId }
}

function keyOf(fact: ConsumerGroupFact): string {
  return JSON.stringify([fact.kind, 'memberId' in fact ? fact.memberId : 'regex' in fact ? fact.regex : ''])
}
