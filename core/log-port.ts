// The port to a log: all that the runtime asks of Kafka, ours or Apache's. `broker/client` implements it over a pipe or a socket.

import type { Headers } from './headers.ts'
import type { Offset, RecordCursor, Timestamp, TopicPartition } from './record.ts'

export interface LogPort {
  readonly admin: LogAdmin
  producer(options?: ProducerOptions): Promise<LogProducer>
  /** A member of a consumer group (classic protocol). */
  groupConsumer(options: GroupConsumerOptions): GroupConsumer
  /** Reads partitions that it is told, without a group: restoring, global tables, tools. */
  reader(options?: FetchOptions): LogReader
  close(): Promise<void>
}

// ─── administer ───

export interface TopicDescription {
  readonly name: string
  readonly partitions: number
}

export interface NewTopic {
  readonly name: string
  /** -1: the broker's default. */
  readonly partitions: number
  /** -1 (the default): the broker's default. */
  readonly replicationFactor?: number
  readonly config?: Readonly<Record<string, string>>
}

export interface LogAdmin {
  listTopics(): Promise<readonly string[]>
  /** Topics that are not there are left out. */
  describeTopics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>
  /** Those that exist already are left as they are. @throws MillraceError with Kafka's error name as code */
  createTopics(topics: readonly NewTopic[]): Promise<void>
  deleteTopics(names: readonly string[]): Promise<void>
  /** Where each partition begins, ends (reading committed, at the last stable offset), or has its first record at or after a time (-1 if none). Keys are `partitionName`s. */
  listOffsets(partitions: readonly TopicPartition[], at: 'earliest' | 'latest' | { readonly timestamp: Timestamp }, options?: { readonly isolation?: Isolation }): Promise<ReadonlyMap<string, Offset>>
  /** Makes offsets below the given ones unreadable; their space is freed. */
  deleteRecords(before: readonly (TopicPartition & { readonly offset: Offset })[]): Promise<void>
  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, CommittedOffset>>
}

export interface CommittedOffset {
  readonly offset: Offset
  readonly metadata: string
}

// ─── produce ───

export interface ProducerOptions {
  readonly clientId?: string
  /** Bytes that may wait to be sent; `ready()` waits while there are more. Default 32 MiB. */
  readonly bufferBytes?: number
  /** Default `lz4` over a network, none in this process or on this machine. */
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** How long a batch may wait to fill, milliseconds. Default 5. */
  readonly lingerMs?: number
  /** Largest batch, bytes before compression. Default 256 KiB, capped by the topic's max.message.bytes. */
  readonly batchBytes?: number
}

/** An idempotent producer, acks=all. Appending is synchronous and never fails; failures come out of `ready` and `flush`. */
export interface LogProducer {
  /** The appender of one partition; always the same object, so keep it. Resolving a topic's partition count is the caller's (see {@link partitionsOf}). */
  appender(topic: string, partition: number): PartitionAppender
  /** Number of partitions of a topic; fetched at the first call. Null if there is no such topic. */
  partitionsOf(topic: string): Promise<number | null>
  /** The same without waiting: undefined if it was not asked before. */
  knownPartitionsOf(topic: string): number | undefined
  /** Bytes appended and not acknowledged yet. */
  readonly pendingBytes: number
  /** Resolves at once, or when `pendingBytes` is below the limit again. @throws MillraceError the first failed batch */
  ready(): Promise<void>
  /** Sends all that waits and resolves when it is acknowledged. @throws MillraceError the first failed batch */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface PartitionAppender extends TopicPartition {
  /** Copies the bytes. Null or absent headers mean none. */
  append(key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp, headers?: Headers | null): void
  /** Offset of the last record acknowledged, -1 before the first. After `flush`, that of the last record appended. */
  readonly lastOffset: Offset
}

// ─── consume ───

/** Reading committed, records of transactions are seen when these have committed, and nothing behind one that is open. */
export type Isolation = 'read_uncommitted' | 'read_committed'

export interface FetchOptions {
  readonly clientId?: string
  /** Most bytes one fetch of a partition brings (one batch at least). Default 1 MiB. */
  readonly maxPartitionBytes?: number
  /** How long a broker may hold a fetch that finds nothing, milliseconds. Default 500. */
  readonly maxWaitMs?: number
  readonly isolation?: Isolation
}

/** What one fetch brought of one partition. CRCs are checked; the bytes stay valid as long as the cursor is held. */
export interface FetchedRecords extends TopicPartition {
  readonly cursor: RecordCursor
  /** Bytes held. */
  readonly bytes: number
  /** First offset behind these records: where the next fetch goes on. */
  readonly nextOffset: Offset
  /** End of the partition when this was fetched. */
  readonly highWatermark: Offset
}

export interface LogReader {
  /** Replaces what is read. */
  assign(partitions: readonly (TopicPartition & { readonly offset: Offset })[]): void
  seek(partition: TopicPartition, offset: Offset): void
  /** Paused partitions are not fetched; what was fetched before stays until they are resumed. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** Resolves as soon as there is something, or empty after `timeoutMs`. With 0, what is there now. Fetching goes on ahead in the background, within bounds. */
  poll(timeoutMs: number): Promise<readonly FetchedRecords[]>
  /** End of a partition (last stable offset when reading committed) as the latest fetch said; undefined before one. */
  endOffset(partition: TopicPartition): Offset | undefined
  position(partition: TopicPartition): Offset | undefined
  close(): Promise<void>
}

export interface GroupConsumerOptions extends FetchOptions {
  readonly groupId: string
  readonly topics: readonly string[]
  /** Asked when the member joins: what it tells the one who assigns. */
  userData(): Uint8Array
  /** Called on the member that leads: who gets what. `members` is sorted by id. */
  assign(members: readonly GroupMember[]): Promise<ReadonlyMap<string, MemberAssignment>>
  /** Name of the protocol in the group, as `stream`. All members must share it. */
  readonly protocol: string
  /** Where a partition without committed offset begins. */
  readonly offsetReset: (topic: string) => 'earliest' | 'latest'
  /**
   * Who this is from one life of the process to the next (Kafka's group.instance.id): a predecessor that was killed holds nothing any longer when this one
   * joins, and two that live at a time are told apart: the older fails with FENCED_INSTANCE_ID. Default: nobody in particular.
   */
  readonly instanceId?: string
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly heartbeatIntervalMs?: number
}

export interface GroupMember {
  readonly memberId: string
  readonly topics: readonly string[]
  readonly userData: Uint8Array
}

export interface MemberAssignment {
  readonly partitions: readonly TopicPartition[]
  readonly userData: Uint8Array
}

export interface RebalanceListener {
  /** Before partitions are given up: commit what was done. Nothing is fetched meanwhile. */
  revoked(): Promise<void>
  /** After joining, before the first fetch. Fetching begins at the committed offsets, or where `offsetReset` says. */
  assigned(assignment: MemberAssignment): Promise<void>
  /** Membership was lost (session expired): what was not committed is somebody else's now. */
  lost(): Promise<void>
}

export interface GroupConsumer extends Omit<LogReader, 'assign'> {
  /** Joins the group. Rebalances then happen inside `poll`. */
  start(listener: RebalanceListener): Promise<void>
  /** Commits as a member of the current generation. @throws MillraceError ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS */
  commit(offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void>
  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, CommittedOffset>>
  /** Asks for a rebalance. */
  rejoin(): void
  /** Leaves the group. Does not commit. */
  close(): Promise<void>
}
