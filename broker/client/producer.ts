// An idempotent producer: gathers what waits into one request per broker, keeps order through failures, and tells when all is acknowledged.

import { MillraceError } from '../../core/error.ts'
import type { LogProducer, PartitionAppender, ProducerOptions } from '../../core/log-port.ts'
import { codecNumber } from '../wire/compression.ts'
import { kafkaError } from '../wire/error-code.ts'
import { BufferPool } from '../wire/record-batch-pool.ts'
import type { Cluster } from './cluster.ts'
import { clientClosed } from './connections.ts'
import { PartitionQueue, type ProducerBuffer } from './partition-queue.ts'
import type { ProducerIdentity } from './produce-batch.ts'
import { missingPartition, tooLarge, unacknowledged } from './produce-error.ts'
import { ProduceLanes } from './produce-lanes.ts'
import { judge, type PartitionResult, type SentBatch } from './produce-request.ts'
import { asError, backoffMs, isRetriable } from './retry.ts'
import { WakeUp } from './wake-up.ts'

const maxBufferedBytes = 32 * 1024 * 1024
const maxBatchBytes = 256 * 1024
const defaultLingerMs = 5
/** A batch that is not acknowledged by then fails, as Kafka's `delivery.timeout.ms`. */
const deliveryTimeoutMs = 120_000
/** How long a topic may be unknown to the cluster before it counts as missing: news of a new one takes its time. */
const missingTopicMs = 10_000
/** Buffers kept for the next batches. */
const maxPooledBytes = 16 * 1024 * 1024
/** Between two looks for the leader of a partition. */
const leaderPauseMs = 100
const maxRequestBytes = 4 * 1024 * 1024

/** @throws MillraceError if the cluster gives no producer id */
export async function createProducer(cluster: Cluster, options: ProducerOptions = {}): Promise<LogProducer> {
  const codec = codecNumber(options.compression ?? (cluster.isNear ? 'none' : 'lz4'))
  const identity = await cluster.retrying(async () => {
    const answer = await cluster.ask('InitProducerId', { transactionalId: null, transactionTimeoutMs: 0x7fffffff })
    if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, 'a producer id')
    return { id: answer.producerId, epoch: answer.producerEpoch }
  })
  return new Producer(cluster, options, codec, identity)
}

class Producer implements LogProducer {
  readonly #cluster: Cluster
  readonly #bufferBytes: number
  readonly #lingerMs: number
  readonly #buffer: ProducerBuffer
  readonly #queues = new Map<string, PartitionQueue[]>()
  readonly #lanes: ProduceLanes
  /** Groups of batches between two flushes, oldest first; the last is the one that new batches join. */
  #groups = [{ outstanding: 0 }]
  #identity: ProducerIdentity
  #failure: Error | null = null
  #pumpDue = false
  #cancelLinger: (() => void) | null = null
  #cancelPump: (() => void) | null = null
  #pumpAt = Infinity
  readonly #progress = new Set<WakeUp>()

  constructor(cluster: Cluster, options: ProducerOptions, codec: number, identity: ProducerIdentity) {
    const { clock } = cluster.world
    this.#cluster = cluster
    this.#identity = identity
    this.#lanes = new ProduceLanes(cluster, cluster.connections(options.clientId), {
      take: queues => this.#take(queues),
      answered: (batches, results) => this.#answered(batches, results),
      unreachable: queues => this.#seekLeaders(queues),
      free: () => this.#schedulePump(),
      failed: error => this.#stop(error),
    })
    this.#bufferBytes = options.bufferBytes ?? maxBufferedBytes
    this.#lingerMs = options.lingerMs ?? defaultLingerMs
    this.#buffer = {
      batchBytes: options.batchBytes ?? maxBatchBytes,
      codec,
      source: new BufferPool(maxPooledBytes),
      open: new Set(),
      waiting: new Set(),
      pendingBytes: 0,
      flushGroup: this.#groups[0]!,
      discarding: false,
      opened: () => (this.#cancelLinger ??= clock.after(this.#lingerMs, () => this.#lingered())),
      filled: () => this.#schedulePump(),
      expiry: () => clock.monotonic() + deliveryTimeoutMs,
    }
  }

  get pendingBytes(): number {
    return this.#buffer.pendingBytes
  }

  appender(topic: string, partition: number): PartitionAppender {
    let queues = this.#queues.get(topic)
    if (queues === undefined) this.#queues.set(topic, (queues = []))
    return (queues[partition] ??= new PartitionQueue(topic, partition, this.#buffer))
  }

  partitionsOf(topic: string): Promise<number | null> {
    return this.#cluster.partitionsOf(topic)
  }

  knownPartitionsOf(topic: string): number | undefined {
    return this.#cluster.knownPartitionsOf(topic) ?? undefined
  }

  async ready(): Promise<void> {
    await this.#until(() => this.#buffer.pendingBytes < this.#bufferBytes)
  }

  async flush(): Promise<void> {
    this.#closeOpen()
    const group = this.#buffer.flushGroup
    if (group.outstanding > 0 || this.#groups.length > 1) this.#groups.push((this.#buffer.flushGroup = { outstanding: 0 }))
    this.#pump()
    await this.#until(() => {
      while (this.#groups.length > 1 && this.#groups[0]!.outstanding === 0) this.#groups.shift()
      return !this.#groups.includes(group) || (this.#groups[0] === group && group.outstanding === 0)
    })
  }

  /** What is not acknowledged yet is dropped: flush first. */
  async close(): Promise<void> {
    this.#stop(clientClosed())
  }

  /** Waits until `reached`, looking again at each answer. */
  async #until(reached: () => boolean): Promise<void> {
    const bell = new WakeUp()
    this.#progress.add(bell)
    try {
      for (;;) {
        if (this.#failure !== null) throw this.#failure
        if (reached()) return
        await bell.wait(this.#cluster.world.clock, Infinity)
      }
    } finally {
      this.#progress.delete(bell)
    }
  }

  #closeOpen(): void {
    this.#cancelLinger?.()
    this.#cancelLinger = null
    for (const queue of this.#buffer.open) queue.closeOpen()
  }

  #lingered(): void {
    this.#closeOpen()
    this.#pump()
  }

  /** Soon: all that the running code appends meanwhile goes into the same requests. */
  #schedulePump(): void {
    if (this.#pumpDue) return
    this.#pumpDue = true
    queueMicrotask(() => this.#pump())
  }

  #pumpLater(at: number): void {
    if (at >= this.#pumpAt) return
    this.#cancelPump?.()
    this.#pumpAt = at
    this.#cancelPump = this.#cluster.world.clock.after(Math.max(0, at - this.#cluster.world.clock.monotonic()), () => {
      this.#pumpAt = Infinity
      this.#cancelPump = null
      this.#pump()
    })
  }

  /** Sends what can be sent now. */
  #pump(): void {
    this.#pumpDue = false
    if (this.#failure !== null) return
    try {
      const now = this.#cluster.world.clock.monotonic()
      const leaderless: PartitionQueue[] = []
      const byNode = this.#sendable(now, leaderless)
      if (leaderless.length > 0) this.#seekLeaders(leaderless)
      for (const [node, queues] of byNode) this.#lanes.send(node, queues)
    } catch (error) {
      this.#stop(asError(error))
    }
  }

  /** The queues with something to send, by the node that leads their partition. */
  #sendable(now: number, leaderless: PartitionQueue[]): ReadonlyMap<number, readonly PartitionQueue[]> {
    const byNode = new Map<number, PartitionQueue[]>()
    for (const queue of this.#buffer.waiting) {
      if (!queue.isWaiting) {
        this.#buffer.waiting.delete(queue)
        continue
      }
      if (queue.oldest!.expiresAt <= now) throw unacknowledged(queue, deliveryTimeoutMs)
      if (queue.retryAt > now) {
        this.#pumpLater(queue.retryAt)
        continue
      }
      const node = this.#cluster.leaderOf(queue.topic, queue.partition)
      const queues = this.#cluster.brokers.has(node) ? byNode.get(node) : leaderless
      if (queues === undefined) byNode.set(node, [queue])
      else queues.push(queue)
    }
    return byNode
  }

  #seekLeaders(queues: readonly PartitionQueue[]): void {
    const retryAt = this.#cluster.world.clock.monotonic() + leaderPauseMs
    for (const queue of queues) queue.retryAt = retryAt
    this.#pumpLater(retryAt)
    this.#cluster.refresh(queues.map(queue => queue.topic)).then(
      () => {
        for (const queue of queues) {
          if (this.#cluster.leaderOf(queue.topic, queue.partition) >= 0) queue.retryAt = 0
          else if (this.#isMissing(queue)) return this.#stop(missingPartition(queue, this.#cluster.knownPartitionsOf(queue.topic) ?? 0))
        }
        this.#schedulePump()
      },
      error => {
        if (!isRetriable(error)) this.#stop(asError(error))
      },
    )
  }

  #isMissing(queue: PartitionQueue): boolean {
    const waitedMs = this.#cluster.world.clock.monotonic() + deliveryTimeoutMs - (queue.oldest?.expiresAt ?? Infinity)
    return waitedMs > missingTopicMs && this.#cluster.leaderOf(queue.topic, queue.partition) < 0 && (this.#cluster.knownPartitionsOf(queue.topic) ?? 0) <= queue.partition
  }

  /** One batch of each queue, as many as go into one request. */
  #take(queues: readonly PartitionQueue[]): SentBatch[] {
    const taken: SentBatch[] = []
    let bytes = 0
    for (const queue of queues) {
      if (bytes >= maxRequestBytes) break
      const batch = queue.take(this.#identity, () => this.#nextEpoch())
      if (batch === null) continue
      bytes += batch.sealed!.length
      taken.push({ queue, batch })
      if (!queue.isWaiting) this.#buffer.waiting.delete(queue)
    }
    return taken
  }

  #nextEpoch(): ProducerIdentity {
    if (this.#identity.epoch === 0x7fff) throw new MillraceError('INVALID_PRODUCER_EPOCH', 'The producer has used up its epochs.', { hint: 'Start a new producer.' })
    this.#identity = { id: this.#identity.id, epoch: this.#identity.epoch + 1 }
    return this.#identity
  }

  #answered(batches: readonly SentBatch[], results: readonly PartitionResult[]): void {
    if (this.#failure !== null) return
    let moved = false
    batches.forEach((sent, i) => {
      if (this.#failure === null) moved = this.#settle(sent, results[i]!) || moved
    })
    if (moved) this.#cluster.refresh([]).catch(error => this.#cluster.world.logger.warn('metadata cannot be refreshed', { error }))
    for (const bell of this.#progress) bell.ring()
  }

  /** Answers whether the leader may have moved. */
  #settle({ queue, batch }: SentBatch, result: PartitionResult): boolean {
    const verdict = judge(result, queue.oldest === batch, batch.doubtful)
    if (verdict === 'acknowledged') queue.acknowledged(batch, result.baseOffset)
    else if (verdict === 'too large' && batch.count > 1) queue.split(batch)
    else if (verdict === 'too large') this.#stop(tooLarge(queue, batch))
    else if (verdict === 'fatal') this.#stop(asError(result.error))
    else {
      const { clock, logger, random } = this.#cluster.world
      logger.warn('a batch is sent again', { topic: queue.topic, partition: queue.partition, attempt: batch.attempts, error: result.error })
      batch.lastError = result.error
      if (verdict === 'restart') queue.restarting = true
      else if (verdict === 'again') batch.doubtful = true
      const waitMs = verdict === 'behind' ? 0 : backoffMs(random, batch.attempts - 1)
      queue.failed(batch, clock.monotonic() + waitMs)
      return verdict === 'again'
    }
    return false
  }

  /** Ends it: the first failure is what everybody gets to hear. */
  #stop(failure: Error): void {
    if (this.#failure !== null) return
    this.#failure = failure
    this.#cancelLinger?.()
    this.#cancelPump?.()
    this.#buffer.discarding = true
    this.#buffer.pendingBytes = 0
    this.#buffer.open.clear()
    this.#buffer.waiting.clear()
    for (const queues of this.#queues.values()) for (const queue of queues) queue?.clear()
    this.#lanes.close()
    for (const bell of this.#progress) bell.ring()
  }
}
