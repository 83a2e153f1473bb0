// A task runs one partition of one subtopology: fetched records in, writes out, synchronously; it knows no thread, client or clock.

import type { CommittedOffset, FetchedRecords } from '../../core/log-port.ts'
import type { Offset, Timestamp, TopicPartition } from '../../core/record.ts'
import type { Subtopology, Topology } from '../../core/topology/topology.ts'
import type { KeyValueStore, TaskState } from '../../state/store.ts'
import type { Collector } from '../operators/collector.ts'
import type { ErrorHandler } from '../operators/error-handler.ts'
import type { TaskCounters } from '../operators/task-context.ts'

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

export declare class Task {
  constructor(options: TaskOptions)
  /** `<subtopology>_<partition>`. */
  readonly id: string
  readonly counters: TaskCounters
  /** True if `process` would take a record now. */
  hasWork(): boolean
  /** Takes what was fetched of one of its partitions; the cursor is consumed in place while the records are processed. */
  add(records: FetchedRecords): void
  bufferedBytes(topic: string, partition: number): number
  /**
   * Whether a partition has been read to its end. An empty partition that has not makes the task wait, so that records of two
   * topics are taken oldest first. Known from each fetch; said by the owner where there is nothing to fetch.
   */
  caughtUp(topic: string, partition: number, value: boolean): void
  /** Processes at most so many records, oldest first, and the stream-time punctuations they make due. Answers how many; 0 when it must wait. */
  process(maxRecords: number, wallTimeMs: Timestamp): number
  /** Runs the wall-clock punctuations that are due. True if there were any. */
  punctuate(wallTimeMs: Timestamp): boolean
  /** When the next wall-clock punctuation is due; infinity if there is none. */
  readonly nextPunctuation: Timestamp
  /** Forwards held-back updates, then writes the changelog of what changed. */
  flush(): void
  positions(): readonly TaskPosition[]
  /** What to store with the commit, and to give back at construction. */
  clocks(): ReadonlyMap<string, number>
  /** A processor asked for a commit; reset by `flush`. */
  readonly commitRequested: boolean
  /** Closes the processors. */
  close(): void
}
