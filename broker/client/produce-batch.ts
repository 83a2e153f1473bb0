// One batch of a producer on its way: filled, sealed for its place in the sequence, sent until it is acknowledged.

import type { MillraceError } from '../../core/error.ts'
import { RecordBatchCursor } from '../wire/record-batch-cursor.ts'
import { RecordBatchHeader, sequenceAfter } from '../wire/record-batch-header.ts'
import type { BufferSource } from '../wire/record-batch-pool.ts'
import { RecordBatchWriter } from '../wire/record-batch-writer.ts'

/** By what a broker knows an idempotent producer. */
export interface ProducerIdentity {
  readonly id: number
  readonly epoch: number
}

export class ProduceBatch {
  readonly count: number
  /** Bytes before compression, as counted against the producer's buffer. */
  readonly bytes: number
  /** When it is given up, on the monotonic clock. */
  readonly expiresAt: number
  /** Answers that a flush waits for are counted per flush. */
  readonly flushGroup: FlushGroup
  inFlight = false
  acknowledged = false
  /** True if a broker may have appended it though it did not say so. */
  doubtful = false
  attempts = 0
  /** Why it was sent again. */
  lastError: MillraceError | null = null
  sequence = -1
  #writer: RecordBatchWriter | null
  #sealed: Buffer | null = null

  constructor(writer: RecordBatchWriter, filled: { readonly count: number; readonly bytes: number; readonly expiresAt: number; readonly flushGroup: FlushGroup }) {
    this.#writer = writer
    this.count = filled.count
    this.bytes = filled.bytes
    this.expiresAt = filled.expiresAt
    this.flushGroup = filled.flushGroup
  }

  /** The bytes to send; there once the batch has its place. */
  get sealed(): Buffer | null {
    return this.#sealed
  }

  /** Gives the batch its place in the sequence of a partition, at first or anew. */
  place(identity: ProducerIdentity, sequence: number, codec: number): void {
    this.sequence = sequence
    if (this.#writer !== null) {
      this.#sealed = this.#writer.close({ codec, producerId: identity.id, producerEpoch: identity.epoch, baseSequence: sequence })
      this.#writer = null
      return
    }
    const header = new RecordBatchHeader(this.#sealed!)
    header.setProducer(identity.id, identity.epoch, sequence)
    header.seal()
  }

  /**
   * Gives the buffer back when it is acknowledged. A broker in this process was handed the buffer itself: it has written it to its log, or copied it,
   * before it answers.
   */
  release(source: BufferSource): void {
    if (this.#sealed !== null) source.give(this.#sealed)
    this.#sealed = null
  }

  /** Two batches in place of one that is too large, with the same sequence numbers between them. There must be two records at least. */
  split(identity: ProducerIdentity, codec: number): [ProduceBatch, ProduceBatch] {
    const cursor = new RecordBatchCursor(this.#sealed!)
    const firstCount = this.count >> 1
    const first = this.#part(cursor, firstCount)
    const second = this.#part(cursor, this.count - firstCount)
    first.place(identity, this.sequence, codec)
    second.place(identity, sequenceAfter(this.sequence, firstCount), codec)
    return [first, second]
  }

  /** Bytes of the key of its first record, for messages. */
  firstKeyBytes(): number {
    const cursor = new RecordBatchCursor(this.#sealed!)
    return cursor.next() && cursor.keyStart >= 0 ? cursor.keyEnd - cursor.keyStart : 0
  }

  #part(cursor: RecordBatchCursor, count: number): ProduceBatch {
    const writer = new RecordBatchWriter(this.bytes >> 1)
    for (let i = 0; i < count && cursor.next(); i++) {
      const { buffer, keyStart, keyEnd, valueStart, valueEnd } = cursor
      const key = keyStart < 0 ? null : buffer.subarray(keyStart, keyEnd)
      const value = valueStart < 0 ? null : buffer.subarray(valueStart, valueEnd)
      writer.append(key, value, cursor.timestamp, cursor.headers())
    }
    const bytes = Math.round((this.bytes * count) / this.count)
    return new ProduceBatch(writer, { count, bytes, expiresAt: this.expiresAt, flushGroup: this.flushGroup })
  }
}

/** Batches closed between two flushes. */
export interface FlushGroup {
  /** Of them, those not acknowledged. */
  outstanding: number
}
