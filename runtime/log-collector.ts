// Hands what tasks write to the log's producer: finds each record's partition, and remembers how far each changelog is written.

import { MillraceError } from '../core/error.ts'
import type { Headers } from '../core/headers.ts'
import type { LogProducer, PartitionAppender } from '../core/log-port.ts'
import { partitionOf } from '../core/murmur2.ts'
import { partitionName, type Offset } from '../core/record.ts'
import type { Collector } from './operators/collector.ts'

interface WaitingRecord {
  readonly partition: number | null
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers: Headers | null
}

/** Keyless records stay with one partition for this many before they move on, so that batches fill. */
const STICKY_RECORDS = 1000

/**
 * One for all tasks of a worker. A topic that is met for the first time (a sink that chooses its topic per record) has its
 * records wait here, in order, until its partition count is known; `ready` and `flush` see to that.
 */
export class LogCollector implements Collector {
  readonly #producer: LogProducer
  readonly #appenders = new Map<string, PartitionAppender[]>()
  readonly #waiting = new Map<string, WaitingRecord[]>()
  #keyless = 0
  /** Records handed over, of all kinds. */
  sent = 0

  constructor(producer: LogProducer) {
    this.#producer = producer
  }

  /** Asks for the partition counts of topics before the first record. Those that do not exist are left for `flush` to report. */
  async learn(topics: readonly string[]): Promise<void> {
    await Promise.all(topics.map(topic => this.#producer.partitionsOf(topic)))
  }

  /** Zero as long as the topic is not known. */
  partitionsOf(topic: string): number {
    return this.#producer.knownPartitionsOf(topic) ?? 0
  }

  send(topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null, timestamp: number, headers: Headers | null): void {
    this.sent++
    const appenders = this.#appenders.get(topic) ?? this.#open(topic)
    if (appenders === null) {
      this.#wait(topic, { partition, key, value, timestamp, headers })
      return
    }
    const at = partition ?? (key === null ? this.#nextKeyless(appenders.length) : partitionOf(key, appenders.length))
    const appender = appenders[at] ?? this.#appender(topic, appenders, at)
    appender.append(key, value, timestamp, headers)
  }

  /** True while no more should be processed before `ready` was awaited. */
  get full(): boolean {
    return this.#waiting.size > 0 || this.#producer.pendingBytes > MOST_PENDING_BYTES
  }

  async ready(): Promise<void> {
    await this.#settle()
    await this.#producer.ready()
  }

  /** Resolves when everything sent is acknowledged. @throws MillraceError the first failure */
  async flush(): Promise<void> {
    await this.#settle()
    await this.#producer.flush()
  }

  /** First offset of that partition behind what was acknowledged; null if nothing was written to it here. */
  nextOffset(topic: string, partition: number): Offset | null {
    const last = this.#appenders.get(topic)?.[partition]?.lastOffset ?? -1
    return last < 0 ? null : last + 1
  }

  async close(): Promise<void> {
    await this.#producer.close()
  }

  #open(topic: string): PartitionAppender[] | null {
    const partitions = this.#producer.knownPartitionsOf(topic)
    if (partitions === undefined || this.#waiting.has(topic)) return null
    const appenders = new Array<PartitionAppender>(partitions)
    this.#appenders.set(topic, appenders)
    return appenders
  }

  #appender(topic: string, appenders: PartitionAppender[], partition: number): PartitionAppender {
    if (partition < 0 || partition >= appenders.length) {
      throw new MillraceError('UNKNOWN_PARTITION', `${partitionName(topic, partition)} does not exist: the topic has ${appenders.length} partitions.`, {
        hint: 'Let the partitioner answer numbers below the partition count that it is given.',
      })
    }
    const appender = this.#producer.appender(topic, partition)
    appenders[partition] = appender
    return appender
  }

  #nextKeyless(partitions: number): number {
    return Math.floor(this.#keyless++ / STICKY_RECORDS) % partitions
  }

  #wait(topic: string, record: WaitingRecord): void {
    const records = this.#waiting.get(topic)
    if (records === undefined) this.#waiting.set(topic, [record])
    else records.push(record)
  }

  async #settle(): Promise<void> {
    for (const [topic, records] of [...this.#waiting]) {
      const partitions = await this.#producer.partitionsOf(topic)
      if (partitions === null) {
        throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `The topic ${topic} does not exist, and a sink writes to it.`, { hint: `Create it: millrace topics create ${topic}` })
      }
      this.#waiting.delete(topic)
      this.sent -= records.length
      for (const record of records) this.send(topic, record.partition, record.key, record.value, record.timestamp, record.headers)
    }
  }
}

const MOST_PENDING_BYTES = 16 * 1024 * 1024
