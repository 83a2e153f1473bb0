// Writes a repartition topic: records of a stream, or the changes of a grouped table.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Serde } from '../../core/serde.ts'
import type { RepartitionSinkNode, TopicSerdes } from '../../core/topology/node.ts'
import { repartitionTopicName } from '../../core/topology/topology.ts'
import { encodeChange } from './change-bytes.ts'
import { Operator } from './operator.ts'
import { PartitionChoice } from './partition-choice.ts'
import type { TaskContext } from './task-context.ts'

export class RepartitionSinkOperator extends Operator {
  readonly #topic: string
  readonly #serdes: TopicSerdes
  readonly #dropNullKeys: boolean
  readonly #choice: PartitionChoice

  constructor(node: RepartitionSinkNode, context: TaskContext) {
    super(node, context)
    this.#topic = repartitionTopicName(context.applicationId, node.repartition)
    this.#serdes = context.repartition(node.repartition).serdes
    this.#dropNullKeys = node.dropNullKeys
    this.#choice = new PartitionChoice(node.partitioner, this.#serdes.key, context.collector)
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    if (key === null && this.#dropNullKeys) return
    try {
      this.#send(key, value, value === null ? null : this.#serdes.value.serialize(value), timestamp, headers)
    } catch (error) {
      this.context.failed(this.node, error)
    }
  }

  override receiveChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    try {
      this.#send(key, newValue, encodeChange(this.#serdes.value, newValue, oldValue), timestamp, headers)
    } catch (error) {
      this.context.failed(this.node, error)
    }
  }

  /** Serde of the keys, by which the table's grouping compares them. */
  get keySerde(): Serde<unknown> {
    return this.#serdes.key
  }

  #send(key: unknown, value: unknown, valueBytes: Uint8Array | null, timestamp: Timestamp, headers: Headers | null): void {
    const keyBytes = key === null ? null : this.#serdes.key.serialize(key)
    if (!this.#choice.send(this.#topic, key, value, keyBytes, valueBytes, timestamp, headers)) this.context.counters.dropped++
  }
}
