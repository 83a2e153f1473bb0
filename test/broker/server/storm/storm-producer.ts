// An idempotent producer in a storm: several batches under way, sent again in their order until they are acknowledged.

import { errorNameOf, type ErrorName } from '../../../../broker/wire/error-code.ts'
import { batchOf } from '../../log/batches.ts'
import type { Actor, Place, World } from './storm-world.ts'

interface Batch {
  readonly baseSequence: number
  readonly records: readonly { readonly key: string | null; readonly value: string | null }[]
  readonly timestamp: number
  isUnderWay: boolean
}

/** What is on its way to one partition. */
interface Lane {
  readonly place: Place
  nextSequence: number
  /** In order. */
  readonly unacknowledged: Batch[]
  /** One has failed: those behind it are waited for, and then all are sent again. */
  hasFailed: boolean
}

const maxUnderWay = 3

/** Told of each acknowledged batch. */
export type OnAcknowledged = (place: Place, batch: Batch, baseOffset: number) => void

export class StormProducer implements Actor {
  readonly #world: World
  readonly #name: string
  readonly #lanes: readonly Lane[]
  readonly #onAcknowledged: OnAcknowledged
  #producerId = -1
  #isAsking = false
  #count = 0

  constructor(world: World, name: string, places: readonly Place[], onAcknowledged: OnAcknowledged = () => {}) {
    this.#world = world
    this.#name = name
    this.#lanes = places.map(place => ({ place, nextSequence: 0, unacknowledged: [], hasFailed: false }))
    this.#onAcknowledged = onAcknowledged
  }

  /** Records that are under way, or wait to be sent again. */
  unacknowledged(): readonly { readonly key: string | null; readonly value: string | null }[] {
    return this.#lanes.flatMap(lane => lane.unacknowledged.flatMap(({ records }) => records))
  }

  act(): void {
    if (this.#producerId < 0) return this.#begin()
    const lane = this.#lanes[this.#world.below(this.#lanes.length)]!
    const next = this.#nextOf(lane)
    if (next !== null) this.#send(lane, next)
  }

  #begin(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    this.#world.ask('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1000 }, 4, ({ errorCode, producerId }) => {
      this.#isAsking = false
      if (errorCode === 0) this.#producerId = producerId
    })
  }

  #nextOf(lane: Lane): Batch | null {
    const underWay = lane.unacknowledged.filter(({ isUnderWay }) => isUnderWay).length
    if (lane.hasFailed && underWay > 0) return null
    lane.hasFailed = false
    const waiting = lane.unacknowledged.find(({ isUnderWay }) => !isUnderWay)
    if (waiting !== undefined) return waiting
    return lane.unacknowledged.length < maxUnderWay ? this.#make(lane) : null
  }

  #make(lane: Lane): Batch {
    const { place: [topic, partition], nextSequence: baseSequence } = lane
    const records = Array.from({ length: 1 + this.#world.below(3) }, () => {
      const value = `${this.#name} ${this.#count++} `.padEnd(20 + this.#world.below(300), '.')
      if (topic !== 'keyed') return { key: null, value }
      return { key: `${this.#name}${this.#world.below(4)}`, value: this.#world.below(6) === 0 ? null : value }
    })
    for (const { key, value } of records) this.#world.ledger(topic, partition).sends(`${key ?? ''}=${value ?? ''}`)
    const batch = { baseSequence, records, timestamp: this.#world.clock.now(), isUnderWay: false }
    lane.nextSequence += records.length
    lane.unacknowledged.push(batch)
    return batch
  }

  #send(lane: Lane, batch: Batch): void {
    const { place: [topic, partition], unacknowledged } = lane
    const isAlone = unacknowledged[0] === batch
    batch.isUnderWay = true
    const records = batchOf(batch.records.map(record => ({ ...record, timestamp: batch.timestamp })), { producerId: this.#producerId, producerEpoch: 0, baseSequence: batch.baseSequence })
    const body = { acks: -1, timeoutMs: 1, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }] }
    this.#world.ask('Produce', body, 11, ({ responses }) => {
      const { errorCode, baseOffset } = responses[0]!.partitionResponses[0]!
      const error = errorNameOf(errorCode)
      batch.isUnderWay = false
      if (error === 'NONE') this.#acknowledge(lane, batch, baseOffset)
      else this.#failed(lane, error, isAlone)
    })
  }

  #acknowledge(lane: Lane, batch: Batch, baseOffset: number): void {
    const { unacknowledged, place } = lane
    if (unacknowledged[0] !== batch) throw new Error(`${this.#name}: a batch for ${place.join('-')} was acknowledged before the one that was sent before it`)
    unacknowledged.shift()
    this.#world.count('batches acknowledged')
    this.#onAcknowledged(place, batch, baseOffset)
    const ledger = this.#world.ledger(place[0], place[1])
    if (place[0] === 'aged') ledger.timed.push({ offset: baseOffset, timestamp: batch.timestamp })
    if (place[0] !== 'keyed') batch.records.forEach(({ key, value }, index) => ledger.acknowledged(baseOffset + index, `${key ?? ''}=${value ?? ''}`))
  }

  #failed(lane: Lane, error: ErrorName, isFirst: boolean): void {
    this.#world.count(`produce: ${error}`)
    lane.hasFailed = true
    if (error === 'KAFKA_STORAGE_ERROR' || error === 'NOT_LEADER_OR_FOLLOWER') return
    if (error === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && !isFirst) return
    throw new Error(`${this.#name}: a batch for ${lane.place.join('-')} was refused: ${error}`)
  }

  reborn(): void {
    this.#isAsking = false
    for (const lane of this.#lanes) for (const batch of lane.unacknowledged) batch.isUnderWay = false
  }

  async check(): Promise<void> {}
}
