// Hosts the group coordinators: carries out their effects on the partitions of __consumer_offsets, with real timers and answers.

import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { Random } from '../../core/random.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import { listOf } from '../kernel/config-definition.ts'
import type { GroupAnswer, GroupEffect, GroupTimer } from '../kernel/group-effects.ts'
import type { MemberTiming, MigrationPolicy } from '../kernel/consumer-group-room.ts'
import type { TopicsView } from '../kernel/consumer-group-planning.ts'
import { GroupCoordinator } from '../kernel/group-coordinator.ts'
import { decodeFact } from '../kernel/group-records.ts'
import type { GroupSettings } from '../kernel/group-requests.ts'
import { groupNumber } from '../kernel/group-config.ts'
import type { ConfigOverrides } from '../kernel/topic-config.ts'
import type { TransactionMarker } from '../wire/control-batch.ts'
import { CoordinatorLog } from './coordinator-log.ts'
import type { Partition } from './partition.ts'
import { WaitingRequests } from './waiting-requests.ts'

export const offsetsTopic = '__consumer_offsets'

/** `configsOf`: what a group has of its own. */
export function groupSettings(config: BrokerConfig, configsOf: (groupId: string) => ConfigOverrides = () => ({})): GroupSettings {
  return {
    initialRebalanceDelayMs: config.number('group.initial.rebalance.delay.ms'),
    minSessionTimeoutMs: config.number('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.number('group.max.session.timeout.ms'),
    maxSize: config.number('group.max.size'),
    offsetsRetentionMs: config.number('offsets.retention.minutes') * 60_000,
    consumer: {
      sessionTimeoutMs: config.number('group.consumer.session.timeout.ms'),
      heartbeatIntervalMs: config.number('group.consumer.heartbeat.interval.ms'),
      ofGroup: groupId => timingIn(configsOf(groupId), config),
      maxSize: config.number('group.consumer.max.size'),
      classicMaxSize: config.number('group.max.size'),
      migrationPolicy: config.text('group.consumer.migration.policy').toLowerCase() as MigrationPolicy,
      assignors: listOf(config.text('group.consumer.assignors')),
    },
  }
}

function timingIn(own: ConfigOverrides, config: BrokerConfig): MemberTiming {
  return { sessionTimeoutMs: groupNumber('consumer.session.timeout.ms', own, config), heartbeatIntervalMs: groupNumber('consumer.heartbeat.interval.ms', own, config) }
}

export interface GroupHostParts {
  readonly partition: Partition
  readonly settings: GroupSettings
  /** The catalogue, by which consumer groups are assigned. */
  readonly topics: TopicsView
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** One coordinator and its partition. */
export class GroupHost {
  readonly coordinator: GroupCoordinator
  readonly #log: CoordinatorLog
  readonly #clock: Clock
  readonly #requests = new WaitingRequests<GroupAnswer>()
  readonly #timers = new Map<string, () => void>()
  #closed = false

  /** Replays what is there. */
  constructor({ partition, settings, topics, clock, random, logger }: GroupHostParts) {
    this.#log = new CoordinatorLog(partition, clock, logger)
    this.#clock = clock
    this.coordinator = new GroupCoordinator(settings, topics, random)
    this.#load()
  }

  #load(): void {
    const now = this.#clock.now()
    this.#log.replay({
      record: (key, value, producerId) => {
        const fact = decodeFact(key, value)
        if (fact !== null) this.coordinator.replay(fact, now, producerId)
      },
      marker: marker => this.endTransaction(marker),
    })
    this.perform(this.coordinator.loaded(now))
  }

  get now(): number {
    return this.#clock.now()
  }

  /** Gives the coordinator a request and resolves to its answer, whenever that comes. */
  ask<A extends GroupAnswer>(request: (token: number, now: number) => readonly GroupEffect[]): Promise<A> {
    return this.#requests.ask(token => this.perform(request(token, this.#clock.now())))
  }

  /** A transaction's marker is in the partition. */
  endTransaction({ producerId, isCommit }: Pick<TransactionMarker, 'producerId' | 'isCommit'>): void {
    this.coordinator.endTransaction(producerId, isCommit, this.#clock.now())
  }

  perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      if (this.#closed) return
      if (effect.kind === 'reply') this.#requests.answer(effect.token, effect.answer)
      else if (effect.kind === 'append') this.#append(effect)
      else if (effect.kind === 'timer') this.#start(effect.timer, effect.delayMs)
      else this.#cancel(keyOfTimer(effect.timer))
    }
  }

  close(): void {
    this.#closed = true
    this.#log.writeWaiting()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  /** Nobody's request fails for good because our disk did: the client asks again. */
  #append({ id, records, producer }: GroupEffect & { readonly kind: 'append' }): void {
    void this.#log.append(records, producer ?? null).then(isDurable => this.perform(this.coordinator.appended(id, isDurable ? null : 'COORDINATOR_NOT_AVAILABLE', this.#clock.now())))
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
  return 'memberId' in timer ? JSON.stringify([timer.kind, timer.groupId, timer.memberId]) : JSON.stringify([timer.kind, timer.groupId])
}
