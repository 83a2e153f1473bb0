// The log of a coordinator, a partition of an internal topic: read at the start, then appended to, durable before the coordinator goes on.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { readMarker, type TransactionMarker } from '../wire/control-batch.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { RecordBatchWriter, type BatchClosing } from '../wire/record-batch-writer.ts'
import { errorFields } from './error-fields.ts'
import { keyOf, readBatches, valueOf } from './partition-records.ts'
import type { Partition } from './partition.ts'

/** The partition of an internal topic that keeps a group or transactional id, as Apache Kafka finds it. */
export function coordinatorPartitionOf(key: string, partitions: number): number {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitions
}

export interface CoordinatorRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** In whose transaction records are. */
export interface RecordProducer {
  readonly producerId: number
  readonly producerEpoch: number
}

/** What is in the log, in order. The bytes are valid during the call. */
export interface CoordinatorLogVisitor {
  /** `producerId`: of the transaction that the record is in; null if it is in none. @throws MillraceError for one that cannot be read; it is passed over */
  record(key: Buffer, value: Buffer | null, producerId: number | null): void
  marker?(marker: TransactionMarker): void
}

/** Records that wait for the end of a turn. */
interface Waiting {
  readonly records: readonly CoordinatorRecord[]
  readonly resolve: (isDurable: Promise<boolean>) => void
}

const maxCallsPerBatch = 1000

export class CoordinatorLog {
  readonly partition: Partition
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #writer = new RecordBatchWriter()
  /** What is in no transaction: all that one turn of the event loop brings becomes one batch. */
  readonly #waiting: Waiting[] = []

  constructor(partition: Partition, clock: Clock, logger: Logger) {
    this.partition = partition
    this.#clock = clock
    this.#logger = logger
  }

  replay(visitor: CoordinatorLogVisitor): void {
    readBatches(this.partition.log, (header, cursor) => {
      const marker = header.isControl ? readMarker(header) : null
      if (marker !== null) return visitor.marker?.(marker)
      const producerId = header.isTransactional ? header.producerId : null
      while (cursor.next()) {
        const key = keyOf(cursor)
        if (key === null) continue
        try {
          visitor.record(key, valueOf(cursor), producerId)
        } catch (error) {
          if (!(error instanceof MillraceError)) throw error
          this.#logger.warn('passed over a record that cannot be read', { partition: this.partition.name, offset: cursor.offset, ...errorFields(error) })
        }
      }
    })
  }

  /**
   * Resolves to whether the records are durable; a failure is in the logger. They are in the log in the order of the calls: those of a
   * transaction at once, so that its marker comes behind them; others when this turn is over, together.
   */
  append(records: readonly CoordinatorRecord[], producer: RecordProducer | null): Promise<boolean> {
    if (producer !== null) {
      this.writeWaiting()
      return this.#write(records, { ...producer, transactional: true })
    }
    if (this.#waiting.length === 0) void this.#clock.turn().then(() => this.writeWaiting())
    return new Promise(resolve => void this.#waiting.push({ records, resolve }))
  }

  /** What waits for the end of the turn, now. */
  writeWaiting(): void {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxCallsPerBatch)
      const isDurable = this.#write(batch.flatMap(({ records }) => records), {})
      for (const { resolve } of batch) resolve(isDurable)
    }
  }

  async #write(records: readonly CoordinatorRecord[], options: BatchClosing): Promise<boolean> {
    const now = this.#clock.now()
    for (const { key, value } of records) this.#writer.append(key, value, now)
    const batch = this.#writer.close(options)
    try {
      this.partition.append(batch, new RecordBatchHeader(batch))
      await this.partition.committed(this.partition.log.endOffset)
      return true
    } catch (error) {
      this.#logger.error('could not write a record of a coordinator', { partition: this.partition.name, ...errorFields(error) })
      return false
    }
  }
}
