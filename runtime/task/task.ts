// A task runs one partition of one subtopology: fetched records in, writes out, synchronously; it knows no thread, client or clock.

import { assert } from '../../core/error.ts'
import type { CommittedOffset, FetchedRecords } from '../../core/log-port.ts'
import { partitionName, type Offset, type Timestamp, type TopicPartition } from '../../core/record.ts'
import type { TopologyNode } from '../../core/topology/node.ts'
import { changelogTopicName, repartitionTopicName, type Subtopology, type Topology } from '../../core/topology/topology.ts'
import type { KeyValueStore, TaskState } from '../../state/store.ts'
import type { Collector } from '../operators/collector.ts'
import type { ErrorHandler } from '../operators/error-handler.ts'
import type { Operator } from '../operators/operator.ts'
import { createOperator } from '../operators/operators.ts'
import type { Punctuations } from '../operators/punctuations.ts'
import { TaskContext, type TaskCounters } from '../operators/task-context.ts'
import { decodePartitionTime, encodePartitionTime } from './partition-time-metadata.ts'
import { RecordQueue } from './record-queue.ts'

export interface TaskOptions {
  readonly topology: Topology
  readonly subtopology: Subtopology
  readonly partition: number
  readonly applicationId: string
  /** Restored already. The task flushes it; committing and closing it are the owner's. */
  readonly state: TaskState
  /** Stores of the global tables, by store name. */
  readonly globals: ReadonlyMap<string, KeyValueStore<unknown, unknown>>
  readonly collector: Collector
  readonly onDeserializationError: ErrorHandler
  readonly onProcessingError: ErrorHandler
  /** What this task reads, by real topic name. */
  readonly partitions: readonly TopicPartition[]
  /** By `partitionName`, as the group has it; absent where nothing was committed. */
  readonly committed: ReadonlyMap<string, CommittedOffset>
  /** Wall time now, where wall-clock punctuations begin. */
  readonly wallTimeMs: Timestamp
  /** True: updates of tables wait for `flush`, so that only a key's last one goes on. False: every update goes on at once. */
  readonly holdUpdates: boolean
}

export interface TaskPosition extends TopicPartition {
  /** Next record to process. */
  readonly offset: Offset
  /** The partition time in Kafka Streams' form. */
  readonly metadata: string
}

export class Task {
  /** `<subtopology>_<partition>`. */
  readonly id: string
  readonly #context: TaskContext
  readonly #state: TaskState
  readonly #operators: readonly Operator[]
  /** In the order of the subtopology's sources: of equal timestamps, the first queue's goes first. */
  readonly #queues: readonly RecordQueue[]
  readonly #queueOf: ReadonlyMap<string, RecordQueue>
  readonly #changelogTopics: ReadonlyMap<string, string>

  constructor(options: TaskOptions) {
    const { subtopology, applicationId, state } = options
    this.id = `${subtopology.id}_${options.partition}`
    this.#state = state
    this.#context = contextOf(options, this.id)
    this.#context.wallTime = options.wallTimeMs
    const operators = operatorsOf(options, this.#context)
    this.#operators = [...operators.values()]
    this.#queues = queuesOf(options, this.#context, operators)
    this.#queueOf = new Map(this.#queues.map(queue => [partitionName(queue.topic, queue.partition), queue]))
    this.#changelogTopics = new Map(subtopology.stores.map(store => [store, changelogTopicName(applicationId, store)]))
    for (const queue of this.#queues) this.#context.streamTime = Math.max(this.#context.streamTime, queue.partitionTime)
    for (const operator of this.#operators) operator.start(operators)
  }

  get counters(): TaskCounters {
    return this.#context.counters
  }

  /** A processor asked for a commit; reset by `flush`. */
  get commitRequested(): boolean {
    return this.#context.commitRequested
  }

  /** Highest event time processed, -1 before the first record. */
  get streamTime(): Timestamp {
    return this.#context.streamTime
  }

  /** When the next wall-clock punctuation is due; infinity if there is none. */
  get nextPunctuation(): Timestamp {
    return this.#context.wallPunctuations.nextDue
  }

  /** Takes what was fetched of one of its partitions; the cursor is consumed in place while the records are processed. */
  add(records: FetchedRecords): void {
    this.#queue(records.topic, records.partition).add(records)
  }

  bufferedBytes(topic: string, partition: number): number {
    return this.#queue(topic, partition).bufferedBytes
  }

  /**
   * Whether a partition has been read to its end. An empty partition that has not makes the task wait, so that records of two
   * topics are taken oldest first. Known from each fetch; said by the owner where there is nothing to fetch.
   */
  caughtUp(topic: string, partition: number, value: boolean): void {
    this.#queue(topic, partition).atEnd = value
  }

  /** True if `process` would take a record now. */
  hasWork(): boolean {
    return this.#queues.some(queue => !queue.empty) && this.#queues.every(queue => !queue.empty || queue.atEnd)
  }

  /** Processes at most so many records, oldest first, and the stream-time punctuations they make due. Answers how many; 0 when it must wait. */
  process(maxRecords: number, wallTimeMs: Timestamp): number {
    const context = this.#context
    context.wallTime = wallTimeMs
    let processed = 0
    for (; processed < maxRecords; processed++) {
      const queue = this.#oldest()
      if (queue === null) break
      if (queue.timestamp > context.streamTime) context.streamTime = queue.timestamp
      context.counters.processed++
      queue.process()
      if (context.streamTime >= context.streamPunctuations.nextDue) this.#punctuate(context.streamPunctuations, context.streamTime)
    }
    return processed
  }

  /** Runs the wall-clock punctuations that are due. True if there were any. */
  punctuate(wallTimeMs: Timestamp): boolean {
    this.#context.wallTime = wallTimeMs
    return wallTimeMs >= this.#context.wallPunctuations.nextDue && this.#punctuate(this.#context.wallPunctuations, wallTimeMs)
  }

  /** Forwards held-back updates, then writes the changelog of what changed. */
  flush(): void {
    const { collector, partition } = this.#context
    for (const operator of this.#operators) operator.flush()
    this.#state.flush((store, key, value, timestamp, headers) => {
      collector.send(this.#changelogTopics.get(store.name)!, partition, key, value, timestamp, headers)
    })
    this.#context.commitRequested = false
  }

  /** Of the partitions that something was read from. */
  positions(): readonly TaskPosition[] {
    return this.#queues
      .filter(queue => queue.position >= 0)
      .map(({ topic, partition, position, partitionTime }) => ({ topic, partition, offset: position, metadata: encodePartitionTime(partitionTime) }))
  }

  /** What to store with the commit: the task finds it in its state's checkpoint at construction. */
  clocks(): ReadonlyMap<string, number> {
    return new Map(this.#context.clocks())
  }

  /** Closes the processors, all of them, then throws what the first one threw. */
  close(): void {
    const failures: unknown[] = []
    for (const operator of this.#operators) {
      try {
        operator.close()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #queue(topic: string, partition: number): RecordQueue {
    const queue = this.#queueOf.get(partitionName(topic, partition))
    assert(queue !== undefined, `task ${this.id} reads ${topic}-${partition}`)
    return queue
  }

  /** The queue whose first record is the oldest. Null if there is none, or if a partition that has more to give is empty. */
  #oldest(): RecordQueue | null {
    const queues = this.#queues
    let oldest: RecordQueue | null = null
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[i]!
      if (!queue.hasHead && !queue.load()) {
        if (!queue.atEnd) return null
      } else if (oldest === null || queue.timestamp < oldest.timestamp) {
        oldest = queue
      }
    }
    return oldest
  }

  #punctuate(punctuations: Punctuations, time: Timestamp): boolean {
    const context = this.#context
    context.topic = null
    context.sourcePartition = -1
    context.offset = -1
    context.timestamp = time
    context.counters.punctuated++
    return punctuations.run(time)
  }
}

function contextOf(options: TaskOptions, taskId: string): TaskContext {
  const { topology, subtopology, state } = options
  const own = new Set(subtopology.nodes)
  return new TaskContext({
    ...options,
    taskId,
    stores: state.stores,
    repartitions: new Map(topology.repartitions.map(repartition => [repartition.name, repartition])),
    headersChange: topology.nodes.some(node => node.kind === 'process' && !node.fixedKey && own.has(node.name)),
    clocks: state.checkpoint.clocks,
  })
}

/** All operators by name, parents first, each joined to its children in the order of the topology. */
function operatorsOf({ topology, subtopology }: TaskOptions, context: TaskContext): ReadonlyMap<string, Operator> {
  const own = new Set(subtopology.nodes)
  const operators = new Map<string, Operator>()
  for (const node of topology.nodes) {
    if (!own.has(node.name)) continue
    const operator = createOperator(node, context)
    operators.set(node.name, operator)
    for (const parent of new Set(node.parents)) {
      const above = operators.get(parent)
      assert(above !== undefined, `${parent} comes before its child ${node.name}, in one subtopology`)
      above.children.push(...operator.inputs(parent))
    }
  }
  return operators
}

function queuesOf(options: TaskOptions, context: TaskContext, operators: ReadonlyMap<string, Operator>): RecordQueue[] {
  const { topology, subtopology, applicationId, partitions, committed } = options
  const sources = new Map(topology.nodes.flatMap(node => topicsOf(node).map(topic => [topic, node] as const)))
  const names = [...subtopology.sourceTopics, ...subtopology.repartitionSources.map(name => repartitionTopicName(applicationId, name))]
  return names.flatMap(topic => {
    const partition = partitions.find(other => other.topic === topic)
    const node = sources.get(topic)
    assert(node !== undefined, `${topic} has a source`)
    if (partition === undefined) return []
    const metadata = committed.get(partitionName(topic, partition.partition))?.metadata ?? ''
    const shared = { ...partition, source: operators.get(node.name)!, partitionTime: decodePartitionTime(metadata) }
    if (node.kind === 'source') return [new RecordQueue({ ...shared, serdes: node.serdes, changes: false, extractor: node.timestamp }, context)]
    assert(node.kind === 'repartition-source', `${node.name} is a source`)
    const { serdes, changes } = context.repartition(node.repartition)
    return [new RecordQueue({ ...shared, serdes, changes, extractor: null }, context)]
  })

  function topicsOf(node: TopologyNode): readonly string[] {
    if (node.kind === 'source') return node.topics
    return node.kind === 'repartition-source' ? [repartitionTopicName(applicationId, node.repartition)] : []
  }
}
