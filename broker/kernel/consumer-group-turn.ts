// What one request changes in a consumer group: facts, each of which changes the group at once, so that what follows sees it.

import type { Timestamp } from '../../core/record.ts'
import { memberRemoval, type ConsumerGroup, type ConsumerGroupFact, type ConsumerMember, type Subscription } from './consumer-group.ts'
import { plannedTargets, subscribedMetadataHash, topicsMatching } from './consumer-group-planning.ts'
import { reconciled } from './consumer-group-reconciliation.ts'
import { sameSubscription, sameTopics } from './consumer-group-requests.ts'
import { cancelTimers, memberTimer, type ConsumerGroupRoom } from './consumer-group-room.ts'
import { samePartitions, type TopicPartitions } from './topic-partitions.ts'

export class ConsumerGroupTurn {
  readonly group: ConsumerGroup
  readonly facts: ConsumerGroupFact[] = []
  readonly #room: ConsumerGroupRoom

  constructor(group: ConsumerGroup, room: ConsumerGroupRoom) {
    this.group = group
    this.#room = room
  }

  say(fact: ConsumerGroupFact): void {
    this.group.replay(fact)
    this.facts.push(fact)
  }

  /** A static member's new process takes the place of the one before. */
  replace(old: ConsumerMember, memberId: string): ConsumerMember {
    const { groupId } = this.group
    const target = this.group.targetOf(old.memberId)
    this.remove(old)
    this.say({ kind: 'subscription', groupId, memberId, value: old.subscription })
    this.say({ kind: 'target', groupId, memberId, value: target })
    this.say({ kind: 'current', groupId, memberId, value: { ...old.current, memberEpoch: 0, previousMemberEpoch: 0 } })
    return this.group.members.get(memberId)!
  }

  remove({ memberId }: ConsumerMember): void {
    for (const fact of memberRemoval(this.group.groupId, memberId)) this.say(fact)
    cancelTimers(this.#room, this.group, memberId)
  }

  /** Answers whether the topics that it subscribes to are others than before; nothing, for a new member. */
  subscribe(memberId: string, subscription: Subscription, before: ConsumerMember | null): boolean {
    const { groupId } = this.group
    if (before === null || !sameSubscription(before.subscription, subscription)) this.say({ kind: 'subscription', groupId, memberId, value: subscription })
    return !sameTopics(before?.subscription ?? { topicNames: [], topicRegex: null }, subscription)
  }

  /**
   * Looks at the catalogue where it or the subscriptions changed; a new epoch is what follows from a change. Patterns are matched for a member
   * that asks, against what it may know of (`mayDescribe`); what nobody asks for leaves them as they are.
   */
  refresh(topicsChanged: boolean, now: Timestamp, mayDescribe?: (topic: string) => boolean): void {
    const { group } = this
    const { topics } = this.#room
    if (!topicsChanged && group.seenTopicsVersion === topics.topicsVersion) return
    const used = new Set([...group.members.values()].flatMap(({ subscription }) => subscription.topicRegex ?? []))
    for (const regex of group.regexes.keys()) if (!used.has(regex)) this.say({ kind: 'regex', groupId: group.groupId, regex, value: null })
    if (mayDescribe !== undefined) for (const regex of used) this.#match(regex, mayDescribe, now)
    if (mayDescribe !== undefined || used.size === 0) group.seenTopicsVersion = topics.topicsVersion
    const metadataHash = subscribedMetadataHash(group, topics)
    if (topicsChanged || metadataHash !== group.metadataHash) this.say({ kind: 'group-epoch', groupId: group.groupId, value: { epoch: group.epoch + 1, metadataHash } })
  }

  #match(regex: string, mayDescribe: (topic: string) => boolean, now: Timestamp): void {
    const { groupId, regexes } = this.group
    const { topics } = this.#room
    const matching = topicsMatching(regex, topics, mayDescribe)
    if (regexes.get(regex)?.topics.join() !== matching.join()) this.say({ kind: 'regex', groupId, regex, value: { topics: matching, version: topics.topicsVersion, timestamp: now } })
  }

  /** Plans who shall have what, where the group's epoch says that it is to be planned anew. */
  assign(now: Timestamp): void {
    const { group } = this
    const { groupId } = group
    if (group.epoch <= group.assignmentEpoch) return
    for (const [memberId, target] of plannedTargets(group, this.#room.topics, this.#room.settings.assignors[0]!)) {
      if (!group.targets.has(memberId) || !samePartitions(group.targetOf(memberId), target)) this.say({ kind: 'target', groupId, memberId, value: target })
    }
    this.say({ kind: 'target-epoch', groupId, value: { epoch: group.epoch, timestamp: now } })
  }

  /** The member's next step to what it shall have. `owned`: what it says that it has; null where it does not say. */
  reconcile(memberId: string, owned: TopicPartitions | null): ConsumerMember {
    const { group } = this
    const { groupId, assignmentEpoch } = group
    const { out } = this.#room
    const member = group.members.get(memberId)!
    const isFree = (topicId: string, partition: number): boolean => group.ownerOf(topicId, partition) === undefined
    const next = reconciled(member.current, { epoch: assignmentEpoch, target: group.targetOf(memberId), isFree, owned })
    if (next === member.current) return member
    this.say({ kind: 'current', groupId, memberId, value: next })
    // Who does not give up in time what it has to is taken for dead. A classic member gives up before it joins.
    const hasToGiveUp = next.state === 'unrevoked' && member.subscription.classic === null
    if (hasToGiveUp) out.timer(memberTimer(group, 'revocation', memberId), member.subscription.rebalanceTimeoutMs)
    else if (member.current.state === 'unrevoked') out.cancel(memberTimer(group, 'revocation', memberId))
    return group.members.get(memberId)!
  }
}
