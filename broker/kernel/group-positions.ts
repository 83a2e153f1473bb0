// The positions of groups: what is committed, what open transactions have written and nobody may rely on yet, and what has grown old.

import type { Timestamp } from '../../core/record.ts'
import { GroupOffsets, type OffsetPlace } from './group-offsets.ts'
import { offsetRemoval, type CommittedOffsetValue, type GroupFact } from './group-records.ts'
import { PendingOffsets, type EndedOffset, type PendingOffset } from './pending-offsets.ts'

/** A committed offset. */
export type OffsetFact = PendingOffset & { readonly kind: 'offset' }

export class GroupPositions {
  readonly #offsets = new GroupOffsets()
  readonly #pending = new PendingOffsets()
  /** On their way to the log, by their order: they will be there before whatever is decided now. */
  readonly #writing = new Map<number, readonly OffsetFact[]>()
  /** Their orders by group, for thousands of groups may be asked about while thousands of positions are written. */
  readonly #writingOf = new Map<string, Set<number>>()

  /** `order`: of what is in the log, later is greater. */
  learn(fact: GroupFact & { readonly kind: 'offset' }, order: number): void {
    if (fact.value === null) this.#pending.remove(fact, order)
    else this.#pending.overtake(fact, order)
    this.#offsets.set(fact.groupId, fact, fact.value)
  }

  writing(facts: readonly GroupFact[], order: number): void {
    const offsets = facts.filter((fact): fact is OffsetFact => fact.kind === 'offset' && fact.value !== null)
    if (offsets.length === 0) return
    this.#writing.set(order, offsets)
    for (const { groupId } of offsets) {
      const orders = this.#writingOf.get(groupId) ?? new Set()
      this.#writingOf.set(groupId, orders.add(order))
    }
  }

  /** They are in the log, or will never be. */
  written(order: number): void {
    const offsets = this.#writing.get(order) ?? []
    this.#writing.delete(order)
    for (const { groupId } of offsets) {
      const orders = this.#writingOf.get(groupId)
      orders?.delete(order)
      if (orders?.size === 0) this.#writingOf.delete(groupId)
    }
  }

  /** Of an open transaction: unstable from now on, for a member that takes the place over must not read the position before it. */
  pend(producerId: number, facts: readonly PendingOffset[], order: number): void {
    this.#pending.add(producerId, facts, order)
  }

  /** What was written as `order` is not in the log after all. */
  withdraw(producerId: number, order: number): void {
    this.#pending.withdraw(producerId, order)
  }

  /** What an ended transaction has written, which is forgotten here. */
  end(producerId: number): readonly EndedOffset[] {
    return this.#pending.end(producerId)
  }

  committed(groupId: string, topic: string, partition: number): CommittedOffsetValue | undefined {
    return this.#offsets.get(groupId, topic, partition)
  }

  /** Whether an open transaction has written a position there, so that nobody knows yet which one holds. */
  isUnstable(groupId: string, topic: string, partition: number): boolean {
    return this.#pending.has(groupId, topic, partition)
  }

  all(groupId: string): Iterable<OffsetPlace & { readonly value: CommittedOffsetValue }> {
    return this.#offsets.of(groupId)
  }

  /** Whether anything is committed. */
  has(groupId: string): boolean {
    return this.#offsets.has(groupId)
  }

  hasUnstable(groupId: string): boolean {
    return this.#pending.hasGroup(groupId)
  }

  /** Forgets those of `places` that are committed, or that open transactions have written. */
  removalAt(groupId: string, places: readonly OffsetPlace[]): readonly GroupFact[] {
    return places.filter(({ topic, partition }) => this.#offsets.get(groupId, topic, partition) !== undefined || this.#pending.has(groupId, topic, partition)).map(place => offsetRemoval(groupId, place))
  }

  /** Forgets all of a group, what open transactions have written included. */
  removalOf(groupId: string): readonly GroupFact[] {
    const written = [...(this.#writingOf.get(groupId) ?? [])].flatMap(order => this.#writing.get(order) ?? [])
    const open = this.#pending.hasGroup(groupId) ? [...this.#pending.all()] : []
    const notYet = this.#notYet([...open, ...written], place => place.groupId === groupId)
    return [...this.#offsets.of(groupId), ...notYet].map(place => offsetRemoval(groupId, place))
  }

  /** Forgets the positions in topics for which `isGone` says yes. */
  removalIn(isGone: (topic: string) => boolean): readonly GroupFact[] {
    const notYet = this.#notYet([...this.#pending.all(), ...[...this.#writing.values()].flat()], ({ topic }) => isGone(topic))
    return [...this.#offsets.ofTopics(isGone), ...notYet].map(place => offsetRemoval(place.groupId, place))
  }

  /** Forgets what a group committed before a time. `isAll`: nothing is left then. */
  expired(groupId: string, before: Timestamp): { readonly facts: readonly GroupFact[]; readonly isAll: boolean } {
    // What is new is not forgotten with what it takes the place of.
    if (this.#writingOf.has(groupId)) return { facts: [], isAll: false }
    const old = this.#offsets.olderThan(groupId, before)
    return { facts: old.map(place => offsetRemoval(groupId, place)), isAll: old.length === [...this.#offsets.of(groupId)].length }
  }

  /** Those of `offsets`, which open transactions have written or which are being written, where there is no committed offset. */
  #notYet(offsets: readonly PendingOffset[], isMeant: (offset: PendingOffset) => boolean): readonly PendingOffset[] {
    return offsets.filter(offset => isMeant(offset) && this.#offsets.get(offset.groupId, offset.topic, offset.partition) === undefined)
  }
}
