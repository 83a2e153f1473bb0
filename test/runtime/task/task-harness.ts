// Puts one task under test: feeds it batches, shows what it wrote.

import type { Headers } from '../../../core/headers.ts'
import type { CommittedOffset, FetchedRecords } from '../../../core/log-port.ts'
import { partitionOf } from '../../../core/murmur2.ts'
import type { RecordCursor } from '../../../core/record.ts'
import { repartitionTopicName, type Topology } from '../../../core/topology/topology.ts'
import type { Collector } from '../../../runtime/operators/collector.ts'
import type { ErrorHandler } from '../../../runtime/operators/error-handler.ts'
import { Task } from '../../../runtime/task/task.ts'
import { memoryTaskState } from '../../../state/memory-task-state.ts'
import type { TaskState } from '../../../state/store.ts'

export interface FedRecord {
  readonly key?: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers?: Headers
  /** Default: one behind the record before. */
  readonly offset?: number
}

export interface WrittenRecord {
  readonly topic: string
  readonly partition: number | null
  readonly key: string | null
  readonly value: Buffer | null
  readonly timestamp: number
}

export interface HarnessOptions {
  readonly subtopology?: number
  readonly partition?: number
  readonly partitions?: number
  readonly state?: TaskState
  readonly committed?: ReadonlyMap<string, CommittedOffset>
  readonly holdUpdates?: boolean
  readonly onDeserializationError?: ErrorHandler
  readonly onProcessingError?: ErrorHandler
  readonly wallTimeMs?: number
}

export class TaskHarness implements Collector {
  readonly task: Task
  readonly state: TaskState
  readonly partition: number
  readonly written: WrittenRecord[] = []
  readonly #partitions: number
  readonly #nextOffsets = new Map<string, number>()

  constructor(topology: Topology, options: HarnessOptions = {}) {
    const subtopology = topology.subtopologies[options.subtopology ?? 0]!
    this.partition = options.partition ?? 0
    this.#partitions = options.partitions ?? 1
    this.state = options.state ?? memoryTaskState(topology.stores.filter(store => subtopology.stores.includes(store.name)))
    const topics = [...subtopology.sourceTopics, ...subtopology.repartitionSources.map(name => repartitionTopicName('app', name))]
    this.task = new Task({
      topology,
      subtopology,
      partition: this.partition,
      applicationId: 'app',
      state: this.state,
      globals: new Map(),
      collector: this,
      onDeserializationError: options.onDeserializationError ?? 'fail',
      onProcessingError: options.onProcessingError ?? 'fail',
      partitions: topics.map(topic => ({ topic, partition: this.partition })),
      committed: options.committed ?? new Map(),
      wallTimeMs: options.wallTimeMs ?? 0,
      holdUpdates: options.holdUpdates ?? false,
    })
  }

  send(topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null, timestamp: number): void {
    const at = partition ?? (key === null ? null : partitionOf(key, this.#partitions))
    this.written.push({ topic, partition: at, key: key === null ? null : Buffer.from(key).toString(), value: value === null ? null : Buffer.from(value), timestamp })
  }

  partitionsOf(): number {
    return this.#partitions
  }

  /** Adds one fetch. `end`: where the partition ends; default: behind these records. */
  feed(topic: string, records: readonly FedRecord[], options: { readonly nextOffset?: number; readonly end?: number } = {}): void {
    const first = this.#nextOffsets.get(topic) ?? 0
    const cursor = new ListCursor(records, first)
    const nextOffset = options.nextOffset ?? Math.max(first, ...cursor.offsets.map(offset => offset + 1))
    this.#nextOffsets.set(topic, nextOffset)
    const fetched: FetchedRecords = { topic, partition: this.partition, cursor, bytes: records.length * 100, nextOffset, highWatermark: options.end ?? nextOffset }
    this.task.add(fetched)
  }

  /** Processes all there is. */
  run(): number {
    let processed = 0
    for (let some = this.task.process(100, 0); some > 0; some = this.task.process(100, 0)) processed += some
    return processed
  }

  /** Values written to a topic since the last call, as text. */
  values(topic: string): (string | null)[] {
    const taken = this.written.filter(record => record.topic === topic)
    this.written.splice(0, this.written.length, ...this.written.filter(record => record.topic !== topic))
    return taken.map(record => record.value?.toString() ?? null)
  }
}

class ListCursor implements RecordCursor {
  readonly offsets: readonly number[]
  readonly #records: readonly FedRecord[]
  #at = -1
  buffer: Buffer = Buffer.alloc(0)
  keyStart = -1
  keyEnd = 0
  valueStart = -1
  valueEnd = 0

  constructor(records: readonly FedRecord[], firstOffset: number) {
    this.#records = records
    let next = firstOffset
    this.offsets = records.map(record => {
      const offset = record.offset ?? next
      next = offset + 1
      return offset
    })
  }

  next(): boolean {
    const record = this.#records[++this.#at]
    if (record === undefined) return false
    const key = record.key === undefined || record.key === null ? null : Buffer.from(record.key)
    const value = record.value === null ? null : Buffer.from(record.value)
    this.buffer = Buffer.concat([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)])
    this.keyStart = key === null ? -1 : 0
    this.keyEnd = key?.length ?? 0
    this.valueStart = value === null ? -1 : this.keyEnd
    this.valueEnd = this.buffer.length
    return true
  }

  get offset(): number {
    return this.offsets[this.#at]!
  }

  get timestamp(): number {
    return this.#records[this.#at]!.timestamp
  }

  headers(): Headers | null {
    return this.#records[this.#at]!.headers ?? null
  }
}
