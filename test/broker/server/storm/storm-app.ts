// A read-process-write application in a storm: whatever happens, each record that it has read is in its output once, up to its committed position.

import type { ErrorName } from '../../../../broker/wire/error-code.ts'
import { recordsOf } from '../../log/batches.ts'
import { positionOf, TransactionalProducer } from '../transactional-producer.ts'
import { everything, fetchOf } from './storm-readers.ts'
import type { Actor, World } from './storm-world.ts'

const input = ['plain', 0] as const
const transactionTimeoutMs = 30_000

/** Clients try again then; nothing was done. */
const retriable: ReadonlySet<ErrorName> = new Set<ErrorName>(['CONCURRENT_TRANSACTIONS', 'NOT_ENOUGH_REPLICAS', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR', 'UNSTABLE_OFFSET_COMMIT', 'KAFKA_STORAGE_ERROR'])

type State = 'init' | 'position' | 'read' | 'write' | 'commit offset' | 'end'

export class StormApp implements Actor {
  readonly #world: World
  readonly #name: string
  #producer: TransactionalProducer
  #state: State = 'init'
  #isBusy = false
  #position = 0
  /** Where the records of the transaction end. */
  #next = 0
  /** Offsets of records that are to be written yet. */
  #toWrite: number[] = []
  /** Null before it is decided. */
  #isCommit: boolean | null = null
  readonly #seen: readonly { next: number; values: string[] }[] = [{ next: 0, values: [] }, { next: 0, values: [] }]

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
    this.#producer = this.#newProducer()
  }

  #newProducer(): TransactionalProducer {
    return new TransactionalProducer(this.#world.channel, this.#name, this.#world.below(2) === 0 ? 1 : 2)
  }

  reborn(): void {
    this.#beginAnew()
  }

  #beginAnew(): void {
    this.#isBusy = false
    this.#state = 'init'
    this.#producer = this.#newProducer()
  }

  act(): void {
    if (this.#isBusy) return
    // Another instance with the same id takes over, now and then; this one never ends what it has begun.
    if (this.#world.below(150) === 0) this.#beginAnew()
    if (this.#state === 'init') this.#step(this.#producer.init({ timeoutMs: transactionTimeoutMs }), () => (this.#state = 'position'))
    else if (this.#state === 'position') this.#askPosition()
    else if (this.#state === 'read') this.#read()
    else if (this.#state === 'write') this.#write()
    else if (this.#state === 'commit offset') this.#step(this.#producer.commitOffset({ groupId: this.#name, topic: input[0], partition: input[1], offset: this.#next }), () => (this.#state = 'end'))
    else this.#end()
  }

  #step(answer: Promise<ErrorName>, then: () => void): void {
    this.#isBusy = true
    this.#world.follow(answer, error => {
      this.#isBusy = false
      this.#world.count(`app, ${this.#state}: ${error}`)
      if (error === 'NONE') then()
      else if (!retriable.has(error)) this.#beginAnew()
      // What was not acknowledged may be there all the same, in its place or not.
      else if (error === 'KAFKA_STORAGE_ERROR') this.#beginAnew()
    })
  }

  #askPosition(): void {
    this.#isBusy = true
    this.#world.follow(positionOf(this.#world.channel, this.#name, ...input), position => {
      this.#isBusy = false
      if (typeof position === 'string') return
      this.#position = Math.max(0, position)
      this.#isCommit = null
      this.#state = 'read'
    })
  }

  #read(): void {
    this.#isBusy = true
    const ledger = this.#world.ledger(...input)
    this.#world.ask('Fetch', fetchOf(input, this.#position, 1), 11, ({ responses }) => {
      this.#isBusy = false
      const { errorCode, records } = responses[0]!.partitions[0]!
      if (errorCode === 1) {
        if (this.#position > ledger.mayStartAt) throw new Error(`${this.#name}: its position ${this.#position} is out of range`)
        return void (this.#position = ledger.mayStartAt)
      }
      const offsets = recordsOf(records!, this.#position).map(({ offset }) => offset).slice(0, 4)
      if (offsets.length === 0) return
      this.#toWrite = [...offsets]
      this.#next = offsets.at(-1)! + 1
      this.#state = 'write'
    })
  }

  #write(): void {
    const offset = this.#toWrite[0]!
    const value = `${this.#name}:${offset}`
    this.#world.ledger('out', offset % 2).sends(`${this.#name}:${offset}=${value}`)
    this.#step(this.#producer.send('out', [value], offset % 2), () => {
      this.#toWrite.shift()
      if (this.#toWrite.length === 0) this.#state = 'commit offset'
    })
  }

  #end(): void {
    this.#isCommit ??= this.#world.below(5) !== 0
    this.#step(this.#producer.end(this.#isCommit), () => {
      this.#world.count(this.#isCommit ? 'transactions committed' : 'transactions aborted')
      this.#state = 'position'
    })
  }

  /** What readers of committed records have seen goes on where it was, and holds what the position says. */
  async check(): Promise<void> {
    const position = await this.#world.drive(positionOf(this.#world.channel, this.#name, ...input))
    if (typeof position === 'string') throw new Error(`${this.#name}: its position is ${position}`)
    const written: number[] = []
    for (const [partition, seen] of this.#seen.entries()) {
      const { records, stable, end } = await everything(this.#world, ['out', partition as 0 | 1], 1)
      const values = records.map(({ value }) => value!).filter(value => value.startsWith(`${this.#name}:`))
      if (seen.values.some((value, index) => values[index] !== value)) throw new Error(`${this.#name}: a reader had seen ${seen.values.join(' ')} in out-${partition}, which now has ${values.join(' ')}`)
      seen.values = values
      if (stable > end) throw new Error(`out-${partition}: the last stable offset is ${stable}, behind ${end}`)
      written.push(...values.map(value => Number(value.split(':')[1])))
    }
    written.sort((a, b) => a - b)
    const duplicate = written.find((offset, index) => offset === written[index - 1])
    if (duplicate !== undefined) throw new Error(`${this.#name}: the record at ${duplicate} was processed twice`)
    if (written.some(offset => offset >= position)) throw new Error(`${this.#name}: the record at ${written.at(-1)} was processed, and its position is ${position}`)
    const all = new Set(written)
    for (let offset = this.#world.ledger(...input).mayStartAt; offset < position; offset++) if (!all.has(offset)) throw new Error(`${this.#name}: its position is ${position}, and the record at ${offset} was not processed`)
  }

  /** Ends what is open. */
  async settle(): Promise<void> {
    const last = new TransactionalProducer(this.#world.channel, this.#name)
    for (let tries = 0; ; tries++) {
      const error = await this.#world.drive(last.init({ timeoutMs: transactionTimeoutMs }))
      if (error === 'NONE') break
      if (tries > 50) throw new Error(`${this.#name} cannot begin anew: ${error}`)
      this.#world.clock.advance(100)
      await this.#world.drive(Promise.resolve())
    }
    this.#beginAnew()
  }
}

