// Joins each stream record with the row that a table has for its key.

import { assert } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { StreamTableJoinNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import type { TableReader } from './table-reader.ts'
import type { TaskContext } from './task-context.ts'

export class StreamTableJoinOperator extends Operator {
  readonly #join: StreamTableJoinNode
  #table: TableReader | null = null

  constructor(node: StreamTableJoinNode, context: TaskContext) {
    super(node, context)
    this.#join = node
  }

  override start(others: ReadonlyMap<string, Operator>): void {
    const table = others.get(this.#join.table)
    assert(table !== undefined, `the task has the table ${this.#join.table}`)
    this.#table = table.reader()
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const inner = this.#join.join === 'inner'
    if (value === null || (key === null && inner)) {
      this.context.counters.dropped++
      return
    }
    let joined
    try {
      const row = key === null ? null : this.#table!.get(key)
      if (row === null && inner) return
      joined = this.#join.joiner(value, row, key) ?? null
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.forward(key, joined, timestamp, this.ownHeaders(headers))
  }
}
