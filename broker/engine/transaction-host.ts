// Hosts a transaction coordinator: carries out its effects on a partition of __transaction_state and on the partitions that transactions write to.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Timestamp } from '../../core/record.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import { TransactionCoordinator, type TransactionSettings } from '../kernel/transaction-coordinator.ts'
import type { TransactionAnswer, TransactionEffect } from '../kernel/transaction-effects.ts'
import { decodeTransaction } from '../kernel/transaction-records.ts'
import type { ProducerIdentity } from '../kernel/transaction-state.ts'
import type { ErrorName } from '../wire/error-code.ts'
import { CoordinatorLog } from './coordinator-log.ts'
import { errorFields } from './error-fields.ts'
import type { MarkerWriter } from './marker-writer.ts'
import type { Partition } from './partition.ts'
import { Patience } from './patience.ts'
import { WaitingRequests } from './waiting-requests.ts'

export const transactionsTopic = '__transaction_state'

export function transactionSettings(config: BrokerConfig): TransactionSettings {
  return { maxTimeoutMs: config.number('transaction.max.timeout.ms'), idExpirationMs: config.number('transactional.id.expiration.ms') }
}

export interface TransactionHostParts {
  readonly partition: Partition
  readonly settings: TransactionSettings
  readonly markers: MarkerWriter
  readonly newProducerId: () => Promise<number>
  /** Whether records of a producer are about to be aborted that no coordinator knows of. */
  readonly isHanging: (producerId: number) => boolean
  /** How long a request waits for the end of the transaction before it, at most. */
  readonly patienceMs: () => number
  readonly clock: Clock
  readonly logger: Logger
}

/** A request to a coordinator. `freshProducerId`: one that nobody had, where it may be needed; else null. */
export type TransactionRequest = (token: number, now: Timestamp, freshProducerId: number | null) => readonly TransactionEffect[]

/** What a producer is about to write. */
export interface WriteIntent extends ProducerIdentity {
  readonly transactionalId: string
  readonly partitions: ReadonlyMap<string, readonly number[]>
  /** Partitions that are not in the transaction become part of it, and begin it (KIP-890); else they must be in it. */
  readonly adds: boolean
  /** All is in the transaction: where it cannot be acknowledged `write` may be called once more, to refuse it. */
  readonly isWhole: boolean
}

/** Says whether a partition may be written to now. */
export type Verifier = (topic: string, partition: number) => ErrorName

/** One coordinator and its partition. */
export class TransactionHost {
  readonly coordinator: TransactionCoordinator
  readonly #parts: TransactionHostParts
  readonly #log: CoordinatorLog
  readonly #requests = new WaitingRequests<TransactionAnswer>()
  readonly #patience: Patience
  /** By transactional id, the end of the line of those who wait to write. */
  readonly #lines = new Map<string, Promise<unknown>>()
  /** By transactional id, the last of the records under way that its producer has gone ahead of. */
  readonly #adding = new Map<string, Promise<TransactionAnswer>>()
  #closed = false

  /** Replays what is there, and goes on with what was decided. */
  constructor(parts: TransactionHostParts) {
    this.#parts = parts
    this.#log = new CoordinatorLog(parts.partition, parts.clock, parts.logger)
    this.#patience = new Patience(parts.clock)
    this.coordinator = new TransactionCoordinator(parts.settings)
    this.#log.replay({
      record: (key, value) => {
        const fact = decodeTransaction(key, value)
        if (fact !== null) this.coordinator.replay(fact)
      },
    })
    this.#perform(this.coordinator.loaded())
  }

  /** Gives the coordinator a request and resolves to its answer; one that comes too early for its transactional id is given again. */
  async ask(transactionalId: string, request: TransactionRequest, withProducerId = false): Promise<TransactionAnswer> {
    const { clock, patienceMs } = this.#parts
    const deadline = clock.monotonic() + patienceMs()
    for (;;) {
      const answer = await this.#askOnce(transactionalId, request, withProducerId)
      if (answer.error !== 'CONCURRENT_TRANSACTIONS') return answer
      const leftMs = deadline - clock.monotonic()
      if (leftMs <= 0 || !(await this.#patience.until(() => this.coordinator.isSettled(transactionalId), leftMs))) return answer
    }
  }

  async #askOnce(transactionalId: string, request: TransactionRequest, withProducerId: boolean): Promise<TransactionAnswer> {
    const { clock, newProducerId, logger } = this.#parts
    try {
      const fresh = withProducerId && this.coordinator.needsProducerId(transactionalId) ? await newProducerId() : null
      return await this.#requests.ask<TransactionAnswer>(token => this.#perform(request(token, clock.now(), fresh)))
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      logger.error('could not allocate a producer id', { transactionalId, ...errorFields(error) })
      return { error: 'COORDINATOR_NOT_AVAILABLE', producerId: -1, producerEpoch: -1 }
    }
  }

  /**
   * Calls `write` when a producer may write, or to tell it why not; at once where nothing stands in the way. Who comes behind one who waits
   * waits too, so that a producer's batches keep their order. What `write` does at once is done in the transaction that was verified.
   */
  admit<T>(intent: WriteIntent, write: (verify: Verifier) => T): T | Promise<Awaited<T>> {
    const { transactionalId } = intent
    if (this.#parts.isHanging(intent.producerId)) return write(() => 'CONCURRENT_TRANSACTIONS')
    const before = this.#lines.get(transactionalId)
    if (before === undefined && this.#canWrite(intent)) return write(this.#verifier(intent, 'NONE'))
    if (before === undefined && intent.isWhole && this.coordinator.mayGoAhead(transactionalId)) return this.#goAhead(intent, write)
    const turn = this.#takeTurn(intent, before ?? Promise.resolve())
    const written = turn.then(error => {
      // Who comes from now on need not wait, unless somebody does already.
      if (this.#lines.get(transactionalId) === turn) this.#lines.delete(transactionalId)
      return write(this.#verifier(intent, error))
    })
    this.#lines.set(transactionalId, turn)
    return written as Promise<Awaited<T>>
  }

  /** Writes while partitions are added, so that one wait of the disk is for both; what cannot be added is not acknowledged. */
  async #goAhead<T>(intent: WriteIntent, write: (verify: Verifier) => T): Promise<Awaited<T>> {
    const { transactionalId } = intent
    const adding = this.#holds(intent) ? this.#adding.get(transactionalId) : undefined
    const added = adding ?? this.#add(intent, true)
    // Not that of a zombie, which was refused at once.
    if (this.#holds(intent)) this.#adding.set(transactionalId, added)
    const written = write(this.#verifier(intent, 'NONE'))
    const { error } = await added
    if (this.#adding.get(transactionalId) === added) this.#adding.delete(transactionalId)
    return error === 'NONE' ? await written : await write(() => error)
  }

  #add({ transactionalId, producerId, producerEpoch, partitions }: WriteIntent, goesAhead: boolean): Promise<TransactionAnswer> {
    return this.ask(transactionalId, (token, now) => this.coordinator.addPartitions({ transactionalId, producerId, producerEpoch, partitions, clientVersion: 2, goesAhead }, token, now))
  }

  /** Resolves to what went wrong in adding partitions. */
  async #takeTurn(intent: WriteIntent, before: Promise<unknown>): Promise<ErrorName> {
    await before
    if (this.#canWrite(intent)) return 'NONE'
    return (await this.#add(intent, false)).error
  }

  /** Whether nothing is to be waited for: all is in the transaction for certain, or must be, or it fails. */
  #canWrite(intent: WriteIntent): boolean {
    return !intent.adds || this.coordinator.isWritten(intent)
  }

  /** Whether all may be written to, though it may not be in the log yet. */
  #holds(intent: WriteIntent): boolean {
    return [...intent.partitions].every(([topic, indexes]) => indexes.every(partition => this.coordinator.verify({ ...intent, topic, partition }) === 'NONE'))
  }

  #verifier(intent: WriteIntent, added: ErrorName): Verifier {
    return (topic, partition) => {
      const error = this.coordinator.verify({ ...intent, topic, partition })
      return error === 'TRANSACTION_ABORTABLE' && added !== 'NONE' ? added : error
    }
  }

  /** Aborts transactions that are open for too long. */
  expire(): void {
    this.#perform(this.coordinator.expire(this.#parts.clock.now()))
  }

  /** Forgets transactional ids that are idle for too long. */
  forget(): void {
    this.#perform(this.coordinator.forget(this.#parts.clock.now()))
  }

  close(): void {
    this.#closed = true
    this.#log.writeWaiting()
    this.#patience.close()
  }

  #perform(effects: readonly TransactionEffect[]): void {
    for (const effect of effects) {
      if (this.#closed) return
      if (effect.kind === 'reply') this.#requests.answer(effect.token, effect.answer)
      else if (effect.kind === 'append') void this.#append(effect)
      else void this.#mark(effect)
    }
    this.#patience.look()
  }

  /** Nobody's request fails for good because our disk did: the client asks again. */
  async #append({ id, record }: TransactionEffect & { readonly kind: 'append' }): Promise<void> {
    const isDurable = await this.#log.append([record], null)
    this.#perform(this.coordinator.appended(id, isDurable ? null : 'COORDINATOR_NOT_AVAILABLE'))
  }

  async #mark({ transactionalId, producerId, producerEpoch, isCommit, partitions, delayMs }: TransactionEffect & { readonly kind: 'mark' }): Promise<void> {
    const { markers, partition, clock } = this.#parts
    if (delayMs > 0) await this.#patience.pause(delayMs)
    const isEverywhere = await markers.writeAll({ producerId, producerEpoch, isCommit, coordinatorEpoch: partition.leaderEpoch }, partitions)
    if (isEverywhere) this.#perform(this.coordinator.marked(transactionalId, clock.now()))
  }
}
