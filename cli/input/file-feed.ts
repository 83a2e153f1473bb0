// One file on its way into one topic: the next record to feed, and how far it has come.

import type { LogPort, LogProducer, PartitionAppender } from '../../core/log-port.ts'
import { MillraceError } from '../../core/error.ts'
import { partitionOf } from '../../core/murmur2.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { InputSource } from '../../runtime/application-definition.ts'
import type { FeedCheckpointFile } from './feed-checkpoint.ts'
import { FedTail } from './fed-tail.ts'
import { formatOf } from './input-source.ts'
import type { EncodedRecord } from './record-encoder.ts'
import { readRows, type Row, type RowPosition } from './row-reader.ts'

export interface FileFeedOptions {
  readonly topic: string
  readonly partitions: number
  readonly source: InputSource
  readonly encode: (row: Row) => EncodedRecord
  /** Null for standard input, which cannot be read twice. */
  readonly checkpoint: FeedCheckpointFile | null
  readonly log: LogPort
  readonly producer: LogProducer
  /** Size of the file, 0 where unknown. */
  readonly sizeBytes: number
}

export class FileFeed {
  readonly topic: string
  readonly sizeBytes: number
  /** Records appended in this run. */
  fed = 0
  readonly #options: FileFeedOptions
  readonly #appenders: readonly PartitionAppender[]
  readonly #offsets: Offset[]
  readonly #tail: FedTail
  readonly #batches: AsyncGenerator<readonly Row[]>
  #rows: readonly Row[] = []
  #next = 0
  #head: EncodedRecord | null = null
  #position: RowPosition
  #closed = false

  private constructor(options: FileFeedOptions, start: RowPosition, offsets: readonly Offset[], tail: FedTail) {
    this.#options = options
    this.topic = options.topic
    this.sizeBytes = options.sizeBytes
    this.#appenders = offsets.map((_, partition) => options.producer.appender(options.topic, partition))
    this.#offsets = [...offsets]
    this.#tail = tail
    this.#position = start
    this.#batches = readRows(options.source.file, formatOf(options.source), start)
  }

  /** Goes on where the last run of the same application stopped. @throws MillraceError INPUT */
  static async open(options: FileFeedOptions): Promise<FileFeed> {
    const { checkpoint, topic, partitions, log, source, sizeBytes } = options
    const last = checkpoint === null ? null : await checkpoint.read()
    if (last !== null && last.bytes > sizeBytes) {
      throw new MillraceError('INPUT', `${source.file} was fed up to byte ${last.bytes} and is shorter now.`, { hint: 'Feed what is new under another file name.' })
    }
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    const ends = await log.admin.listOffsets(all, 'latest')
    const offsets = all.map(({ partition }) => last?.offsets[partition] ?? ends.get(`${topic}-${partition}`) ?? 0)
    const feed = new FileFeed(options, { bytes: last?.bytes ?? 0, line: last?.line ?? 0 }, offsets, await FedTail.read(log, topic, offsets, source.timestamp !== undefined || source.at !== undefined))
    if (last === null) await feed.save()
    await feed.refill()
    return feed
  }

  /** Event time of the record to feed next; null when the batch in hand is used up: {@link refill}. */
  get headTimestamp(): Timestamp | null {
    return this.#head === null ? null : this.#head.timestamp
  }

  get bytes(): number {
    return this.#position.bytes
  }

  /** Appends the head, unless it is in the topic already, and moves on. */
  feed(): void {
    const record = this.#head!
    const row = this.#rows[this.#next - 1]!
    const partition = record.key === null ? row.line % this.#appenders.length : partitionOf(record.key, this.#appenders.length)
    if (!this.#tail.takes(partition, record)) {
      this.#appenders[partition]!.append(record.key, record.value, record.timestamp)
      this.fed++
    }
    this.#position = { bytes: row.end, line: row.line }
    this.#advance()
  }

  /** Reads on; false at the end of the file. */
  async refill(): Promise<boolean> {
    const batch = await this.#read()
    if (batch === null) return false
    this.#rows = batch
    this.#next = 0
    this.#advance()
    return true
  }

  /** Call it right after the producer was flushed: all that was fed is in the log. */
  async save(): Promise<void> {
    const { checkpoint, source } = this.#options
    if (checkpoint === null) return
    for (const appender of this.#appenders) {
      if (appender.lastOffset >= 0) this.#offsets[appender.partition] = Math.max(this.#offsets[appender.partition]!, appender.lastOffset + 1)
    }
    await checkpoint.write({ file: source.file, ...this.#position, offsets: this.#offsets })
  }

  /** Ends the reading now, also of standard input that would wait for somebody to type. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#options.source.file === '-') process.stdin.destroy()
    await this.#batches.return(undefined)
  }

  async #read(): Promise<readonly Row[] | null> {
    try {
      const { value, done } = await this.#batches.next()
      return done === true ? null : value
    } catch (cause) {
      if (this.#closed) return null
      throw cause
    }
  }

  #advance(): void {
    const row = this.#rows[this.#next++]
    this.#head = row === undefined ? null : this.#options.encode(row)
  }
}
