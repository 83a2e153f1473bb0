// What a producer has for one partition: the batch that is filling, those that wait, and those in flight, in the order of their sequence.

import { assert } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { PartitionAppender } from '../../core/log-port.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import { sequenceAfter } from '../wire/record-batch-header.ts'
import type { BufferSource } from '../wire/record-batch-pool.ts'
import { RecordBatchWriter, recordSizeBound } from '../wire/record-batch-writer.ts'
import { ProduceBatch, type FlushGroup, type ProducerIdentity } from './produce-batch.ts'

/** What the queues of one producer share. */
export interface ProducerBuffer {
  readonly batchBytes: number
  readonly codec: number
  readonly source: BufferSource
  /** Queues with a batch that is filling, and those with one that waits to be sent. */
  readonly open: Set<PartitionQueue>
  readonly waiting: Set<PartitionQueue>
  pendingBytes: number
  flushGroup: FlushGroup
  /** True when the producer has failed or is closed: what is appended is thrown away. */
  discarding: boolean
  /** Called when a batch has begun to fill in a producer without one, and when one is full. */
  opened(): void
  filled(): void
  /** When a batch that is closed now is given up. */
  expiry(): number
}

/**
 * Kafka's brokers remember that many batches of a producer, and so recognise one that comes again: from the oldest without acknowledgement on,
 * no more may be sent.
 */
const windowBatches = 5

export class PartitionQueue implements PartitionAppender {
  readonly topic: string
  readonly partition: number
  lastOffset: Offset = -1
  /** Nothing is sent before, on the monotonic clock. */
  retryAt = 0
  /** True when the sequence must begin anew before the next batch is sent. */
  restarting = false
  readonly #buffer: ProducerBuffer
  /** In the order of their sequence; those acknowledged stay until all before them are. */
  readonly #batches: ProduceBatch[] = []
  #writer: RecordBatchWriter
  #batchBytes: number
  #identity: ProducerIdentity | null = null
  #nextSequence = 0
  /** True when the broker has acknowledged a batch of this identity. Before, it takes any sequence for the first: one batch at a time then. */
  #known = false
  #inFlight = 0
  /** Batches to be sent, for the first time or again. */
  #toSend = 0

  constructor(topic: string, partition: number, buffer: ProducerBuffer) {
    this.topic = topic
    this.partition = partition
    this.#buffer = buffer
    this.#batchBytes = buffer.batchBytes
    this.#writer = new RecordBatchWriter(1024, buffer.source)
  }

  append(key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp, headers: Headers | null = null): void {
    const buffer = this.#buffer
    if (buffer.discarding) return
    let writer = this.#writer
    if (writer.count > 0 && writer.size + recordSizeBound(key, value, headers) > this.#batchBytes) {
      this.closeOpen()
      buffer.filled()
      writer = this.#writer
    }
    const before = writer.size
    writer.append(key, value, timestamp, headers)
    buffer.pendingBytes += writer.size - before
    if (writer.count > 1) return
    buffer.open.add(this)
    if (buffer.open.size === 1) buffer.opened()
  }

  /** Closes the batch that is filling; it waits to be sent then. */
  closeOpen(): void {
    const writer = this.#writer
    if (writer.count === 0) return
    const { flushGroup } = this.#buffer
    const bytes = writer.size - emptyBytes
    this.#batches.push(new ProduceBatch(writer, { count: writer.count, bytes, expiresAt: this.#buffer.expiry(), flushGroup }))
    flushGroup.outstanding++
    this.#toSend++
    // The next batch will be about as large; twice nothing is little.
    this.#writer = new RecordBatchWriter(Math.min(this.#batchBytes, writer.size + 1024), this.#buffer.source)
    this.#buffer.open.delete(this)
    this.#buffer.waiting.add(this)
  }

  /** The oldest batch without acknowledgement, sent or not. */
  get oldest(): ProduceBatch | undefined {
    return this.#batches[0]
  }

  get isWaiting(): boolean {
    return this.#toSend > 0
  }

  /**
   * The next batch to send, with its place in the sequence, or null. After a failure one batch is sent at a time, oldest first, until what failed has gone
   * through: so order is kept. `renewed` gives the identity to go on with where the sequence begins anew.
   */
  take(current: ProducerIdentity, renewed: () => ProducerIdentity): ProduceBatch | null {
    const at = this.#batches.findIndex(batch => !batch.inFlight && !batch.acknowledged)
    const batch = this.#batches[at]
    if (batch === undefined || at >= (this.#known ? windowBatches : 1) || ((batch.attempts > 0 || this.restarting) && this.#inFlight > 0)) return null
    if (this.restarting) this.#restart(renewed())
    if (batch.sealed === null) this.#place(batch, current)
    batch.inFlight = true
    batch.attempts++
    this.#inFlight++
    this.#toSend--
    return batch
  }

  acknowledged(batch: ProduceBatch, baseOffset: Offset): void {
    this.#landed(batch)
    batch.acknowledged = true
    this.#known = true
    while (this.#batches[0]?.acknowledged === true) this.#batches.shift()
    this.#buffer.pendingBytes -= batch.bytes
    batch.release(this.#buffer.source)
    batch.flushGroup.outstanding--
    if (baseOffset >= 0) this.lastOffset = Math.max(this.lastOffset, baseOffset + batch.count - 1)
  }

  /** The batch did not get through, and will be sent again in its order. */
  failed(batch: ProduceBatch, retryAt: number): void {
    this.#landed(batch)
    this.#toSend++
    this.retryAt = retryAt
    this.#buffer.waiting.add(this)
  }

  /** The batch is too large for the broker: two go in its place, and later ones are made smaller. */
  split(batch: ProduceBatch): void {
    assert(this.#identity !== null && batch.count > 1, 'a batch that was sent and has two records can be split')
    this.#landed(batch)
    const parts = batch.split(this.#identity, this.#buffer.codec)
    // Both were on their way once: they go one at a time, in order.
    for (const part of parts) part.attempts = batch.attempts
    this.#toSend += 2
    this.#batches.splice(this.#batches.indexOf(batch), 1, ...parts)
    batch.flushGroup.outstanding++
    this.#batchBytes = Math.max(1024, Math.min(this.#batchBytes, batch.bytes >> 1))
    this.#buffer.waiting.add(this)
  }

  /** Drops everything. */
  clear(): void {
    this.#batches.length = 0
    this.#inFlight = 0
    this.#toSend = 0
    this.#writer = new RecordBatchWriter(0)
  }

  #place(batch: ProduceBatch, current: ProducerIdentity): void {
    if (this.#identity !== current && (this.#identity === null || this.#batches[0] === batch)) {
      this.#identity = current
      this.#nextSequence = 0
      this.#known = false
    }
    batch.place(this.#identity, this.#nextSequence, this.#buffer.codec)
    this.#nextSequence = sequenceAfter(this.#nextSequence, batch.count)
  }

  /**
   * Gives every batch that was sent before a new place, from sequence 0 of another epoch. The oldest is known not to be in the log; so none
   * behind it can be.
   */
  #restart(identity: ProducerIdentity): void {
    this.restarting = false
    this.#identity = identity
    this.#nextSequence = 0
    this.#known = false
    for (const batch of this.#batches) {
      if (batch.acknowledged) continue
      if (batch.sealed === null) break
      batch.doubtful = false
      batch.place(identity, this.#nextSequence, this.#buffer.codec)
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.count)
    }
  }

  #landed(batch: ProduceBatch): void {
    assert(batch.inFlight, 'a batch that lands was in flight')
    batch.inFlight = false
    this.#inFlight--
  }
}

const emptyBytes: number = new RecordBatchWriter(0).size
