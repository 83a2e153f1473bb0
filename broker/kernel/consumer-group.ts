// A consumer group of KIP-848: epochs, members, what they shall have and what they have. Changed by replaying facts, and by nothing else.

import type { Timestamp } from '../../core/record.ts'
import { epochsOf, noEpochs, type AssignmentEpochs } from './assignment-epochs.ts'
import type { Protocol } from './classic-group.ts'
import { hasPartition, noPartitions, type TopicPartitions } from './topic-partitions.ts'

/** Kafka's names, as ConsumerGroupDescribe shows them. */
export type ConsumerGroupPhase = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

/** `unrevoked`: it has to give partitions up first. `unreleased`: some of what it shall have is still with others. */
export type MemberState = 'stable' | 'unrevoked' | 'unreleased'

/** What a member says of itself that joins by JoinGroup, as members of classic groups do. */
export interface ClassicMembership {
  readonly sessionTimeoutMs: number
  /** The most wanted first; there is one at least. */
  readonly protocols: readonly Protocol[]
}

export interface Subscription {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** Sorted. */
  readonly topicNames: readonly string[]
  readonly topicRegex: string | null
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** Null: it speaks the new protocol. */
  readonly classic: ClassicMembership | null
}

export interface CurrentAssignment {
  readonly memberEpoch: number
  /** The one before: of a member that has not heard of its new epoch yet. */
  readonly previousMemberEpoch: number
  readonly state: MemberState
  readonly assigned: TopicPartitions
  readonly pendingRevocation: TopicPartitions
  /** Since when it has what is assigned, or to be given up. */
  readonly epochs: AssignmentEpochs
}

export interface ConsumerMember {
  readonly memberId: string
  readonly subscription: Subscription
  readonly current: CurrentAssignment
}

export interface ResolvedRegex {
  readonly topics: readonly string[]
  readonly version: number
  readonly timestamp: Timestamp
}

/** What a record of __consumer_offsets says of a consumer group; null removes it. */
export type ConsumerGroupFact = { readonly groupId: string } & (
  | { readonly kind: 'group-epoch'; readonly value: { readonly epoch: number; readonly metadataHash: number } | null }
  | { readonly kind: 'subscription'; readonly memberId: string; readonly value: Subscription | null }
  | { readonly kind: 'target-epoch'; readonly value: { readonly epoch: number; readonly timestamp: Timestamp } | null }
  | { readonly kind: 'target'; readonly memberId: string; readonly value: TopicPartitions | null }
  | { readonly kind: 'current'; readonly memberId: string; readonly value: CurrentAssignment | null }
  | { readonly kind: 'regex'; readonly regex: string; readonly value: ResolvedRegex | null }
)

/** The epoch of a static member whose process has left and may come back. */
export const staticLeaveEpoch = -2

const unjoined: CurrentAssignment = { memberEpoch: 0, previousMemberEpoch: -1, state: 'stable', assigned: noPartitions, pendingRevocation: noPartitions, epochs: noEpochs }

export class ConsumerGroup {
  readonly type = 'consumer'
  readonly protocolType = 'consumer'
  readonly groupId: string
  epoch = 1
  /** Of the topics that the members subscribe to. */
  metadataHash = 0
  assignmentEpoch = 0
  assignmentTimestamp: Timestamp = 0
  /** Which version of the catalogue the hash was last compared with; not part of the records. */
  seenTopicsVersion = -1
  /** Classic members that have been told to join again, and have some time to do so; not part of the records. */
  readonly awaitedJoins: Set<string> = new Set<string>()
  readonly members: Map<string, ConsumerMember> = new Map<string, ConsumerMember>()
  readonly targets: Map<string, TopicPartitions> = new Map<string, TopicPartitions>()
  readonly regexes: Map<string, ResolvedRegex> = new Map<string, ResolvedRegex>()
  readonly #instances = new Map<string, string>()
  /** What members have whose subscription is later in the log: it was written again since, and the one before compacted away. */
  readonly #early = new Map<string, CurrentAssignment>()
  /** Which member has a partition, or has yet to give it up. */
  readonly #owners = new Map<string, Map<number, string>>()

  constructor(groupId: string) {
    this.groupId = groupId
  }

  /** Takes a fact into account. Answers false when the group is none any more. */
  replay(fact: ConsumerGroupFact): boolean {
    if (fact.kind === 'group-epoch') {
      if (fact.value === null) return false
      this.epoch = fact.value.epoch
      this.metadataHash = fact.value.metadataHash
    } else if (fact.kind === 'target-epoch') {
      this.assignmentEpoch = fact.value?.epoch ?? 0
      this.assignmentTimestamp = fact.value?.timestamp ?? 0
    } else if (fact.kind === 'subscription') this.#subscribe(fact.memberId, fact.value)
    else if (fact.kind === 'target') setOrDelete(this.targets, fact.memberId, fact.value)
    else if (fact.kind === 'regex') setOrDelete(this.regexes, fact.regex, fact.value)
    else this.#assign(fact.memberId, fact.value)
    return true
  }

  #subscribe(memberId: string, subscription: Subscription | null): void {
    const old = this.members.get(memberId)
    if (subscription === null) {
      // Under whichever name of an instance it was known: one that takes another goes on to be known by the one before, too.
      for (const [instanceId, owner] of this.#instances) if (owner === memberId) this.#instances.delete(instanceId)
      this.#assign(memberId, null)
      this.members.delete(memberId)
      return
    }
    this.members.set(memberId, { memberId, subscription, current: old?.current ?? unjoined })
    if (subscription.instanceId !== null) this.#instances.set(subscription.instanceId, memberId)
    const early = this.#early.get(memberId)
    this.#early.delete(memberId)
    if (early !== undefined) this.#assign(memberId, early)
  }

  #assign(memberId: string, current: CurrentAssignment | null): void {
    const member = this.members.get(memberId)
    if (member === undefined) return setOrDelete(this.#early, memberId, current)
    for (const [topicId, partition] of held(member.current)) {
      const owners = this.#owners.get(topicId)
      // Where the new owner's record came first, it is not taken from it again.
      if (owners?.get(partition) === memberId) owners.delete(partition)
    }
    const next = current ?? unjoined
    this.members.set(memberId, { ...member, current: next })
    for (const [topicId, partition] of held(next)) {
      let owners = this.#owners.get(topicId)
      if (owners === undefined) this.#owners.set(topicId, (owners = new Map<number, string>()))
      owners.set(partition, memberId)
    }
  }

  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  memberOfInstance(instanceId: string): ConsumerMember | undefined {
    const memberId = this.#instances.get(instanceId)
    return memberId === undefined ? undefined : this.members.get(memberId)
  }

  /** Those of the classic protocol. */
  classicMembers(): readonly ConsumerMember[] {
    return [...this.members.values()].filter(({ subscription }) => subscription.classic !== null)
  }

  /** Whether some of what a member shall have is still with others. */
  isWaitingForOthers({ memberId, current }: ConsumerMember): boolean {
    for (const [topicId, partitions] of this.targetOf(memberId)) {
      for (const partition of partitions) if (!hasPartition(current.assigned, topicId, partition) && this.ownerOf(topicId, partition) !== undefined) return true
    }
    return false
  }

  targetOf(memberId: string): TopicPartitions {
    return this.targets.get(memberId) ?? noPartitions
  }

  /** Names of all topics that anyone wants. */
  subscribedTopics(): ReadonlySet<string> {
    const names = new Set<string>()
    for (const { subscription } of this.members.values()) for (const name of this.topicsOf(subscription)) names.add(name)
    return names
  }

  /** Names of topics that a member wants, whether they exist or not. */
  topicsOf({ topicNames, topicRegex }: Subscription): readonly string[] {
    const matched = topicRegex === null ? [] : (this.regexes.get(topicRegex)?.topics ?? [])
    return matched.length === 0 ? topicNames : [...new Set([...topicNames, ...matched])]
  }

  get phase(): ConsumerGroupPhase {
    if (this.members.size === 0) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    for (const { current } of this.members.values()) if (current.state !== 'stable' || current.memberEpoch !== this.assignmentEpoch) return 'Reconciling'
    return 'Stable'
  }

  /** The same fact as things are now. */
  factNow(fact: ConsumerGroupFact): ConsumerGroupFact {
    const { groupId } = this
    switch (fact.kind) {
      case 'group-epoch': return { ...fact, groupId, value: { epoch: this.epoch, metadataHash: this.metadataHash } }
      case 'target-epoch': return { ...fact, groupId, value: { epoch: this.assignmentEpoch, timestamp: this.assignmentTimestamp } }
      case 'subscription': return { ...fact, groupId, value: this.members.get(fact.memberId)?.subscription ?? null }
      case 'target': return { ...fact, groupId, value: this.targets.get(fact.memberId) ?? null }
      case 'current': return { ...fact, groupId, value: this.members.get(fact.memberId)?.current ?? null }
      case 'regex': return { ...fact, groupId, value: this.regexes.get(fact.regex) ?? null }
    }
  }

  /** What removes all of it, member by member; the group itself comes last. */
  removal(): readonly ConsumerGroupFact[] {
    const { groupId } = this
    const members = new Set([...this.members.keys(), ...this.targets.keys()])
    return [
      ...[...members].flatMap(memberId => memberRemoval(groupId, memberId)),
      ...Array.from(this.regexes.keys(), (regex): ConsumerGroupFact => ({ kind: 'regex', groupId, regex, value: null })),
      { kind: 'target-epoch', groupId, value: null },
      { kind: 'group-epoch', groupId, value: null },
    ]
  }
}

export function memberRemoval(groupId: string, memberId: string): readonly ConsumerGroupFact[] {
  return [
    { kind: 'current', groupId, memberId, value: null },
    { kind: 'target', groupId, memberId, value: null },
    { kind: 'subscription', groupId, memberId, value: null },
  ]
}

/** What a static member keeps while its process is away: what it had yet to give up is given up. Whoever comes in its place has the rest since ever. */
export function leftStatically(current: CurrentAssignment): CurrentAssignment {
  return { ...current, memberEpoch: staticLeaveEpoch, state: 'stable', pendingRevocation: noPartitions, epochs: epochsOf([current.assigned], () => 0) }
}

function* held({ assigned, pendingRevocation }: CurrentAssignment): Iterable<readonly [string, number]> {
  for (const sets of [assigned, pendingRevocation]) for (const [topicId, partitions] of sets) for (const partition of partitions) yield [topicId, partition]
}

function setOrDelete<V>(map: Map<string, V>, key: string, value: V | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}
