// What a partition's log says of its producers, batch by batch: their sequences, and their transactions.

import type { Timestamp } from '../../core/record.ts'
import type { Json } from '../log/checkpoint.ts'
import { readMarker, type TransactionMarker } from '../wire/control-batch.ts'
import type { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { PartitionTransactions } from './partition-transactions.ts'
import { ProducerState } from './producer-state.ts'

export class PartitionProducers {
  readonly states: ProducerState = new ProducerState()
  readonly transactions: PartitionTransactions = new PartitionTransactions()

  /** A batch is in the log now; its offsets are set. */
  replay(header: RecordBatchHeader, now: Timestamp): void {
    const { producerId, baseOffset } = header
    this.states.replay(header, baseOffset, header.maxTimestamp, now)
    if (!header.isTransactional) return
    const marker = header.isControl ? readMarker(header) : null
    if (marker !== null) this.transactions.replay({ producerId, baseOffset, marker: marker.isCommit ? 'commit' : 'abort' }, marker.coordinatorEpoch)
    else if (!header.isControl) this.transactions.replay({ producerId, baseOffset, marker: null })
  }

  /** Whether a marker would change nothing: it is here, or its producer has begun nothing here since. */
  isEnded({ producerId, producerEpoch }: TransactionMarker): boolean {
    return this.transactions.openSince(producerId) === undefined && this.states.epochOf(producerId) === producerEpoch
  }

  snapshot(): Json {
    return { producers: this.states.snapshot(), transactions: this.transactions.snapshot() }
  }

  /** Null: nothing is known. A list is the producers alone: a checkpoint from before there were transactions. */
  restore(snapshot: Json): void {
    const { producers, transactions } = (snapshot === null || Array.isArray(snapshot) ? { producers: snapshot, transactions: null } : snapshot) as { readonly producers: Json; readonly transactions: Json }
    this.states.restore(producers)
    this.transactions.restore(transactions)
  }

  /** Forgets producers that were silent since before a time, but for those with an open transaction. */
  expire(before: Timestamp): void {
    this.states.expire(before, producerId => this.transactions.openSince(producerId) !== undefined)
    this.transactions.expire(producerId => this.states.epochOf(producerId) >= 0)
  }
}
