// The classic group protocol: joining, the assignment's round, heartbeats, leaving, and what happens when time is up.

import type { Random } from '../../core/random.ts'
import { uuid } from '../../core/random.ts'
import type { Timestamp } from '../../core/record.ts'
import type { ErrorName } from '../wire/error-code.ts'
import { sameProtocols, type ClassicGroup, type Member } from './classic-group.ts'
import { identityProblem, joinAnswer, joinFailure, syncAnswer, syncFailure, syncRefusal, type JoinRequest, type MemberIdentity, type SyncRequest } from './classic-group-requests.ts'
import type { GroupTimer, JoinAnswer, SyncAnswer } from './group-effects.ts'

/** Where a rebalance says what it wants done; the coordinator is behind it. */
export interface RebalanceOutbox {
  reply(token: number, answer: JoinAnswer | SyncAnswer): void
  timer(timer: GroupTimer, delayMs: number): void
  cancel(timer: GroupTimer): void
  /** Writes the group's record with these assignments; `assigned` is called with them when it is durable or failed. Null: nobody waits. */
  save(group: ClassicGroup, assignments: ReadonlyMap<string, Buffer> | null): void
}

export interface RebalanceSettings {
  readonly initialDelayMs: number
  readonly maxSize: number
}

const nothing: Buffer = Buffer.alloc(0)

export class GroupRebalance {
  readonly #out: RebalanceOutbox
  readonly #random: Random
  readonly #settings: RebalanceSettings

  constructor(out: RebalanceOutbox, random: Random, settings: RebalanceSettings) {
    this.#out = out
    this.#random = random
    this.#settings = settings
  }

  // ─── join ───

  join(group: ClassicGroup, request: JoinRequest, token: number, now: Timestamp): void {
    const refused = this.#joinRefusal(group, request)
    if (refused !== null) return this.#out.reply(token, joinFailure(refused, request.memberId))
    if (request.memberId === '') return this.#joinNew(group, request, token, now)
    if (group.pending.delete(request.memberId)) {
      this.#out.cancel(sessionTimer(group, request.memberId))
      return this.#add(group, request.memberId, request, token, now)
    }
    this.#joinAgain(group, group.members.get(request.memberId)!, request, token, now)
  }

  #joinRefusal(group: ClassicGroup, request: JoinRequest): ErrorName | null {
    const { memberId } = request
    const isKnown = group.members.has(memberId)
    if (!isKnown && group.members.size + (group.pending.has(memberId) ? 0 : group.pending.size) >= this.#settings.maxSize) return 'GROUP_MAX_SIZE_REACHED'
    if (!group.accepts(request.protocolType, request.protocols)) return 'INCONSISTENT_GROUP_PROTOCOL'
    if (memberId === '') return null
    if (group.pending.has(memberId)) return request.groupInstanceId === null ? null : 'UNKNOWN_MEMBER_ID'
    const identity = identityProblem(group, request)
    if (identity !== null) return identity
    return group.phase === 'Empty' ? 'UNKNOWN_MEMBER_ID' : null
  }

  #joinNew(group: ClassicGroup, request: JoinRequest, token: number, now: Timestamp): void {
    const { groupInstanceId } = request
    const memberId = `${groupInstanceId ?? request.clientId}-${uuid(this.#random)}`
    if (groupInstanceId !== null) {
      const old = group.memberOfInstance(groupInstanceId)
      return old === undefined ? this.#add(group, memberId, request, token, now) : this.#replaceStatic(group, old, memberId, request, token, now)
    }
    if (!request.needsKnownId) return this.#add(group, memberId, request, token, now)
    group.pending.set(memberId, now + request.sessionTimeoutMs)
    this.#out.timer(sessionTimer(group, memberId), request.sessionTimeoutMs)
    this.#out.reply(token, joinFailure('MEMBER_ID_REQUIRED', memberId))
  }

  #add(group: ClassicGroup, memberId: string, request: JoinRequest, token: number, now: Timestamp): void {
    const member = newMember(memberId, request, token, now)
    if (group.members.size === 0) group.protocolType = request.protocolType
    group.add(member)
    this.#out.timer(sessionTimer(group, memberId), member.sessionTimeoutMs)
    this.#rejoined(group, now)
  }

  #joinAgain(group: ClassicGroup, member: Member, request: JoinRequest, token: number, now: Timestamp): void {
    const isUnchanged = sameProtocols(member.protocols, request.protocols)
    const staysAsItIs = (group.phase === 'CompletingRebalance' && isUnchanged) || (group.phase === 'Stable' && isUnchanged && group.leader !== member.memberId)
    if (staysAsItIs) {
      this.alive(member, now)
      return this.#out.reply(token, joinAnswer(group, member))
    }
    if (member.joinToken !== null) this.#out.reply(member.joinToken, joinFailure('REBALANCE_IN_PROGRESS', member.memberId))
    member.joinToken = token
    member.protocols = request.protocols
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    member.sessionTimeoutMs = request.sessionTimeoutMs
    this.#rejoined(group, now)
  }

  /** A static member's process has come back without its id: it takes its old place, without a rebalance unless its coming changes the group's protocol. */
  #replaceStatic(group: ClassicGroup, old: Member, memberId: string, request: JoinRequest, token: number, now: Timestamp): void {
    const wasLeader = group.leader === old.memberId
    const next = { ...newMember(memberId, request, token, now), assignment: old.assignment }
    if (old.joinToken !== null) this.#out.reply(old.joinToken, joinFailure('FENCED_INSTANCE_ID', old.memberId))
    if (old.syncToken !== null) this.#out.reply(old.syncToken, syncFailure('FENCED_INSTANCE_ID'))
    this.#out.cancel(sessionTimer(group, old.memberId))
    group.replaceStatic(old, next)
    this.#out.timer(sessionTimer(group, memberId), next.sessionTimeoutMs)
    if (group.phase !== 'Stable' || group.selectProtocol() !== group.protocol) return this.#rejoined(group, now)
    next.joinToken = null
    this.#out.save(group, null)
    const answer = joinAnswer(group, next)
    if (!wasLeader) return this.#out.reply(token, answer)
    // Older clients would assign anew if they saw themselves as the leader; they are shown the id that they had.
    this.#out.reply(token, request.canSkipAssignment ? { ...answer, skipAssignment: true } : { ...answer, leader: old.memberId, members: [] })
  }

  #rejoined(group: ClassicGroup, now: Timestamp): void {
    if (group.phase !== 'PreparingRebalance') this.prepare(group, now)
    else this.#completeIfAllJoined(group, now)
  }

  // ─── rebalance ───

  /** Begins a rebalance: all members are to join again. */
  prepare(group: ClassicGroup, now: Timestamp): void {
    if (group.phase === 'CompletingRebalance') {
      this.#refuseSyncs(group, 'REBALANCE_IN_PROGRESS')
      // What was to be handed out anew is nobody's any more.
      for (const member of group.members.values()) member.assignment = nothing
    }
    const isFirst = group.phase === 'Empty'
    const { initialDelayMs } = this.#settings
    group.enter('PreparingRebalance', now)
    group.awaitedSyncs.clear()
    this.#out.cancel({ kind: 'sync', groupId: group.groupId })
    group.initialDelayLeftMs = isFirst && initialDelayMs > 0 ? Math.max(0, group.rebalanceTimeoutMs - initialDelayMs) : null
    group.hasNewJoins = false
    this.#out.timer(rebalanceTimer(group), group.initialDelayLeftMs === null ? group.rebalanceTimeoutMs : initialDelayMs)
    this.#completeIfAllJoined(group, now)
  }

  #completeIfAllJoined(group: ClassicGroup, now: Timestamp): void {
    if (group.phase === 'PreparingRebalance' && group.initialDelayLeftMs === null && group.allJoined) this.#complete(group, now)
  }

  rebalanceTimeUp(group: ClassicGroup, now: Timestamp): void {
    if (group.phase !== 'PreparingRebalance') return
    const left = group.initialDelayLeftMs
    if (left !== null && left > 0 && group.hasNewJoins) {
      const delayMs = Math.min(left, this.#settings.initialDelayMs)
      group.initialDelayLeftMs = left - delayMs
      group.hasNewJoins = false
      return this.#out.timer(rebalanceTimer(group), delayMs)
    }
    group.initialDelayLeftMs = null
    this.#complete(group, now)
  }

  /** Everyone who has not joined is out, but for static members, whose session decides. */
  #complete(group: ClassicGroup, now: Timestamp): void {
    for (const member of [...group.members.values()]) if (member.joinToken === null && member.groupInstanceId === null) this.#drop(group, member)
    const joined = [...group.members.values()].filter(({ joinToken }) => joinToken !== null)
    if (joined.length === 0 && group.members.size > 0) return this.#out.timer(rebalanceTimer(group), group.rebalanceTimeoutMs)
    this.#out.cancel(rebalanceTimer(group))
    group.generation++
    if (group.members.size === 0) return this.#becomeEmpty(group, now)
    if (!joined.some(({ memberId }) => memberId === group.leader)) group.leader = joined[0]!.memberId
    group.protocol = group.selectProtocol()
    group.enter('CompletingRebalance', now)
    for (const member of joined) {
      group.awaitedSyncs.add(member.memberId)
      this.alive(member, now)
      const token = member.joinToken!
      member.joinToken = null
      this.#out.reply(token, joinAnswer(group, member))
    }
    this.#out.timer({ kind: 'sync', groupId: group.groupId }, group.rebalanceTimeoutMs)
  }

  #becomeEmpty(group: ClassicGroup, now: Timestamp): void {
    group.protocol = null
    group.leader = null
    group.enter('Empty', now)
    this.#out.save(group, null)
  }

  // ─── sync ───

  sync(group: ClassicGroup, request: SyncRequest, token: number, now: Timestamp): void {
    const refused = syncRefusal(group, request)
    if (refused !== null) return this.#out.reply(token, syncFailure(refused))
    const member = group.members.get(request.memberId)!
    this.alive(member, now)
    group.awaitedSyncs.delete(member.memberId)
    if (group.phase === 'Stable') return this.#out.reply(token, syncAnswer(group, member))
    if (member.syncToken !== null) this.#out.reply(member.syncToken, syncFailure('REBALANCE_IN_PROGRESS'))
    member.syncToken = token
    if (group.leader === member.memberId) this.#out.save(group, new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment])))
  }

  /** The leader's assignment is durable, or is not going to be. */
  assigned(group: ClassicGroup, generation: number, assignments: ReadonlyMap<string, Buffer>, error: ErrorName | null, now: Timestamp): void {
    if (group.phase !== 'CompletingRebalance' || group.generation !== generation) return
    if (error !== null) {
      this.#refuseSyncs(group, error)
      return this.prepare(group, now)
    }
    for (const member of group.members.values()) member.assignment = assignments.get(member.memberId) ?? nothing
    group.enter('Stable', now)
    for (const member of group.members.values()) {
      if (member.syncToken === null) continue
      const token = member.syncToken
      member.syncToken = null
      this.alive(member, now)
      this.#out.reply(token, syncAnswer(group, member))
    }
  }

  /** Members that have not asked for their assignment in time are out. */
  syncTimeUp(group: ClassicGroup, now: Timestamp): void {
    if ((group.phase !== 'CompletingRebalance' && group.phase !== 'Stable') || group.awaitedSyncs.size === 0) return
    for (const memberId of [...group.awaitedSyncs]) {
      const member = group.members.get(memberId)
      if (member !== undefined) this.#drop(group, member)
    }
    this.prepare(group, now)
  }

  #refuseSyncs(group: ClassicGroup, error: ErrorName): void {
    for (const member of group.members.values()) {
      if (member.syncToken === null) continue
      this.#out.reply(member.syncToken, syncFailure(error))
      member.syncToken = null
    }
  }

  /** The group goes on as one of the other protocol: whoever waits is to join again there. */
  handOver(group: ClassicGroup): void {
    this.#refuseSyncs(group, 'REBALANCE_IN_PROGRESS')
    for (const member of group.members.values()) if (member.joinToken !== null) this.#out.reply(member.joinToken, joinFailure('REBALANCE_IN_PROGRESS', member.memberId))
    this.#out.cancel(rebalanceTimer(group))
    this.#out.cancel({ kind: 'sync', groupId: group.groupId })
    for (const memberId of [...group.members.keys(), ...group.pending.keys()]) this.#out.cancel(sessionTimer(group, memberId))
  }

  /** Those who have their id and have not come back with it need not come: the group is to go. */
  dismiss(group: ClassicGroup): void {
    for (const memberId of group.pending.keys()) this.#out.cancel(sessionTimer(group, memberId))
    group.pending.clear()
  }

  // ─── heartbeat, leave, session ───

  heartbeat(group: ClassicGroup, identity: MemberIdentity, generation: number, now: Timestamp): ErrorName {
    const problem = identityProblem(group, identity)
    if (problem !== null) return problem
    if (group.phase === 'Empty') return 'UNKNOWN_MEMBER_ID'
    if (generation !== group.generation) return 'ILLEGAL_GENERATION'
    this.alive(group.members.get(identity.memberId)!, now)
    return group.phase === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : 'NONE'
  }

  leave(group: ClassicGroup, identity: MemberIdentity, now: Timestamp): ErrorName {
    if (group.pending.delete(identity.memberId)) {
      this.#out.cancel(sessionTimer(group, identity.memberId))
      // The others join again also after one that had not joined yet.
      this.#goesOn(group, now)
      return 'NONE'
    }
    const byInstance = identity.memberId === '' && identity.groupInstanceId !== null ? group.memberOfInstance(identity.groupInstanceId) : undefined
    const problem = byInstance === undefined ? identityProblem(group, identity) : null
    if (problem !== null) return problem
    this.#removed(group, byInstance ?? group.members.get(identity.memberId)!, now)
    return 'NONE'
  }

  sessionTimeUp(group: ClassicGroup, memberId: string, now: Timestamp): void {
    const pendingUntil = group.pending.get(memberId)
    if (pendingUntil !== undefined) {
      if (pendingUntil > now) return this.#out.timer(sessionTimer(group, memberId), pendingUntil - now)
      group.pending.delete(memberId)
      return this.#completeIfAllJoined(group, now)
    }
    const member = group.members.get(memberId)
    if (member === undefined) return
    // One that waits for our answer cannot send heartbeats.
    if (member.joinToken !== null || member.syncToken !== null) this.alive(member, now)
    if (member.deadline > now) return this.#out.timer(sessionTimer(group, memberId), member.deadline - now)
    this.#removed(group, member, now)
  }

  #removed(group: ClassicGroup, member: Member, now: Timestamp): void {
    this.#drop(group, member)
    this.#goesOn(group, now)
  }

  /** Without one that has left. */
  #goesOn(group: ClassicGroup, now: Timestamp): void {
    if (group.phase === 'Stable' || group.phase === 'CompletingRebalance') this.prepare(group, now)
    else this.#completeIfAllJoined(group, now)
  }

  #drop(group: ClassicGroup, member: Member): void {
    if (member.joinToken !== null) this.#out.reply(member.joinToken, joinFailure('UNKNOWN_MEMBER_ID', member.memberId))
    if (member.syncToken !== null) this.#out.reply(member.syncToken, syncFailure('UNKNOWN_MEMBER_ID'))
    this.#out.cancel(sessionTimer(group, member.memberId))
    group.remove(member.memberId)
  }

  alive(member: Member, now: Timestamp): void {
    member.deadline = now + member.sessionTimeoutMs
  }
}

function newMember(memberId: string, request: JoinRequest, token: number, now: Timestamp): Member {
  const { groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = request
  return {
    memberId, groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols,
    assignment: nothing, joinToken: token, syncToken: null, deadline: now + sessionTimeoutMs,
  }
}

function sessionTimer({ groupId }: ClassicGroup, memberId: string): GroupTimer {
  return { kind: 'session', groupId, memberId }
}

function rebalanceTimer({ groupId }: ClassicGroup): GroupTimer {
  return { kind: 'rebalance', groupId }
}
