// A task runs one partition of one subtopology: fetched records in, writes out, synchronously; it knows no thread, client or clock.

import type { FetchedRecords } from '../../core/log-port.ts'
import type { Offset, Timestamp, TopicPartition } from '../../core/record.ts'
import type { Subtopology, Topology } from '../../core/topology/topology.ts'
import type { KeyValueStore, TaskState } from '../../state/store.ts'
import type { Collector } from '../operators/collector.ts'
import type { FailureHandlers } from '../operators/record-failure.ts'
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
  readonly handlers: FailureHandlers
  /** Partitions (`partitionName`s) this task reads, with the metadata committed for each ('' if none): the partition times. */
  readonly sources: ReadonlyMap<string, SourcePosition>
  /** What `clocks()` gave at the last commit; empty at first. */
  readonly clocks: ReadonlyMap<string, number>
  /** Wall time at construction, where wall-clock punctuations begin. */
  readonly wallTime: Timestamp
  /** 0: every table update goes on at once. Otherwise updates are held back until `flush`, or until they take about that many bytes. */
  readonly cacheMaxBytes: number
}

export interface SourcePosition extends TopicPartition {
  /** Where reading starts. */
  readonly offset: Offset
  readonly metadata: string
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
  /** Takes what was fetched of one of its partitions; the cursor is consumed in place while the records are processed. */
  add(records: FetchedRecords): void
  bufferedBytes(topic: string, partition: number): number
  /**
   * Whether a partition has been read to its end. An empty partition that has not makes the task wait, so that records of two
   * topics are taken oldest first. Known from each fetch; said by the owner where there is nothing to fetch.
   */
  caughtUp(topic: string, partition: number, value: boolean): void
  /** Processes at most so many records, oldest first, and the stream-time punctuations they make due. Answers how many; 0 when it must wait. */
  process(maxRecords: number, wallTime: Timestamp): number
  /** Runs the wall-clock punctuations that are due. True if there were any. */
  punctuate(wallTime: Timestamp): boolean
  /** When the next wall-clock punctuation is due; infinity if there is none. */
  readonly nextPunctuation: Timestamp
  /** Forwards held-back updates, then writes the changelog of what changed. */
  flush(): void
  positions(): readonly TaskPosition[]
  /** What to store with the commit, and to give back at construction. */
  clocks(): ReadonlyMap<string, number>
  /** A processor asked for a commit; reset by `flush`. */
  readonly commitRequested: boolean
  /** True once something was processed or punctuated since the last flush. */
  readonly dirty: boolean
  /** Closes the processors. */
  close(): void
}
