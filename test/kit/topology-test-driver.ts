// Runs a topology in a test: records in, records out, stores and wall time at hand; synchronous, with real tasks, without a log.

import { toMs, type Duration } from '../../core/duration.ts'
import { MillraceError } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import { partitionName, type Timestamp } from '../../core/record.ts'
import { repartitionTopicName, type GlobalTable, type Topology } from '../../core/topology/topology.ts'
import { isTopology } from '../../core/topology/topology.ts'
import { verdictOf, type ErrorHandler } from '../../runtime/operators/error-handler.ts'
import { memoryTaskState } from '../../state/memory-task-state.ts'
import type { KeyValueStore, Store } from '../../state/store.ts'
import { drivenTasks, type DrivenTasks } from './driven-tasks.ts'
import { fetchedRecord, MemoryLog, type MemoryRecord } from './memory-log.ts'
import { TestStore } from './test-store.ts'
import { TestInputTopic, TestOutputTopic, type TestSerdes } from './test-topics.ts'

export interface TopologyTestDriverOptions {
  /** Prefix of internal topics. Default `test`. */
  readonly applicationId?: string
  /** Wall time at the start, milliseconds. Default 0. */
  readonly startWallTime?: Timestamp
  /** Partitions of the user's topics: of all, or by name. Default 1. */
  readonly partitions?: number | Readonly<Record<string, number>>
  /** Whether updates of tables wait for the commit, which comes after each record here. Default false. */
  readonly holdUpdates?: boolean
  /** Default `fail`. */
  readonly onDeserializationError?: ErrorHandler
  /** Default `fail`. */
  readonly onProcessingError?: ErrorHandler
  /** The whole topology as one task with one partition, as Java's driver runs it. Default: a task for each partition of each subtopology, as the runtime does. */
  readonly singleTask?: boolean
}

/**
 * ```ts
 * using driver = new TopologyTestDriver(topology, { partitions: 3 })
 * driver.input('sentences').send({ value: 'to be or not to be' })
 * expect(driver.output('word-counts').readTable().get('be')).toBe(2)
 * ```
 * Serdes of topics come from the topology; give them where it does not name a topic, or to have types.
 * Every record is processed to its end, through all subtopologies, and committed, before `send` comes back.
 */
export class TopologyTestDriver {
  readonly #topology: Topology
  readonly #applicationId: string
  readonly #partitions: number | Readonly<Record<string, number>>
  readonly #onDeserializationError: ErrorHandler
  readonly #log: MemoryLog
  readonly #driven: DrivenTasks
  readonly #globalStores: ReadonlyMap<string, KeyValueStore<unknown, unknown>>
  readonly #written = new Map<string, MemoryRecord[]>()
  readonly #undelivered: MemoryRecord[] = []
  #wallTime: Timestamp
  #droppedByGlobals = 0
  #skippedByGlobals = 0

  constructor(topology: Topology | { build(): Topology }, options: TopologyTestDriverOptions = {}) {
    this.#topology = isTopology(topology) ? topology : topology.build()
    this.#applicationId = options.applicationId ?? 'test'
    this.#partitions = options.partitions ?? 1
    this.#wallTime = options.startWallTime ?? 0
    this.#onDeserializationError = options.onDeserializationError ?? 'fail'
    this.#globalStores = memoryTaskState(this.#topology.globals.map(table => table.store)).stores as ReadonlyMap<string, KeyValueStore<unknown, unknown>>
    this.#log = new MemoryLog(topic => this.#partitionsOf(topic), record => this.#wrote(record))
    this.#driven = drivenTasks({
      topology: this.#topology,
      applicationId: this.#applicationId,
      partitionsOf: topic => this.#userPartitionsOf(topic),
      collector: this.#log,
      globals: this.#globalStores,
      onDeserializationError: this.#onDeserializationError,
      onProcessingError: options.onProcessingError ?? 'fail',
      wallTimeMs: this.#wallTime,
      holdUpdates: options.holdUpdates ?? false,
      singleTask: options.singleTask ?? false,
    })
  }

  /** A topic that the topology reads. @throws MillraceError UNKNOWN_TOPIC */
  input<K = unknown, V = unknown>(topic: string, serdes?: TestSerdes<K, V>): TestInputTopic<K, V> {
    const known = this.#sourceSerdes(topic)
    if (known === undefined) throw new MillraceError('UNKNOWN_TOPIC', `The topology does not read the topic ${topic}.`, { hint: `It reads ${this.#sourceTopics().join(', ')}.` })
    return new TestInputTopic(topic, serdes ?? (known as TestSerdes<K, V>), (key, value, timestamp, headers, partition) => this.#pipe(topic, partition, key, value, timestamp ?? this.#wallTime, headers))
  }

  /** A topic that the topology writes, or any other that was written. @throws MillraceError UNKNOWN_SERDES */
  output<K = unknown, V = unknown>(topic: string, serdes?: TestSerdes<K, V>): TestOutputTopic<K, V> {
    const sink = this.#topology.nodes.find(node => node.kind === 'sink' && node.topic === topic)
    const known = sink?.kind === 'sink' ? (sink.serdes as unknown as TestSerdes<K, V>) : undefined
    const chosen = serdes ?? known
    if (chosen === undefined) throw new MillraceError('UNKNOWN_SERDES', `No sink of the topology names the topic ${topic}.`, { hint: 'Give serdes: driver.output(topic, { key, value }).' })
    return new TestOutputTopic(topic, chosen, this.#recordsOf(topic))
  }

  /** Topics written so far, internal ones included. */
  get writtenTopics(): readonly string[] {
    return [...this.#written.keys()]
  }

  /** A store by name: a table's, a processor's or a global one. @throws MillraceError UNKNOWN_STORE */
  store<K = unknown, V = unknown>(name: string): TestStore<K, V> {
    const global = this.#globalStores.get(name)
    const partitions: readonly Store[] | undefined = global === undefined ? this.#driven.stores.get(name) : [global]
    if (partitions === undefined) throw new MillraceError('UNKNOWN_STORE', `The topology has no store ${name}.`, { hint: `It has ${[...this.#driven.stores.keys(), ...this.#globalStores.keys()].join(', ') || 'none'}.` })
    return new TestStore(name, partitions)
  }

  get wallTime(): Timestamp {
    return this.#wallTime
  }

  /** Moves wall time and runs what falls due, each punctuation at most once. */
  advanceWallTime(by: Duration): void {
    this.#wallTime += toMs(by, 'wall time')
    for (const task of this.#driven.tasks) {
      task.punctuate(this.#wallTime)
      task.flush()
    }
    this.#settle()
  }

  /** Records left out as the language says: late, or without a key or value that is needed. */
  get dropped(): number {
    return this.#driven.tasks.reduce((sum, task) => sum + task.counters.dropped, this.#droppedByGlobals)
  }

  /** Bad records left out because a handler said `skip`. */
  get skipped(): number {
    return this.#driven.tasks.reduce((sum, task) => sum + task.counters.skipped, this.#skippedByGlobals)
  }

  close(): void {
    for (const task of this.#driven.tasks) task.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  #pipe(topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp, headers: Headers | null): void {
    this.#undelivered.push(this.#log.append(topic, partition, key, value, timestamp, headers))
    this.#settle()
  }

  #wrote(record: MemoryRecord): void {
    this.#recordsOf(record.topic).push(record)
    this.#undelivered.push(record)
  }

  #recordsOf(topic: string): MemoryRecord[] {
    let records = this.#written.get(topic)
    if (records === undefined) this.#written.set(topic, (records = []))
    return records
  }

  /** Round after round, each task takes its oldest record, until there is none left; a commit follows each record. */
  #settle(): void {
    this.#deliver()
    for (let progress = true; progress; ) {
      progress = false
      for (const task of this.#driven.tasks) {
        if (task.process(1, this.#wallTime) === 0) continue
        progress = true
        task.flush()
        this.#deliver()
      }
    }
  }

  #deliver(): void {
    for (const record of this.#undelivered.splice(0)) {
      this.#driven.readers.get(partitionName(record.topic, record.partition))?.add(fetchedRecord(record))
      for (const table of this.#topology.globals) if (table.topic === record.topic) this.#updateGlobal(table, record)
    }
  }

  #updateGlobal(table: GlobalTable, { key, value, timestamp, topic, partition, offset }: MemoryRecord): void {
    if (key === null) {
      this.#droppedByGlobals++
      return
    }
    const store = this.#globalStores.get(table.store.name)!
    try {
      const row = table.store.key.deserialize(key, 0, key.length)
      store.put(row, value === null ? null : table.store.value.deserialize(value, 0, value.length), timestamp)
    } catch (cause) {
      const error = new MillraceError('DESERIALIZATION', `The record at offset ${offset} of ${topic}-${partition} cannot be read by the global table ${table.name}: ${String(cause)}`, { cause })
      if (verdictOf(this.#onDeserializationError, { topic, partition, offset, operator: table.name, site: table.site, error }) === 'fail') throw error
      this.#skippedByGlobals++
    }
  }

  #partitionsOf(topic: string): number {
    for (const { name } of this.#topology.repartitions) {
      if (topic === repartitionTopicName(this.#applicationId, name)) return this.#driven.counts.get(name) ?? 1
    }
    return topic.startsWith(`${this.#applicationId}-`) && topic.endsWith('-changelog') ? Infinity : this.#userPartitionsOf(topic)
  }

  #userPartitionsOf(topic: string): number {
    return typeof this.#partitions === 'number' ? this.#partitions : (this.#partitions[topic] ?? 1)
  }

  #sourceTopics(): readonly string[] {
    return [...this.#topology.nodes.flatMap(node => (node.kind === 'source' ? node.topics : [])), ...this.#topology.globals.map(table => table.topic)]
  }

  #sourceSerdes(topic: string): TestSerdes<unknown, unknown> | undefined {
    for (const node of this.#topology.nodes) if (node.kind === 'source' && node.topics.includes(topic)) return node.serdes
    return this.#topology.globals.find(table => table.topic === topic)?.store
  }
}
