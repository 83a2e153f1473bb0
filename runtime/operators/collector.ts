// Where a task's writes go: sinks, repartition topics and changelogs, as bytes. The runtime hands them to a producer, the test driver to memory.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'

export interface Collector {
  /**
   * Takes one record for a topic by its real name. Partition null: by the key's bytes (murmur2), or the collector's choice for
   * a keyless record. Bytes and headers are read at once or copied: the caller may change the headers afterwards.
   */
  send(topic: string, partition: number | null, key: Uint8Array | null, value: Uint8Array | null, timestamp: Timestamp, headers: Headers | null): void
  /** Number of partitions of a topic; 0 as long as that is not known. */
  partitionsOf(topic: string): number
}
