// The tasks of a topology under test, and who reads what: one task for each partition of each subtopology, or one for all.

import { MillraceError } from '../../core/error.ts'
import { partitionName, type TopicPartition } from '../../core/record.ts'
import type { Subtopology, Topology } from '../../core/topology/topology.ts'
import { allTasks, taskPartitions } from '../../runtime/assignment.ts'
import { partitionCounts, type PartitionCounts } from '../../runtime/internal-topics.ts'
import type { Collector } from '../../runtime/operators/collector.ts'
import type { ErrorHandler } from '../../runtime/operators/error-handler.ts'
import { Task } from '../../runtime/task/task.ts'
import { memoryTaskState } from '../../state/memory-task-state.ts'
import type { KeyValueStore, Store } from '../../state/store.ts'

export interface DrivenTasksOptions {
  readonly topology: Topology
  readonly applicationId: string
  /** Partitions of the user's topics. */
  readonly partitionsOf: (topic: string) => number
  readonly collector: Collector
  readonly globals: ReadonlyMap<string, KeyValueStore<unknown, unknown>>
  readonly onDeserializationError: ErrorHandler
  readonly onProcessingError: ErrorHandler
  readonly wallTimeMs: number
  readonly holdUpdates: boolean
  /** All subtopologies as one task, as Java's driver does. */
  readonly singleTask: boolean
}

export interface DrivenTasks {
  readonly tasks: readonly Task[]
  /** Partitions of every source topic, and of the repartition topics by unprefixed name. */
  readonly counts: PartitionCounts
  /** By `partitionName`. */
  readonly readers: ReadonlyMap<string, Task>
  /** By store name, partitions in order. */
  readonly stores: ReadonlyMap<string, readonly Store[]>
}

export function drivenTasks(options: DrivenTasksOptions): DrivenTasks {
  const topology = options.singleTask ? asOneSubtopology(options.topology) : options.topology
  const sources = topology.subtopologies.flatMap(subtopology => subtopology.sourceTopics)
  const counts = partitionCounts(topology, new Map(sources.map(topic => [topic, options.partitionsOf(topic)])))
  if (options.singleTask && [...counts.values()].some(count => count !== 1)) {
    throw new MillraceError('SINGLE_TASK', 'A topology that runs as a single task has one partition in each topic.', { hint: 'Leave out { partitions } or { singleTask }.' })
  }
  const tasks: Task[] = []
  const readers = new Map<string, Task>()
  const stores = new Map<string, Store[]>()
  for (const id of allTasks(topology, counts)) {
    const subtopology = topology.subtopologies[id.subtopology]!
    const state = memoryTaskState(topology.stores.filter(store => subtopology.stores.includes(store.name)))
    const partitions = taskPartitions(topology, counts, options.applicationId, id)
    const task = new Task({ ...options, topology, subtopology, partition: id.partition, state, partitions, committed: new Map() })
    tasks.push(task)
    for (const partition of partitions) readers.set(readBy(task, partition), task)
    for (const [name, store] of state.stores) stores.set(name, [...(stores.get(name) ?? []), store])
  }
  return { tasks, counts, readers, stores }
}

/** There is never more to come than what was sent. */
function readBy(task: Task, { topic, partition }: TopicPartition): string {
  task.caughtUp(topic, partition, true)
  return partitionName(topic, partition)
}

/** Repartition topics have one partition then, whatever the topology says. */
function asOneSubtopology(topology: Topology): Topology {
  const { subtopologies } = topology
  const repartitions = topology.repartitions.map(repartition => ({ ...repartition, partitions: 1 }))
  const all: Subtopology = {
    id: 0,
    nodes: topology.nodes.map(node => node.name),
    stores: topology.stores.map(store => store.name),
    sourceTopics: subtopologies.flatMap(subtopology => subtopology.sourceTopics),
    repartitionSources: subtopologies.flatMap(subtopology => subtopology.repartitionSources),
    copartitioned: subtopologies.flatMap(subtopology => subtopology.copartitioned),
  }
  return { ...topology, repartitions, subtopologies: all.sourceTopics.length === 0 ? [] : [all] }
}
