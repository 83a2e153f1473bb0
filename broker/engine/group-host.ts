// Hosts the group coordinators: carries out their effects on the partitions of __consumer_offsets, with real timers and answers.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Random } from '../../core/random.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import type { GroupEffect, GroupTimer } from '../kernel/group-effects.ts'
import { GroupCoordinator, type GroupSettings } from '../kernel/group-coordinator.ts'
import { decodeFact } from '../kernel/group-records.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { RecordBatchWriter } from '../wire/record-batch-writer.ts'
import { errorFields } from './error-fields.ts'
import { keyOf, readRecords, valueOf } from './partition-records.ts'
import type { Partition } from './partition.ts'

export const offsetsTopic = '__consumer_offsets'

/** The partition of __consumer_offsets that keeps a group, as Apache Kafka finds it. */
export function groupPartitionOf(groupId: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < groupId.length; i++) hash = (Math.imul(hash, 31) + groupId.charCodeAt(i)) | 0
  return (hash & 0x7fffffff) % partitions
}

export function groupSettings(config: BrokerConfig): GroupSettings {
  return {
    initialRebalanceDelayMs: config.number('group.initial.rebalance.delay.ms'),
    minSessionTimeoutMs: config.number('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.number('group.max.session.timeout.ms'),
    maxSize: config.number('group.max.size'),
    offsetsRetentionMs: config.number('offsets.retention.minutes') * 60_000,
  }
}

export interface GroupHostParts {
  readonly partition: Partition
  readonly settings: GroupSettings
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

type Answer = (GroupEffect & { readonly kind: 'reply' })['answer']

/** One coordinator and its partition. */
export class GroupHost {
  readonly coordinator: GroupCoordinator
  readonly #partition: Partition
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #writer = new RecordBatchWriter()
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #timers = new Map<string, () => void>()
  #nextToken = 0
  #closed = false

  /** Replays what is there. */
  constructor({ partition, settings, clock, random, logger }: GroupHostParts) {
    this.#partition = partition
    this.#clock = clock
    this.#logger = logger
    this.coordinator = new GroupCoordinator(settings, random)
    this.#load()
  }

  #load(): void {
    const now = this.#clock.now()
    readRecords(this.#partition.log, cursor => {
      const key = keyOf(cursor)
      try {
        const fact = key === null ? null : decodeFact(key, valueOf(cursor))
        if (fact !== null) this.coordinator.replay(fact, now)
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error
        this.#logger.warn('passed over a record that cannot be read', { partition: this.#partition.name, offset: cursor.offset, ...errorFields(error) })
      }
    })
    this.perform(this.coordinator.loaded(now))
  }

  get now(): number {
    return this.#clock.now()
  }

  /** Gives the coordinator a request and resolves to its answer, whenever that comes. */
  ask<A extends Answer>(request: (token: number, now: number) => readonly GroupEffect[]): Promise<A> {
    return new Promise(resolve => {
      const token = this.#nextToken++
      this.#waiting.set(token, resolve as (answer: Answer) => void)
      this.perform(request(token, this.#clock.now()))
    })
  }

  perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      if (this.#closed) return
      if (effect.kind === 'reply') this.#reply(effect.token, effect.answer)
      else if (effect.kind === 'append') this.#append(effect)
      else if (effect.kind === 'timer') this.#start(effect.timer, effect.delayMs)
      else this.#cancel(keyOfTimer(effect.timer))
    }
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  #reply(token: number, answer: Answer): void {
    this.#waiting.get(token)?.(answer)
    this.#waiting.delete(token)
  }

  #append({ id, records }: GroupEffect & { readonly kind: 'append' }): void {
    const now = this.#clock.now()
    for (const { key, value } of records) this.#writer.append(key, value, now)
    const batch = this.#writer.close()
    try {
      this.#partition.append(batch, new RecordBatchHeader(batch))
    } catch (error) {
      return this.#appended(id, error)
    }
    this.#partition.committed(this.#partition.log.endOffset).then(() => this.#appended(id, null), error => this.#appended(id, error))
  }

  /** Nobody's request fails for good because our disk did: the client asks again. */
  #appended(id: number, error: unknown): void {
    if (error !== null) this.#logger.error('could not write a record of a group', { partition: this.#partition.name, ...errorFields(error) })
    this.perform(this.coordinator.appended(id, error === null ? null : 'COORDINATOR_NOT_AVAILABLE', this.#clock.now()))
  }

  #start(timer: GroupTimer, delayMs: number): void {
    const key = keyOfTimer(timer)
    this.#cancel(key)
    this.#timers.set(key, this.#clock.after(delayMs, () => {
      this.#timers.delete(key)
      this.perform(this.coordinator.timeUp(timer, this.#clock.now()))
    }))
  }

  #cancel(key: string): void {
    this.#timers.get(key)?.()
    this.#timers.delete(key)
  }
}

function keyOfTimer(timer: GroupTimer): string {
  return timer.kind === 'session' ? JSON.stringify([timer.kind, timer.groupId, timer.memberId]) : JSON.stringify([timer.kind, timer.groupId])
}
