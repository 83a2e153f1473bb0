// The coordinator of the groups in one partition of __consumer_offsets: requests, records and time in, effects out. No I/O, no clock.

import type { Random } from '../../core/random.ts'
import type { Timestamp } from '../../core/record.ts'
import { errorCodeOf, type ErrorName } from '../wire/error-code.ts'
import { ClassicGroup } from './classic-group.ts'
import { commitRefusal } from './commit-rules.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { TopicsView } from './consumer-group-planning.ts'
import { refusedHeartbeat, requestRefusal, type HeartbeatRequest } from './consumer-group-requests.ts'
import type { ConsumerGroupRoom, GroupWrite } from './consumer-group-room.ts'
import { ConsumerGroupWrites } from './consumer-group-writes.ts'
import { ClassicMembers } from './classic-members.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import type { GroupAnswer, GroupEffect, GroupTimer } from './group-effects.ts'
import { upgradeOf } from './group-migration.ts'
import type { OffsetPlace } from './group-offsets.ts'
import { GroupPositions, type OffsetFact } from './group-positions.ts'
import type { GroupDescription, GroupSettings, OffsetCommitRequest } from './group-requests.ts'
import { GroupRebalance, joinFailure, syncFailure, type JoinRequest, type MemberIdentity, type SyncRequest } from './group-rebalance.ts'
import { encodeFact, type GroupFact } from './group-records.ts'
import type { Refusal } from './topic-config.ts'
import type { ProducerIdentity } from './transaction-state.ts'

/** What to do when records that were handed out are acknowledged, or cannot be. */
type Continuation =
  | { readonly kind: 'assign'; readonly groupId: string; readonly generation: number; readonly assignments: ReadonlyMap<string, Buffer> }
  | { readonly kind: 'save'; readonly groupId: string }
  | { readonly kind: 'apply'; readonly token: number | null; readonly facts: readonly GroupFact[] }
  | { readonly kind: 'pend'; readonly token: number; readonly producerId: number }
  | { readonly kind: 'nothing' }

/**
 * Every method answers what is to be done, in order. Requests carry a token, by which their answer comes: at once, or as the effect of
 * something later. An answer that is a number is an error code of Kafka's.
 */
export class GroupCoordinator {
  readonly #settings: GroupSettings
  readonly #groups = new Map<string, ClassicGroup>()
  /** No group is in both. */
  readonly #consumers: ConsumerGroups
  readonly #classicMembers: ClassicMembers
  readonly #consumerWrites: ConsumerGroupWrites
  readonly #topics: TopicsView
  readonly positions: GroupPositions = new GroupPositions()
  readonly #rebalance: GroupRebalance
  readonly #continuations = new Map<number, Continuation>()
  #nextAppend = 0
  #effects: GroupEffect[] = []
  #now: Timestamp = 0

  constructor(settings: GroupSettings, topics: TopicsView, random: Random) {
    this.#settings = settings
    const out = {
      reply: (token: number, answer: object) => void this.#effects.push({ kind: 'reply', token, answer } as GroupEffect),
      timer: (timer: GroupTimer, delayMs: number) => void this.#effects.push({ kind: 'timer', timer, delayMs }),
      cancel: (timer: GroupTimer) => void this.#effects.push({ kind: 'cancel', timer }),
      save: (group: ClassicGroup, assignments: ReadonlyMap<string, Buffer> | null) => this.#save(group, assignments),
    }
    this.#consumerWrites = new ConsumerGroupWrites({ append: facts => this.#append(facts, { kind: 'nothing' }), reply: (token, answer) => this.#reply(token, answer) })
    const room: ConsumerGroupRoom = {
      topics,
      settings: settings.consumer,
      out: {
        write: (groupId, facts) => this.#consumerWrites.write(groupId, facts),
        reply: (groupId, token, answer, failed) => this.#consumerWrites.reply(groupId, token, answer, failed),
        timer: out.timer,
        cancel: out.cancel,
        downgrade: (group, removals, rebalances, now) => this.#downgraded(group, removals, rebalances, now),
      },
    }
    this.#consumers = new ConsumerGroups(room)
    this.#classicMembers = new ClassicMembers(this.#consumers, room, random)
    this.#topics = topics
    this.#rebalance = new GroupRebalance(out, random, { initialDelayMs: settings.initialRebalanceDelayMs, maxSize: settings.maxSize })
  }

  // ─── state from records ───

  /** Takes a record into account that is in the log. `producerId`: of the transaction that it is in; null if it is in none. */
  replay(fact: GroupFact, now: Timestamp, producerId: number | null = null): void {
    const order = this.#nextAppend++
    if (producerId === null) this.#learn(fact, order, now)
    else if (fact.kind === 'offset' && fact.value !== null) {
      this.#keep(fact.groupId, now)
      this.positions.pend(producerId, [{ ...fact, value: fact.value }], order)
    }
  }

  /** The marker of a transaction is in the log: what it wrote counts from now on, or never. */
  endTransaction(producerId: number, isCommit: boolean, now: Timestamp): void {
    for (const { offset: { groupId, topic, partition, value }, order } of this.positions.end(producerId)) {
      if (isCommit) this.#learn({ kind: 'offset', groupId, topic, partition, value }, order, now)
    }
  }

  /** `order`: of what is in the log, later is greater. */
  #learn(fact: GroupFact, order: number, now: Timestamp): void {
    const { groupId } = fact
    if (fact.kind === 'offset') {
      this.positions.learn(fact, order)
      if (fact.value !== null) this.#keep(groupId, now)
    } else if (fact.kind !== 'group') {
      this.#consumers.replay(fact)
      if (this.#consumers.get(groupId) !== undefined) this.#groups.delete(groupId)
      else if (this.positions.has(groupId)) this.#keep(groupId, now)
    } else if (fact.value === null) this.#groups.delete(groupId)
    else {
      this.#consumers.forget(groupId)
      this.#groups.set(groupId, ClassicGroup.fromRecord(groupId, fact.value, now))
    }
  }

  /** After the last record: from now on members have to show that they live, and share what lost ones had. */
  loaded(now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      for (const group of this.#groups.values()) {
        for (const { memberId, sessionTimeoutMs } of group.members.values()) this.#effects.push({ kind: 'timer', timer: { kind: 'session', groupId: group.groupId, memberId }, delayMs: sessionTimeoutMs })
        if (group.hasLostMembers && group.members.size > 0) this.#rebalance.prepare(group, now)
      }
      this.#consumers.loaded(now)
    })
  }

  // ─── members ───

  join(request: JoinRequest, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#settings
      const { groupId, memberId, sessionTimeoutMs } = request
      const refuse = (error: ErrorName): void => this.#reply(token, joinFailure(error, memberId))
      if (groupId === '') return refuse('INVALID_GROUP_ID')
      if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) return refuse('INVALID_SESSION_TIMEOUT')
      if (request.protocolType === '' || request.protocols.length === 0) return refuse('INCONSISTENT_GROUP_PROTOCOL')
      const other = this.#consumers.get(groupId)
      if (other !== undefined && other.members.size > 0) return this.#classicMembers.join(other, request, token, now)
      if (!this.#groups.has(groupId) && memberId !== '') return refuse('UNKNOWN_MEMBER_ID')
      if (other !== undefined) this.#consumers.dissolve(other)
      this.#rebalance.join(this.#groupOrNew(groupId, now), request, token, now)
    })
  }

  sync(request: SyncRequest, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const group = this.#groups.get(request.groupId) ?? this.#consumers.get(request.groupId)
      if (group === undefined) this.#reply(token, syncFailure(unknownGroup(request.groupId)))
      else if (group.type === 'classic') this.#rebalance.sync(group, request, token, now)
      else this.#classicMembers.sync(group, request, token)
    })
  }

  heartbeat(groupId: string, identity: MemberIdentity, generation: number, now: Timestamp): { readonly error: ErrorName; readonly effects: readonly GroupEffect[] } {
    let error = unknownGroup(groupId)
    const effects = this.#turn(now, () => {
      const group = this.#groups.get(groupId) ?? this.#consumers.get(groupId)
      if (group?.type === 'classic') {
        error = this.#rebalance.heartbeat(group, identity, generation, now)
        if (group.isUnsaved && group.phase === 'Stable') this.#save(group, null)
      }
      else if (group !== undefined) error = this.#classicMembers.heartbeat(group, identity, generation)
    })
    return { error, effects }
  }

  /** One error per member, in order. */
  leave(groupId: string, members: readonly MemberIdentity[], now: Timestamp): { readonly errors: readonly ErrorName[]; readonly effects: readonly GroupEffect[] } {
    let errors: readonly ErrorName[] = members.map(() => unknownGroup(groupId))
    const effects = this.#turn(now, () => {
      const group = this.#groups.get(groupId) ?? this.#consumers.get(groupId)
      if (group?.type === 'classic') errors = members.map(member => this.#rebalance.leave(group, member, now))
      else if (group !== undefined) errors = this.#classicMembers.leave(group, members, now)
    })
    return { errors, effects }
  }

  /** Of a member of a consumer group (KIP-848). A classic group becomes a consumer group with the first one, if it may. */
  consumerHeartbeat(request: HeartbeatRequest, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const { groupId, memberEpoch } = request
      const classic = this.#groups.get(groupId)
      const isEmpty = classic === undefined || classic.phase === 'Empty'
      const refused = isEmpty ? null : this.#upgraded(classic, request)
      if (refused !== null) return this.#reply(token, refusedHeartbeat(refused))
      this.#consumers.heartbeat(request, token, now)
      if (classic === undefined || !isEmpty || memberEpoch !== 0 || this.#consumers.get(groupId) === undefined) return
      this.#rebalance.handOver(classic)
      this.#groups.delete(groupId)
      if (classic.hasRecord) this.#consumerWrites.write(groupId, [{ kind: 'group', groupId, value: null }])
    })
  }

  /** Takes a classic group with members over into the new protocol, for the member that asks to join; or says why not. */
  #upgraded(classic: ClassicGroup, request: HeartbeatRequest): Refusal | null {
    const facts = requestRefusal(request, this.#settings.consumer.assignors) ?? upgradeOf(classic, request, this.#settings.consumer, this.#topics)
    if ('error' in facts) return facts
    this.#rebalance.handOver(classic)
    this.#groups.delete(classic.groupId)
    this.#consumers.adopt(classic.groupId, facts)
    return null
  }

  #downgraded(group: ClassicGroup, removals: GroupWrite, rebalances: boolean, now: Timestamp): void {
    const { groupId } = group
    this.#consumerWrites.write(groupId, [...removals, { kind: 'group', groupId, value: group.toRecord(now) }])
    this.#groups.set(groupId, group)
    for (const { memberId, sessionTimeoutMs } of group.members.values()) this.#effects.push({ kind: 'timer', timer: { kind: 'session', groupId, memberId }, delayMs: sessionTimeoutMs })
    if (rebalances) this.#rebalance.prepare(group, now)
  }

  timeUp(timer: GroupTimer, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const consumers = this.#consumers.get(timer.groupId)
      if (consumers !== undefined && 'memberId' in timer) return this.#consumers.timeUp(consumers, timer.kind, timer.memberId, now)
      const group = this.#groups.get(timer.groupId)
      if (group === undefined) return
      if (timer.kind === 'session') this.#rebalance.sessionTimeUp(group, timer.memberId, now)
      else if (timer.kind === 'rebalance') this.#rebalance.rebalanceTimeUp(group, now)
      else if (timer.kind === 'sync') this.#rebalance.syncTimeUp(group, now)
    })
  }

  // ─── offsets ───

  /** The token is answered with one error code for all offsets. */
  commitOffsets(request: OffsetCommitRequest, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const group = this.#groups.get(request.groupId) ?? this.#consumers.get(request.groupId)
      const refused = commitRefusal(group, request, request.producer !== undefined)
      const member = group?.type === 'classic' && request.producer === undefined ? group.members.get(request.memberId) : undefined
      // Whoever commits what is its own lives.
      if (member !== undefined && (refused === null || refused === 'REBALANCE_IN_PROGRESS')) this.#rebalance.alive(member, now)
      if (refused !== null) return this.#reply(token, errorCodeOf(refused))
      const facts = request.offsets.map(({ topic, partition, offset, leaderEpoch, metadata }): OffsetFact => ({
        kind: 'offset', groupId: request.groupId, topic, partition, value: { offset, leaderEpoch, metadata, commitTimestamp: now },
      }))
      this.#keep(request.groupId, now)
      if (request.producer === undefined || facts.length === 0) this.#appendFacts(facts, token)
      else this.#appendPending(facts, request.producer, token)
    })
  }

  /** Forgets offsets of topics that nobody in the group reads. `subscribed`: topics that a member's metadata names; null if it cannot be read. */
  deleteOffsets(groupId: string, places: readonly OffsetPlace[], subscribed: (metadata: Buffer) => readonly string[] | null, token: number, now: Timestamp): { readonly refused: ErrorName | null; readonly read: ReadonlySet<string>; readonly effects: readonly GroupEffect[] } {
    const group = this.#groups.get(groupId) ?? this.#consumers.get(groupId)
    if (group === undefined) return { refused: 'GROUP_ID_NOT_FOUND', read: new Set(), effects: [] }
    const read = group.type === 'consumer' ? group.subscribedTopics() : group.subscribedTopics(subscribed)
    if (read === null) return { refused: 'NON_EMPTY_GROUP', read: new Set(), effects: [] }
    const unread = places.filter(({ topic }) => !read.has(topic))
    return { refused: null, read, effects: this.#turn(now, () => this.#appendFacts(this.positions.removalAt(groupId, unread), token)) }
  }

  /** Offsets of topics that are gone go with them. */
  topicsDeleted(isGone: (topic: string) => boolean, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => this.#appendFacts(this.positions.removalIn(isGone), null))
  }

  /** Forgets what empty groups have committed long ago, and groups that keep nothing. */
  expire(now: Timestamp): readonly GroupEffect[] {
    const before = now - this.#settings.offsetsRetentionMs
    const facts = [...this.groups()].filter(group => group.phase === 'Empty' && !this.positions.hasUnstable(group.groupId)).flatMap(group => this.#expiredOf(group, before))
    return this.#turn(now, () => this.#appendFacts(facts, null))
  }

  /** Old offsets of an empty group, and with the last of them the group. */
  #expiredOf(group: ClassicGroup | ConsumerGroup, before: Timestamp): readonly GroupFact[] {
    const { groupId } = group
    const old = this.positions.expired(groupId, before)
    if (group.type === 'consumer') return old.isAll ? [...old.facts, ...group.removal()] : old.facts
    if (group.pending.size > 0) return []
    // Groups of consumers count from when the last one left; those that only keep offsets, offset by offset.
    const facts = group.protocolType !== null && group.phaseSince >= before ? [] : old.facts
    const isLeft = facts.length > 0 ? !old.isAll : this.positions.has(groupId)
    const isOver = !isLeft && (!group.hasRecord || group.phaseSince < before || facts.length > 0)
    return isOver ? [...facts, { kind: 'group', groupId, value: null }] : facts
  }

  // ─── admin ───

  /** Of both kinds. */
  *groups(): Iterable<ClassicGroup | ConsumerGroup> {
    yield* this.#groups.values()
    yield* this.#consumers.all()
  }

  consumerGroup(groupId: string): ConsumerGroup | undefined {
    return this.#consumers.get(groupId)
  }

  describe(groupId: string): GroupDescription | null {
    const group = this.#groups.get(groupId)
    if (group === undefined) return null
    const members = [...group.members.values()].map(member => ({ ...member, metadata: group.phase === 'Stable' ? group.metadataOf(member) : Buffer.alloc(0) }))
    return { groupId, phase: group.phase, protocolType: group.protocolType ?? '', protocol: group.phase === 'Stable' ? (group.protocol ?? '') : '', members }
  }

  deleteGroup(groupId: string, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const group = this.#groups.get(groupId) ?? this.#consumers.get(groupId)
      if (group === undefined) return this.#reply(token, errorCodeOf('GROUP_ID_NOT_FOUND'))
      if (group.phase !== 'Empty') return this.#reply(token, errorCodeOf('NON_EMPTY_GROUP'))
      const owed = this.#consumers.owed(groupId)
      const own: readonly GroupFact[] = group.type === 'classic' ? [{ kind: 'group', groupId, value: null }] : group.removal()
      this.#appendFacts([...owed, ...this.positions.removalOf(groupId), ...own], token)
    })
  }

  // ─── effects ───

  /** Records handed out as `id` are acknowledged; or, with an error, are not. */
  appended(id: number, error: ErrorName | null, now: Timestamp): readonly GroupEffect[] {
    const continuation = this.#continuations.get(id)
    this.#continuations.delete(id)
    this.positions.written(id)
    return this.#turn(now, () => {
      const written = this.#consumerWrites.appended(id, error)
      if (written !== undefined && error !== null) this.#consumers.writesFailed(written.groupId, written.facts)
      if (continuation === undefined || continuation.kind === 'nothing') return
      if ('groupId' in continuation) {
        const group = this.#groups.get(continuation.groupId)
        if (group === undefined) return
        if (continuation.kind === 'assign') this.#rebalance.assigned(group, continuation.generation, continuation.assignments, error, now)
        else group.isUnsaved ||= error !== null
        return
      }
      if (continuation.kind === 'pend') {
        if (error !== null) this.positions.withdraw(continuation.producerId, id)
        return this.#reply(continuation.token, errorCodeOf(error ?? 'NONE'))
      }
      if (error === null) for (const fact of continuation.facts) this.#apply(fact, id, now)
      if (continuation.token !== null) this.#reply(continuation.token, errorCodeOf(error ?? 'NONE'))
    })
  }

  /** As `replay`, but a group that came to life meanwhile is not removed. */
  #apply(fact: GroupFact, order: number, now: Timestamp): void {
    if (fact.kind === 'offset') return this.#learn(fact, order, now)
    if (fact.kind !== 'group') {
      const group = this.#consumers.get(fact.groupId)
      if (group?.members.size === 0) this.#consumers.forget(fact.groupId)
      return
    }
    const group = this.#groups.get(fact.groupId)
    if (group !== undefined && group.phase === 'Empty' && group.pending.size === 0 && !this.positions.has(fact.groupId) && !this.positions.hasUnstable(fact.groupId)) this.#groups.delete(fact.groupId)
  }

  #save(group: ClassicGroup, assignments: ReadonlyMap<string, Buffer> | null): void {
    const { groupId, generation } = group
    const owed = this.#consumers.owed(groupId)
    if (owed.length > 0) this.#consumerWrites.write(groupId, owed)
    const value = assignments === null ? group.toRecord(this.#now) : group.toRecord(this.#now, assignments)
    group.hasRecord = true
    group.isUnsaved = false
    this.#append([{ kind: 'group', groupId, value }], assignments === null ? { kind: 'save', groupId } : { kind: 'assign', groupId, generation, assignments })
  }

  #appendPending(facts: readonly OffsetFact[], producer: ProducerIdentity, token: number): void {
    const { producerId } = producer
    this.positions.pend(producerId, facts, this.#nextAppend)
    this.#append(facts, { kind: 'pend', token, producerId }, producer)
  }

  #appendFacts(facts: readonly GroupFact[], token: number | null): void {
    if (facts.length > 0) this.positions.writing(facts, this.#append(facts, { kind: 'apply', token, facts }))
    else if (token !== null) this.#reply(token, 0)
  }

  #append(facts: readonly GroupFact[], continuation: Continuation, producer?: ProducerIdentity): number {
    const id = this.#nextAppend++
    this.#continuations.set(id, continuation)
    this.#effects.push({ kind: 'append', id, records: facts.map(encodeFact), ...(producer === undefined ? {} : { producer }) })
    return id
  }

  #reply(token: number, answer: GroupAnswer): void {
    this.#effects.push({ kind: 'reply', token, answer })
  }

  #turn(now: Timestamp, action: () => void): readonly GroupEffect[] {
    this.#now = now
    action()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** A group of either kind that keeps offsets: a classic one if there is none. */
  #keep(groupId: string, now: Timestamp): void {
    if (this.#consumers.get(groupId) === undefined) this.#groupOrNew(groupId, now)
  }

  #groupOrNew(groupId: string, now: Timestamp): ClassicGroup {
    let group = this.#groups.get(groupId)
    if (group === undefined) this.#groups.set(groupId, (group = new ClassicGroup(groupId, now)))
    return group
  }
}

function unknownGroup(groupId: string): ErrorName {
  return groupId === '' ? 'INVALID_GROUP_ID' : 'UNKNOWN_MEMBER_ID'
}
