// Chooses the partitions of a record that leaves the task, and sends it there.

import type { Headers } from '../../core/headers.ts'
import { partitionOf } from '../../core/murmur2.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Serde } from '../../core/serde.ts'
import type { Partitioner } from '../../core/topology/node.ts'
import type { Collector } from './collector.ts'

/** The user's partitioner; else, for a windowed key, the inner key's bytes; else what the collector does. */
export class PartitionChoice {
  readonly #partitioner: Partitioner | null
  readonly #windowBytes: number
  readonly #collector: Collector

  constructor(partitioner: Partitioner | null, keySerde: Serde<unknown>, collector: Collector) {
    this.#partitioner = partitioner
    this.#windowBytes = keySerde.windowBytes ?? 0
    this.#collector = collector
  }

  /** False if the partitioner wants the record nowhere. */
  send(topic: string, key: unknown, value: unknown, keyBytes: Uint8Array | null, valueBytes: Uint8Array | null, timestamp: Timestamp, headers: Headers | null): boolean {
    const chosen = this.#partitioner === null ? undefined : this.#partitioner(topic, key, value, this.#collector.partitionsOf(topic))
    if (typeof chosen !== 'object') {
      this.#collector.send(topic, chosen ?? this.#default(topic, keyBytes), keyBytes, valueBytes, timestamp, headers)
      return true
    }
    for (const partition of chosen) this.#collector.send(topic, partition, keyBytes, valueBytes, timestamp, headers)
    return chosen.length > 0
  }

  #default(topic: string, keyBytes: Uint8Array | null): number | null {
    if (this.#windowBytes === 0 || keyBytes === null) return null
    const partitions = this.#collector.partitionsOf(topic)
    return partitions === 0 ? null : partitionOf(keyBytes.subarray(0, keyBytes.length - this.#windowBytes), partitions)
  }
}
