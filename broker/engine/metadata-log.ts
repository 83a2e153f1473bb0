// The broker's own log of its catalogue: decisions are appended, replayed into the catalogue, and durable before anyone hears of them.

import type { Clock } from '../../core/clock.ts'
import type { Offset } from '../../core/record.ts'
import type { Catalogue, MetadataRecord } from '../kernel/catalogue.ts'
import type { DiskReserve } from '../disk/disk-reserve.ts'
import type { Json } from '../log/checkpoint.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import { RecordBatchWriter } from '../wire/record-batch-writer.ts'
import type { Partition } from './partition.ts'
import { keyOf, readRecords, valueOf } from './partition-records.ts'

export const metadataTopic = '__cluster_metadata'

/** Between two attempts to make durable what a failing disk did not take. */
const retryMs = 1000

export class MetadataLog {
  readonly #partition: Partition
  readonly #catalogue: Catalogue
  readonly #clock: Clock
  readonly #reserve: DiskReserve
  readonly #writer = new RecordBatchWriter()
  /** What the catalogue says and the medium does not, by key: the last word on each. */
  readonly #owed = new Map<string, MetadataRecord>()
  #cancelPaying: () => void = () => {}
  /** Those who wait until nothing is owed. */
  #waiting: (() => void)[] = []
  #isClosed = false

  /** Replays what is there. */
  constructor(partition: Partition, catalogue: Catalogue, clock: Clock, reserve: DiskReserve) {
    this.#partition = partition
    this.#catalogue = catalogue
    this.#clock = clock
    this.#reserve = reserve
    readRecords(partition.log, cursor => {
      const key = keyOf(cursor)
      const value = valueOf(cursor)
      if (key !== null) catalogue.replay({ key: key.toString('utf8'), value: value === null ? null : (JSON.parse(value.toString('utf8')) as Json) })
    })
  }

  /**
   * Changes the catalogue at once; resolves when that is durable, and rejects when it is not yet: it is written again then until it is,
   * for others have seen it. `freesRoom`: of what it leads to, so that it may be written on a full disk.
   * @throws MillraceError when it cannot be written; nothing has changed then
   */
  write(records: readonly MetadataRecord[], freesRoom = false): Promise<void> {
    if (records.length === 0) return Promise.resolve()
    const endOffset = freesRoom ? this.#reserve.spend(() => this.#append(records)) : this.#append(records)
    for (const record of records) this.#catalogue.replay(record)
    return this.#durable(records, endOffset)
  }

  #append(records: readonly MetadataRecord[]): Offset {
    for (const { key, value } of records) this.#writer.append(Buffer.from(key), value === null ? null : Buffer.from(JSON.stringify(value)), this.#clock.now())
    const batch = this.#writer.close()
    this.#partition.append(batch, new RecordBatchHeader(batch))
    for (const { key } of records) this.#owed.delete(key)
    return this.#partition.log.endOffset
  }

  async #durable(records: readonly MetadataRecord[], endOffset: Offset): Promise<void> {
    try {
      await this.#partition.committed(endOffset)
      if (this.#isDurable) for (const resolve of this.#waiting.splice(0)) resolve()
    } catch (error) {
      for (const record of records) this.#owed.set(record.key, record)
      this.#payLater()
      throw error
    }
  }

  #payLater(): void {
    if (this.#isClosed || this.#owed.size === 0) return
    this.#cancelPaying()
    this.#cancelPaying = this.#clock.after(retryMs, () => void this.#pay().catch(() => this.#payLater()))
  }

  async #pay(): Promise<void> {
    if (this.#owed.size === 0) return
    const records = [...this.#owed.values()]
    await this.#durable(records, this.#append(records))
  }

  get #isDurable(): boolean {
    return this.#owed.size === 0 && this.#partition.highWatermark === this.#partition.log.endOffset
  }

  /** Resolves when all that the catalogue says is durable, however many tries that takes. */
  settled(): Promise<void> {
    return this.#isDurable ? Promise.resolve() : new Promise(resolve => this.#waiting.push(resolve))
  }

  /** One try to make all durable that the catalogue says. @throws MillraceError where it fails */
  async settle(): Promise<void> {
    if (this.#owed.size > 0) await this.#pay()
    else await this.#partition.committed(this.#partition.log.endOffset)
  }

  /** How far it is durable, and how far it is written. */
  get offsets(): { readonly highWatermark: number; readonly endOffset: number } {
    return { highWatermark: this.#partition.highWatermark, endOffset: this.#partition.log.endOffset }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancelPaying()
    this.#reserve.close()
    // A last attempt; the partition says if it cannot be closed cleanly.
    if (this.#owed.size > 0) await this.#pay().catch(() => {})
    return this.#partition.close()
  }
}
