// Several transactional producers, zombies among them, under crashes, failing and full disks and lapses of time, against what each was answered:
// readers of committed records see every record of a transaction that was committed, none of any other, and offsets move with them.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import type { ErrorName } from '../../../broker/wire/error-code.ts'
import { positionOf, readCommitted, TransactionalProducer, type TransactionVersion } from './transactional-producer.ts'

const ids = ['p', 'q', 'r'] as const
const places = [['t', 0], ['t', 1], ['u', 0]] as const
const timeoutMs = 5_000

interface Act {
  readonly act: 'send' | 'offset' | 'commit' | 'abort'
  readonly who: number
  readonly place: number
  /** Whether what follows waits for the answer, if that comes soon. */
  readonly waits: boolean
}

type Step =
  | Act
  | { readonly open: number; readonly version: TransactionVersion }
  | { readonly crash: readonly number[] }
  | { readonly sleep: number }
  | 'turns' | 'few turns' | 'hold' | 'let go' | 'restart' | 'sync fails' | 'full' | 'room' | 'read'

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ open: fc.nat(ids.length - 1), version: fc.constantFrom(1 as const, 2 as const) }) },
  { weight: 40, arbitrary: fc.record({ act: fc.constantFrom('send' as const, 'send' as const, 'send' as const, 'offset' as const, 'commit' as const, 'commit' as const, 'abort' as const), who: fc.integer({ min: 0, max: 3 }), place: fc.nat(places.length - 1), waits: fc.constantFrom(true, true, true, false) }) },
  { weight: 10, arbitrary: fc.constantFrom('turns' as const, 'turns' as const, 'few turns' as const, 'read' as const) },
  { weight: 4, arbitrary: fc.constantFrom('hold' as const, 'let go' as const, 'let go' as const) },
  { weight: 2, arbitrary: fc.constantFrom('sync fails' as const, 'full' as const, 'room' as const, 'room' as const) },
  { weight: 2, arbitrary: fc.record({ crash: fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 4, maxLength: 7 }) }) },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
  { weight: 1, arbitrary: fc.record({ sleep: fc.constantFrom(200, 4_000, 11_000) }) },
)

interface Transaction {
  readonly number: number
  readonly id: string
  /** Values and offsets that were acknowledged, or may be there all the same. */
  readonly acknowledged: string[]
  readonly unsure: string[]
  offset: 'none' | 'acknowledged' | 'unsure'
  outcome: 'open' | 'committed' | 'aborted' | 'maybe committed'
}

/** A client with a transactional id; it stays a zombie when another one takes that over. */
class Instance {
  readonly producer: TransactionalProducer
  readonly id: string
  transaction: Transaction | null = null
  isBusy = false
  isDead = false
  /** An end that was asked for and not answered is asked for again; so is a record sent. */
  ending: boolean | null = null
  sending: { readonly place: number; readonly value: string } | null = null

  constructor(producer: TransactionalProducer) {
    this.producer = producer
    this.id = producer.transactionalId
  }
}

/** Clients try again then; nothing was done. */
const retriable: ReadonlySet<ErrorName> = new Set<ErrorName>(['CONCURRENT_TRANSACTIONS', 'NOT_ENOUGH_REPLICAS', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR'])

/** What a coordinator does in one turn of the event loop goes into its log together; otherwise each call's by itself. */
class TurningClock extends VirtualClock {
  override turn(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
  }
}

class World {
  readonly #newClock: (now: number) => VirtualClock
  disk = new MemoryDisk()
  clock: VirtualClock
  broker!: Broker
  channel!: Channel
  /** Of this life of the broker. */
  instances: Instance[] = []
  readonly transactions: Transaction[] = []
  /** What a consumer of committed records has read so far, and where it goes on. */
  readonly consumed = places.map(() => ({ values: [] as string[], next: 0 }))
  #life = 0
  #release: () => void = () => {}

  constructor(hasTurns: boolean) {
    this.#newClock = now => (hasTurns ? new TurningClock(now) : new VirtualClock(now))
    this.clock = this.#newClock(1_000_000)
  }

  async start(): Promise<void> {
    this.broker = await startBroker({ disk: this.disk, clock: this.clock, random: seededRandom(1), settings: { 'transaction.state.log.num.partitions': 2, 'offsets.topic.num.partitions': 2 } })
    this.channel = this.broker.connect()
    if (this.#life++ > 0) return
    const topics = [{ name: 't', numPartitions: 2 }, { name: 'u', numPartitions: 1 }]
    await this.channel.request('CreateTopics', { topics: topics.map(topic => ({ ...topic, replicationFactor: 1, assignments: [], configs: [] })) })
    for (const keyType of [0, 1]) await this.channel.request('FindCoordinator', { keyType, coordinatorKeys: [...ids] })
  }

  async run(step: Step): Promise<void> {
    if (step === 'turns') await turns(10)
    else if (step === 'few turns') await turns(1)
    else if (step === 'read') await this.consume()
    else if (step === 'hold') this.disk.syncGate ??= new Promise(resolve => (this.#release = resolve))
    else if (step === 'let go') await this.letGo()
    else if (step === 'sync fails') this.disk.syncFailsOnce = true
    else if (step === 'full') this.disk.capacityBytes = this.disk.usedBytes + 100
    else if (step === 'room') this.disk.capacityBytes = Number.POSITIVE_INFINITY
    else if (step === 'restart') await this.restart()
    else if ('crash' in step) await this.crash(step.crash)
    else if ('sleep' in step) this.clock.advance(step.sleep)
    else if ('open' in step) this.#open(ids[step.open]!, step.version)
    else {
      this.#act(step)
      if (step.waits) await turns(2)
    }
  }

  async letGo(): Promise<void> {
    this.disk.syncGate = null
    this.#release()
    await turns(5)
  }

  /** Everyone goes with the broker. */
  async restart(): Promise<void> {
    this.disk.capacityBytes = Number.POSITIVE_INFINITY
    this.disk.syncFailsOnce = false
    await this.letGo()
    await this.broker.close()
    this.#lose()
    await this.start()
  }

  /** Of each file, some of what was not synced is kept. */
  async crash(fractions: readonly number[]): Promise<void> {
    let file = 0
    this.disk = this.disk.crash(({ synced, size }) => ({ keep: synced + Math.floor((size - synced) * fractions[file++ % fractions.length]!) }))
    this.#release()
    this.#release = () => {}
    this.#lose()
    this.clock = this.#newClock(this.clock.now())
    await turns(3)
    await this.start()
  }

  /** Clients live on, and know nothing of what was not answered: they ask again in the broker's next life. */
  #lose(): void {
    const before = this.instances
    this.instances = []
    for (const { id, isDead, isBusy, producer, transaction, ending, sending } of before) {
      const isAsking = ending !== null || sending !== null
      if (isDead || producer.producerId < 0 || (isBusy && !isAsking)) continue
      const again = new Instance(producer.on(this.channel))
      expect(again.id).toBe(id)
      this.instances.push(Object.assign(again, { transaction, ending, sending }))
    }
    for (const instance of before) instance.isDead = true
  }

  #open(id: string, version: TransactionVersion): void {
    const instance = new Instance(new TransactionalProducer(this.channel, id, version))
    this.instances.push(instance)
    this.#whenAnswered(instance, instance.producer.init({ timeoutMs }), error => (instance.isDead = error !== 'NONE'))
  }

  #act({ act, who, place }: Act): void {
    const instance = this.instances[this.instances.length - 1 - (who % Math.max(1, this.instances.length))]
    if (instance === undefined || instance.isBusy || instance.isDead) return
    if (instance.ending !== null) return this.#end(instance, instance.ending)
    if ((act === 'commit' && instance.sending === null) || act === 'abort') {
      if (instance.transaction !== null) this.#end(instance, act === 'commit')
      return
    }
    const transaction = (instance.transaction ??= this.#begin(instance.id))
    if (instance.sending !== null) return this.#sendAgain(instance, transaction, instance.sending)
    if (act === 'send') this.#send(instance, transaction, place)
    else this.#commitOffset(instance, transaction)
  }

  #begin(id: string): Transaction {
    const transaction: Transaction = { number: this.transactions.length + 1, id, acknowledged: [], unsure: [], offset: 'none', outcome: 'open' }
    this.transactions.push(transaction)
    return transaction
  }

  #send(instance: Instance, transaction: Transaction, place: number): void {
    const { acknowledged, unsure, number } = transaction
    const value = `${number}.${acknowledged.length + unsure.length}`
    unsure.push(value)
    this.#sendAgain(instance, transaction, { place, value })
  }

  #sendAgain(instance: Instance, { acknowledged, unsure }: Transaction, sending: { readonly place: number; readonly value: string }): void {
    const [topic, partition] = places[sending.place]!
    const { value } = sending
    instance.sending = sending
    this.#whenAnswered(instance, instance.producer.send(topic, [value], partition), error => {
      if (error === 'NONE') acknowledged.push(value)
      else if (!retriable.has(error)) instance.isDead = true
      if (error !== 'NONE' && !instance.isDead) return
      instance.sending = null
      if (error === 'NONE') unsure.splice(unsure.indexOf(value), 1)
    })
  }

  #commitOffset(instance: Instance, transaction: Transaction): void {
    if (transaction.offset === 'acknowledged') return
    transaction.offset = 'unsure'
    this.#whenAnswered(instance, instance.producer.commitOffset({ groupId: `g-${instance.id}`, topic: 't', offset: transaction.number }), error => {
      if (error === 'NONE') transaction.offset = 'acknowledged'
      // As in Kafka it may be there all the same.
      else if (!retriable.has(error)) instance.isDead = true
    })
  }

  #end(instance: Instance, isCommit: boolean): void {
    const transaction = instance.transaction!
    instance.ending = isCommit
    if (isCommit) transaction.outcome = 'maybe committed'
    this.#whenAnswered(instance, instance.producer.end(isCommit), error => {
      if (error === 'NONE') {
        transaction.outcome = isCommit ? 'committed' : 'aborted'
        // What it sends next must not look like what may be there: it would begin anew with another epoch.
        instance.isDead = instance.sending !== null && instance.producer.version === 1
        instance.transaction = null
        instance.ending = null
        instance.sending = null
      } else if (!retriable.has(error)) instance.isDead = true
    })
  }

  #whenAnswered(instance: Instance, answer: Promise<ErrorName>, then: (error: ErrorName) => void): void {
    const life = this.#life
    instance.isBusy = true
    answer.then(error => {
      if (life !== this.#life || instance.isDead) return
      instance.isBusy = false
      then(error)
    }, () => {
      if (life === this.#life) instance.isDead = true
    })
  }

  /** A consumer that has lived through everything. */
  async consume(): Promise<void> {
    for (const [index, [topic, partition]] of places.entries()) {
      const consumed = this.consumed[index]!
      const { values, nextOffset } = await readCommitted(this.channel, topic, partition, consumed.next)
      consumed.values.push(...values)
      consumed.next = nextOffset
    }
  }

  /** Ends what is open, and looks at everything. */
  async check(): Promise<void> {
    await this.restart()
    await turns(10)
    for (const id of ids) {
      const last = new TransactionalProducer(this.channel, id)
      for (let tries = 0; (await last.init()) !== 'NONE'; tries++) {
        if (tries > 20) throw new Error(`${id} cannot begin anew`)
        this.clock.advance(100)
        await turns(5)
      }
    }
    await turns(10)
    await this.consume()
    const seen = new Set<string>()
    for (const [index, [topic, partition]] of places.entries()) {
      const { values, nextOffset } = await readCommitted(this.channel, topic, partition)
      expect(values, 'a reader from the start sees what one from before has seen').toEqual(this.consumed[index]!.values)
      expect(nextOffset, 'nothing is open any more').toBe((await readCommitted(this.channel, topic, partition, 0, 0)).nextOffset)
      for (const value of values) {
        expect(seen.has(value), `${value} is there once`).toBe(false)
        seen.add(value)
      }
    }
    for (const transaction of this.transactions) checkTransaction(transaction, seen)
    for (const id of ids) await this.#checkPosition(id, seen)
  }

  async #checkPosition(id: string, seen: ReadonlySet<string>): Promise<void> {
    const own = this.transactions.filter(transaction => transaction.id === id && transaction.offset !== 'none')
    const position = await positionOf(this.channel, `g-${id}`, 't')
    const isSure = ({ outcome, acknowledged, offset }: Transaction): boolean => offset === 'acknowledged' && (outcome === 'committed' || (outcome === 'maybe committed' && acknowledged.some(value => seen.has(value))))
    const least = Math.max(-1, ...own.filter(isSure).map(({ number }) => number))
    const possible = own.filter(({ outcome, acknowledged, number, offset }) => number > least && (outcome === 'maybe committed' || (outcome === 'committed' && offset === 'unsure')) && acknowledged.every(value => seen.has(value))).map(({ number }) => number)
    expect([least, ...possible], `the position of g-${id}`).toContain(position)
  }
}

/** All or nothing, and what its producer was told. */
function checkTransaction({ number, outcome, acknowledged, unsure }: Transaction, seen: ReadonlySet<string>): void {
  const found = acknowledged.filter(value => seen.has(value))
  const told = `transaction ${number} (${outcome})`
  if (outcome === 'committed') expect(found, told).toEqual(acknowledged)
  else if (outcome === 'maybe committed') expect([0, acknowledged.length], told).toContain(found.length)
  else expect([...found, ...unsure.filter(value => seen.has(value))], told).toEqual([])
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

test('committed transactions are seen whole, others not at all, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), fc.boolean(), async (steps, hasTurns) => {
      const world = new World(hasTurns)
      await world.start()
      for (const id of [0, 1, 2]) await world.run({ open: id, version: id === 0 ? 1 : 2 })
      await turns(5)
      for (const step of steps) await world.run(step)
      await world.check()
      await world.broker.close()
    }),
    { numRuns: process.env['MILLRACE_NIGHTLY'] === undefined ? 60 : 3_000 },
  )
}, 600_000)
