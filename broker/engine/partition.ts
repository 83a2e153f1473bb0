// A partition as the broker serves it: its log, what is acknowledged of it, and those who wait for more.

import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { MillraceError } from '../../core/error.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import { partitionName } from '../../core/record.ts'
import { PartitionProducers } from '../kernel/partition-producers.ts'
import type { PartitionTransactions } from '../kernel/partition-transactions.ts'
import type { ProducerState } from '../kernel/producer-state.ts'
import type { TopicSettings } from '../kernel/topic-config.ts'
import { readCheckpoint } from '../log/checkpoint.ts'
import type { Damage } from '../log/damage.ts'
import type { Log, LogRead } from '../log/log.ts'
import { openLog, type OpenedLog } from '../log/recovery.ts'
import type { SegmentHome } from '../log/segment-home.ts'
import { writeMarker, type TransactionMarker } from '../wire/control-batch.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'
import type { BrokerMeters, TopicMeters } from './broker-meters.ts'
import { errorFields } from './error-fields.ts'
import { LogCheckpoints, type TakenCheckpoint } from './log-checkpoints.ts'
import { logSettings } from './log-settings.ts'
import { FlushPace } from './flush-pace.ts'
import { HighWatermark } from './high-watermark.ts'

/** What an acknowledgement waits for. */
export type FlushPolicy = 'fsync' | 'os'

export interface PartitionParts {
  readonly topic: string
  readonly index: number
  readonly home: SegmentHome
  readonly settings: TopicSettings
  readonly flush: FlushPolicy
  /** Resolves when a start after a crash would know the partition: no acknowledgement that waits for fsync comes before. Default: it is old. */
  readonly known?: Promise<void>
  /** Epoch of everything appended from now on. */
  readonly leaderEpoch: number
  readonly clock: Clock
  readonly logger: Logger
  readonly meters: BrokerMeters
}

export class Partition {
  readonly topic: string
  readonly index: number
  readonly leaderEpoch: number
  readonly #home: SegmentHome
  readonly #flush: FlushPolicy
  readonly #known: Promise<void>
  /** Where acknowledgements do not wait for fsync. */
  readonly #pace: FlushPace | null
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #meters: BrokerMeters
  /** Of the topic. */
  readonly meters: TopicMeters
  #settings: TopicSettings
  readonly log: Log
  readonly #checkpoints: LogCheckpoints
  readonly #producers = new PartitionProducers()
  readonly #highWatermark: HighWatermark
  /** Bytes appended and not yet below the high watermark. */
  #pendingBytes = 0
  #flushing: Promise<void> | null = null
  #offline: MillraceError | null = null
  #closed = false

  constructor(parts: PartitionParts) {
    this.topic = parts.topic
    this.index = parts.index
    this.leaderEpoch = parts.leaderEpoch
    this.#home = { ...parts.home, onDamage: damage => this.#report(damage) }
    this.#flush = parts.flush
    this.#known = parts.known ?? Promise.resolve()
    this.#pace = parts.flush === 'os' ? new FlushPace(parts.clock, () => void this.flush()) : null
    this.#clock = parts.clock
    this.#logger = parts.logger
    this.#meters = parts.meters
    this.meters = parts.meters.topic(parts.topic)
    this.#settings = parts.settings
    const { log, recovered } = this.#open()
    this.log = log
    this.#checkpoints = new LogCheckpoints(log, this.#producers)
    // What was found is written down soon, so that the next start need not look for it again.
    if (recovered) this.#checkpoints.hasten()
    this.#highWatermark = new HighWatermark(this.log.durableOffset)
    this.transactions.acknowledged(this.highWatermark)
  }

  #open(): OpenedLog {
    const now = this.#clock.now()
    const opened = openLog(this.#home, logSettings(this.#settings), {
      restore: state => this.#producers.restore(state),
      batch: header => this.#producers.replay(header, now),
    })
    if (opened.stray !== null) this.#logger.warn('moved the log of another topic of that name aside', { partition: this.name, to: opened.stray })
    if (opened.cut !== null) {
      const { file, position, problem, bytes, orphans, copy } = opened.cut
      this.#logger.warn('cut the torn end of a log', { partition: this.name, file, position, problem, bytes, orphans: orphans.join(' '), copy })
    }
    if (opened.recovered) this.#meters.recoveredLogs.add()
    return opened
  }

  #report({ file, position, end, problem, fromOffset, nextOffset, copy }: Damage): void {
    this.#meters.logDamages.add()
    const goesOn = Number.isFinite(nextOffset) ? { nextOffset } : {}
    this.#logger.error('a log is damaged; what lies before and behind can be read', { partition: this.name, file, position, bytes: end - position, problem, fromOffset, ...goesOn, copy })
  }

  get name(): string {
    return partitionName(this.topic, this.index)
  }

  get settings(): TopicSettings {
    return this.#settings
  }

  set settings(settings: TopicSettings) {
    this.#settings = settings
    this.log.configure(logSettings(settings))
  }

  get producers(): ProducerState {
    return this.#producers.states
  }

  get transactions(): PartitionTransactions {
    return this.#producers.transactions
  }

  /** It has ended: nothing comes of what is still under way. */
  get isClosed(): boolean {
    return this.#closed
  }

  /** Records below are acknowledged and may be read. */
  get highWatermark(): Offset {
    return this.#highWatermark.offset
  }

  /** Records below belong to no open transaction. */
  get lastStableOffset(): Offset {
    return Math.max(this.log.logStartOffset, Math.min(this.highWatermark, this.transactions.firstUnstableOffset))
  }

  /** Appends one checked batch; see {@link committed}. Answers its first offset. @throws MillraceError DISK_FULL, DISK_FAILED */
  append(batch: Buffer, header: RecordBatchHeader): Offset {
    if (this.#offline !== null) throw this.#offline
    const now = this.#clock.now()
    const baseOffset = this.log.append(batch, this.leaderEpoch, now)
    this.#producers.replay(header, now)
    this.meters.bytesIn.add(batch.length)
    if (!header.isControl) this.meters.recordsIn.add(header.count)
    this.#pendingBytes += batch.length
    this.#checkpoints.appended(batch.length)
    const mustWait = this.#pace === null || this.#pace.appended(this.log.endOffset - this.log.durableOffset, this.#settings)
    if (!mustWait) this.#advance(this.log.endOffset)
    if (mustWait || this.#checkpoints.isDue) void this.flush()
    return baseOffset
  }

  /** Whether a marker would change nothing: it is here, or its producer has begun nothing here since. */
  isEnded(marker: TransactionMarker): boolean {
    return this.#producers.isEnded(marker)
  }

  /** Appends the end of a producer's transaction. Answers the marker's offset; null if a newer epoch of the producer has been here. @throws MillraceError as `append` */
  appendMarker(marker: TransactionMarker): Offset | null {
    if (this.producers.epochOf(marker.producerId) > marker.producerEpoch) return null
    const batch = writeMarker(marker, this.#clock.now(), this.settings.logAppendTime)
    return this.append(batch, new RecordBatchHeader(batch))
  }

  /** Resolves when records below `offset` are acknowledged. @throws MillraceError KAFKA_STORAGE_ERROR, UNKNOWN_TOPIC_OR_PARTITION when they never will be */
  committed(offset: Offset): Promise<void> {
    return this.#highWatermark.reached(offset)
  }

  /** Calls `listener` whenever the high watermark moves, with the bytes it passed, or the partition ends. Answers how to stop. */
  watch(listener: (bytes: number) => void): () => void {
    return this.#highWatermark.watch(listener)
  }

  /** Whole batches from `offset` on that may be read; null if there are none (yet). @throws MillraceError LOG_CORRUPT */
  read(offset: Offset, limit: Offset, maxBytes: number, atLeastOne: boolean): LogRead | null {
    return this.log.read(offset, { maxBytes, limit, atLeastOne })
  }

  /** Resolves when what a recovery has found is durable, and may be read. @throws MillraceError KAFKA_STORAGE_ERROR */
  recovered(): Promise<void> {
    if (this.log.durableOffset === this.log.endOffset) return Promise.resolve()
    void this.flush()
    return this.committed(this.log.endOffset)
  }

  /** Makes what was appended durable and moves the high watermark. Never fails: those who wait for `committed` hear of it. */
  flush(): Promise<void> {
    return (this.#flushing ??= this.#flushAll())
  }

  async #flushAll(): Promise<void> {
    // What this turn appends yet goes with it, in any case.
    await this.#known
    try {
      do {
        const checkpoint = this.#checkpoints.isDue ? this.#checkpoints.take() : null
        const begunMs = this.#clock.monotonic()
        this.#pace?.stop()
        await this.log.sync()
        this.#meters.flushSeconds.observe((this.#clock.monotonic() - begunMs) / 1000)
        this.#advance(this.log.durableOffset)
        if (checkpoint !== null) await this.#saveCheckpoint(checkpoint)
      } while (!this.#closed && this.log.durableOffset < this.log.endOffset && (this.#pace === null || this.#checkpoints.isDue || this.highWatermark < this.log.endOffset))
    } catch (error) {
      this.#flushFailed(error)
    } finally {
      // At once with the last look at the end of the log: who appends after it begins anew.
      this.#flushing = null
    }
  }

  #advance(offset: Offset): void {
    if (offset <= this.highWatermark || this.#closed) return
    this.transactions.acknowledged(offset)
    const bytes = this.#pendingBytes
    if (offset === this.log.endOffset) this.#pendingBytes = 0
    this.#highWatermark.advance(offset, bytes)
  }

  /**
   * After a failed fsync nobody knows which pages are on the medium, and a second one would say all is well. So what was not acknowledged
   * is taken back, and its producers are told to send it again.
   */
  #flushFailed(error: unknown): MillraceError {
    const failure = new MillraceError('KAFKA_STORAGE_ERROR', `The log of ${this.name} could not be made durable.`, { cause: error, retriable: true })
    if (this.#closed) return failure
    this.#meters.diskErrors.add()
    this.#logger.error('could not make a log durable', { partition: this.name, ...errorFields(error) })
    if (this.#flush === 'fsync') this.#takeBack()
    this.#highWatermark.fail(failure)
    return failure
  }

  /** Where even that fails nothing is appended any more, until a new start looks at what the disk holds. */
  #takeBack(): void {
    try {
      this.log.takeBack(this.highWatermark)
      this.#pendingBytes = 0
      this.#rebuildProducers()
    } catch (cause) {
      this.#logger.error('a log takes no more records', { partition: this.name, ...errorFields(cause) })
      this.#offline = new MillraceError('DISK_FAILED', `The log of ${this.name} takes no records since its disk failed.`, { cause })
    }
  }

  #rebuildProducers(): void {
    const takenBack = [...this.producers.batchesFrom(this.log.endOffset)]
    const checkpoint = readCheckpoint(this.#home.disk, this.#home.directory)
    const known = typeof checkpoint === 'string' ? null : checkpoint
    this.#producers.restore(known?.state ?? null)
    const now = this.#clock.now()
    this.log.scan(known?.recoveryPoint.offset ?? this.log.logStartOffset, header => this.#producers.replay(header, now))
    for (const batch of takenBack) this.producers.missed(batch, now)
    this.transactions.acknowledged(this.highWatermark)
  }

  /** Makes records below `offset` unreadable, for good when this resolves. @throws MillraceError KAFKA_STORAGE_ERROR */
  async deleteRecords(offset: Offset): Promise<void> {
    this.log.advanceLogStart(offset)
    this.transactions.forgetAborted(this.log.logStartOffset)
    await this.checkpoint()
  }

  /** Syncs and writes down where a start may begin. @throws MillraceError KAFKA_STORAGE_ERROR where it is not written down */
  async checkpoint(): Promise<void> {
    if (this.#offline !== null) throw this.#offline
    const checkpoint = this.#checkpoints.take()
    try {
      await this.log.sync()
    } catch (error) {
      throw this.#flushFailed(error)
    }
    this.#advance(this.log.durableOffset)
    if (!(await this.#saveCheckpoint(checkpoint))) throw new MillraceError('KAFKA_STORAGE_ERROR', `The checkpoint of ${this.name} could not be written.`, { retriable: true })
  }

  /** Where it fails (and answers false), the one before holds: a start reads more, and the log begins where it began. */
  async #saveCheckpoint({ point, state }: TakenCheckpoint): Promise<boolean> {
    if (this.#closed || point.offset > this.log.durableOffset) return false
    try {
      await this.log.saveCheckpoint(point, state)
      return true
    } catch (error) {
      this.#logger.warn('could not write a checkpoint', { partition: this.name, ...errorFields(error) })
      return false
    }
  }

  /** Ends cleanly: everything durable, a checkpoint at the end. */
  async close(): Promise<void> {
    if (this.#closed) return
    try {
      await this.checkpoint()
    } catch (error) {
      this.#logger.error('could not close a log cleanly', { partition: this.name, ...errorFields(error) })
    }
    this.#end(new MillraceError('NOT_LEADER_OR_FOLLOWER', `The broker of ${this.name} is closing.`, { retriable: true }))
    this.log.close()
  }

  /** Ends; its files stay. */
  end(): void {
    this.#end(new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `The topic of ${this.name} was deleted.`))
    this.log.close()
  }

  #end(failure: MillraceError): void {
    this.#closed = true
    this.#pace?.stop()
    this.#highWatermark.end(failure)
  }

  /** Forgets producers that were silent since before a time. */
  expireProducers(before: Timestamp): void {
    this.#producers.expire(before)
  }
}
