// The offsets that transactions have written for groups and not ended yet: nobody's position until their producer's commit marker.

import type { OffsetPlace } from './group-offsets.ts'
import type { CommittedOffsetValue } from './group-records.ts'

export interface PendingOffset extends OffsetPlace {
  readonly groupId: string
  readonly value: CommittedOffsetValue
}

export interface EndedOffset {
  readonly offset: PendingOffset
  /** Grows in the order of the log. */
  readonly order: number
}

interface Entry extends EndedOffset {
  /** Something newer is committed there: it says nothing any more when its transaction ends, but until then nobody knows that. */
  isOvertaken: boolean
}

export class PendingOffsets {
  readonly #producers = new Map<number, Entry[]>()
  /** How many transactions' offsets there are for a place of a group. */
  readonly #places = new Map<string, Map<string, number>>()

  add(producerId: number, offsets: readonly PendingOffset[], order: number): void {
    const entries = this.#producers.get(producerId) ?? []
    this.#producers.set(producerId, entries)
    for (const offset of offsets) {
      entries.push({ offset, order, isOvertaken: false })
      this.#count(offset, 1)
    }
  }

  /** The record of `order` is not in the log after all. */
  withdraw(producerId: number, order: number): void {
    this.#keep(producerId, entry => entry.order !== order)
  }

  /** A record behind those of lower order says what a group's position is. */
  overtake(place: OffsetPlace & { readonly groupId: string }, order: number): void {
    if (!this.has(place.groupId, place.topic, place.partition)) return
    for (const entries of this.#producers.values()) for (const entry of entries) if (entry.order <= order && isOf(entry.offset, place)) entry.isOvertaken = true
  }

  /** A record behind those of lower order says that a group has no position there. */
  remove(place: OffsetPlace & { readonly groupId: string }, order: number): void {
    if (!this.has(place.groupId, place.topic, place.partition)) return
    for (const producerId of [...this.#producers.keys()]) this.#keep(producerId, entry => entry.order > order || !isOf(entry.offset, place))
  }

  /** The transaction has ended: forgets its offsets, and answers those that count, in the order of the log. */
  end(producerId: number): readonly EndedOffset[] {
    const offsets = this.#producers.get(producerId) ?? []
    this.#keep(producerId, () => false)
    return offsets.filter(({ isOvertaken }) => !isOvertaken)
  }

  has(groupId: string, topic: string, partition: number): boolean {
    return this.#places.get(groupId)?.has(keyOf(topic, partition)) ?? false
  }

  hasGroup(groupId: string): boolean {
    return this.#places.has(groupId)
  }

  *all(): Iterable<PendingOffset> {
    for (const entries of this.#producers.values()) for (const { offset } of entries) yield offset
  }

  #keep(producerId: number, isKept: (entry: Entry) => boolean): void {
    const entries = this.#producers.get(producerId) ?? []
    const kept: Entry[] = []
    for (const entry of entries) {
      if (isKept(entry)) kept.push(entry)
      else this.#count(entry.offset, -1)
    }
    if (kept.length === 0) this.#producers.delete(producerId)
    else this.#producers.set(producerId, kept)
  }

  #count({ groupId, topic, partition }: PendingOffset, by: number): void {
    const places = this.#places.get(groupId) ?? new Map<string, number>()
    this.#places.set(groupId, places)
    const key = keyOf(topic, partition)
    const count = (places.get(key) ?? 0) + by
    if (count > 0) places.set(key, count)
    else places.delete(key)
    if (places.size === 0) this.#places.delete(groupId)
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

function isOf(offset: PendingOffset, place: OffsetPlace & { readonly groupId: string }): boolean {
  return offset.groupId === place.groupId && offset.topic === place.topic && offset.partition === place.partition
}
