// A classic consumer group: its members, generation and protocol, as the coordinator and the records of __consumer_offsets know it.

import { assert } from '../../core/error.ts'
import type { Timestamp } from '../../core/record.ts'
import type { ValueOf } from '../wire/description.ts'
import type { groupMetadataRecord } from '../wire/records/classic-group.ts'

/** Kafka's names, as DescribeGroups shows them. */
export type GroupPhase = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface Member {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** The most wanted first. */
  protocols: readonly Protocol[]
  assignment: Buffer
  /** The request that waits for the rebalance; null if none. */
  joinToken: number | null
  /** The request that waits for the assignment; null if none. */
  syncToken: number | null
  /** When it is given up, unless it is heard of before or waits for us. */
  deadline: Timestamp
}

export type GroupMetadataValue = ValueOf<(typeof groupMetadataRecord)['value']>

const nothing: Buffer = Buffer.alloc(0)

/** The host of members in the process of the broker itself. */
export const inProcessHost = '/in-process'

export class ClassicGroup {
  readonly type = 'classic'
  readonly groupId: string
  phase: GroupPhase = 'Empty'
  /** When the phase last changed; an empty group keeps its offsets for some time from then on. */
  phaseSince: Timestamp
  generation = 0
  /** `consumer` for consumers; null for a group that only keeps offsets. */
  protocolType: string | null = null
  protocol: string | null = null
  leader: string | null = null
  readonly members: Map<string, Member> = new Map<string, Member>()
  /** Members that were told their id and have not come back with it yet, with the time at which they are given up. */
  readonly pending: Map<string, Timestamp> = new Map<string, Timestamp>()
  /** Members that have not asked for their assignment in this generation. */
  readonly awaitedSyncs: Set<string> = new Set<string>()
  readonly #instances = new Map<string, string>()
  /** Time left of a first rebalance that waits for more members; null in any other. */
  initialDelayLeftMs: number | null = null
  /** A member has joined since the initial delay was last prolonged. */
  hasNewJoins = false
  /** A group that exists only as records and committed offsets has none. */
  hasRecord = false
  /** The last record of it, as it is now, could not be written. */
  isUnsaved = false
  /** Not all members of the last record are there any more. */
  hasLostMembers = false

  constructor(groupId: string, now: Timestamp) {
    this.groupId = groupId
    this.phaseSince = now
  }

  /**
   * As the last record says: its members are taken for alive, and have a session's time to show it. Those that lived in the
   * broker's own process ended with it, so that an application with an embedded log need not wait for its own ghost.
   */
  static fromRecord(groupId: string, value: GroupMetadataValue, now: Timestamp): ClassicGroup {
    const group = new ClassicGroup(groupId, value.currentStateTimestamp < 0 ? now : value.currentStateTimestamp)
    group.generation = value.generation
    group.protocolType = value.protocolType === '' ? null : value.protocolType
    group.protocol = value.protocol
    group.leader = value.leader
    group.hasRecord = true
    for (const member of value.members) {
      if (member.clientHost === inProcessHost) {
        group.hasLostMembers = true
        continue
      }
      group.add({
        memberId: member.memberId, groupInstanceId: member.groupInstanceId, clientId: member.clientId, clientHost: member.clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeout < 0 ? member.sessionTimeout : member.rebalanceTimeout, sessionTimeoutMs: member.sessionTimeout,
        protocols: [{ name: value.protocol ?? '', metadata: member.subscription }], assignment: member.assignment,
        joinToken: null, syncToken: null, deadline: now + member.sessionTimeout,
      })
    }
    group.leader = value.leader !== null && group.members.has(value.leader) ? value.leader : group.#nextLeader()
    group.phase = group.members.size === 0 ? 'Empty' : 'Stable'
    return group
  }

  /** What its record is; assignments may be those that are not handed out yet. */
  toRecord(now: Timestamp, assignments?: ReadonlyMap<string, Buffer>): GroupMetadataValue {
    return {
      protocolType: this.protocolType ?? '',
      generation: this.generation,
      protocol: this.protocol,
      leader: this.leader,
      currentStateTimestamp: now,
      members: [...this.members.values()].map(member => ({
        memberId: member.memberId, groupInstanceId: member.groupInstanceId, clientId: member.clientId, clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs, sessionTimeout: member.sessionTimeoutMs,
        subscription: this.metadataOf(member), assignment: assignments?.get(member.memberId) ?? (assignments === undefined ? member.assignment : nothing),
      })),
    }
  }

  enter(phase: GroupPhase, now: Timestamp): void {
    this.phase = phase
    this.phaseSince = now
  }

  add(member: Member): void {
    this.members.set(member.memberId, member)
    if (member.groupInstanceId !== null) this.#instances.set(member.groupInstanceId, member.memberId)
    this.leader ??= member.memberId
    this.hasNewJoins = true
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    if (member === undefined) return
    this.members.delete(memberId)
    this.awaitedSyncs.delete(memberId)
    if (member.groupInstanceId !== null) this.#instances.delete(member.groupInstanceId)
    if (this.leader === memberId) this.leader = this.#nextLeader()
  }

  /** One that has joined already, if there is one. */
  #nextLeader(): string | null {
    const members = [...this.members.values()]
    return (members.find(({ joinToken }) => joinToken !== null) ?? members[0])?.memberId ?? null
  }

  /** Gives the place of a static member to the process that came back for it, at the same place in the order. */
  replaceStatic(old: Member, next: Member): void {
    const order = [...this.members.values()]
    this.members.clear()
    for (const member of order) this.members.set(member === old ? next.memberId : member.memberId, member === old ? next : member)
    assert(next.groupInstanceId !== null, 'only a static member is replaced')
    this.#instances.set(next.groupInstanceId, next.memberId)
    if (this.awaitedSyncs.delete(old.memberId)) this.awaitedSyncs.add(next.memberId)
    if (this.leader === old.memberId) this.leader = next.memberId
  }

  /** The member that holds an instance id. */
  memberOfInstance(groupInstanceId: string): Member | undefined {
    const memberId = this.#instances.get(groupInstanceId)
    return memberId === undefined ? undefined : this.members.get(memberId)
  }

  /** Everyone that is to come has come. */
  get allJoined(): boolean {
    if (this.pending.size > 0) return false
    for (const member of this.members.values()) if (member.joinToken === null) return false
    return true
  }

  get rebalanceTimeoutMs(): number {
    let timeout = 0
    for (const member of this.members.values()) timeout = Math.max(timeout, member.rebalanceTimeoutMs)
    return timeout
  }

  /** Whether a newcomer shares a protocol with all members; the first one needs to have some. */
  accepts(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (this.members.size === 0) return protocolType !== '' && protocols.length > 0
    const candidates = this.#commonProtocols()
    return this.protocolType === protocolType && protocols.some(({ name }) => candidates.has(name))
  }

  /** The protocol that most members want of those that all know. */
  selectProtocol(): string {
    const candidates = this.#commonProtocols()
    const votes = new Map<string, number>()
    for (const { protocols } of this.members.values()) {
      const wanted = protocols.find(({ name }) => candidates.has(name))
      assert(wanted !== undefined, 'a member without a common protocol is not let in')
      votes.set(wanted.name, (votes.get(wanted.name) ?? 0) + 1)
    }
    let best = ''
    for (const [name, count] of votes) if (count > (votes.get(best) ?? 0)) best = name
    return best
  }

  #commonProtocols(): ReadonlySet<string> {
    const [first, ...others] = [...this.members.values()].map(({ protocols }) => protocols.map(({ name }) => name))
    return new Set((first ?? []).filter(name => others.every(names => names.includes(name))))
  }

  /** Names of all topics that members read, as `read` finds them in what they said; of consumers that did not say it so that it can be read, `all`. */
  subscribedTopics(read: (metadata: Buffer) => readonly string[] | null): ReadonlySet<string> | 'all' {
    const names = new Set<string>()
    if (this.protocolType !== 'consumer') return names
    for (const member of this.members.values()) {
      const topics = read(this.metadataOf(member))
      if (topics === null) return 'all'
      for (const name of topics) names.add(name)
    }
    return names
  }

  /** What a member said under the protocol in use. */
  metadataOf(member: Member): Buffer {
    return member.protocols.find(({ name }) => name === this.protocol)?.metadata ?? nothing
  }
}

/** Whether a member says the same as before: then its joining again changes nothing. */
export function sameProtocols(a: readonly Protocol[], b: readonly Protocol[]): boolean {
  return a.length === b.length && a.every(({ name, metadata }, index) => name === b[index]!.name && metadata.equals(b[index]!.metadata))
}
