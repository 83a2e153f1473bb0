// One partition that is read: where it stands, and what was fetched of it and not handed out yet.

import { MillraceError } from '../../core/error.ts'
import type { FetchedRecords } from '../../core/log-port.ts'
import { partitionName, type Offset, type TopicPartition } from '../../core/record.ts'
import type { ResponseOf } from '../wire/apis.ts'
import { RecordBatchCursor } from '../wire/record-batch-cursor.ts'
import { measureRun } from '../wire/record-batch-run.ts'

export type PartitionAnswer = ResponseOf<'Fetch'>['responses'][number]['partitions'][number]

export class FetchPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Offset of the next record to hand out. */
  position: Offset
  /** Where the next fetch begins: behind what is buffered. */
  fetchOffset: Offset
  /** Changes when the position is set: an answer to an earlier question is dropped. */
  epoch = 0
  paused = false
  /** A fetch of it is on its way. */
  inFlight = false
  /** The position is being looked up. */
  seeking = false
  /** The last fetch found its end. */
  caughtUp = false
  /** Not fetched before, on the monotonic clock. */
  retryAt = 0
  failures = 0
  /** Number of the answer that brought something last. */
  servedAt = 0
  /** What `poll` is to throw. */
  failure: Error | null = null
  endOffset: Offset | undefined
  bufferedBytes = 0
  #buffered: FetchedRecords[] = []

  constructor(topic: string, partition: number, offset: Offset) {
    this.topic = topic
    this.partition = partition
    this.position = this.fetchOffset = offset
  }

  get name(): string {
    return partitionName(this.topic, this.partition)
  }

  seek(offset: Offset): void {
    this.position = this.fetchOffset = offset
    this.#buffered = []
    this.bufferedBytes = 0
    this.epoch++
    this.inFlight = false
    this.caughtUp = false
    this.failure = null
    this.retryAt = 0
  }

  /** Takes in what a fetch brought. @throws MillraceError CORRUPT_RECORD */
  absorb(answer: PartitionAnswer, committedOnly: boolean): void {
    const { highWatermark, lastStableOffset, records } = answer
    this.failures = 0
    this.endOffset = committedOnly && lastStableOffset >= 0 ? lastStableOffset : highWatermark
    if (records !== null && records.length > 0) this.#push(records, answer)
    this.caughtUp = this.fetchOffset >= this.endOffset
  }

  /** What is there, handed out. */
  take(into: FetchedRecords[]): void {
    for (const records of this.#buffered) into.push(records)
    this.#buffered = []
    this.bufferedBytes = 0
    this.position = this.fetchOffset
  }

  #push(records: Buffer, { highWatermark, abortedTransactions }: PartitionAnswer): void {
    const { nextOffset, end } = measureRun(records)
    if (nextOffset <= this.fetchOffset) {
      throw new MillraceError('CORRUPT_RECORD', `A fetch of ${this.name} at offset ${this.fetchOffset} brought ${records.length} bytes without a record batch at or behind it.`, {
        hint: 'Read from an offset behind it, or restore the partition from a good copy.',
      })
    }
    const cursor = new RecordBatchCursor(records, { end, fromOffset: this.fetchOffset, source: this, aborted: abortedTransactions ?? [] })
    this.#buffered.push({ topic: this.topic, partition: this.partition, cursor, bytes: end, nextOffset, highWatermark })
    this.bufferedBytes += end
    this.fetchOffset = nextOffset
  }
}
