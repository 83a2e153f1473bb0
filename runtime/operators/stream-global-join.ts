// Joins each stream record with the row of a global table that a function of the record names.

import { assert } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { StreamGlobalJoinNode } from '../../core/topology/node.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { Operator } from './operator.ts'
import type { TaskContext } from './task-context.ts'

export class StreamGlobalJoinOperator extends Operator {
  readonly #join: StreamGlobalJoinNode
  readonly #table: KeyValueStore<unknown, unknown>

  constructor(node: StreamGlobalJoinNode, context: TaskContext) {
    super(node, context)
    this.#join = node
    const table = context.globalStore(node.store)
    assert(table !== undefined, `the application has the global store ${node.store}`)
    this.#table = table
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const { join, selector, joiner } = this.#join
    let joined
    try {
      const wanted = value === null ? null : (selector(key, value) ?? null)
      if (value === null || (wanted === null && join === 'inner')) {
        this.context.counters.dropped++
        return
      }
      const row = wanted === null ? null : this.#table.get(wanted)
      if (row === null && join === 'inner') return
      joined = joiner(value, row, key) ?? null
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.forward(key, joined, timestamp, this.ownHeaders(headers))
  }
}
