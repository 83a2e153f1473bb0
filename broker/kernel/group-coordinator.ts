// The coordinator of the groups in one partition of __consumer_offsets: requests, records and time in, effects out. No I/O, no clock.

import type { Random } from '../../core/random.ts'
import type { Timestamp } from '../../core/record.ts'
import { errorCodeOf, type ErrorName } from '../wire/error-code.ts'
import type { ClassicGroup } from './classic-group.ts'
import { joinFailure, syncFailure, type JoinRequest, type MemberIdentity, type SyncRequest } from './classic-group-requests.ts'
import { commitRefusal } from './commit-rules.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { TopicsView } from './consumer-group-planning.ts'
import { refusedHeartbeat, requestRefusal, type HeartbeatRequest } from './consumer-group-requests.ts'
import type { ConsumerGroupRoom, GroupWrite } from './consumer-group-room.ts'
import { ConsumerGroupWrites } from './consumer-group-writes.ts'
import { ClassicMembers } from './classic-members.ts'
import { ConsumerGroups } from './consumer-groups.ts'
import { GroupBook } from './group-book.ts'
import type { GroupEffect, GroupTimer } from './group-effects.ts'
import { upgradeOf } from './group-migration.ts'
import type { OffsetPlace } from './group-offsets.ts'
import { GroupOutbox } from './group-outbox.ts'
import type { GroupPositions, OffsetFact } from './group-positions.ts'
import type { GroupDescription, GroupSettings, OffsetCommitRequest } from './group-requests.ts'
import { GroupRebalance, type RebalanceOutbox } from './group-rebalance.ts'
import type { GroupFact } from './group-records.ts'
import { OffsetWrites } from './offset-writes.ts'
import type { Refusal } from './topic-config.ts'

/** A write of a classic group: an assignment that its members wait for, or what it is. */
interface ClassicWrite {
  readonly groupId: string
  readonly generation: number
  /** Null: nobody waits. */
  readonly assignments: ReadonlyMap<string, Buffer> | null
}

/**
 * Every method answers what is to be done, in order. Requests carry a token, by which their answer comes: at once, or as the effect of
 * something later. An answer that is a number is an error code of Kafka's.
 */
export class GroupCoordinator {
  readonly #settings: GroupSettings
  readonly #topics: TopicsView
  readonly #out = new GroupOutbox()
  readonly #book: GroupBook
  readonly #rebalance: GroupRebalance
  readonly #classicMembers: ClassicMembers
  readonly #classicWrites = new Map<number, ClassicWrite>()
  readonly #consumerWrites: ConsumerGroupWrites
  readonly #offsetWrites: OffsetWrites
  #now: Timestamp = 0

  constructor(settings: GroupSettings, topics: TopicsView, random: Random) {
    this.#settings = settings
    this.#topics = topics
    const out = this.#out
    this.#consumerWrites = new ConsumerGroupWrites(out)
    const room: ConsumerGroupRoom = {
      topics,
      settings: settings.consumer,
      out: {
        write: (groupId, facts) => this.#consumerWrites.write(groupId, facts),
        reply: (groupId, token, answer, failed) => this.#consumerWrites.reply(groupId, token, answer, failed),
        timer: (timer, delayMs) => out.timer(timer, delayMs),
        cancel: timer => out.cancel(timer),
        downgrade: (group, removals, rebalances, now) => this.#downgraded(group, removals, rebalances, now),
      },
    }
    this.#book = new GroupBook(new ConsumerGroups(room))
    this.#classicMembers = new ClassicMembers(this.#book.consumers, room, random)
    this.#offsetWrites = new OffsetWrites(this.#book, out)
    const classic: RebalanceOutbox = {
      reply: (token, answer) => out.reply(token, answer),
      timer: (timer, delayMs) => out.timer(timer, delayMs),
      cancel: timer => out.cancel(timer),
      save: (group, assignments) => this.#save(group, assignments),
    }
    this.#rebalance = new GroupRebalance(classic, random, { initialDelayMs: settings.initialRebalanceDelayMs, maxSize: settings.maxSize })
  }

  get positions(): GroupPositions {
    return this.#book.positions
  }

  // ─── state from records ───

  /** Takes a record into account that is in the log. `producerId`: of the transaction that it is in; null if it is in none. */
  replay(fact: GroupFact, now: Timestamp, producerId: number | null = null): void {
    this.#book.replay(fact, this.#out.nextOrder(), now, producerId)
  }

  /** The marker of a transaction is in the log: what it wrote counts from now on, or never. */
  endTransaction(producerId: number, isCommit: boolean, now: Timestamp): void {
    this.#book.endTransaction(producerId, isCommit, now)
  }

  /** After the last record: from now on members have to show that they live, and share what lost ones had. */
  loaded(now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      for (const group of this.#book.classic.values()) {
        this.#startSessions(group)
        if (group.hasLostMembers && group.members.size > 0) this.#rebalance.prepare(group, now)
      }
      this.#book.consumers.loaded(now)
    })
  }

  // ─── members ───

  join(request: JoinRequest, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#settings
      const { groupId, memberId, sessionTimeoutMs } = request
      const refuse = (error: ErrorName): void => this.#out.reply(token, joinFailure(error, memberId))
      if (groupId === '') return refuse('INVALID_GROUP_ID')
      if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) return refuse('INVALID_SESSION_TIMEOUT')
      const other = this.#book.consumers.get(groupId)
      if (other !== undefined && other.members.size > 0) return this.#classicMembers.join(other, request, token, now)
      if (!this.#book.classic.has(groupId) && memberId !== '') return refuse('UNKNOWN_MEMBER_ID')
      if (other !== undefined) this.#book.consumers.dissolve(other)
      const group = this.#book.classicOrNew(groupId, now)
      this.#rebalance.join(group, request, token, now)
      // Who has asked for it has made it, whether a member came of that or not.
      if (!group.hasRecord && group.phase === 'Empty') this.#save(group, null)
    })
  }

  sync(request: SyncRequest, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const group = this.#book.get(request.groupId)
      if (group === undefined) this.#out.reply(token, syncFailure(unknownGroup(request.groupId)))
      else if (group.type === 'classic') this.#rebalance.sync(group, request, token, now)
      else this.#classicMembers.sync(group, request, token)
    })
  }

  heartbeat(groupId: string, identity: MemberIdentity, generation: number, now: Timestamp): { readonly error: ErrorName; readonly effects: readonly GroupEffect[] } {
    let error = unknownGroup(groupId)
    const effects = this.#turn(now, () => {
      const group = this.#book.get(groupId)
      if (group?.type === 'classic') {
        error = this.#rebalance.heartbeat(group, identity, generation, now)
        if (group.isUnsaved && group.phase === 'Stable') this.#save(group, null)
      }
      else if (group !== undefined) error = this.#classicMembers.heartbeat(group, identity, generation)
    })
    return { error, effects }
  }

  leave(groupId: string, members: readonly MemberIdentity[], token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const group = this.#book.get(groupId)
      if (group?.type === 'consumer') return this.#classicMembers.leave(group, members, token, now)
      const errors = members.map(member => group === undefined ? unknownGroup(groupId) : this.#rebalance.leave(group, member, now))
      this.#out.reply(token, { refused: null, errors })
    })
  }

  /** Of a member of a consumer group (KIP-848). A classic group becomes a consumer group with the first one, if it may. */
  consumerHeartbeat(request: HeartbeatRequest, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const { groupId, memberEpoch } = request
      const classic = this.#book.classic.get(groupId)
      const isEmpty = classic === undefined || classic.phase === 'Empty'
      const refused = isEmpty ? null : this.#upgraded(classic, request)
      if (refused !== null) return this.#out.reply(token, refusedHeartbeat(refused))
      this.#book.consumers.heartbeat(request, token, now)
      if (classic === undefined || !isEmpty || memberEpoch !== 0 || this.#book.consumers.get(groupId) === undefined) return
      this.#rebalance.handOver(classic)
      this.#book.classic.delete(groupId)
      if (classic.hasRecord) this.#consumerWrites.write(groupId, [{ kind: 'group', groupId, value: null }])
    })
  }

  /** Takes a classic group with members over into the new protocol, for the member that asks to join; or says why not. */
  #upgraded(classic: ClassicGroup, request: HeartbeatRequest): Refusal | null {
    const facts = requestRefusal(request, this.#settings.consumer.assignors) ?? upgradeOf(classic, request, this.#settings.consumer, this.#topics)
    if ('error' in facts) return facts
    this.#rebalance.handOver(classic)
    this.#book.classic.delete(classic.groupId)
    this.#book.consumers.adopt(classic.groupId, facts)
    return null
  }

  #downgraded(group: ClassicGroup, removals: GroupWrite, rebalances: boolean, now: Timestamp): void {
    const { groupId } = group
    this.#consumerWrites.write(groupId, [...removals, { kind: 'group', groupId, value: group.toRecord(now) }])
    this.#book.classic.set(groupId, group)
    this.#startSessions(group)
    if (rebalances) this.#rebalance.prepare(group, now)
  }

  #startSessions({ groupId, members }: ClassicGroup): void {
    for (const { memberId, sessionTimeoutMs } of members.values()) this.#out.timer({ kind: 'session', groupId, memberId }, sessionTimeoutMs)
  }

  timeUp(timer: GroupTimer, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const consumers = this.#book.consumers.get(timer.groupId)
      if (consumers !== undefined && 'memberId' in timer) return this.#book.consumers.timeUp(consumers, timer.kind, timer.memberId, now)
      const group = this.#book.classic.get(timer.groupId)
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
      const group = this.#book.get(request.groupId)
      const refused = commitRefusal(group, request, request.producer !== undefined, this.#topics)
      const member = group?.type === 'classic' && request.producer === undefined ? group.members.get(request.memberId) : undefined
      // Whoever commits what is its own lives.
      if (member !== undefined && (refused === null || refused === 'REBALANCE_IN_PROGRESS')) this.#rebalance.alive(member, now)
      if (refused !== null) return this.#out.reply(token, errorCodeOf(refused))
      const facts = request.offsets.map(({ topic, partition, offset, leaderEpoch, metadata }): OffsetFact => ({
        kind: 'offset', groupId: request.groupId, topic, partition, value: { offset, leaderEpoch, metadata, commitTimestamp: now },
      }))
      this.#book.keep(request.groupId, now)
      if (request.producer === undefined || facts.length === 0) this.#offsetWrites.write(facts, token)
      else this.#offsetWrites.pend(facts, request.producer, token)
    })
  }

  /** Forgets offsets of topics that nobody in the group reads. `subscribed`: topics that a member's metadata names; null if it cannot be read. */
  deleteOffsets(groupId: string, places: readonly OffsetPlace[], subscribed: (metadata: Buffer) => readonly string[] | null, token: number, now: Timestamp): { readonly refused: ErrorName | null; readonly isRead: (topic: string) => boolean; readonly effects: readonly GroupEffect[] } {
    const group = this.#book.get(groupId)
    if (group === undefined) return { refused: 'GROUP_ID_NOT_FOUND', isRead: () => false, effects: [] }
    // What members of others' protocols read nobody knows.
    if (group.type === 'classic' && group.phase !== 'Empty' && group.protocolType !== 'consumer') return { refused: 'NON_EMPTY_GROUP', isRead: () => false, effects: [] }
    const read = group.type === 'consumer' ? group.subscribedTopics() : group.subscribedTopics(subscribed)
    const isRead = (topic: string): boolean => read === 'all' || read.has(topic)
    const unread = places.filter(({ topic }) => !isRead(topic))
    return { refused: null, isRead, effects: this.#turn(now, () => this.#offsetWrites.write(this.positions.removalAt(groupId, unread), token)) }
  }

  /** Offsets of topics that are gone go with them. */
  topicsDeleted(isGone: (topic: string) => boolean, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => this.#offsetWrites.write(this.positions.removalIn(isGone), null))
  }

  /** Forgets what empty groups have committed long ago, and groups that keep nothing. */
  expire(now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => this.#offsetWrites.write(this.#book.expired(now - this.#settings.offsetsRetentionMs), null))
  }

  // ─── admin ───

  /** Of both kinds. */
  groups(): Iterable<ClassicGroup | ConsumerGroup> {
    return this.#book.all()
  }

  consumerGroup(groupId: string): ConsumerGroup | undefined {
    return this.#book.consumers.get(groupId)
  }

  describe(groupId: string): GroupDescription | null {
    const group = this.#book.classic.get(groupId)
    if (group === undefined) return null
    const members = [...group.members.values()].map(member => ({ ...member, metadata: group.phase === 'Stable' ? group.metadataOf(member) : Buffer.alloc(0) }))
    return { groupId, phase: group.phase, protocolType: group.protocolType ?? '', protocol: group.phase === 'Stable' ? (group.protocol ?? '') : '', members }
  }

  deleteGroup(groupId: string, token: number, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const group = this.#book.get(groupId)
      if (group === undefined) return this.#out.reply(token, errorCodeOf('GROUP_ID_NOT_FOUND'))
      if (group.phase !== 'Empty') return this.#out.reply(token, errorCodeOf('NON_EMPTY_GROUP'))
      if (group.type === 'classic') this.#rebalance.dismiss(group)
      this.#offsetWrites.write(this.#book.removalOf(group), token)
    })
  }

  // ─── writes ───

  /** Records handed out as `id` are acknowledged; or, with an error, are not. */
  appended(id: number, error: ErrorName | null, now: Timestamp): readonly GroupEffect[] {
    return this.#turn(now, () => {
      const written = this.#consumerWrites.appended(id, error)
      if (written !== undefined && error !== null) this.#book.consumers.writesFailed(written.groupId, written.facts)
      this.#offsetWrites.appended(id, error, now)
      this.#saved(id, error, now)
    })
  }

  #save(group: ClassicGroup, assignments: ReadonlyMap<string, Buffer> | null): void {
    const { groupId, generation } = group
    const owed = this.#book.consumers.owed(groupId)
    if (owed.length > 0) this.#consumerWrites.write(groupId, owed)
    const value = assignments === null ? group.toRecord(this.#now) : group.toRecord(this.#now, assignments)
    group.hasRecord = true
    group.isUnsaved = false
    this.#classicWrites.set(this.#out.append([{ kind: 'group', groupId, value }]), { groupId, generation, assignments })
  }

  #saved(id: number, error: ErrorName | null, now: Timestamp): void {
    const write = this.#classicWrites.get(id)
    this.#classicWrites.delete(id)
    const group = write === undefined ? undefined : this.#book.classic.get(write.groupId)
    if (write === undefined || group === undefined) return
    if (write.assignments !== null) this.#rebalance.assigned(group, write.generation, write.assignments, error, now)
    else group.isUnsaved ||= error !== null
  }

  #turn(now: Timestamp, action: () => void): readonly GroupEffect[] {
    this.#now = now
    action()
    return this.#out.take()
  }
}

function unknownGroup(groupId: string): ErrorName {
  return groupId === '' ? 'INVALID_GROUP_ID' : 'UNKNOWN_MEMBER_ID'
}
