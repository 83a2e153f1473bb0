// The two ends of a topology under test: topics to write to and topics to read from, typed by serdes.

import { MillraceError } from '../../core/error.ts'
import { Headers, type HeaderValue } from '../../core/headers.ts'
import type { StreamRecord, Timestamp } from '../../core/record.ts'
import type { Serde } from '../../core/serde.ts'
import type { MemoryRecord } from './memory-log.ts'

/** How a topic's keys and values are written or read. */
export interface TestSerdes<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** A record to send. What is left out: key null, the driver's wall time, no headers, the partition that the key chooses. */
export interface TestRecordInput<K, V> {
  readonly key?: K | null
  readonly value: V | null
  readonly timestamp?: Timestamp
  /** `Headers`, or `[name, value]` pairs. */
  readonly headers?: Headers | readonly (readonly [string, HeaderValue])[]
  readonly partition?: number
}

/** The same as bytes, for records that no serde would write. */
export interface RawRecordInput extends Omit<TestRecordInput<Uint8Array, Uint8Array>, 'headers'> {
  readonly headers?: Headers
}

/** A record read. */
export interface TestRecord<K, V> extends StreamRecord<K | null, V | null> {
  readonly partition: number
}

type RawSend = (key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp | undefined, headers: Headers | null, partition: number | null) => void

/** A topic that the topology reads. Each record is processed to its end before `send` comes back. */
export class TestInputTopic<K, V> {
  readonly topic: string
  readonly #serdes: TestSerdes<K, V>
  readonly #send: RawSend

  constructor(topic: string, serdes: TestSerdes<K, V>, send: RawSend) {
    this.topic = topic
    this.#serdes = serdes
    this.#send = send
  }

  /** @throws MillraceError what the topology failed with */
  send({ key = null, value, timestamp, headers, partition }: TestRecordInput<K, V>): void {
    const keyBytes = key === null ? null : this.#serdes.key.serialize(key)
    const valueBytes = value === null ? null : this.#serdes.value.serialize(value)
    this.#send(keyBytes, valueBytes, timestamp, headers === undefined || headers instanceof Headers ? (headers ?? null) : Headers.of(...headers), partition ?? null)
  }

  sendAll(records: Iterable<TestRecordInput<K, V>>): void {
    for (const record of records) this.send(record)
  }

  sendRaw({ key = null, value, timestamp, headers, partition }: RawRecordInput): void {
    this.#send(key, value, timestamp, headers ?? null, partition ?? null)
  }
}

/** A topic that the topology writes. Records are read once, in the order they were written. */
export class TestOutputTopic<K, V> {
  readonly topic: string
  readonly #serdes: TestSerdes<K, V>
  readonly #records: MemoryRecord[]

  constructor(topic: string, serdes: TestSerdes<K, V>, records: MemoryRecord[]) {
    this.topic = topic
    this.#serdes = serdes
    this.#records = records
  }

  /** Records not read yet. */
  get size(): number {
    return this.#records.length
  }

  /** The next record. @throws MillraceError NO_RECORD if there is none */
  read(): TestRecord<K, V> {
    const record = this.#records.shift()
    if (record === undefined) throw new MillraceError('NO_RECORD', `The topic ${this.topic} has no more records.`, { hint: 'Ask `size` first, or use readAll().' })
    return this.#decode(record)
  }

  /** All records not read yet. */
  readAll(): TestRecord<K, V>[] {
    return this.#records.splice(0).map(record => this.#decode(record))
  }

  /** The values of all records not read yet. */
  readValues(): (V | null)[] {
    return this.readAll().map(record => record.value)
  }

  /** Keys and values of all records not read yet. */
  readPairs(): (readonly [K | null, V | null])[] {
    return this.readAll().map(({ key, value }) => [key, value] as const)
  }

  /** The last value of each key, as a table reads it: nulls delete. */
  readTable(): Map<K | null, V> {
    const table = new Map<K | null, V>()
    for (const { key, value } of this.readAll()) {
      if (value === null) table.delete(key)
      else table.set(key, value)
    }
    return table
  }

  #decode({ key, value, timestamp, headers, partition }: MemoryRecord): TestRecord<K, V> {
    return {
      key: key === null ? null : this.#serdes.key.deserialize(key, 0, key.length),
      value: value === null ? null : this.#serdes.value.deserialize(value, 0, value.length),
      timestamp,
      headers: headers ?? new Headers(),
      partition,
    }
  }
}
