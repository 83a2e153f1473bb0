// What a partition knows of transactions: which are open and since where, which end is not acknowledged yet, and which were aborted.

import type { Offset } from '../../core/record.ts'
import type { Json } from '../log/checkpoint.ts'
import type { AbortedRecords } from '../log/compaction.ts'

/** A transaction of a producer as far as it touches this partition. */
export interface PartitionTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
  /** That of its marker. */
  readonly lastOffset: Offset
}

/** A batch that carries a transaction on, or its end. */
export interface TransactionalBatch {
  readonly producerId: number
  readonly baseOffset: Offset
  /** Null for records. */
  readonly marker: 'commit' | 'abort' | null
}

export class PartitionTransactions {
  /** By producer id, the offset of the first batch; in the order of those offsets. */
  readonly #open = new Map<number, Offset>()
  /** In the order of their markers. */
  #ended: PartitionTransaction[] = []
  /** In the order of their markers. */
  #aborted: PartitionTransaction[] = []
  /** For each of them the least first offset of it and all behind it: where a search may end. */
  #abortedFrom: Offset[] = []
  #coordinatorEpochs = new Map<number, number>()

  /** Called in the order of the log, at appending and when a log is read again. */
  replay({ producerId, baseOffset, marker }: TransactionalBatch, coordinatorEpoch = -1): void {
    const firstOffset = this.#open.get(producerId)
    if (marker === null) {
      if (firstOffset === undefined) this.#open.set(producerId, baseOffset)
      return
    }
    this.#coordinatorEpochs.set(producerId, coordinatorEpoch)
    if (firstOffset === undefined) return
    this.#open.delete(producerId)
    const transaction = { producerId, firstOffset, lastOffset: baseOffset }
    this.#ended.push(transaction)
    if (marker === 'abort') this.#addAborted(transaction)
  }

  #addAborted(transaction: PartitionTransaction): void {
    const { firstOffset } = transaction
    for (let index = this.#abortedFrom.length - 1; index >= 0 && this.#abortedFrom[index]! > firstOffset; index--) this.#abortedFrom[index] = firstOffset
    this.#aborted.push(transaction)
    this.#abortedFrom.push(firstOffset)
  }

  get openCount(): number {
    return this.#open.size
  }

  /** Where a producer's open transaction begins; undefined if it has none. */
  openSince(producerId: number): Offset | undefined {
    return this.#open.get(producerId)
  }

  /** Producers with an open transaction. */
  openProducers(): Iterable<number> {
    return this.#open.keys()
  }

  coordinatorEpochOf(producerId: number): number {
    return this.#coordinatorEpochs.get(producerId) ?? -1
  }

  /** Records below the marker of every ended transaction that lies below are known to have ended. */
  acknowledged(highWatermark: Offset): void {
    let done = 0
    while (done < this.#ended.length && this.#ended[done]!.lastOffset < highWatermark) done++
    if (done > 0) this.#ended.splice(0, done)
  }

  /** The first record that belongs to an open transaction, or to one whose end is not acknowledged; Infinity if there is none. */
  get firstUnstableOffset(): Offset {
    let first = Infinity
    for (const offset of this.#open.values()) {
      first = offset
      break
    }
    for (const { firstOffset } of this.#ended) if (firstOffset < first) first = firstOffset
    return first
  }

  /** Aborted transactions that touch records in `[from, to)`. */
  abortedWithin(from: Offset, to: Offset): readonly PartitionTransaction[] {
    const found: PartitionTransaction[] = []
    for (let index = firstBehind(this.#aborted, from); index < this.#aborted.length && this.#abortedFrom[index]! < to; index++) {
      const transaction = this.#aborted[index]!
      if (transaction.firstOffset < to) found.push(transaction)
    }
    return found
  }

  /** Which records belong to aborted transactions now. */
  abortedRecords(): AbortedRecords {
    const byProducer = new Map<number, PartitionTransaction[]>()
    for (const transaction of this.#aborted) {
      const transactions = byProducer.get(transaction.producerId)
      if (transactions === undefined) byProducer.set(transaction.producerId, [transaction])
      else transactions.push(transaction)
    }
    const ends = new Set(this.#aborted.map(({ lastOffset }) => lastOffset))
    return {
      has(producerId, offset) {
        const transactions = byProducer.get(producerId) ?? []
        const transaction = transactions[firstBehind(transactions, offset)]
        return transaction !== undefined && transaction.firstOffset <= offset
      },
      isEndedAt: offset => ends.has(offset),
    }
  }

  /** Forgets aborted transactions whose marker lies below an offset: their records are gone. */
  forgetAborted(offset: Offset): void {
    const gone = firstBehind(this.#aborted, offset)
    if (gone === 0) return
    this.#aborted.splice(0, gone)
    this.#abortedFrom.splice(0, gone)
  }

  snapshot(): Json {
    return { open: [...this.#open], aborted: this.#aborted.map(({ producerId, firstOffset, lastOffset }) => [producerId, firstOffset, lastOffset]), coordinatorEpochs: [...this.#coordinatorEpochs] }
  }

  /** What a snapshot says, all of which is acknowledged; null for the beginning of a log. */
  restore(snapshot: Json): void {
    const { open, aborted, coordinatorEpochs } = (snapshot ?? { open: [], aborted: [], coordinatorEpochs: [] }) as unknown as Snapshot
    this.#open.clear()
    for (const [producerId, firstOffset] of open) this.#open.set(producerId, firstOffset)
    this.#ended = []
    this.#aborted = []
    this.#abortedFrom = []
    for (const [producerId, firstOffset, lastOffset] of aborted) this.#addAborted({ producerId, firstOffset, lastOffset })
    this.#coordinatorEpochs = new Map(coordinatorEpochs)
  }

  /** Forgets what is only shown to admins of producers that the partition has forgotten. */
  expire(isKnown: (producerId: number) => boolean): void {
    for (const producerId of this.#coordinatorEpochs.keys()) if (!isKnown(producerId)) this.#coordinatorEpochs.delete(producerId)
  }
}

interface Snapshot {
  readonly open: readonly (readonly [producerId: number, firstOffset: Offset])[]
  readonly aborted: readonly (readonly [producerId: number, firstOffset: Offset, lastOffset: Offset])[]
  readonly coordinatorEpochs: readonly (readonly [producerId: number, epoch: number])[]
}

/** Index of the first whose marker lies at `offset` or behind. */
function firstBehind(transactions: readonly PartitionTransaction[], offset: Offset): number {
  let low = 0
  let high = transactions.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (transactions[middle]!.lastOffset < offset) low = middle + 1
    else high = middle
  }
  return low
}
