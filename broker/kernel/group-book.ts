// The groups that one partition of __consumer_offsets keeps, of either kind, and their positions: what its records state.

import type { Timestamp } from '../../core/record.ts'
import { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroups } from './consumer-groups.ts'
import { GroupPositions } from './group-positions.ts'
import type { GroupFact } from './group-records.ts'

export class GroupBook {
  /** No group is in both. */
  readonly classic: Map<string, ClassicGroup> = new Map<string, ClassicGroup>()
  readonly consumers: ConsumerGroups
  readonly positions: GroupPositions = new GroupPositions()

  constructor(consumers: ConsumerGroups) {
    this.consumers = consumers
  }

  get(groupId: string): ClassicGroup | ConsumerGroup | undefined {
    return this.classic.get(groupId) ?? this.consumers.get(groupId)
  }

  *all(): Iterable<ClassicGroup | ConsumerGroup> {
    yield* this.classic.values()
    yield* this.consumers.all()
  }

  classicOrNew(groupId: string, now: Timestamp): ClassicGroup {
    let group = this.classic.get(groupId)
    if (group === undefined) this.classic.set(groupId, (group = new ClassicGroup(groupId, now)))
    return group
  }

  /** A group that has positions is one: a classic one, if it is none yet. */
  keep(groupId: string, now: Timestamp): void {
    if (this.get(groupId) === undefined) this.classicOrNew(groupId, now)
  }

  /** Takes a record into account that is in the log. `order`: later is greater. `producerId`: of the transaction that it is in; null if it is in none. */
  replay(fact: GroupFact, order: number, now: Timestamp, producerId: number | null): void {
    if (producerId === null) this.#learn(fact, order, now)
    else if (fact.kind === 'offset' && fact.value !== null) {
      this.keep(fact.groupId, now)
      this.positions.pend(producerId, [{ ...fact, value: fact.value }], order)
    }
  }

  /** The marker of a transaction is in the log: what it wrote counts from now on, or never. */
  endTransaction(producerId: number, isCommit: boolean, now: Timestamp): void {
    for (const { offset: { groupId, topic, partition, value }, order } of this.positions.end(producerId)) {
      if (isCommit) this.#learn({ kind: 'offset', groupId, topic, partition, value }, order, now)
    }
  }

  /** As `replay`, of what was decided here: a group that came to life meanwhile is not removed. */
  apply(fact: GroupFact, order: number, now: Timestamp): void {
    if (fact.kind === 'offset') return this.#learn(fact, order, now)
    if (fact.kind !== 'group') {
      const group = this.consumers.get(fact.groupId)
      if (group?.members.size === 0) this.consumers.forget(fact.groupId)
      return
    }
    const group = this.classic.get(fact.groupId)
    if (group !== undefined && group.phase === 'Empty' && group.pending.size === 0 && !this.positions.has(fact.groupId) && !this.positions.hasUnstable(fact.groupId)) this.classic.delete(fact.groupId)
  }

  #learn(fact: GroupFact, order: number, now: Timestamp): void {
    const { groupId } = fact
    if (fact.kind === 'offset') {
      this.positions.learn(fact, order)
      if (fact.value !== null) this.keep(groupId, now)
    } else if (fact.kind !== 'group') {
      this.consumers.replay(fact)
      if (this.consumers.get(groupId) !== undefined) this.classic.delete(groupId)
      else if (this.positions.has(groupId)) this.keep(groupId, now)
    } else if (fact.value === null) this.classic.delete(groupId)
    else {
      this.consumers.forget(groupId)
      this.classic.set(groupId, ClassicGroup.fromRecord(groupId, fact.value, now))
    }
  }

  /** What forgets positions that empty groups committed before a time, and groups that keep nothing. */
  expired(before: Timestamp): readonly GroupFact[] {
    return [...this.all()].filter(group => group.phase === 'Empty' && !this.positions.hasUnstable(group.groupId)).flatMap(group => this.#expiredOf(group, before))
  }

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

  /** What forgets a group with all that it has. */
  removalOf(group: ClassicGroup | ConsumerGroup): readonly GroupFact[] {
    const { groupId } = group
    const own: readonly GroupFact[] = group.type === 'classic' ? [{ kind: 'group', groupId, value: null }] : group.removal()
    return [...this.consumers.owed(groupId), ...this.positions.removalOf(groupId), ...own]
  }
}
