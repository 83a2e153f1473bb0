// The transaction coordinator under random requests, slow and failing disks, lapses of time and crashes at every point.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TransactionCoordinator, type TransactionSettings } from '../../../broker/kernel/transaction-coordinator.ts'
import type { TransactionAnswer, TransactionEffect } from '../../../broker/kernel/transaction-effects.ts'
import { decodeTransaction, type TransactionRecord } from '../../../broker/kernel/transaction-records.ts'
import { completed, isEnding, lastEpoch, type TransactionState } from '../../../broker/kernel/transaction-state.ts'
import type { ErrorName } from '../../../broker/wire/error-code.ts'

const settings: TransactionSettings = { maxTimeoutMs: 60_000, idExpirationMs: 1_000_000 }

type Append = TransactionEffect & { readonly kind: 'append' }
type Mark = TransactionEffect & { readonly kind: 'mark' }

/** Drives a coordinator as a broker would. */
class Host {
  now = 1000
  readonly records: TransactionRecord[] = []
  readonly answers = new Map<number, TransactionAnswer>()
  readonly marks: Mark[] = []
  hasRefused = false
  coordinator = new TransactionCoordinator(settings)
  #appends: Append[] = []
  #token = 0
  #ids = 100

  perform(effects: readonly TransactionEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'append') this.#appends.push(effect)
      else if (effect.kind === 'mark') this.marks.push(effect)
      else {
        expect(this.answers.has(effect.token), 'a token is answered once').toBe(false)
        this.answers.set(effect.token, effect.answer)
      }
    }
  }

  /** Answers the token. */
  ask(request: (token: number, fresh: number) => readonly TransactionEffect[]): number {
    const token = this.#token++
    this.perform(request(token, this.#ids++))
    return token
  }

  /** `cut`: what lies behind the record that fails is taken back with it. */
  disk(works: boolean | 'cut'): void {
    for (const append of this.#appends.splice(0, works === 'cut' ? Infinity : 1)) {
      if (works === true) this.records.push(append.record)
      else this.hasRefused = true
      this.perform(this.coordinator.appended(append.id, works === true ? null : 'COORDINATOR_NOT_AVAILABLE'))
    }
  }

  mark(): void {
    const mark = this.marks.shift()
    if (mark !== undefined) this.perform(this.coordinator.marked(mark.transactionalId, this.now))
  }

  crash(): void {
    this.#appends = []
    this.marks.length = 0
    this.coordinator = this.copy()
    this.perform(this.coordinator.loaded())
  }

  settle(): void {
    for (let i = 0; i < 1000 && (this.#appends.length > 0 || this.marks.length > 0); i++) {
      this.disk(true)
      this.mark()
    }
  }

  copy(): TransactionCoordinator {
    const copy = new TransactionCoordinator(settings)
    for (const { key, value } of this.records) copy.replay(decodeTransaction(key, value)!)
    return copy
  }

  /** A request to its end. */
  complete(request: (token: number, fresh: number) => readonly TransactionEffect[], settle = true): TransactionAnswer {
    const token = this.ask(request)
    if (settle) this.settle()
    return this.answers.get(token)!
  }

  init(current: { producerId: number; producerEpoch: number } | null = null, timeoutMs = 5000, id = 't'): TransactionAnswer {
    return this.complete((token, fresh) => this.coordinator.initProducerId({ transactionalId: id, timeoutMs, current }, fresh, token, this.now))
  }

  add(producerId: number, producerEpoch: number, clientVersion = 0): ErrorName {
    return this.complete(token => this.coordinator.addPartitions({ transactionalId: 't', producerId, producerEpoch, clientVersion, partitions: new Map([['a', [0]]]) }, token, this.now)).error
  }

  end(producerId: number, producerEpoch: number, isCommit: boolean, clientVersion = 0): TransactionAnswer {
    return this.complete((token, fresh) => this.coordinator.end({ transactionalId: 't', producerId, producerEpoch, isCommit, clientVersion }, fresh, token, this.now))
  }
}

/** Without what the log cannot know. */
function inLog({ lastProducerEpoch: _, ...state }: TransactionState): unknown {
  return { ...state, partitions: state.status === 'Empty' ? [] : [...state.partitions] }
}

/** What is acknowledged is what replaying the log gives; what requests are judged by is no more than one step ahead of it. */
function checkAgainstLog(host: Host): void {
  const copy = host.copy()
  for (const id of ids) {
    const [logged, acknowledged, live] = [copy.get(id), host.coordinator.acknowledged(id), host.coordinator.get(id)]
    expect(acknowledged === null ? null : inLog(acknowledged)).toEqual(logged === null ? null : inLog(logged))
    if (live === acknowledged) continue
    if (isEnding(acknowledged!)) expect(inLog({ ...live!, updatedAt: 0 })).toEqual(inLog({ ...completed(acknowledged!, 0) }))
    else expect([live!.status, live!.producerId, live!.producerEpoch]).toEqual(['Ongoing', acknowledged!.producerId, acknowledged!.producerEpoch])
  }
}

const ids = ['t', 'u']
type Step =
  | { kind: 'init'; id: string; continues: boolean }
  | { kind: 'add'; id: string; version: number; stale: boolean; goesAhead: boolean }
  | { kind: 'commit'; id: string; version: number; stale: boolean }
  | { kind: 'abort'; id: string; version: number; stale: boolean }
  | { kind: 'disk'; works: boolean | 'cut' }
  | { kind: 'mark' }
  | { kind: 'crash' }
  | { kind: 'expire' }
  | { kind: 'sleep'; ms: number }

const id = fc.constantFrom(...ids)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('init' as const), id, continues: fc.boolean() }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), id, version: fc.constantFrom(0, 2), stale: fc.boolean(), goesAhead: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'abort' as const), id, version: fc.constantFrom(0, 2), stale: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('disk' as const), works: fc.constantFrom(true, true, true, true, false, 'cut' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('mark' as const, 'mark' as const, 'crash' as const, 'expire' as const) }) },
  fc.record({ kind: fc.constant('sleep' as const), ms: fc.integer({ min: 1, max: 4000 }) }),
)

function run(host: Host, step: Step): void {
  if (step.kind === 'disk') return host.disk(step.works)
  if (step.kind === 'mark') return host.mark()
  if (step.kind === 'crash') return host.crash()
  if (step.kind === 'expire') return host.perform(host.coordinator.expire(host.now))
  if (step.kind === 'sleep') return void (host.now += step.ms)
  const known: TransactionState | null = host.coordinator.get(step.id)
  const producerId = known?.producerId ?? 1
  const producerEpoch = (known?.producerEpoch ?? 0) - ('stale' in step && step.stale ? 1 : 0)
  if (step.kind === 'init') {
    const current = step.continues && known !== null ? { producerId, producerEpoch } : null
    host.ask((token, fresh) => host.coordinator.initProducerId({ transactionalId: step.id, timeoutMs: 3000, current }, fresh, token, host.now))
  } else if (step.kind === 'add') {
    host.ask(token => host.coordinator.addPartitions({ transactionalId: step.id, producerId, producerEpoch, clientVersion: step.version, goesAhead: step.goesAhead, partitions: new Map([['a', [host.now % 3]]]) }, token, host.now))
  } else {
    host.ask((token, fresh) => host.coordinator.end({ transactionalId: step.id, producerId, producerEpoch, isCommit: step.kind === 'commit', clientVersion: step.version }, fresh, token, host.now))
  }
}

/** Whoever was shut out stays out, and what was decided is not decided otherwise. */
function checkHistory({ records, hasRefused }: Host): void {
  const before = new Map<string, TransactionState>()
  for (const { key, value } of records) {
    const { transactionalId, state } = decodeTransaction(key, value)!
    const last = before.get(transactionalId)
    if (state === null) {
      before.delete(transactionalId)
      continue
    }
    if (last !== undefined) {
      if (last.producerId === state.producerId) expect(state.producerEpoch).toBeGreaterThanOrEqual(last.producerEpoch)
      if (isEnding(last)) checkAfterEnd(last, state)
      // What a producer went ahead of may have been refused.
      if (state.status === 'PrepareCommit' && !hasRefused) expect(last.status).toBe('Ongoing')
      if (isEnding(state) && !hasRefused && last.status === 'Ongoing') expect([...state.partitions]).toEqual([...last.partitions])
    }
    before.set(transactionalId, state)
  }
}

/** It was carried out: that is written down, or lies behind a record that was refused, and something newer says so. */
function checkAfterEnd(last: TransactionState, state: TransactionState): void {
  const done = last.status === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort'
  if (isEnding(state)) expect([state.status, state.producerEpoch > last.producerEpoch || state.producerId !== last.producerId]).toEqual(['PrepareAbort', true])
  else expect([done, 'Ongoing', 'Empty']).toContain(state.status)
}

test('live state is what replaying the log gives, at every point; no end is taken back; all settles', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
    const host = new Host()
    for (const each of steps) {
      run(host, each)
      checkAgainstLog(host)
    }
    host.settle()
    checkHistory(host)
    for (const name of ids) expect(host.coordinator.isSettled(name)).toBe(true)
    for (const [, state] of host.coordinator.all()) expect(isEnding(state)).toBe(false)
  }), { numRuns: 2000 })
})

test('a transaction of a client that keeps its epoch, and repeated requests', () => {
  const host = new Host()
  const { producerId, producerEpoch } = host.init()
  expect(producerEpoch).toBe(0)
  expect(host.end(producerId, 0, false).error).toBe('INVALID_TXN_STATE')
  expect([host.add(producerId, 0), host.add(producerId, 0)]).toEqual(['NONE', 'NONE'])
  expect(host.end(producerId, 0, true)).toEqual({ error: 'NONE', producerId, producerEpoch: 0 })
  expect([host.end(producerId, 0, true).error, host.end(producerId, 0, false).error]).toEqual(['NONE', 'INVALID_TXN_STATE'])
  expect(host.add(producerId, 1)).toBe('PRODUCER_FENCED')
  expect(host.add(producerId + 1, 0)).toBe('INVALID_PRODUCER_ID_MAPPING')
})

test('a transaction of version 2 gets a new epoch with its end; a delayed repetition does not end the next', () => {
  const host = new Host()
  const { producerId } = host.init()
  expect(host.add(producerId, 0, 2)).toBe('NONE')
  expect(host.end(producerId, 0, true, 2)).toEqual({ error: 'NONE', producerId, producerEpoch: 1 })
  expect(host.end(producerId, 0, true, 2)).toEqual({ error: 'NONE', producerId, producerEpoch: 1 })
  expect(host.end(producerId, 0, false, 2).error).toBe('INVALID_TXN_STATE')
  expect(host.add(producerId, 1, 2)).toBe('NONE')
  expect(host.end(producerId, 0, true, 2).error).toBe('PRODUCER_FENCED')
  expect(host.coordinator.get('t')!.status).toBe('Ongoing')
})

test('an abort of a transaction that wrote nothing waits for the end of the one before, also where epochs ran out', () => {
  const host = new Host()
  const { producerId } = host.init()
  for (const epoch of [0, 32766]) {
    while (host.coordinator.get('t')!.producerEpoch < epoch) {
      const { producerEpoch } = host.coordinator.get('t')!
      host.end(producerId, producerEpoch, false, 2)
    }
    expect(host.add(producerId, epoch, 2)).toBe('NONE')
    const token = host.ask((asked, fresh) => host.coordinator.end({ transactionalId: 't', producerId, producerEpoch: epoch, isCommit: true, clientVersion: 2 }, fresh, asked, host.now))
    host.disk(true)
    const next = host.answers.get(token)!
    const abort = { transactionalId: 't', producerId: next.producerId, producerEpoch: next.producerEpoch, isCommit: false, clientVersion: 2 }
    expect(host.complete((asked, fresh) => host.coordinator.end(abort, fresh, asked, host.now), false).error).toBe('CONCURRENT_TRANSACTIONS')
    host.settle()
    expect(host.complete((asked, fresh) => host.coordinator.end(abort, fresh, asked, host.now)).error).toBe('NONE')
  }
})

test('the next transaction begins when markers are everywhere, though that is not written down; where neither record gets there, markers are written again', () => {
  const host = new Host()
  const { producerId } = host.init()
  host.add(producerId, 0, 2)
  host.ask((asked, fresh) => host.coordinator.end({ transactionalId: 't', producerId, producerEpoch: 0, isCommit: true, clientVersion: 2 }, fresh, asked, host.now))
  host.disk(true)
  host.mark()
  expect(host.coordinator.get('t')!.status).toBe('CompleteCommit')
  const add = (): number => host.ask(asked => host.coordinator.addPartitions({ transactionalId: 't', producerId, producerEpoch: 1, clientVersion: 2, partitions: new Map([['a', [0]]]) }, asked, host.now))
  const first = add()
  host.disk('cut')
  expect([host.answers.get(first)!.error, host.coordinator.get('t')!.status]).toEqual(['COORDINATOR_NOT_AVAILABLE', 'PrepareCommit'])
  expect(host.marks).toMatchObject([{ producerId, producerEpoch: 1, isCommit: true }])
  host.mark()
  const second = add()
  host.settle()
  expect([host.answers.get(second)!.error, host.coordinator.get('t')!.status]).toEqual(['NONE', 'Ongoing'])
})

test('a second producer aborts what is open and shuts the first out', () => {
  const host = new Host()
  const first = host.init()
  host.add(first.producerId, first.producerEpoch)
  expect(host.init().error).toBe('CONCURRENT_TRANSACTIONS')
  const second = host.init()
  expect(second).toEqual({ error: 'NONE', producerId: first.producerId, producerEpoch: 2 })
  expect([host.add(first.producerId, 0), host.end(first.producerId, 0, true).error]).toEqual(['PRODUCER_FENCED', 'PRODUCER_FENCED'])
  expect(host.init({ producerId: first.producerId, producerEpoch: 0 }).error).toBe('PRODUCER_FENCED')
})

test('a producer goes on after an error, and may repeat that request', () => {
  const host = new Host()
  const first = host.init()
  const again = host.init(first)
  expect(again.producerEpoch).toBe(1)
  expect(host.init(first)).toEqual(again)
})

test('timeouts: too long ones are refused, passed ones abort', () => {
  const host = new Host()
  expect([host.init(null, 60_001).error, host.init(null, 0).error]).toEqual(['INVALID_TRANSACTION_TIMEOUT', 'INVALID_TRANSACTION_TIMEOUT'])
  const { producerId } = host.init()
  host.add(producerId, 0)
  host.now += 4999
  host.perform(host.coordinator.expire(host.now))
  host.settle()
  expect(host.coordinator.get('t')!.status).toBe('Ongoing')
  host.now += 1
  host.perform(host.coordinator.expire(host.now))
  host.settle()
  expect(host.coordinator.get('t')).toMatchObject({ status: 'CompleteAbort', producerEpoch: 1 })
  expect(host.end(producerId, 0, true).error).toBe('PRODUCER_FENCED')
})

test('when epochs run out another producer id takes over', () => {
  const host = new Host()
  const { producerId } = host.init()
  let epoch = 0
  while (epoch < lastEpoch) epoch = host.init({ producerId, producerEpoch: epoch }).producerEpoch
  host.add(producerId, lastEpoch, 2)
  const next = host.end(producerId, lastEpoch, true, 2)
  expect([next.error, next.producerId !== producerId, next.producerEpoch]).toEqual(['NONE', true, 0])
  expect(host.end(producerId, lastEpoch, true, 2)).toEqual(next)
  expect(host.add(next.producerId, 0, 2)).toBe('NONE')
})

test('what was decided before a crash is carried out after it', () => {
  const host = new Host()
  const { producerId } = host.init()
  host.add(producerId, 0)
  host.ask((token, fresh) => host.coordinator.end({ transactionalId: 't', producerId, producerEpoch: 0, isCommit: true, clientVersion: 0 }, fresh, token, host.now))
  host.disk(true)
  host.crash()
  expect(host.marks).toMatchObject([{ producerId, producerEpoch: 0, isCommit: true }])
  host.settle()
  expect(host.coordinator.get('t')!.status).toBe('CompleteCommit')
})

test('while an end is on its way, only who asked for it may ask again, or wait; others are shut out', () => {
  const host = new Host()
  const { producerId } = host.init()
  host.init({ producerId, producerEpoch: 0 })
  host.add(producerId, 1, 2)
  const token = host.ask((id, fresh) => host.coordinator.end({ transactionalId: 't', producerId, producerEpoch: 1, isCommit: true, clientVersion: 2 }, fresh, id, host.now))
  host.disk(true)
  expect(host.answers.get(token)).toEqual({ error: 'NONE', producerId, producerEpoch: 2 })
  const end = (producerEpoch: number, isCommit = true, clientVersion = 2): ErrorName =>
    host.complete((id, fresh) => host.coordinator.end({ transactionalId: 't', producerId, producerEpoch, isCommit, clientVersion }, fresh, id, host.now), false).error
  expect([end(1), end(1, false), end(0), end(2)]).toEqual(['CONCURRENT_TRANSACTIONS', 'INVALID_TXN_STATE', 'PRODUCER_FENCED', 'CONCURRENT_TRANSACTIONS'])
  expect([end(1, true, 0), end(2, true, 0)]).toEqual(['PRODUCER_FENCED', 'CONCURRENT_TRANSACTIONS'])
  const verify = (producerEpoch: number): ErrorName => host.coordinator.verify({ transactionalId: 't', producerId, producerEpoch, topic: 'a', partition: 0 })
  expect([verify(1), verify(2)]).toEqual(['PRODUCER_FENCED', 'CONCURRENT_TRANSACTIONS'])
  host.settle()
  expect([end(1), verify(2)]).toEqual(['NONE', 'TRANSACTION_ABORTABLE'])
})
