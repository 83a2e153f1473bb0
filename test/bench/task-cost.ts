// What a task costs per record, without a log: `node tools/run-ts.mjs test/bench/task-cost.ts [records] [workload]`. Prints nanoseconds of processor time per record, so that busy neighbours matter less.

import { StreamsBuilder, serdes, tumbling, type Topology } from 'millrace'
import type { Headers } from '../../core/headers.ts'
import type { FetchedRecords } from '../../core/log-port.ts'
import { partitionOf } from '../../core/murmur2.ts'
import type { RecordCursor } from '../../core/record.ts'
import { Task } from '../../runtime/task/task.ts'
import { memoryTaskState } from '../../state/memory-task-state.ts'
import type { Collector } from '../../runtime/operators/collector.ts'

const RECORDS = Number(process.argv[2] ?? 1_000_000)
const BATCH = 5_000
/** Records between two commits. */
const COMMIT = 100_000

interface Workload {
  readonly topology: Topology
  readonly keys: number
  readonly holdUpdates: boolean
  /** Rows put into this topic first. */
  readonly table?: string
}

const text = { key: serdes.string, value: serdes.string }

const workloads: Readonly<Record<string, () => Workload>> = {
  'decode only': () => ({ topology: built(builder => builder.stream('in', text).forEach(() => {})), keys: 10_000, holdUpdates: true }),
  stateless: () => ({ topology: built(builder => builder.stream('in', text).filter(() => true).mapValues(value => value).to('out', text)), keys: 10_000, holdUpdates: true }),
  'count 10k': () => ({ topology: counted(), keys: 10_000, holdUpdates: true }),
  'count 10k, every update out': () => ({ topology: counted(), keys: 10_000, holdUpdates: false }),
  'count 1m': () => ({ topology: counted(), keys: 1_000_000, holdUpdates: true }),
  tumbling: () => ({
    topology: built(builder => builder.stream('in', text).groupByKey().windowedBy(tumbling(1_000_000)).count().toStream().to('out', { value: serdes.int64 })),
    keys: 10_000,
    holdUpdates: true,
  }),
  'stream-table': () => ({
    topology: built(builder => builder.stream('in', text).join(builder.table('table', text), (value, row) => value + row).to('out', text)),
    keys: 10_000,
    holdUpdates: true,
    table: 'table',
  }),
}

function built(describe: (builder: StreamsBuilder) => void): Topology {
  const builder = new StreamsBuilder()
  describe(builder)
  return builder.build()
}

function counted(): Topology {
  return built(builder => builder.stream('in', text).groupByKey().count().toStream().to('out', { value: serdes.int64 }))
}

/** Takes what a producer would take: it must copy, so bytes are touched. */
class NullCollector implements Collector {
  readonly #into = Buffer.alloc(1 << 16)
  records = 0

  send(_topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null): void {
    this.records++
    if (key !== null) {
      this.#into.set(key, 0)
      if (partition === null) partitionOf(key, 4)
    }
    if (value !== null) this.#into.set(value, 1024)
  }

  partitionsOf(): number {
    return 1
  }
}

/** Records of one shape laid out one behind the other, as in a batch. */
class LaidOutCursor implements RecordCursor {
  readonly buffer: Buffer
  readonly #keyLength: number
  readonly #valueLength: number
  offset: number
  timestamp: number
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0
  #left: number
  #at = 0

  constructor(buffer: Buffer, keyLength: number, valueLength: number, count: number, firstOffset: number) {
    this.buffer = buffer
    this.#keyLength = keyLength
    this.#valueLength = valueLength
    this.#left = count
    this.offset = firstOffset - 1
    this.timestamp = firstOffset - 1
  }

  next(): boolean {
    if (this.#left-- === 0) return false
    this.offset++
    this.timestamp++
    this.keyStart = this.#at
    this.keyEnd = this.valueStart = this.#at + this.#keyLength
    this.valueEnd = this.#at = this.valueStart + this.#valueLength
    return true
  }

  headers(): Headers | null {
    return null
  }
}

const KEY_LENGTH = 11
const VALUE = 'the quick brown fox jumps over the lazy dog, and then some more of it all, to come to one hundred by'

function batches(topic: string, count: number, keyAt: (index: number) => number): FetchedRecords[] {
  const list: FetchedRecords[] = []
  for (let first = 0; first < count; first += BATCH) {
    const size = Math.min(BATCH, count - first)
    const buffer = Buffer.from(Array.from({ length: size }, (_, i) => `key-${String(keyAt(first + i)).padStart(7, '0')}${VALUE}`).join(''), 'latin1')
    list.push({ topic, partition: 0, cursor: new LaidOutCursor(buffer, KEY_LENGTH, VALUE.length, size, first), bytes: buffer.length, nextOffset: first + size, highWatermark: count })
  }
  return list
}

/** Each workload runs this often; the least counts, for what disturbs only adds. */
const ROUNDS = 3

function run(name: string, workload: Workload): void {
  const costs = Array.from({ length: ROUNDS }, () => cost(workload))
  console.log(`${name.padEnd(30)} ${Math.min(...costs).toFixed(0).padStart(6)} ns/record`)
}

function cost({ topology, keys, holdUpdates, table }: Workload): number {
  const collector = new NullCollector()
  const partitions = topology.subtopologies[0]!.sourceTopics.map(topic => ({ topic, partition: 0 }))
  const task = new Task({
    topology,
    subtopology: topology.subtopologies[0]!,
    partition: 0,
    applicationId: 'bench',
    state: memoryTaskState(topology.stores),
    globals: new Map(),
    collector,
    onDeserializationError: 'fail',
    onProcessingError: 'fail',
    partitions,
    committed: new Map(),
    wallTimeMs: 0,
    holdUpdates,
  })
  for (const { topic } of partitions) task.caughtUp(topic, 0, true)
  if (table !== undefined) {
    for (const batch of batches(table, keys, index => index)) task.add(batch)
    while (task.process(BATCH, 0) > 0);
    task.flush()
  }
  let seed = 1
  const input = batches('in', RECORDS, () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % keys)
  const start = process.cpuUsage()
  let processed = 0
  let committed = 0
  for (const batch of input) {
    task.add(batch)
    processed += task.process(BATCH, 0)
    if (processed - committed >= COMMIT) {
      task.flush()
      committed = processed
    }
  }
  task.flush()
  const { user, system } = process.cpuUsage(start)
  return ((user + system) * 1000) / processed
}

const only = process.argv[3] ?? ''
for (const [name, make] of Object.entries(workloads)) if (only === '' || name === only) run(name, make())
