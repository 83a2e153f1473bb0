// Keeps the tasks of a worker: opens their stores, restores what is missing, and holds their state open while a rebalance decides.

import type { Clock } from '../core/clock.ts'
import type { CommittedOffset, FetchedRecords, LogPort } from '../core/log-port.ts'
import type { Logger } from '../core/logger.ts'
import { partitionName, type TopicPartition } from '../core/record.ts'
import { changelogTopicName, type Topology } from '../core/topology/topology.ts'
import { openTaskState, type StateBudget } from '../state/index.ts'
import type { KeyValueStore, TaskState } from '../state/store.ts'
import { taskName, taskPartitions, type TaskId } from './assignment.ts'
import type { ErrorHandler } from './operators/error-handler.ts'
import type { PartitionCounts } from './internal-topics.ts'
import { restoreStores, type RestoreProgress } from './restore.ts'
import type { StateDirectory } from './state-directory.ts'
import type { Collector } from './operators/collector.ts'
import type { TaskCounters } from './operators/task-context.ts'
import { Task } from './task/task.ts'

export interface RunningTask {
  readonly id: TaskId
  readonly task: Task
  readonly state: TaskState
  readonly partitions: readonly TopicPartition[]
}

export interface TaskKeeperOptions {
  readonly applicationId: string
  readonly topology: Topology
  readonly counts: PartitionCounts
  readonly log: LogPort
  readonly collector: Collector
  readonly directory: StateDirectory
  readonly budget: StateBudget
  readonly globals: ReadonlyMap<string, KeyValueStore<unknown, unknown>>
  readonly holdUpdates: boolean
  readonly onDeserializationError: ErrorHandler
  readonly onProcessingError: ErrorHandler
  readonly onRestore: (progress: RestoreProgress) => void
  readonly clock: Clock
  readonly logger: Logger
}

export class TaskKeeper {
  readonly running: Map<string, RunningTask> = new Map()
  readonly logger: Logger
  readonly #options: TaskKeeperOptions
  readonly #suspended = new Map<string, TaskState>()
  readonly #byPartition = new Map<string, Task>()
  readonly #past = { processed: 0, dropped: 0, skipped: 0 }
  readonly #stopping = new AbortController()

  constructor(options: TaskKeeperOptions) {
    this.#options = options
    this.logger = options.logger
  }

  taskOf(records: FetchedRecords): Task | undefined {
    return this.#byPartition.get(partitionName(records.topic, records.partition))
  }

  /** Names of tasks whose state is here, running or waiting. */
  held(): string[] {
    return [...new Set([...this.running.keys(), ...this.#suspended.keys(), ...this.#options.directory.tasksHere()])]
  }

  /** Of the tasks that run and those that ran. */
  counters(): Pick<TaskCounters, 'processed' | 'dropped' | 'skipped'> {
    const sum = { ...this.#past }
    for (const { task } of this.running.values()) addCounters(sum, task.counters)
    return sum
  }

  /** True when uncommitted rows need a commit before more is processed. */
  overBudget(): boolean {
    const { budget } = this.#options
    let dirty = 0
    for (const { state } of this.running.values()) dirty += state.dirtyBytes
    return dirty > budget.limitBytes / 2
  }

  /** Makes exactly these tasks run: state that is here is kept, the rest is opened and restored. */
  async run(ids: readonly TaskId[], committed: ReadonlyMap<string, CommittedOffset>): Promise<void> {
    const wanted = new Set(ids.map(taskName))
    for (const [name, state] of this.#suspended) {
      if (wanted.has(name)) continue
      this.#suspended.delete(name)
      await state.close()
    }
    const states = await Promise.all(ids.map(id => this.#open(id, ids.length)))
    await this.#restore(ids, states)
    if (this.#stopping.signal.aborted) return
    ids.forEach((id, index) => this.#start(id, states[index]!, committed))
  }

  /** Stops the tasks and keeps their state open; what was not committed stays in it, so commit first. */
  suspendAll(): void {
    for (const [name, { task, state }] of this.running) {
      task.close()
      this.#suspended.set(name, state)
    }
    this.#forget()
  }

  /** Ends a restore in progress, so that closing need not wait for it; no task starts afterwards. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Stops the tasks and closes their state. What was not committed is dropped. */
  async closeAll(): Promise<void> {
    const states = [...this.running.values()].map(({ state }) => state).concat([...this.#suspended.values()])
    for (const { task } of this.running.values()) task.close()
    this.#forget()
    this.#suspended.clear()
    for (const state of states) await state.close()
  }

  #forget(): void {
    for (const { task } of this.running.values()) addCounters(this.#past, task.counters)
    this.running.clear()
    this.#byPartition.clear()
  }

  async #open(id: TaskId, tasks: number): Promise<TaskState> {
    const { topology, directory, budget } = this.#options
    const name = taskName(id)
    const suspended = this.#suspended.get(name)
    if (suspended !== undefined) return suspended
    const own = new Set(topology.subtopologies[id.subtopology]!.stores)
    const state = await openTaskState({ directory: directory.taskPath(id), stores: topology.stores.filter(store => own.has(store.name)), budget, tasks })
    this.#suspended.set(name, state)
    return state
  }

  async #restore(ids: readonly TaskId[], states: readonly TaskState[]): Promise<void> {
    const { applicationId, log, onRestore } = this.#options
    const restorables = ids.flatMap((id, index) =>
      [...states[index]!.stores.values()]
        .filter(store => store.description.logged)
        .map(({ description }) => ({
          topic: changelogTopicName(applicationId, description.name),
          partition: id.partition,
          state: states[index]!,
          store: description.name,
          checkpoint: description.name,
          resumes: description.medium === 'level',
        })),
    )
    await restoreStores(log, restorables, onRestore, this.#stopping.signal)
  }

  #start(id: TaskId, state: TaskState, committed: ReadonlyMap<string, CommittedOffset>): void {
    const { topology, applicationId, counts, collector, globals, holdUpdates, onDeserializationError, onProcessingError } = this.#options
    const partitions = taskPartitions(topology, counts, applicationId, id)
    const task = new Task({
      topology,
      subtopology: topology.subtopologies[id.subtopology]!,
      partition: id.partition,
      applicationId,
      state,
      globals,
      collector,
      holdUpdates,
      onDeserializationError,
      onProcessingError,
      committed,
      partitions,
      wallTimeMs: this.#options.clock.now(),
    })
    const name = taskName(id)
    this.#suspended.delete(name)
    this.running.set(name, { id, task, state, partitions })
    for (const { topic, partition } of partitions) this.#byPartition.set(partitionName(topic, partition), task)
  }
}

function addCounters(sum: { processed: number; dropped: number; skipped: number }, counters: TaskCounters): void {
  sum.processed += counters.processed
  sum.dropped += counters.dropped
  sum.skipped += counters.skipped
}
