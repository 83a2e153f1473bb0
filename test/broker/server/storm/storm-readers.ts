// Those who read in a storm: everything below the high watermark, and at each check every partition from its beginning.

import type { RequestInput } from '../../../../broker/wire/apis.ts'
import { errorNameOf } from '../../../../broker/wire/error-code.ts'
import { recordsOf, type ReadRecord } from '../../log/batches.ts'
import { endOf } from '../transactional-producer.ts'
import { agedRetentionMs, type Actor, type Place, type World } from './storm-world.ts'

const maxBytes = 2000

/** Reads on and on, and at each check everything. */
export class StormReader implements Actor {
  readonly #world: World
  readonly #place: Place
  #next = 0
  #isAsking = false

  constructor(world: World, place: Place) {
    this.#world = world
    this.#place = place
  }

  act(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    const [topic, partition] = this.#place
    const ledger = this.#world.ledger(topic, partition)
    this.#world.ask('Fetch', fetchOf(this.#place, this.#next, 0), 11, ({ responses }) => {
      this.#isAsking = false
      const { errorCode, records, highWatermark, logStartOffset } = responses[0]!.partitions[0]!
      const error = errorNameOf(errorCode)
      if (error === 'OFFSET_OUT_OF_RANGE' && topic === 'aged') this.#goToStart()
      else if (error === 'OFFSET_OUT_OF_RANGE' && this.#next <= ledger.mayStartAt) this.#next = ledger.mayStartAt
      else if (error !== 'NONE') throw new Error(`${ledger.name}: reading at ${this.#next} fails: ${error}`)
      else {
        ledger.sawEnd(highWatermark)
        ledger.mayStartAt = Math.max(ledger.mayStartAt, topic === 'aged' ? logStartOffset : 0)
        ledger.sawStart(logStartOffset)
        for (const record of recordsOf(records!, this.#next)) {
          ledger.saw(record)
          this.#next = record.offset + 1
        }
      }
    })
  }

  /** What it was to read next has grown too old. */
  #goToStart(): void {
    const [name, partitionIndex] = this.#place
    const ledger = this.#world.ledger(name, partitionIndex)
    this.#isAsking = true
    this.#world.ask('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions: [{ partitionIndex, timestamp: -2 }] }] }, 7, ({ topics }) => {
      this.#isAsking = false
      const { offset } = topics[0]!.partitions[0]!
      if (offset <= this.#next) throw new Error(`${ledger.name}: ${this.#next} is out of range, and it begins at ${offset}`)
      ledger.mayStartAt = Math.max(ledger.mayStartAt, offset)
      this.#next = offset
    })
  }

  reborn(): void {
    this.#isAsking = false
  }

  async check(): Promise<void> {
    const [topic, partition] = this.#place
    const ledger = this.#world.ledger(topic, partition)
    const { start, end, records } = await everything(this.#world, this.#place)
    ledger.sawEnd(end)
    if (topic === 'aged') ledger.mayStartAt = Math.max(ledger.mayStartAt, start)
    if (topic === 'aged') ledger.keepsFrom(start, this.#world.clock.now() - agedRetentionMs)
    ledger.sawStart(start)
    // What was aborted is written again.
    if (topic !== 'keyed' && topic !== 'out') ledger.holds(start, records)
    else for (const record of records) ledger.saw(record)
  }
}

/** The newest values of a compacted topic. */
export class KeyedFacts implements Actor {
  readonly #world: World
  readonly #acknowledged = new Map<string, string | null>()
  /** Records that were sent behind those. */
  readonly #unacknowledged: () => readonly KeyedRecord[]

  constructor(world: World, unacknowledged: () => readonly KeyedRecord[]) {
    this.#world = world
    this.#unacknowledged = unacknowledged
  }

  acknowledged(records: readonly KeyedRecord[]): void {
    for (const { key, value } of records) this.#acknowledged.set(key!, value)
  }

  act(): void {}
  reborn(): void {}

  /** Of each key there is the last value that was acknowledged, or one that may be there behind it. */
  async check(): Promise<void> {
    const { records } = await everything(this.#world, ['keyed', 0])
    const last = new Map(records.map(({ key, value }) => [key!, value]))
    for (const [key, acknowledged] of this.#acknowledged) {
      const possible = [acknowledged, ...this.#unacknowledged().filter(record => record.key === key).map(({ value }) => value)]
      const value = last.get(key) ?? null
      if (!possible.includes(value)) throw new Error(`keyed: the last value of ${key} may be ${possible.join(' or ')} and is ${value}`)
    }
  }
}

export interface KeyedRecord {
  readonly key: string | null
  readonly value: string | null
}

export async function everything(world: World, place: Place, isolationLevel = 0): Promise<{ readonly start: number; readonly end: number; readonly records: readonly ReadRecord[]; readonly stable: number }> {
  const [name, partitionIndex] = place
  const { topics } = await world.demand('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name, partitions: [{ partitionIndex, timestamp: -2 }] }] }, 7)
  const start = topics[0]!.partitions[0]!.offset
  const found: ReadRecord[] = []
  for (let offset = start; ; ) {
    const { responses } = await world.demand('Fetch', fetchOf(place, offset, isolationLevel), 11)
    const { errorCode, records, highWatermark, abortedTransactions, lastStableOffset } = responses[0]!.partitions[0]!
    if (errorCode !== 0) throw new Error(`${place.join('-')}: reading at ${offset} of what begins at ${start} fails: ${errorNameOf(errorCode)}`)
    if (records!.length === 0) return { start, end: highWatermark, records: found, stable: lastStableOffset }
    const good = recordsOf(records!, offset, abortedTransactions ?? [])
    found.push(...good)
    offset = endOf(records!)
  }
}

export function fetchOf([topic, partition]: Place, fetchOffset: number, isolationLevel: number): RequestInput<'Fetch'> {
  return { maxWaitMs: 0, minBytes: 1, isolationLevel, topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: maxBytes }] }] }
}

