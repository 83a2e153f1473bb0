// The broker's own log of its catalogue: decisions are appended, replayed into the catalogue, and durable before anyone hears of them.

import type { Clock } from '../../core/clock.ts'
import type { Catalogue, MetadataRecord } from '../kernel/catalogue.ts'
import type { Json } from '../log/checkpoint.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { RecordBatchWriter } from '../wire/record-batch-writer.ts'
import type { Partition } from './partition.ts'
import { keyOf, readRecords, valueOf } from './partition-records.ts'

export const metadataTopic = '__cluster_metadata'

export class MetadataLog {
  readonly #partition: Partition
  readonly #catalogue: Catalogue
  readonly #clock: Clock
  readonly #writer = new RecordBatchWriter()

  /** Replays what is there. */
  constructor(partition: Partition, catalogue: Catalogue, clock: Clock) {
    this.#partition = partition
    this.#catalogue = catalogue
    this.#clock = clock
    readRecords(partition.log, cursor => {
      const key = keyOf(cursor)
      const value = valueOf(cursor)
      if (key !== null) catalogue.replay({ key: key.toString('utf8'), value: value === null ? null : (JSON.parse(value.toString('utf8')) as Json) })
    })
  }

  /** Changes the catalogue at once; resolves when that is durable. @throws MillraceError when it cannot be */
  async write(records: readonly MetadataRecord[]): Promise<void> {
    if (records.length === 0) return
    for (const { key, value } of records) this.#writer.append(Buffer.from(key), value === null ? null : Buffer.from(JSON.stringify(value)), this.#clock.now())
    const batch = this.#writer.close()
    this.#partition.append(batch, new RecordBatchHeader(batch))
    const { endOffset } = this.#partition.log
    for (const record of records) this.#catalogue.replay(record)
    await this.#partition.committed(endOffset)
  }

  /** How far it is durable, and how far it is written. */
  get offsets(): { readonly highWatermark: number; readonly endOffset: number } {
    return { highWatermark: this.#partition.highWatermark, endOffset: this.#partition.log.endOffset }
  }

  close(): Promise<void> {
    return this.#partition.close()
  }
}
