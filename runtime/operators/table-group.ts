// First half of table.groupBy: sends each change's old and new row on under its group's key, for a repartition topic.

import { MillraceError } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Serde } from '../../core/serde.ts'
import type { TableGroupNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import { RepartitionSinkOperator } from './repartition-sink.ts'
import type { TaskContext } from './task-context.ts'

type Pair = readonly [key: unknown, value: unknown]

export class TableGroupOperator extends Operator {
  readonly #mapper: TableGroupNode['mapper']
  #keySerde: Serde<unknown> | null = null

  constructor(node: TableGroupNode, context: TaskContext) {
    super(node, context)
    this.#mapper = node.mapper
  }

  override start(): void {
    const sink = this.children.find(child => child instanceof RepartitionSinkOperator)
    this.#keySerde = sink?.keySerde ?? null
  }

  override receiveChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let newPair, oldPair, together
    try {
      if (key === null) throw new MillraceError('NULL_KEY', 'A row of a grouped table has no key.', { hint: 'Drop such records above the table.' })
      newPair = this.#pair(key, newValue)
      oldPair = this.#pair(key, oldValue)
      together = this.#together(newPair, oldPair)
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    if (together !== null) return this.forwardChange(together.key, together.newValue, together.oldValue, timestamp, this.ownHeaders(headers))
    if (oldPair !== null) this.forwardChange(oldPair[0], null, oldPair[1], timestamp, this.ownHeaders(headers))
    if (newPair !== null) this.forwardChange(newPair[0], newPair[1], null, timestamp, this.ownHeaders(headers))
  }

  /** Null if there is no row, or the row belongs to no group. */
  #pair(key: unknown, value: unknown): Pair | null {
    if (value === null) return null
    const pair = this.#mapper(key, value)
    return (pair[0] ?? null) === null || (pair[1] ?? null) === null ? null : pair
  }

  /** One change, if the row stays in its group: the group then changes once. */
  #together(newPair: Pair | null, oldPair: Pair | null): { readonly key: unknown; readonly newValue: unknown; readonly oldValue: unknown } | null {
    if (newPair === null || oldPair === null || !this.#equal(newPair[0], oldPair[0])) return null
    return { key: newPair[0], newValue: newPair[1], oldValue: oldPair[1] }
  }

  #equal(left: unknown, right: unknown): boolean {
    if (Object.is(left, right)) return true
    const serde = this.#keySerde
    return serde !== null && !serde.scalar && Buffer.compare(serde.serialize(left), serde.serialize(right)) === 0
  }
}
