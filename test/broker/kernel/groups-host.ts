// A host for a group coordinator in tests: a clock, timers, a disk that is slow or fails when told to, a log, crashes.

import { expect } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import type { TopicsView } from '../../../broker/kernel/consumer-group-planning.ts'
import { GroupCoordinator } from '../../../broker/kernel/group-coordinator.ts'
import type { GroupEffect, GroupRecord, GroupTimer } from '../../../broker/kernel/group-effects.ts'
import type { GroupSettings } from '../../../broker/kernel/group-requests.ts'
import { decodeFact } from '../../../broker/kernel/group-records.ts'

export const groupSettings: GroupSettings = {
  initialRebalanceDelayMs: 0, minSessionTimeoutMs: 1, maxSessionTimeoutMs: 60_000, maxSize: 100, offsetsRetentionMs: 1e9,
  consumer: { sessionTimeoutMs: 10_000, heartbeatIntervalMs: 1000, maxSize: 100, classicMaxSize: 100, migrationPolicy: 'bidirectional', assignors: ['uniform', 'range'] },
}

/** Drives a coordinator as a broker would. */
export class GroupsHost {
  readonly clock: VirtualClock = new VirtualClock(1000)
  records: readonly GroupRecord[] = []
  /** How many records there were after each append, which is in the log as a whole or not at all. */
  readonly ends: number[] = [0]
  coordinator: GroupCoordinator
  readonly #settings: GroupSettings
  /** One for all lives of the coordinator: no name is given twice. */
  readonly #random = seededRandom(7)
  readonly #topics: TopicsView
  #waiting = new Map<number, (answer: never) => void>()
  readonly #timers = new Map<string, () => void>()
  /** Appends that are not durable yet. */
  #appends: (GroupEffect & { readonly kind: 'append' })[] = []
  #token = 0

  constructor(topics: TopicsView = { topics: new Map(), topicsVersion: 0, topicById: () => undefined }, more: Partial<GroupSettings> = {}) {
    this.#settings = { ...groupSettings, ...more }
    this.#topics = topics
    this.coordinator = this.#fresh()
  }

  #fresh(): GroupCoordinator {
    return new GroupCoordinator(this.#settings, this.#topics, this.#random)
  }

  get waiting(): number {
    return this.#waiting.size
  }

  ask<A>(request: (token: number, now: number) => readonly GroupEffect[], answered: (answer: A) => void): void {
    const token = this.#token++
    this.#waiting.set(token, answered)
    this.perform(request(token, this.clock.now()))
  }

  perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'reply') {
        const answered = this.#waiting.get(effect.token)
        expect(answered, 'a token is answered once').toBeDefined()
        this.#waiting.delete(effect.token)
        answered!(effect.answer as never)
      } else if (effect.kind === 'append') this.#appends.push(effect)
      else if (effect.kind === 'cancel') this.#cancel(effect.timer)
      else this.#start(effect.timer, effect.delayMs)
    }
  }

  /** The oldest append becomes durable; or a failing disk takes none of those under way. */
  disk(works: boolean): void {
    const done = works ? this.#appends.splice(0, 1) : this.#appends.splice(0)
    for (const { id, records } of done) {
      if (works) this.ends.push((this.records = [...this.records, ...records]).length)
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
    this.coordinator = this.copy()
    this.perform(this.coordinator.loaded(this.clock.now()))
  }

  /** Another broker's coordinator, from the records. */
  copy(records: readonly GroupRecord[] = this.records): GroupCoordinator {
    const copy = this.#fresh()
    for (const { key, value } of records) copy.replay(decodeFact(key, value)!, this.clock.now())
    return copy
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

/** Keeps the last record of each key, and all of the last `tail` records. `forgets`: tombstones had their time. */
export function compacted(records: readonly GroupRecord[], tail: number, forgets: boolean): readonly GroupRecord[] {
  const last = new Map(records.map(({ key }, index) => [key.toString('latin1'), index]))
  const dirty = records.length - tail
  return records.filter(({ key, value }, index) => index >= dirty || (last.get(key.toString('latin1')) === index && !(forgets && value === null)))
}
