// The coordinator of the transactional ids in one partition of __transaction_state: requests, records and time in, effects out. No I/O, no clock.

import type { Timestamp } from '../../core/record.ts'
import type { ErrorName } from '../wire/error-code.ts'
import type { TransactionAnswer, TransactionEffect } from './transaction-effects.ts'
import { endVerdict, type EndRequest } from './transaction-end.ts'
import { encodeTransaction, type TransactionFact } from './transaction-records.ts'
import { completed, ended, fenced, holdsPartitions, isEnding, isExhausted, lastEpoch, newTransaction, renewed, renewedAlready, rotated, withPartitions, type ProducerIdentity, type TransactionState } from './transaction-state.ts'

export interface TransactionSettings {
  readonly maxTimeoutMs: number
  readonly idExpirationMs: number
}

export interface InitRequest {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What the producer had before, where it goes on after an error (KIP-360). */
  readonly current: ProducerIdentity | null
}

export interface AddRequest extends ProducerIdentity {
  readonly transactionalId: string
  readonly partitions: ReadonlyMap<string, readonly number[]>
  readonly clientVersion: number
  /** The producer writes while the record of it is under way, and is acknowledged by both; see {@link TransactionCoordinator.mayGoAhead}. */
  readonly goesAhead?: boolean
}

interface Entry {
  /** What requests are judged by; null where there is nothing yet. */
  state: TransactionState | null
  /** As the log has it for certain: what holds again where a record that is on its way is refused. */
  acknowledged: TransactionState | null
  /** Records on their way to the log. */
  underWay: number
  /** State changes with one of them. */
  isBusy: boolean
  /** Partitions were added that the log may not know of, and that may have been written to: there is no way back to what is acknowledged. */
  isAhead: boolean
}

interface Step {
  readonly fact: TransactionFact
  /** State has not changed yet, and does when the record is acknowledged. */
  readonly isDecision: boolean
  readonly token: number | null
  readonly answer: TransactionAnswer
}

/** How long markers wait that could not be followed up. */
const retryDelayMs = 1000

/**
 * Every method answers what is to be done, in order. State changes when its record is acknowledged; until then, and while markers are
 * under way, requests for the same id are told CONCURRENT_TRANSACTIONS.
 *
 * The record that all markers are written is not waited for: it decides nothing. What is decided next lies behind it in the same log, so that no
 * record of the next transaction is anywhere before both are durable; and where both are lost the markers are written again, which are there already.
 */
export class TransactionCoordinator {
  readonly #settings: TransactionSettings
  readonly #entries = new Map<string, Entry>()
  /** Ids with an open transaction: the ones that can time out. */
  readonly #ongoing = new Set<string>()
  readonly #steps = new Map<number, Step>()
  #nextAppend = 0
  #effects: TransactionEffect[] = []

  constructor(settings: TransactionSettings) {
    this.#settings = settings
  }

  // ─── state from records ───

  /** Takes a record into account that is in the log. */
  replay({ transactionalId, state }: TransactionFact): void {
    const known = state?.status === 'Dead' ? null : state
    this.#entry(transactionalId).acknowledged = known
    this.#hold(transactionalId, known)
  }

  #entry(transactionalId: string): Entry {
    const known = this.#entries.get(transactionalId)
    if (known !== undefined) return known
    const entry = { state: null, acknowledged: null, underWay: 0, isBusy: false, isAhead: false }
    this.#entries.set(transactionalId, entry)
    return entry
  }

  #hold(transactionalId: string, state: TransactionState | null): void {
    const entry = this.#entry(transactionalId)
    entry.state = state
    entry.isAhead = false
    if (state?.status === 'Ongoing') this.#ongoing.add(transactionalId)
    else this.#ongoing.delete(transactionalId)
    if (state === null && entry.underWay === 0) this.#entries.delete(transactionalId)
  }

  /** After the last record: ends that were decided are carried out. */
  loaded(): readonly TransactionEffect[] {
    for (const [transactionalId, { state }] of this.#entries) if (state !== null && isEnding(state)) this.#mark(transactionalId, state, 0)
    return this.#take()
  }

  // ─── requests ───

  /** Whether a request may need a producer id that nobody had. */
  needsProducerId(transactionalId: string): boolean {
    const state = this.#entries.get(transactionalId)?.state ?? null
    return state === null || isExhausted(state)
  }

  /** @param freshProducerId null where {@link needsProducerId} said no */
  initProducerId(request: InitRequest, freshProducerId: number | null, token: number, now: Timestamp): readonly TransactionEffect[] {
    const { transactionalId, timeoutMs, current } = request
    const entry = this.#entries.get(transactionalId)
    const state = entry?.state ?? null
    if (transactionalId === '') return this.#refuse(token, 'INVALID_REQUEST')
    if (timeoutMs <= 0 || timeoutMs > this.#settings.maxTimeoutMs) return this.#refuse(token, 'INVALID_TRANSACTION_TIMEOUT')
    if (entry?.isBusy) return this.#refuse(token, 'CONCURRENT_TRANSACTIONS')
    if (state === null) return freshProducerId === null ? this.#refuse(token, 'CONCURRENT_TRANSACTIONS') : this.#begin(request, newTransaction(freshProducerId, timeoutMs, now), token)
    if (current !== null && !isOf(state, current)) return this.#refuse(token, 'PRODUCER_FENCED')
    if (isEnding(state)) return this.#refuse(token, 'CONCURRENT_TRANSACTIONS')
    if (state.status !== 'Ongoing') return this.#renew(request, state, freshProducerId, token, now)
    // Whoever asks. The client asks again, and gets another epoch then; one that has the epoch of the transaction, that of its abort.
    return this.#step(transactionalId, fenced(state, now), token, { error: 'CONCURRENT_TRANSACTIONS', producerId: -1, producerEpoch: -1 })
  }

  #renew({ transactionalId, timeoutMs, current }: InitRequest, state: TransactionState, freshProducerId: number | null, token: number, now: Timestamp): readonly TransactionEffect[] {
    if (isExhausted(state) && (current === null || current.producerEpoch === state.producerEpoch)) {
      if (freshProducerId === null) return this.#refuse(token, 'CONCURRENT_TRANSACTIONS')
      return this.#begin({ transactionalId }, rotated(state, freshProducerId, current === null ? -1 : state.producerEpoch, timeoutMs, now), token)
    }
    if (current === null || current.producerEpoch === state.producerEpoch) return this.#begin({ transactionalId }, renewed(state, current === null ? -1 : state.producerEpoch, timeoutMs, now), token)
    // The answer to the same request was lost.
    if (current.producerEpoch === state.lastProducerEpoch) return this.#begin({ transactionalId }, renewedAlready(state, timeoutMs, now), token)
    return this.#refuse(token, 'PRODUCER_FENCED')
  }

  #begin({ transactionalId }: { readonly transactionalId: string }, next: TransactionState, token: number): readonly TransactionEffect[] {
    return this.#step(transactionalId, next, token, { error: 'NONE', producerId: next.producerId, producerEpoch: next.producerEpoch })
  }

  /** Adds partitions to the transaction, and begins it if none is open. */
  addPartitions(request: AddRequest, token: number, now: Timestamp): readonly TransactionEffect[] {
    const { transactionalId, partitions, clientVersion } = request
    const entry = this.#entries.get(transactionalId)
    const error = entry?.isBusy ? 'CONCURRENT_TRANSACTIONS' : this.#identityProblem(request)
    if (error !== 'NONE') return this.#refuse(token, error)
    if (this.isWritten(request)) return this.#refuse(token, 'NONE')
    const state = entry!.state!
    const next = withPartitions(state, partitions, clientVersion, now)
    const answer = { error: 'NONE', producerId: state.producerId, producerEpoch: state.producerEpoch } as const
    if (request.goesAhead !== true || !this.mayGoAhead(transactionalId)) return this.#step(transactionalId, next, token, answer)
    this.#hold(transactionalId, next)
    entry!.isAhead = true
    this.#write({ fact: { transactionalId, state: next }, isDecision: false, token, answer })
    return this.#take()
  }

  /**
   * Whether a producer may write to partitions before the record that adds them is durable. Where that is lost while what was written is not, a start
   * finds a producer's records that no coordinator knows of, and aborts them under its next epoch: they cannot be taken for those of any other
   * transaction, nor for a repetition of what is sent again. While it is only refused, what was written stays in the transaction as this coordinator
   * has it, and goes with its end. Not where the end of the transaction before is not durably complete: its markers would be written again.
   */
  mayGoAhead(transactionalId: string): boolean {
    const { state = null, acknowledged = null, isBusy = true } = this.#entries.get(transactionalId) ?? {}
    if (isBusy || state === null || acknowledged === null || isEnding(acknowledged) || isEnding(state)) return false
    return acknowledged.producerId === state.producerId && acknowledged.producerEpoch === state.producerEpoch
  }

  /** Whether partitions are in a producer's transaction for certain. */
  isWritten({ transactionalId, producerId, producerEpoch, partitions }: ProducerIdentity & { readonly transactionalId: string; readonly partitions: ReadonlyMap<string, readonly number[]> }): boolean {
    const state = this.acknowledged(transactionalId)
    return state !== null && state.producerId === producerId && state.producerEpoch === producerEpoch && holdsPartitions(state, partitions)
  }

  /** Whether a producer may write to a partition now: NONE, or TRANSACTION_ABORTABLE where the partition is not in the transaction. */
  verify(request: ProducerIdentity & { readonly transactionalId: string; readonly topic: string; readonly partition: number }): ErrorName {
    const error = this.#identityProblem(request)
    if (error !== 'NONE') return error
    const state = this.#entries.get(request.transactionalId)!.state!
    return state.status === 'Ongoing' && state.partitions.get(request.topic)?.includes(request.partition) ? 'NONE' : 'TRANSACTION_ABORTABLE'
  }

  #identityProblem({ transactionalId, producerId, producerEpoch }: ProducerIdentity & { readonly transactionalId: string }): ErrorName {
    if (transactionalId === '') return 'INVALID_REQUEST'
    const state = this.#entries.get(transactionalId)?.state ?? null
    if (state === null) return 'INVALID_PRODUCER_ID_MAPPING'
    // A producer that got its next id with the end of the transaction must wait until that is done.
    if (isEnding(state) && producerId === state.nextProducerId) return 'CONCURRENT_TRANSACTIONS'
    if (state.producerId !== producerId) return 'INVALID_PRODUCER_ID_MAPPING'
    if (state.producerEpoch !== producerEpoch) return 'PRODUCER_FENCED'
    return isEnding(state) ? 'CONCURRENT_TRANSACTIONS' : 'NONE'
  }

  /** Decides the end of a transaction; the answer comes when that is durable, before the markers are everywhere. */
  end(request: EndRequest, freshProducerId: number | null, token: number, now: Timestamp): readonly TransactionEffect[] {
    const { transactionalId, isCommit, clientVersion } = request
    if (transactionalId === '') return this.#refuse(token, 'INVALID_REQUEST')
    const entry = this.#entries.get(transactionalId)
    const state = entry?.state ?? null
    if (entry?.isBusy) return this.#refuse(token, 'CONCURRENT_TRANSACTIONS')
    if (state === null) return this.#refuse(token, 'INVALID_PRODUCER_ID_MAPPING')
    const verdict = endVerdict(state, request)
    if (verdict === 'done') return this.#reply(token, { error: 'NONE', producerId: state.producerId, producerEpoch: state.producerEpoch })
    if (verdict !== 'end') return this.#refuse(token, verdict)
    const rotates = clientVersion >= 2 && isExhausted(state)
    if (rotates && freshProducerId === null) return this.#refuse(token, 'CONCURRENT_TRANSACTIONS')
    const next = ended(state, isCommit, clientVersion, rotates ? freshProducerId! : -1, now)
    return this.#step(transactionalId, next, token, { error: 'NONE', producerId: rotates ? next.nextProducerId : next.producerId, producerEpoch: rotates ? 0 : next.producerEpoch })
  }

  // ─── time ───

  /** Aborts what is open for longer than its producer allowed, and shuts that producer out. */
  expire(now: Timestamp): readonly TransactionEffect[] {
    for (const transactionalId of this.#ongoing) {
      const { state, isBusy } = this.#entries.get(transactionalId)!
      if (!isBusy && state!.startedAt + state!.timeoutMs <= now) this.#advance(transactionalId, fenced(state!, now), null, nothing)
    }
    return this.#take()
  }

  /** Forgets ids that were idle for long. */
  forget(now: Timestamp): readonly TransactionEffect[] {
    for (const [transactionalId, { state, isBusy }] of this.#entries) {
      if (isBusy || state === null || state.status === 'Ongoing' || isEnding(state)) continue
      if (state.updatedAt + this.#settings.idExpirationMs <= now) this.#advance(transactionalId, null, null, nothing)
    }
    return this.#take()
  }

  // ─── effects ───

  /** The record handed out as `id` is acknowledged; or, with an error, is not. */
  appended(id: number, error: ErrorName | null): readonly TransactionEffect[] {
    const step = this.#steps.get(id)
    this.#steps.delete(id)
    if (step === undefined) return []
    const { fact, isDecision, token, answer } = step
    const { transactionalId } = fact
    const entry = this.#entries.get(transactionalId)!
    entry.underWay--
    if (isDecision) entry.isBusy = false
    if (error === null) entry.acknowledged = fact.state
    if (error === null && (isDecision || entry.state === fact.state)) this.#hold(transactionalId, fact.state)
    // Behind a refused record another may be on its way, which says all that the refused one has said.
    if (error !== null && entry.underWay === 0 && !entry.isAhead) this.#hold(transactionalId, entry.acknowledged)
    // Also where the last record, that all is done, was refused.
    if (entry.state !== null && isEnding(entry.state)) this.#mark(transactionalId, entry.state, error === null ? 0 : retryDelayMs)
    if (token !== null) this.#effects.push({ kind: 'reply', token, answer: error === null ? answer : { error, producerId: -1, producerEpoch: -1 } })
    return this.#take()
  }

  /** The markers of an ended transaction are in all its partitions. */
  marked(transactionalId: string, now: Timestamp): readonly TransactionEffect[] {
    const entry = this.#entries.get(transactionalId)
    if (entry === undefined || entry.state === null || entry.isBusy || !isEnding(entry.state)) return []
    const state = completed(entry.state, now)
    this.#hold(transactionalId, state)
    this.#write({ fact: { transactionalId, state }, isDecision: false, token: null, answer: nothing })
    return this.#take()
  }

  /** False while a request for the id would be told CONCURRENT_TRANSACTIONS. */
  isSettled(transactionalId: string): boolean {
    const entry = this.#entries.get(transactionalId)
    return entry === undefined || (!entry.isBusy && (entry.state === null || !isEnding(entry.state)))
  }

  // ─── admin ───

  get(transactionalId: string): TransactionState | null {
    return this.#entries.get(transactionalId)?.state ?? null
  }

  /** As the log has it for certain. */
  acknowledged(transactionalId: string): TransactionState | null {
    return this.#entries.get(transactionalId)?.acknowledged ?? null
  }

  *all(): Iterable<readonly [transactionalId: string, state: TransactionState]> {
    for (const [transactionalId, { state }] of this.#entries) if (state !== null) yield [transactionalId, state]
  }

  #step(transactionalId: string, next: TransactionState, token: number, answer: TransactionAnswer): readonly TransactionEffect[] {
    this.#advance(transactionalId, next, token, answer)
    return this.#take()
  }

  #advance(transactionalId: string, state: TransactionState | null, token: number | null, answer: TransactionAnswer): void {
    this.#entry(transactionalId).isBusy = true
    this.#write({ fact: { transactionalId, state }, isDecision: true, token, answer })
  }

  #write(step: Step): void {
    const id = this.#nextAppend++
    this.#entry(step.fact.transactionalId).underWay++
    this.#steps.set(id, step)
    this.#effects.push({ kind: 'append', id, record: encodeTransaction(step.fact) })
  }

  #mark(transactionalId: string, { producerId, producerEpoch, status, partitions }: TransactionState, delayMs: number): void {
    this.#effects.push({ kind: 'mark', transactionalId, producerId, producerEpoch, isCommit: status === 'PrepareCommit', partitions, delayMs })
  }

  #refuse(token: number, error: ErrorName): readonly TransactionEffect[] {
    return this.#reply(token, { error, producerId: -1, producerEpoch: -1 })
  }

  #reply(token: number, answer: TransactionAnswer): readonly TransactionEffect[] {
    this.#effects.push({ kind: 'reply', token, answer })
    return this.#take()
  }

  #take(): readonly TransactionEffect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}

const nothing: TransactionAnswer = { error: 'NONE', producerId: -1, producerEpoch: -1 }

/** Whether an id may go on as what it says it had: the same producer, or the one before where its epochs ran out. */
function isOf(state: TransactionState, current: ProducerIdentity): boolean {
  return current.producerId === state.producerId || (current.producerId === state.previousProducerId && current.producerEpoch >= lastEpoch)
}
