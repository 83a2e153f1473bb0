// Fetches ahead of who polls: from every leader at once, within bounds, without letting quiet partitions hold up busy ones.

import { MillraceError } from '../../core/error.ts'
import type { FetchedRecords, FetchOptions, LogReader } from '../../core/log-port.ts'
import type { Offset, TopicPartition } from '../../core/record.ts'
import type { ResponseOf } from '../wire/apis.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import type { Cluster } from './cluster.ts'
import { clientClosed } from './connections.ts'
import { FetchLanes, type Asked } from './fetch-lanes.ts'
import { FetchPartition, type PartitionAnswer } from './fetch-partition.ts'
import { listOffsets } from './list-offsets.ts'
import { groupByTopic } from './partition-groups.ts'
import { asError, backoffMs, isRetriable } from './retry.ts'
import { WakeUp } from './wake-up.ts'

export interface FetcherOptions extends FetchOptions {
  /** Where to go on when the position is out of range; null: the error comes out of `poll`. */
  readonly offsetReset: ((topic: string) => 'earliest' | 'latest') | null
}

const defaultMaxPartitionBytes = 1024 * 1024
/** Bytes fetched and not handed out, all partitions together. What no one can take, of paused partitions, does not stop others. */
const maxBufferedBytes = 32 * 1024 * 1024
/** How long a topic may be unknown to the cluster before `poll` says so. */
const missingTopicFailures = 30

export class Fetcher implements LogReader {
  readonly #cluster: Cluster
  readonly #options: FetcherOptions
  readonly #maxPartitionBytes: number
  readonly #partitions = new Map<string, Map<number, FetchPartition>>()
  readonly #lanes: FetchLanes
  /** Partitions with records to hand out or a failure to tell. */
  readonly #filled = new Set<FetchPartition>()
  readonly #bell = new WakeUp()
  #answers = 0
  #dispatchDue = false
  #cancelRetry: (() => void) | null = null
  #interrupted = false
  #held = false
  #closed = false

  constructor(cluster: Cluster, options: FetcherOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#maxPartitionBytes = options.maxPartitionBytes ?? defaultMaxPartitionBytes
    this.#lanes = new FetchLanes(cluster, { ...options, maxPartitionBytes: this.#maxPartitionBytes }, {
      budget: reservedBytes => this.#budget(reservedBytes),
      answered: (asked, answer) => this.#answered(asked, answer),
      unanswered: (asked, error) => this.#unanswered(asked, error),
      free: () => this.#schedule(),
    })
  }

  assign(partitions: readonly (TopicPartition & { readonly offset: Offset })[]): void {
    for (const partition of this.#all()) partition.epoch++
    this.#partitions.clear()
    this.#filled.clear()
    for (const [topic, group] of groupByTopic(partitions)) {
      this.#partitions.set(topic, new Map(group.map(({ partition, offset }) => [partition, new FetchPartition(topic, partition, offset)])))
    }
    this.#schedule()
  }

  seek(of: TopicPartition, offset: Offset): void {
    const partition = this.#known(of)
    partition.seek(offset)
    this.#filled.delete(partition)
    this.#schedule()
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#known(partition).paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#known(partition).paused = false
    this.#bell.ring()
    this.#schedule()
  }

  position(of: TopicPartition): Offset | undefined {
    return this.#find(of)?.position
  }

  endOffset(of: TopicPartition): Offset | undefined {
    return this.#find(of)?.endOffset
  }

  /** Stops fetching, and starts again. */
  hold(held: boolean): void {
    this.#held = held
    if (!held) this.#schedule()
  }

  /** @throws MillraceError what went wrong with a partition; the next poll goes on */
  async poll(timeoutMs: number): Promise<readonly FetchedRecords[]> {
    const { clock } = this.#cluster.world
    const end = clock.monotonic() + timeoutMs
    for (;;) {
      if (this.#closed) throw clientClosed()
      const taken = this.#take()
      const leftMs = end - clock.monotonic()
      if (taken.length > 0 || this.#interrupted || leftMs <= 0) {
        this.#interrupted = false
        return taken
      }
      await this.#bell.wait(clock, leftMs)
    }
  }

  /** Lets the poll that is going on, or the next one, come back at once. */
  interrupt(): void {
    this.#interrupted = true
    this.#bell.ring()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRetry?.()
    this.#lanes.close()
    this.#bell.ring()
  }

  *#all(): Generator<FetchPartition> {
    for (const partitions of this.#partitions.values()) yield* partitions.values()
  }

  #find({ topic, partition }: TopicPartition): FetchPartition | undefined {
    return this.#partitions.get(topic)?.get(partition)
  }

  #known(of: TopicPartition): FetchPartition {
    const partition = this.#find(of)
    if (partition === undefined) throw new MillraceError('NOT_ASSIGNED', `${of.topic}-${of.partition} is not assigned to this reader.`)
    return partition
  }

  #take(): readonly FetchedRecords[] {
    if (this.#filled.size === 0) return nothing
    const taken: FetchedRecords[] = []
    for (const partition of this.#filled) {
      if (partition.paused) continue
      const { failure } = partition
      if (failure !== null) {
        if (taken.length > 0) break
        partition.failure = null
        this.#filled.delete(partition)
        this.#schedule()
        throw failure
      }
      partition.take(taken)
      this.#filled.delete(partition)
    }
    if (taken.length > 0) this.#schedule()
    return taken
  }

  #schedule(): void {
    if (this.#dispatchDue) return
    this.#dispatchDue = true
    queueMicrotask(() => this.#dispatch())
  }

  /** Sends the fetches that can be sent now. */
  #dispatch(): void {
    this.#dispatchDue = false
    if (this.#closed || this.#held) return
    const now = this.#cluster.world.clock.monotonic()
    const leaderless: FetchPartition[] = []
    const byNode = new Map<number, FetchPartition[]>()
    let retryAt = Infinity
    for (const partition of this.#all()) {
      if (partition.paused || partition.inFlight || partition.seeking || partition.failure !== null || partition.bufferedBytes >= this.#maxPartitionBytes) continue
      if (partition.retryAt > now) {
        retryAt = Math.min(retryAt, partition.retryAt)
        continue
      }
      const node = this.#cluster.leaderOf(partition.topic, partition.partition)
      const group = this.#cluster.brokers.has(node) ? byNode.get(node) : leaderless
      if (group === undefined) byNode.set(node, [partition])
      else group.push(partition)
    }
    if (leaderless.length > 0) retryAt = Math.min(retryAt, this.#seekLeaders(leaderless))
    for (const [node, partitions] of byNode) this.#lanes.fetch(node, partitions)
    this.#retryLater(retryAt, now)
  }

  /** Bytes that may be asked for besides those reserved. Where nobody could take anything, one fetch more is allowed. */
  #budget(reservedBytes: number): number {
    let buffered = 0
    let takeable = false
    for (const partition of this.#filled) {
      buffered += partition.bufferedBytes
      takeable ||= !partition.paused
    }
    const left = maxBufferedBytes - buffered - reservedBytes
    return left > 0 || takeable || reservedBytes > 0 ? left : this.#maxPartitionBytes
  }

  #answered(asked: readonly Asked[], answer: ResponseOf<'Fetch'>): void {
    if (answer.errorCode !== 0) return this.#unanswered(asked, kafkaError(answer.errorCode, 'fetch'))
    const answers = new Map(answer.responses.map(({ topic, partitions }) => [topic, new Map(partitions.map(partition => [partition.partitionIndex, partition]))]))
    this.#answers++
    let moved = false
    let brought = false
    for (const { partition, epoch } of asked) {
      if (partition.epoch !== epoch) continue
      partition.inFlight = false
      const answer = answers.get(partition.topic)?.get(partition.partition)
      if (answer === undefined) continue
      moved = this.#settle(partition, answer) || moved
      if (answer.records !== null && answer.records.length > 0) {
        brought = true
        partition.servedAt = this.#answers
      }
    }
    if (!brought) this.#slowDown(asked)
    if (moved) this.#refresh()
    if (this.#filled.size > 0) this.#bell.ring()
  }

  /** A broker that says there is more and brings nothing shall not be asked in a circle. */
  #slowDown(asked: readonly Asked[]): void {
    const retryAt = this.#cluster.world.clock.monotonic() + 1
    for (const { partition } of asked) if (!partition.caughtUp) partition.retryAt = Math.max(partition.retryAt, retryAt)
  }

  /** Answers whether the leader may have moved. */
  #settle(partition: FetchPartition, answer: PartitionAnswer): boolean {
    const { errorCode } = answer
    if (errorCode === 0) {
      this.#absorb(partition, answer)
      return false
    }
    if (errorCode === errors.OFFSET_OUT_OF_RANGE.code && this.#options.offsetReset !== null) {
      this.#reset(partition, this.#options.offsetReset(partition.topic))
      return false
    }
    const error = errorCode === errors.CORRUPT_MESSAGE.code ? damaged(partition) : kafkaError(errorCode, `fetch of ${partition.name} at offset ${partition.fetchOffset}`)
    if (!error.retriable) this.#fail(partition, error)
    else this.#backOff(partition, error)
    return error.retriable
  }

  #absorb(partition: FetchPartition, answer: PartitionAnswer): void {
    try {
      partition.absorb(answer, this.#options.isolation === 'read_committed')
    } catch (error) {
      this.#fail(partition, asError(error))
    }
    if (partition.bufferedBytes > 0) this.#filled.add(partition)
  }

  #reset(partition: FetchPartition, to: 'earliest' | 'latest'): void {
    this.#cluster.world.logger.warn('the position is out of range and set anew', { topic: partition.topic, partition: partition.partition, offset: partition.fetchOffset, to })
    const { epoch } = partition
    partition.seeking = true
    listOffsets(this.#cluster, [partition], to)
      .then(
        offsets => {
          if (partition.epoch === epoch) partition.seek(offsets.get(partition.name) ?? 0)
        },
        error => {
          if (partition.epoch === epoch) this.#fail(partition, asError(error))
        },
      )
      .finally(() => {
        partition.seeking = false
        this.#schedule()
      })
  }

  #unanswered(asked: readonly Asked[], error: Error): void {
    if (this.#closed) return
    for (const { partition, epoch } of asked) {
      if (partition.epoch !== epoch) continue
      partition.inFlight = false
      if (isRetriable(error)) this.#backOff(partition, error)
      else this.#fail(partition, error)
    }
    if (isRetriable(error)) this.#refresh()
  }

  #backOff(partition: FetchPartition, error: Error): void {
    const { clock, logger, random } = this.#cluster.world
    if (partition.failures++ === 0) logger.warn('a partition is fetched again', { topic: partition.topic, partition: partition.partition, error })
    if (partition.failures >= missingTopicFailures && this.#cluster.knownPartitionsOf(partition.topic) === null) return this.#fail(partition, error)
    partition.retryAt = clock.monotonic() + backoffMs(random, partition.failures - 1)
  }

  #fail(partition: FetchPartition, error: Error): void {
    partition.failure = error
    partition.failures = 0
    partition.retryAt = this.#cluster.world.clock.monotonic() + 1000
    this.#filled.add(partition)
    this.#bell.ring()
  }

  /** Answers when to look again. */
  #seekLeaders(partitions: readonly FetchPartition[]): number {
    const error = new MillraceError('LEADER_NOT_AVAILABLE', `Nobody leads ${partitions[0]!.name}.`, { retriable: true, hint: 'See that the topic exists and its brokers run.' })
    for (const partition of partitions) this.#backOff(partition, error)
    this.#refresh(partitions.map(partition => partition.topic), () => {
      for (const partition of partitions) if (this.#cluster.leaderOf(partition.topic, partition.partition) >= 0) partition.retryAt = 0
    })
    return Math.min(...partitions.map(partition => partition.retryAt))
  }

  #refresh(topics: readonly string[] = [], done?: () => void): void {
    this.#cluster.refresh(topics).then(
      () => {
        done?.()
        this.#schedule()
      },
      error => {
        if (!this.#closed) this.#cluster.world.logger.warn('metadata cannot be refreshed', { error })
      },
    )
  }

  #retryLater(at: number, now: number): void {
    this.#cancelRetry?.()
    this.#cancelRetry = at === Infinity ? null : this.#cluster.world.clock.after(Math.max(0, at - now), () => this.#schedule())
  }
}

/** Trying again brings the same: the record is damaged where it is kept. */
function damaged({ name, fetchOffset }: FetchPartition): MillraceError {
  return new MillraceError('CORRUPT_RECORD', `The record at offset ${fetchOffset} of ${name} is damaged in the files of its broker.`, {
    hint: `Seek behind it to go on: its broker's log says at which offset good records begin again. Or restore the file from a good copy.`,
  })
}

const nothing: readonly FetchedRecords[] = []
