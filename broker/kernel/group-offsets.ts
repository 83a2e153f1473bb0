// The offsets that groups have committed, by group, topic and partition.

import type { Timestamp } from '../../core/record.ts'
import type { CommittedOffsetValue } from './group-records.ts'

export interface OffsetPlace {
  readonly topic: string
  readonly partition: number
}

type TopicOffsets = Map<number, CommittedOffsetValue>

export class GroupOffsets {
  readonly #groups = new Map<string, Map<string, TopicOffsets>>()

  set(groupId: string, { topic, partition }: OffsetPlace, value: CommittedOffsetValue | null): void {
    if (value === null) return this.#remove(groupId, topic, partition)
    let topics = this.#groups.get(groupId)
    if (topics === undefined) this.#groups.set(groupId, (topics = new Map<string, TopicOffsets>()))
    let offsets = topics.get(topic)
    if (offsets === undefined) topics.set(topic, (offsets = new Map<number, CommittedOffsetValue>()))
    offsets.set(partition, value)
  }

  get(groupId: string, topic: string, partition: number): CommittedOffsetValue | undefined {
    return this.#groups.get(groupId)?.get(topic)?.get(partition)
  }

  /** All of a group. */
  *of(groupId: string): Iterable<OffsetPlace & { readonly value: CommittedOffsetValue }> {
    for (const [topic, offsets] of this.#groups.get(groupId) ?? []) for (const [partition, value] of offsets) yield { topic, partition, value }
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId)
  }

  /** Offsets of a group in topics for which `gone` says yes. */
  ofTopics(gone: (topic: string) => boolean): readonly (OffsetPlace & { readonly groupId: string })[] {
    const places: (OffsetPlace & { readonly groupId: string })[] = []
    for (const groupId of this.#groups.keys()) for (const { topic, partition } of this.of(groupId)) if (gone(topic)) places.push({ groupId, topic, partition })
    return places
  }

  /** Offsets of a group that were committed before a time. */
  olderThan(groupId: string, time: Timestamp): readonly OffsetPlace[] {
    return [...this.of(groupId)].filter(({ value }) => value.commitTimestamp < time).map(({ topic, partition }) => ({ topic, partition }))
  }

  #remove(groupId: string, topic: string, partition: number): void {
    const topics = this.#groups.get(groupId)
    const offsets = topics?.get(topic)
    if (topics === undefined || offsets === undefined) return
    offsets.delete(partition)
    if (offsets.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#groups.delete(groupId)
  }
}
