// What a partition remembers of idempotent producers: which batch of whom is next, which is a repetition, which must be refused.

import type { Offset, Timestamp } from '../../core/record.ts'
import type { Json } from '../log/checkpoint.ts'
import type { ErrorName } from '../wire/error-code.ts'
import { sequenceAfter } from '../wire/record-batch-header.ts'

/** A producer's batch as its header says. */
export interface ProducedBatch {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
}

/** A batch that is in the log. */
interface AppendedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: Offset
  readonly timestamp: Timestamp
}

interface Producer {
  epoch: number
  /** The latest ones, the last one last. */
  batches: AppendedBatch[]
  /** Where there are none, the sequence number of the batch that comes first. */
  first: number
  /** Of its last batch, or the marker behind it. */
  lastTimestamp: Timestamp
  /** When it was last heard of, by the broker's clock. */
  seenAt: Timestamp
  /** When it took its place in the order, at most `orderMs` before that. */
  placedAt: Timestamp
}

export type SequenceVerdict =
  | { readonly kind: 'append' }
  /** It is in the log already, since `baseOffset`. */
  | { readonly kind: 'duplicate'; readonly baseOffset: Offset; readonly timestamp: Timestamp }
  | { readonly kind: 'refuse'; readonly error: ErrorName; readonly message: string }

/** A client has at most five batches under way, so an older one is never sent again. */
const rememberedBatches = 5
/** Producers that a partition remembers; beyond, the one that was silent for longest is forgotten, and its next sequence taken whatever it is. */
const maxProducers = 100_000
/** A producer that writes all the time takes its place anew so often, and not with every batch. */
const orderMs = 60_000
/** Of producers that never had one from a broker. */
const noEpoch = -1
const append: SequenceVerdict = { kind: 'append' }

export class ProducerState {
  /** By id, in the order of their places: those that were silent for long come first. */
  readonly #producers = new Map<number, Producer>()

  get size(): number {
    return this.#producers.size
  }

  /** Whether a batch from a client may be appended. Batches without a producer id always may. */
  check(batch: ProducedBatch): SequenceVerdict {
    if (batch.producerId < 0) return append
    const producer = this.#producers.get(batch.producerId)
    const epoch = producer?.epoch ?? noEpoch
    if (batch.producerEpoch < epoch) {
      return refuse('INVALID_PRODUCER_EPOCH', `Epoch of producer ${batch.producerId} is ${batch.producerEpoch}, which is smaller than the last seen epoch ${epoch}.`)
    }
    // Unknown, or forgotten since all its records are gone: any sequence is taken.
    if (producer === undefined) return append
    if (batch.producerEpoch > epoch) {
      // Behind no epoch nothing is in order or out of it.
      if (epoch === noEpoch) return append
      return batch.baseSequence === 0 ? append : refuse('OUT_OF_ORDER_SEQUENCE_NUMBER', `Invalid sequence number ${batch.baseSequence} for the new epoch ${batch.producerEpoch} of producer ${batch.producerId}.`)
    }
    const same = producer.batches.find(({ baseSequence, lastSequence }) => baseSequence === batch.baseSequence && lastSequence === batch.lastSequence)
    if (same !== undefined) return { kind: 'duplicate', baseOffset: same.baseOffset, timestamp: same.timestamp }
    if (epoch === noEpoch) return append
    const last = producer.batches.at(-1)?.lastSequence ?? -1
    const next = last === -1 ? producer.first : sequenceAfter(last, 1)
    return batch.baseSequence === next ? append : refuse('OUT_OF_ORDER_SEQUENCE_NUMBER', `Out of order sequence number for producer ${batch.producerId}: ${batch.baseSequence} (incoming), ${last} (current end).`)
  }

  /** A batch is in the log now. Called in the order of the log, at appending and when a log is read again. */
  replay(batch: ProducedBatch, baseOffset: Offset, timestamp: Timestamp, now: Timestamp): void {
    if (batch.producerId < 0) return
    let producer = this.#producers.get(batch.producerId)
    if (producer === undefined) this.#add(batch.producerId, (producer = { epoch: batch.producerEpoch, batches: [], first: 0, lastTimestamp: timestamp, seenAt: now, placedAt: now }))
    else if (now - producer.placedAt >= orderMs) this.#placeAnew(batch.producerId, producer, now)
    if (batch.producerEpoch !== producer.epoch) {
      producer.epoch = batch.producerEpoch
      producer.batches = []
      producer.first = 0
    }
    producer.seenAt = now
    producer.lastTimestamp = timestamp
    if (batch.baseSequence < 0) return
    producer.batches.push({ baseSequence: batch.baseSequence, lastSequence: batch.lastSequence, baseOffset, timestamp })
    if (producer.batches.length > rememberedBatches) producer.batches.shift()
  }

  /**
   * A batch that was in order could not be written, or was taken back, and is sent again. Its producer may have sent others behind it: of one that
   * is not known any would be taken, and then never the one that was to be before.
   */
  missed({ producerId, producerEpoch, baseSequence }: Omit<ProducedBatch, 'lastSequence'>, now: Timestamp): void {
    if (producerId < 0 || baseSequence < 0 || this.#producers.has(producerId)) return
    this.#add(producerId, { epoch: producerEpoch, batches: [], first: baseSequence, lastTimestamp: now, seenAt: now, placedAt: now })
  }

  /** The latest batches of each producer, as far as they begin at or behind an offset, in their order. */
  *batchesFrom(offset: Offset): Iterable<Omit<ProducedBatch, 'lastSequence'>> {
    for (const [producerId, { epoch: producerEpoch, batches }] of this.#producers) {
      for (const { baseSequence, baseOffset } of batches) if (baseOffset >= offset) yield { producerId, producerEpoch, baseSequence }
    }
  }

  #add(producerId: number, producer: Producer): void {
    this.#producers.set(producerId, producer)
    if (this.#producers.size <= maxProducers) return
    for (const silent of this.#producers.keys()) return void this.#producers.delete(silent)
  }

  #placeAnew(producerId: number, producer: Producer, now: Timestamp): void {
    producer.placedAt = now
    this.#producers.delete(producerId)
    this.#producers.set(producerId, producer)
  }

  /** The newest epoch of a producer; -1 if it is not known. */
  epochOf(producerId: number): number {
    return this.#producers.get(producerId)?.epoch ?? -1
  }

  /** For admin tools. */
  *all(): Iterable<{ readonly producerId: number; readonly epoch: number; readonly lastSequence: number; readonly lastTimestamp: Timestamp }> {
    for (const [producerId, { epoch, batches, lastTimestamp }] of this.#producers) yield { producerId, epoch, lastSequence: batches.at(-1)?.lastSequence ?? -1, lastTimestamp }
  }

  /** Forgets producers that were silent since before `time`, but for those that `isNeeded`. */
  expire(time: Timestamp, isNeeded: (producerId: number) => boolean = () => false): void {
    for (const [id, { placedAt, seenAt }] of this.#producers) {
      // Those behind were heard of later.
      if (placedAt >= time) return
      if (seenAt < time && !isNeeded(id)) this.#producers.delete(id)
    }
  }

  clear(): void {
    this.#producers.clear()
  }

  snapshot(): Json {
    // Who sends again after a restart does it in order.
    const written = [...this.#producers].filter(([, { batches, first }]) => batches.length > 0 || first === 0)
    return written.map(([id, { epoch, seenAt, batches, lastTimestamp }]) => [id, epoch, seenAt, batches.map(batch => [batch.baseSequence, batch.lastSequence, batch.baseOffset, batch.timestamp]), lastTimestamp])
  }

  restore(snapshot: Json): void {
    this.#producers.clear()
    const producers = [...((snapshot ?? []) as [number, number, number, [number, number, number, number][], number?][])].sort(([, , one], [, , other]) => one - other)
    for (const [id, epoch, seenAt, batches, lastTimestamp] of producers) {
      this.#producers.set(id, {
        epoch,
        seenAt,
        lastTimestamp: lastTimestamp ?? batches.at(-1)?.[3] ?? seenAt,
        first: 0,
        placedAt: seenAt,
        batches: batches.map(([baseSequence, lastSequence, baseOffset, timestamp]) => ({ baseSequence, lastSequence, baseOffset, timestamp })),
      })
    }
  }
}

function refuse(error: ErrorName, message: string): SequenceVerdict {
  return { kind: 'refuse', error, message }
}
