// A host for the coordinator of consumer groups in tests: topics, a clock, a disk that is slow or fails when told to, a log that can be compacted, crashes.

import { expect } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { GroupCoordinator } from '../../../broker/kernel/group-coordinator.ts'
import type { ConsumerGroup } from '../../../broker/kernel/consumer-group.ts'
import type { HeartbeatRequest } from '../../../broker/kernel/consumer-group-requests.ts'
import type { GroupEffect, GroupRecord, GroupTimer, HeartbeatAnswer } from '../../../broker/kernel/group-effects.ts'
import type { GroupSettings } from '../../../broker/kernel/group-requests.ts'
import { decodeFact } from '../../../broker/kernel/group-records.ts'
import { partitionList, type TopicPartitions } from '../../../broker/kernel/topic-partitions.ts'

export type Topics = ReadonlyMap<string, { readonly id: string; readonly partitions: number }>

const groupId = 'g'

export class ConsumerGroupsHost {
  readonly clock: VirtualClock = new VirtualClock(1000)
  records: readonly GroupRecord[] = []
  coordinator: GroupCoordinator
  readonly #topics = new Map<string, { readonly id: string; readonly partitions: number }>()
  readonly #names = new Map<string, string>()
  readonly #settings: GroupSettings
  topicsVersion = 0
  #waiting = new Map<number, (answer: HeartbeatAnswer) => void>()
  readonly #timers = new Map<string, () => void>()
  /** Appends that are not durable yet. */
  #appends: (GroupEffect & { readonly kind: 'append' })[] = []
  #token = 0

  constructor(assignor: string) {
    const consumer = { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 1000, maxSize: 100, assignor }
    this.#settings = { initialRebalanceDelayMs: 0, minSessionTimeoutMs: 1, maxSessionTimeoutMs: 60_000, maxSize: 100, offsetsRetentionMs: 1e9, consumer }
    this.coordinator = this.#fresh()
  }

  #fresh(): GroupCoordinator {
    return new GroupCoordinator(this.#settings, this, seededRandom(7))
  }

  get topics(): Topics {
    return this.#topics
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get group(): ConsumerGroup | undefined {
    return this.coordinator.consumerGroup(groupId)
  }

  /** Makes a topic, lets it grow, or deletes it (0). */
  topic(name: string, partitions: number): void {
    const old = this.#topics.get(name)
    this.topicsVersion++
    if (partitions === 0) this.#topics.delete(name)
    else {
      const id = old?.id ?? `00000000-0000-4000-8000-${String(this.topicsVersion).padStart(12, '0')}`
      this.#names.set(id, name)
      this.#topics.set(name, { id, partitions: Math.max(partitions, old?.partitions ?? 0) })
    }
  }

  /** The topic of a place that was written by {@link placesOf}. */
  topicOf(place: string): string {
    return this.#names.get(place.slice(0, 36))!
  }

  heartbeat(request: HeartbeatRequest, answered: (answer: HeartbeatAnswer) => void): void {
    const token = this.#token++
    this.#waiting.set(token, answered)
    this.perform(this.coordinator.consumerHeartbeat(request, token, this.clock.now()))
  }

  perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'reply') {
        const answered = this.#waiting.get(effect.token)
        expect(answered, 'a token is answered once').toBeDefined()
        this.#waiting.delete(effect.token)
        answered!(effect.answer as HeartbeatAnswer)
      } else if (effect.kind === 'append') this.#appends.push(effect)
      else if (effect.kind === 'cancel') this.#cancel(effect.timer)
      else this.#start(effect.timer, effect.delayMs)
    }
  }

  /** The oldest append becomes durable; or a failing disk takes none of those under way. */
  disk(works: boolean): void {
    const done = works ? this.#appends.splice(0, 1) : this.#appends.splice(0)
    for (const { id, records } of done) {
      if (works) this.records = [...this.records, ...records]
      this.perform(this.coordinator.appended(id, works ? null : 'COORDINATOR_NOT_AVAILABLE', this.clock.now()))
    }
  }

  disks(): void {
    while (this.#appends.length > 0) this.disk(true)
  }

  /** What is not durable is gone, and so is everyone's answer. */
  crash(): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#appends = []
    this.#waiting.clear()
    this.coordinator = this.#fresh()
    for (const { key, value } of this.records) this.coordinator.replay(decodeFact(key, value)!, this.clock.now())
    this.perform(this.coordinator.loaded(this.clock.now()))
  }

  /** Keeps the last record of each key, and all of the last `tail` records. `forgets`: tombstones had their time. */
  compact(tail: number, forgets: boolean): void {
    this.records = compacted(this.records, tail, forgets)
  }

  knows(memberId: string): boolean {
    return this.group?.members.has(memberId) ?? false
  }

  /** What each member has, or has yet to give up. */
  held(): readonly (readonly [memberId: string, places: readonly string[]])[] {
    return Array.from(this.group?.members.values() ?? [], ({ memberId, current }) => [memberId, [...placesOf(current.assigned), ...placesOf(current.pendingRevocation)]])
  }

  snapshot(): unknown {
    return snapshotOf(this.group)
  }

  /** What another broker makes of the records. */
  replayed(records: readonly GroupRecord[] = this.records): unknown {
    const copy = this.#fresh()
    for (const { key, value } of records) copy.replay(decodeFact(key, value)!, this.clock.now())
    return snapshotOf(copy.consumerGroup(groupId))
  }

  #start(timer: GroupTimer, delayMs: number): void {
    this.#cancel(timer)
    const key = JSON.stringify(timer)
    this.#timers.set(key, this.clock.after(delayMs, () => {
      this.#timers.delete(key)
      this.perform(this.coordinator.timeUp(timer, this.clock.now()))
    }))
  }

  #cancel(timer: GroupTimer): void {
    this.#timers.get(JSON.stringify(timer))?.()
    this.#timers.delete(JSON.stringify(timer))
  }
}

export function compacted(records: readonly GroupRecord[], tail: number, forgets: boolean): readonly GroupRecord[] {
  const last = new Map(records.map(({ key }, index) => [key.toString('latin1'), index]))
  const dirty = records.length - tail
  return records.filter(({ key, value }, index) => index >= dirty || (last.get(key.toString('latin1')) === index && !(forgets && value === null)))
}

export function placesOf(sets: TopicPartitions): readonly string[] {
  return partitionList(sets).flatMap(({ topicId, partitions }) => partitions.map(partition => `${topicId}/${partition}`))
}

/** All that has to survive, in an order of its own. */
function snapshotOf(group: ConsumerGroup | undefined): unknown {
  if (group === undefined) return null
  const members = [...group.members.values()].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  return {
    epoch: group.epoch, metadataHash: group.metadataHash, assignmentEpoch: group.assignmentEpoch, phase: group.phase,
    members: members.map(({ memberId, subscription, current }) => ({
      memberId, subscription, ...current, assigned: placesOf(current.assigned).toSorted(), pendingRevocation: placesOf(current.pendingRevocation).toSorted(),
      target: placesOf(group.targetOf(memberId)).toSorted(),
      owns: [...placesOf(current.assigned), ...placesOf(current.pendingRevocation)].map(place => group.ownerOf(place.slice(0, 36), Number(place.slice(37)))),
      instanceOf: subscription.instanceId === null ? null : group.memberOfInstance(subscription.instanceId)?.memberId,
    })),
    strayTargets: [...group.targets.keys()].filter(memberId => !group.members.has(memberId)),
    regexes: [...group.regexes].map(([regex, { topics }]) => `${regex}: ${topics.join()}`).toSorted(),
  }
}
