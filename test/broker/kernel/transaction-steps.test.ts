// The transaction coordinator, one request at a time, while records and markers are held back: who is told to wait, who is shut out, and what is not done twice.

import { expect, test } from 'vitest'
import { TransactionCoordinator, type AddRequest } from '../../../broker/kernel/transaction-coordinator.ts'
import type { TransactionAnswer, TransactionEffect } from '../../../broker/kernel/transaction-effects.ts'
import { decodeTransaction, type TransactionRecord } from '../../../broker/kernel/transaction-records.ts'
import { lastEpoch, newTransaction, type ProducerIdentity, type TransactionState } from '../../../broker/kernel/transaction-state.ts'

type Append = TransactionEffect & { readonly kind: 'append' }
type Mark = TransactionEffect & { readonly kind: 'mark' }

const settings = { maxTimeoutMs: 60_000, idExpirationMs: 1_000_000 }
const transactionalId = 't'
const refused = (error: string) => ({ error, producerId: -1, producerEpoch: -1 })

class Room {
  now = 1000
  readonly coordinator = new TransactionCoordinator(settings)
  readonly marks: Mark[] = []
  appends: Append[] = []
  readonly #answers = new Map<number, TransactionAnswer>()
  #token = 0

  /** `state`: as the log has it. */
  constructor(state: Partial<TransactionState> | null = {}) {
    if (state !== null) this.coordinator.replay({ transactionalId, state: { ...newTransaction(7, 5000, 1000), producerEpoch: 3, ...state } })
  }

  perform(effects: readonly TransactionEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'append') this.appends.push(effect)
      else if (effect.kind === 'mark') this.marks.push(effect)
      else this.#answers.set(effect.token, effect.answer)
    }
  }

  /** Undefined while there is no answer yet. */
  ask(request: (token: number) => readonly TransactionEffect[]): () => TransactionAnswer | undefined {
    const token = this.#token++
    this.perform(request(token))
    return () => this.#answers.get(token)
  }

  /** The log takes, or refuses, what is on its way to it. */
  disk(works = true, count = Infinity): readonly TransactionRecord[] {
    const done = this.appends.splice(0, count)
    for (const { id } of done) this.perform(this.coordinator.appended(id, works ? null : 'COORDINATOR_NOT_AVAILABLE'))
    return done.map(({ record }) => record)
  }

  init(current: ProducerIdentity | null = null, fresh: number | null = 100, timeoutMs = 5000) {
    return this.ask(token => this.coordinator.initProducerId({ transactionalId, timeoutMs, current }, fresh, token, this.now))
  }

  add(more: Partial<AddRequest> = {}) {
    return this.ask(token => this.coordinator.addPartitions({ transactionalId, producerId: 7, producerEpoch: 3, clientVersion: 2, partitions: new Map([['a', [0]]]), ...more }, token, this.now))
  }

  end(more: Partial<ProducerIdentity & { isCommit: boolean; clientVersion: number }> = {}, fresh: number | null = 100) {
    return this.ask(token => this.coordinator.end({ transactionalId, producerId: 7, producerEpoch: 3, isCommit: true, clientVersion: 2, ...more }, fresh, token, this.now))
  }

  verify(producerId = 7, producerEpoch = 3): string {
    return this.coordinator.verify({ transactionalId, producerId, producerEpoch, topic: 'a', partition: 0 })
  }

  get status(): string | undefined {
    return this.coordinator.get(transactionalId)?.status
  }
}

const written = { status: 'Ongoing', partitions: new Map([['a', [0]]]), startedAt: 1000, clientVersion: 2 } as const

test.each([
  ['InitProducerId', (room: Room) => room.init()],
  ['AddPartitionsToTxn', (room: Room) => room.add()],
  ['EndTxn', (room: Room) => room.end()],
] as const)('while a decision is on its way to the log, %s is told to wait, and time decides nothing either', (_, request) => {
  for (const first of [(room: Room) => room.end(), (room: Room) => room.init()]) {
    const room = new Room(written)
    first(room)
    room.now += 2_000_000
    expect(request(room)()).toEqual(refused('CONCURRENT_TRANSACTIONS'))
    room.perform(room.coordinator.expire(room.now))
    room.perform(room.coordinator.forget(room.now))
    expect([room.appends.length, room.coordinator.isSettled(transactionalId)]).toEqual([1, false])
  }
})

test('what may need another producer id waits for one', () => {
  const fresh = new Room(null)
  expect([fresh.coordinator.needsProducerId(transactionalId), fresh.init(null, null)(), fresh.appends.length]).toEqual([true, refused('CONCURRENT_TRANSACTIONS'), 0])
  for (const producerEpoch of [lastEpoch - 1, lastEpoch]) expect(new Room({ producerEpoch }).coordinator.needsProducerId(transactionalId)).toBe(producerEpoch === lastEpoch)
  const exhausted = new Room({ producerEpoch: lastEpoch })
  expect([exhausted.init(null, null)(), exhausted.appends.length]).toEqual([refused('CONCURRENT_TRANSACTIONS'), 0])
  const ending = new Room({ ...written, producerEpoch: lastEpoch })
  expect([ending.end({ producerEpoch: lastEpoch }, null)(), ending.appends.length]).toEqual([refused('CONCURRENT_TRANSACTIONS'), 0])
  const answer = ending.end({ producerEpoch: lastEpoch, clientVersion: 1 }, null)
  ending.disk()
  expect(answer()).toEqual({ error: 'NONE', producerId: 7, producerEpoch: lastEpoch })
})

test('a producer that goes on after an error must be the one that it says it was', () => {
  expect(new Room().init({ producerId: 8, producerEpoch: 3 })()).toEqual(refused('PRODUCER_FENCED'))
  expect(new Room().init({ producerId: 7, producerEpoch: 2 })()).toEqual(refused('PRODUCER_FENCED'))
  const room = new Room({ producerEpoch: lastEpoch })
  const first = room.init({ producerId: 7, producerEpoch: lastEpoch })
  room.disk()
  expect(first()).toEqual({ error: 'NONE', producerId: 100, producerEpoch: 0 })
  const again = room.init({ producerId: 7, producerEpoch: lastEpoch })
  room.disk()
  expect([again(), room.init({ producerId: 7, producerEpoch: lastEpoch - 1 })()]).toEqual([first(), refused('PRODUCER_FENCED')])
  // One that begins anew has nothing to repeat.
  const anew = new Room()
  anew.init()
  anew.disk()
  expect(anew.init({ producerId: 7, producerEpoch: 3 })()).toEqual(refused('PRODUCER_FENCED'))
})

test('an end that is under way is waited for, by who begins anew as well', () => {
  const room = new Room({ ...written, status: 'PrepareCommit', producerEpoch: 4 })
  expect([room.init()(), room.appends.length]).toEqual([refused('CONCURRENT_TRANSACTIONS'), 0])
  expect([room.verify(7, 4), room.verify(7, 3), room.verify(8, 4), room.coordinator.isSettled(transactionalId)]).toEqual(['CONCURRENT_TRANSACTIONS', 'PRODUCER_FENCED', 'INVALID_PRODUCER_ID_MAPPING', false])
  room.now += 2_000_000
  room.perform(room.coordinator.forget(room.now))
  expect(room.appends.length).toBe(0)
})

test('where epochs ran out, the producer that comes next waits for the end; it is nobody before', () => {
  const room = new Room({ ...written, status: 'PrepareCommit', producerEpoch: lastEpoch + 1, nextProducerId: 9 })
  expect([room.verify(9, 0), room.verify(8, 0)]).toEqual(['CONCURRENT_TRANSACTIONS', 'INVALID_PRODUCER_ID_MAPPING'])
})

test('partitions that the log knows of are not written again; those on their way are, and only who has them may write', () => {
  const room = new Room(written)
  const known = { transactionalId, producerId: 7, producerEpoch: 3, partitions: new Map([['a', [0]]]) }
  expect([room.coordinator.isWritten(known), room.coordinator.isWritten({ ...known, producerId: 8 }), room.coordinator.isWritten({ ...known, producerEpoch: 2 })]).toEqual([true, false, false])
  expect([room.add()()!.error, room.appends.length]).toEqual(['NONE', 0])
  const more = { ...known, partitions: new Map([['a', [1]]]) }
  room.add({ ...more, goesAhead: true })
  expect([room.coordinator.isWritten(more), room.appends.length]).toEqual([false, 1])
  expect(room.coordinator.verify({ ...known, topic: 'a', partition: 1 })).toBe('NONE')
  room.disk()
  expect(room.coordinator.isWritten(more)).toBe(true)
  expect(new Room({ ...written, status: 'CompleteCommit' }).verify()).toBe('TRANSACTION_ABORTABLE')
})

test('a producer goes ahead of the log only where the log knows its epoch, and that the transaction before is over', () => {
  const may = (room: Room): boolean => room.coordinator.mayGoAhead(transactionalId)
  expect([may(new Room()), may(new Room(written)), may(new Room(null)), may(new Room({ ...written, status: 'PrepareAbort' }))]).toEqual([true, true, false, false])
  const ending = new Room(written)
  ending.end()
  expect(may(ending)).toBe(false)
  ending.disk()
  ending.perform(ending.coordinator.marked(transactionalId, ending.now))
  // All markers are there, and the log does not know it yet.
  expect([ending.status, may(ending)]).toEqual(['CompleteCommit', false])
  const behind = ending.add({ producerEpoch: 4, goesAhead: true })
  expect([ending.status, ending.appends.length]).toEqual(['CompleteCommit', 2])
  ending.disk()
  expect([behind()!.error, ending.status, may(ending)]).toEqual(['NONE', 'Ongoing', true])
})

test('what went ahead stays in the transaction where its record is refused, and goes with its end', () => {
  const room = new Room(written)
  const answer = room.add({ partitions: new Map([['a', [1]]]), goesAhead: true })
  room.disk(false)
  expect([answer(), room.coordinator.get(transactionalId)!.partitions.get('a')]).toEqual([refused('COORDINATOR_NOT_AVAILABLE'), [0, 1]])
  room.end({ isCommit: false })
  room.disk()
  expect(room.marks.at(-1)).toMatchObject({ isCommit: false, partitions: new Map([['a', [0, 1]]]), delayMs: 0 })
})

test('markers are asked for again, later, where the record of their end is refused, and count once', () => {
  const room = new Room(written)
  room.end()
  room.disk()
  room.perform(room.coordinator.marked(transactionalId, room.now))
  room.perform(room.coordinator.marked(transactionalId, room.now))
  expect(room.appends.length).toBe(1)
  room.disk(false)
  expect([room.status, room.marks.map(({ delayMs }) => delayMs)]).toEqual(['PrepareCommit', [0, 1000]])
  expect(new Room(written).coordinator.marked(transactionalId, 0)).toEqual([])
})

test('only what is idle is forgotten, and what is forgotten is nobody, for a start as well', () => {
  const room = new Room()
  room.now += 999_999
  room.perform(room.coordinator.forget(room.now))
  expect(room.appends.length).toBe(0)
  room.now += 1
  room.perform(room.coordinator.forget(room.now))
  const [record] = room.disk()
  expect([room.status, record!.value]).toEqual([undefined, null])
  const ongoing = new Room(written)
  ongoing.perform(ongoing.coordinator.forget(2_000_000))
  expect(ongoing.appends.length).toBe(0)
  expect([new Room({ status: 'Dead' }).status, new Room({ status: 'Dead' }).init(null, 42)]).toEqual([undefined, expect.anything()])
  expect(decodeTransaction(record!.key, record!.value)).toEqual({ transactionalId, state: null })
})

test('nor is what somebody is just about to use forgotten', () => {
  const room = new Room()
  room.init()
  room.now += 2_000_000
  room.perform(room.coordinator.forget(room.now))
  expect(room.appends.length).toBe(1)
})

test('a repeated request is known by its epoch, also by the last one, and no other producer by an epoch that happens to be the same', () => {
  const room = new Room({ producerEpoch: lastEpoch, lastProducerEpoch: lastEpoch - 1 })
  const again = room.init({ producerId: 7, producerEpoch: lastEpoch - 1 })
  room.disk()
  expect(again()).toEqual({ error: 'NONE', producerId: 7, producerEpoch: lastEpoch })
  expect(new Room({ producerId: 9, previousProducerId: 7, producerEpoch: 0 }).init({ producerId: 7, producerEpoch: 0 })()).toEqual(refused('PRODUCER_FENCED'))
  expect(new Room().verify(-1, 3)).toBe('INVALID_PRODUCER_ID_MAPPING')
})

test('what went ahead behind another is there when the log has the first; and where all is in the log there is a way back again', () => {
  const room = new Room(written)
  for (const index of [1, 2]) room.add({ partitions: new Map([['a', [index]]]), goesAhead: true })
  room.disk(true, 1)
  expect(room.coordinator.get(transactionalId)!.partitions.get('a')).toEqual([0, 1, 2])
  room.disk()
  room.end()
  room.disk()
  room.perform(room.coordinator.marked(transactionalId, room.now))
  room.disk(false)
  expect([room.status, room.marks.length]).toEqual(['PrepareCommit', 2])
})
