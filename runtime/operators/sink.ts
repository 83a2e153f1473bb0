// Writes records to a topic of the user's, which a function may choose per record.

import { MillraceError } from '../../core/error.ts'
import { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { SinkNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import { PartitionChoice } from './partition-choice.ts'
import type { TaskContext } from './task-context.ts'

export class SinkOperator extends Operator {
  readonly #sink: SinkNode
  readonly #choice: PartitionChoice

  constructor(node: SinkNode, context: TaskContext) {
    super(node, context)
    this.#sink = node
    this.#choice = new PartitionChoice(node.partitioner, node.serdes.key, context.collector)
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const { serdes } = this.#sink
    try {
      const topic = typeof this.#sink.topic === 'string' ? this.#sink.topic : this.#select(key, value, timestamp, headers)
      const keyBytes = key === null ? null : serdes.key.serialize(key)
      const valueBytes = value === null ? null : serdes.value.serialize(value)
      if (!this.#choice.send(topic, key, value, keyBytes, valueBytes, timestamp, headers)) this.context.counters.dropped++
    } catch (error) {
      this.context.failed(this.node, error)
    }
  }

  #select(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): string {
    const { topic: from, sourcePartition, offset } = this.context
    const select = this.#sink.topic as Exclude<SinkNode['topic'], string>
    const topic: unknown = select(key, value, { timestamp, headers: headers ?? new Headers(), topic: from ?? '', partition: sourcePartition, offset })
    if (typeof topic !== 'string' || topic === '') throw new MillraceError('BAD_TOPIC', `The function that chooses the topic gave ${JSON.stringify(topic)}.`, { hint: 'It must give a topic name.' })
    return topic
  }
}
