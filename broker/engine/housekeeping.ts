// What a broker does from time to time: deletes old records, compacts, forgets idle producers and old offsets.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { MillraceError } from '../../core/error.ts'
import type { BrokerState } from './broker-state.ts'
import { errorFields } from './error-fields.ts'
import type { Partition } from './partition.ts'
import { compactOnce, retain } from './partition-upkeep.ts'

export class Housekeeping {
  readonly #broker: BrokerState
  readonly #cancels = new Map<string, () => void>()
  /** One chore at a time. */
  #chore: Promise<void> = Promise.resolve()
  #closed = false

  constructor(broker: BrokerState) {
    this.#broker = broker
    this.#every('log.retention.check.interval.ms', () => this.retain())
    this.#every('offsets.retention.check.interval.ms', async () => broker.groups.expire())
    if (broker.config.flag('log.cleaner.enable')) this.#every('log.cleaner.backoff.ms', () => this.compact())
  }

  async retain(): Promise<void> {
    const { partitions, config, clock, meters } = this.#broker
    const begunMs = clock.monotonic()
    const before = clock.now() - config.number('producer.id.expiration.ms')
    for (const partition of [...partitions.all()]) {
      partition.expireProducers(before)
      await this.#try(partition, () => retain(partition, this.#broker))
    }
    meters.retentionSeconds.observe((clock.monotonic() - begunMs) / 1000)
  }

  async compact(): Promise<void> {
    const { partitions, config, clock, meters } = this.#broker
    const begunMs = clock.monotonic()
    const turns = { maxKeyBytes: config.number('log.cleaner.dedupe.buffer.size'), pause: () => this.#pause() }
    for (const partition of [...partitions.all()]) await this.#try(partition, () => compactOnce(partition, turns, this.#broker))
    meters.compactionSeconds.observe((clock.monotonic() - begunMs) / 1000)
  }

  /** Lets others have their turn; ends a long chore when the broker closes. */
  async #pause(): Promise<void> {
    await nextTurn()
    if (this.#closed) throw new MillraceError('BROKER_CLOSING', 'The broker is closing.')
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const cancel of this.#cancels.values()) cancel()
    await this.#chore
  }

  async #try(partition: Partition, action: () => Promise<void>): Promise<void> {
    if (this.#closed) return
    try {
      await action()
    } catch (error) {
      if (this.#closed) return
      this.#broker.logger.error('housekeeping of a log failed', { partition: partition.name, ...errorFields(error) })
    }
  }

  /** The interval is asked for anew each time: it may be changed. */
  #every(setting: string, action: () => Promise<void>): void {
    const { clock, config } = this.#broker
    this.#cancels.set(setting, clock.after(Math.max(1, config.number(setting)), () => {
      this.#chore = this.#chore.then(action).then(() => {
        if (!this.#closed) this.#every(setting, action)
      })
    }))
  }
}
