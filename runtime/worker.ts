// A worker is the loop around tasks: poll, process, punctuate, commit. It owns the waiting; the tasks own the meaning.

import type { Clock } from '../core/clock.ts'
import { MillraceError } from '../core/error.ts'
import type { CommittedOffset, GroupConsumer, LogPort, MemberAssignment } from '../core/log-port.ts'
import { partitionName, type TopicPartition } from '../core/record.ts'
import { changelogTopicName, repartitionTopicName, type Topology } from '../core/topology/topology.ts'
import { tasksOf } from './assignment.ts'
import { CommitPace } from './commit-pace.ts'
import type { GlobalTables } from './global-tables.ts'
import type { LogCollector } from './log-collector.ts'
import type { Task, TaskPosition } from './task/task.ts'
import type { RunningTask, TaskKeeper } from './task-keeper.ts'

/** Records a task may process before the next task has its turn. */
const TURN_RECORDS = 2000
/** How long tasks may run before sockets and timers have their turn. */
const SLICE_MS = 20
/** Longest wait for records when nothing else is due. */
const LONGEST_WAIT_MS = 100
/** A partition is paused while its task holds more than this. */
const MOST_QUEUED_BYTES = 4 * 1024 * 1024
const PURGE_INTERVAL_MS = 30_000
const LONGEST_COMMIT_INTERVAL_MS = 30_000
/** The commit was refused because the group moved on without us: what was not committed is somebody else's now. */
const FENCED = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID'])

export interface WorkerOptions {
  readonly applicationId: string
  readonly topology: Topology
  readonly log: LogPort
  readonly consumer: GroupConsumer
  readonly collector: LogCollector
  readonly keeper: TaskKeeper
  readonly globals: GlobalTables
  readonly commitIntervalMs: number | null
  readonly clock: Clock
  readonly onState: (state: 'REBALANCING' | 'RUNNING') => void
}

export interface WorkerCounters {
  readonly commits: number
  /** Milliseconds spent in commits. */
  readonly commitMs: number
}

/** What a commit will make durable: as things stood when it began. Processing goes on meanwhile. */
interface Prepared {
  readonly positions: readonly TaskPosition[]
  readonly tasks: readonly { readonly running: RunningTask; readonly clocks: ReadonlyMap<string, number> }[]
}

export class Worker {
  readonly #options: WorkerOptions
  readonly #pace: CommitPace
  readonly #paused = new Set<string>()
  #stopping = false
  /** Something was processed that no commit has begun to cover. */
  #dirty = false
  /** One commit at a time; it never rejects, `#commitFailure` is what it found. */
  #inFlight: Promise<void> | null = null
  #commitFailure: Error | null = null
  #lastPurge: number
  #waiters: ((idle: boolean) => void)[] = []
  #ended = false
  #commits = 0
  #commitMs = 0

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#pace = new CommitPace(options.commitIntervalMs, LONGEST_COMMIT_INTERVAL_MS, options.clock.monotonic())
    this.#lastPurge = options.clock.monotonic()
  }

  get counters(): WorkerCounters {
    return { commits: this.#commits, commitMs: this.#commitMs }
  }

  /** Runs until `stop`, then commits and leaves the group. @throws what ended it otherwise; nothing is committed then */
  async run(): Promise<void> {
    const { consumer, keeper } = this.#options
    try {
      await consumer.start({ revoked: () => this.#revoked(), assigned: assignment => this.#assigned(assignment), lost: () => this.#lost() })
      while (!this.#stopping) await this.#round()
      await this.#commitNow()
    } finally {
      await this.#inFlight
      await keeper.closeAll()
      await consumer.close()
      this.#ended = true
      this.#wake(false)
    }
  }

  /** The round in progress is finished first. */
  stop(): void {
    this.#stopping = true
    this.#options.keeper.stop()
  }

  /** Resolves with true when all that the assigned partitions hold is processed and committed, with false when the worker has ended. */
  untilIdle(): Promise<boolean> {
    return this.#ended ? Promise.resolve(false) : new Promise(resolve => this.#waiters.push(resolve))
  }

  async #round(): Promise<void> {
    const { clock, keeper } = this.#options
    await this.#poll()
    await this.#options.globals.update()
    const processed = await this.#process(clock.monotonic() + SLICE_MS)
    for (const { task } of keeper.running.values()) if (task.punctuate(clock.now())) this.#dirty = true
    if (processed > 0) this.#dirty = true
    const idle = processed === 0 && this.#caughtUp()
    if (this.#commitDue(idle)) {
      await this.#inFlight
      this.#startCommit()
    }
    if (idle) await this.#inFlight
    if (this.#commitFailure !== null) {
      await this.#commitFailed()
      this.#options.consumer.rejoin()
    }
    if (idle && !this.#dirty && this.#waiters.length > 0 && (await this.#nothingLeft())) this.#wake(true)
  }

  async #poll(): Promise<void> {
    const { consumer, keeper, clock } = this.#options
    const wait = [...keeper.running.values()].some(({ task }) => task.hasWork()) ? 0 : this.#waitMs()
    if (wait === 0) await clock.turn()
    for (const records of await consumer.poll(wait)) {
      keeper.taskOf(records)?.add(records)
    }
    for (const { task, partitions } of keeper.running.values()) {
      for (const partition of partitions) {
        task.caughtUp(partition.topic, partition.partition, this.#atEnd(partition))
        this.#regulate(task, partition)
      }
    }
  }

  /** Pauses a partition whose task is behind, resumes it when the queue is half empty. */
  #regulate(task: Task, partition: TopicPartition): void {
    const name = partitionName(partition.topic, partition.partition)
    const queued = task.bufferedBytes(partition.topic, partition.partition)
    if (queued > MOST_QUEUED_BYTES && !this.#paused.has(name)) {
      this.#paused.add(name)
      this.#options.consumer.pause([partition])
    } else if (queued <= MOST_QUEUED_BYTES / 2 && this.#paused.delete(name)) {
      this.#options.consumer.resume([partition])
    }
  }

  async #process(until: number): Promise<number> {
    const { keeper, clock, collector } = this.#options
    let total = 0
    for (let progress = true; progress; ) {
      progress = false
      for (const { task } of keeper.running.values()) {
        const processed = task.process(TURN_RECORDS, clock.now())
        total += processed
        progress ||= processed > 0
        if (collector.full) await collector.ready()
      }
      if (clock.monotonic() >= until) break
    }
    return total
  }

  #atEnd(partition: TopicPartition): boolean {
    const end = this.#options.consumer.endOffset(partition)
    const position = this.#options.consumer.position(partition)
    return end !== undefined && position !== undefined && position >= end
  }

  #caughtUp(): boolean {
    for (const { task, partitions } of this.#options.keeper.running.values()) {
      if (task.hasWork() || partitions.some(partition => !this.#atEnd(partition))) return false
    }
    return true
  }

  /** Zero only if there is something to do at once. */
  #waitMs(): number {
    const now = this.#options.clock.monotonic()
    if (this.#dirty) return this.#inFlight === null ? Math.ceil(Math.min(this.#pace.waitMs(now, this.#caughtUp()), LONGEST_WAIT_MS)) : LONGEST_WAIT_MS
    return this.#waiters.length > 0 && this.#caughtUp() ? 0 : LONGEST_WAIT_MS
  }

  #commitDue(idle: boolean): boolean {
    if (!this.#dirty) return false
    const { keeper, clock } = this.#options
    if (keeper.overBudget()) return true
    if (this.#inFlight !== null) return false
    for (const { task } of keeper.running.values()) if (task.commitRequested) return true
    if (idle && this.#waiters.length > 0) return true
    return this.#pace.waitMs(clock.monotonic(), idle) === 0
  }

  /** Commits all that was processed. @throws what a commit failed with, unless the group has moved on */
  async #commitNow(): Promise<void> {
    await this.#inFlight
    if (this.#dirty) this.#startCommit()
    await this.#inFlight
    if (this.#commitFailure !== null) await this.#commitFailed()
  }

  #startCommit(): void {
    const start = this.#options.clock.monotonic()
    this.#dirty = false
    const prepared = this.#prepare()
    this.#inFlight = this.#complete(prepared)
      .catch((error: unknown) => {
        this.#commitFailure = error as Error
      })
      .then(() => {
        this.#inFlight = null
        const end = this.#options.clock.monotonic()
        this.#commits++
        this.#commitMs += end - start
        this.#pace.committed(start, end)
        if (this.#commitFailure === null) this.#purge(prepared.positions, end)
      })
  }

  #prepare(): Prepared {
    const running = [...this.#options.keeper.running.values()]
    for (const { task } of running) task.flush()
    return {
      positions: running.flatMap(({ task }) => task.positions()),
      tasks: running.map(one => ({ running: one, clocks: one.task.clocks() })),
    }
  }

  /** The order is the guarantee: state and results are in the log before the input counts as done, and on disk after. */
  async #complete({ positions, tasks }: Prepared): Promise<void> {
    const { collector, consumer, globals } = this.#options
    await collector.flush()
    if (positions.length > 0) await consumer.commit(positions)
    for (const { running, clocks } of tasks) await running.state.commit({ changelogOffsets: this.#changelogOffsets(running), clocks })
    await globals.commit()
  }

  /** The group may have moved on without us: then what was not committed is somebody else's. Anything else ends the worker. */
  async #commitFailed(): Promise<void> {
    const failure = this.#commitFailure!
    this.#commitFailure = null
    if (!(failure instanceof MillraceError) || !FENCED.has(failure.code)) throw failure
    await this.#lost()
  }

  #changelogOffsets({ state, id }: RunningTask): Map<string, number> {
    const { collector, applicationId } = this.#options
    const offsets = new Map(state.checkpoint.changelogOffsets)
    for (const [name, store] of state.stores) {
      if (!store.description.logged) continue
      const next = collector.nextOffset(changelogTopicName(applicationId, name), id.partition)
      if (next !== null) offsets.set(name, next)
    }
    return offsets
  }

  /** Repartition topics keep forever what nobody deletes; what is committed may go. One request now and then; a failed one is tried again with the next. */
  #purge(committed: readonly TaskPosition[], now: number): void {
    const { log, topology, applicationId, keeper } = this.#options
    if (topology.repartitions.length === 0 || now - this.#lastPurge < PURGE_INTERVAL_MS) return
    this.#lastPurge = now
    const ours = new Set(topology.repartitions.map(repartition => repartitionTopicName(applicationId, repartition.name)))
    const done = committed.filter(({ topic }) => ours.has(topic))
    if (done.length > 0) log.admin.deleteRecords(done).catch((error: unknown) => keeper.logger.warn('repartition topics were not purged', { error: String(error) }))
  }

  async #nothingLeft(): Promise<boolean> {
    const { keeper, log, consumer } = this.#options
    const partitions = [...keeper.running.values()].flatMap(running => running.partitions)
    const ends = await log.admin.listOffsets(partitions, 'latest')
    return partitions.every(partition => (consumer.position(partition) ?? 0) >= (ends.get(partitionName(partition.topic, partition.partition)) ?? 0))
  }

  #wake(idle: boolean): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve(idle)
  }

  async #revoked(): Promise<void> {
    this.#options.onState('REBALANCING')
    await this.#commitNow()
    this.#options.keeper.suspendAll()
  }

  async #assigned(assignment: MemberAssignment): Promise<void> {
    const { consumer, keeper, topology, applicationId } = this.#options
    this.#paused.clear()
    const committed: ReadonlyMap<string, CommittedOffset> = await consumer.committed(assignment.partitions)
    await keeper.run(tasksOf(topology, applicationId, assignment.partitions), committed)
    this.#options.onState('RUNNING')
  }

  async #lost(): Promise<void> {
    this.#options.onState('REBALANCING')
    await this.#inFlight
    this.#dirty = false
    await this.#options.keeper.closeAll()
  }
}
