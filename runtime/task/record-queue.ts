// What a task holds of one source partition: fetched records, of which only the first is decoded.

import { MillraceError } from '../../core/error.ts'
import { Headers } from '../../core/headers.ts'
import type { FetchedRecords } from '../../core/log-port.ts'
import type { Offset, RecordCursor, Timestamp, TopicPartition } from '../../core/record.ts'
import type { TimestampExtractor, TopicSerdes } from '../../core/topology/node.ts'
import { decodeChange } from '../operators/change-bytes.ts'
import type { Operator } from '../operators/operator.ts'
import type { TaskContext } from '../operators/task-context.ts'

export interface RecordQueueOptions extends TopicPartition {
  /** The source's operator, which gets the records. */
  readonly source: Operator
  readonly serdes: TopicSerdes
  /** True for the repartition topic of a grouped table. */
  readonly changes: boolean
  readonly extractor: TimestampExtractor | null
  readonly partitionTime: Timestamp
}

export class RecordQueue implements TopicPartition {
  readonly topic: string
  readonly partition: number
  readonly #context: TaskContext
  readonly #source: Operator
  readonly #serdes: TopicSerdes
  readonly #changes: boolean
  readonly #extractor: TimestampExtractor | null
  #batches: FetchedRecords[] = []
  #decoded = { newValue: null as unknown, oldValue: null as unknown }
  #key: unknown = null
  #headers: Headers | null = null
  #offset: Offset = -1

  /** Whether the first record is decoded; `timestamp` is its event time. */
  hasHead = false
  timestamp: Timestamp = -1
  /** Whether the log holds nothing beyond what was added. */
  atEnd = false
  bufferedBytes = 0
  /** Next record to process; -1 before the first one was. */
  position: Offset = -1
  /** Highest event time processed. */
  partitionTime: Timestamp

  constructor(options: RecordQueueOptions, context: TaskContext) {
    this.topic = options.topic
    this.partition = options.partition
    this.#context = context
    this.#source = options.source
    this.#serdes = options.serdes
    this.#changes = options.changes
    this.#extractor = options.extractor
    this.partitionTime = options.partitionTime
  }

  add(records: FetchedRecords): void {
    this.#batches.push(records)
    this.bufferedBytes += records.bytes
    this.atEnd = records.nextOffset >= records.highWatermark
  }

  get empty(): boolean {
    return !this.hasHead && this.#batches.length === 0
  }

  /** Decodes the next record that can be; false if there is none. Those that cannot go to the handlers. */
  load(): boolean {
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      while (batch.cursor.next()) {
        if (this.#decode(batch.cursor)) return (this.hasHead = true)
        this.position = batch.cursor.offset + 1
      }
      this.position = batch.nextOffset
      this.bufferedBytes -= batch.bytes
      this.#batches.shift()
    }
    return false
  }

  /** Hands the first record to the source's operator. */
  process(): void {
    const { timestamp } = this
    const context = this.#context
    this.hasHead = false
    this.position = this.#offset + 1
    if (timestamp > this.partitionTime) this.partitionTime = timestamp
    context.topic = this.topic
    context.sourcePartition = this.partition
    context.offset = this.#offset
    context.timestamp = timestamp
    if (this.#changes) this.#source.receiveChange(this.#key, this.#decoded.newValue, this.#decoded.oldValue, timestamp, this.#headers)
    else this.#source.receive(this.#key, this.#decoded.newValue, timestamp, this.#headers)
  }

  #decode(cursor: RecordCursor): boolean {
    this.#offset = cursor.offset
    const { buffer, keyStart, valueStart } = cursor
    try {
      this.#key = keyStart < 0 ? null : this.#serdes.key.deserialize(buffer, keyStart, cursor.keyEnd)
      this.#decoded.oldValue = null
      if (valueStart < 0) this.#decoded.newValue = null
      else if (this.#changes) decodeChange(this.#serdes.value, buffer, valueStart, cursor.valueEnd, this.#decoded)
      else this.#decoded.newValue = this.#serdes.value.deserialize(buffer, valueStart, cursor.valueEnd)
    } catch (error) {
      this.#context.unreadable(this.#source.node, this.topic, this.partition, cursor.offset, error)
      return false
    }
    this.#headers = cursor.headers() ?? (this.#context.headersChange ? new Headers() : null)
    return this.#extractor === null ? this.#checkTimestamp(cursor.timestamp) : this.#extract(cursor.timestamp)
  }

  #checkTimestamp(timestamp: Timestamp): boolean {
    this.timestamp = timestamp
    return timestamp >= 0 || this.#failed(new MillraceError('NEGATIVE_TIMESTAMP', `Its timestamp is ${timestamp}.`, { hint: 'Give the source a timestamp extractor.' }))
  }

  /** A negative answer drops the record: that is how an extractor says so. */
  #extract(recordTimestamp: Timestamp): boolean {
    const { topic, partition } = this
    const record = { key: this.#key, value: this.#decoded.newValue, timestamp: recordTimestamp, headers: this.#headers ?? new Headers() }
    try {
      this.timestamp = this.#extractor!(record, this.partitionTime, { topic, partition, offset: this.#offset })
    } catch (error) {
      return this.#failed(error)
    }
    if (this.timestamp >= 0) return true
    this.#context.counters.dropped++
    return false
  }

  #failed(cause: unknown): false {
    const context = this.#context
    context.topic = this.topic
    context.sourcePartition = this.partition
    context.offset = this.#offset
    context.failed(this.#source.node, cause)
    return false
  }
}
