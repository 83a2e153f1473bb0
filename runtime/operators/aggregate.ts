// count, reduce and aggregate of a grouped stream, one row per key.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { AggregateNode } from '../../core/topology/node.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { aggregationSteps, type AggregationSteps } from './aggregation-steps.ts'
import { TableOperator } from './table-operator.ts'
import type { TaskContext } from './task-context.ts'

export class AggregateOperator extends TableOperator {
  readonly #rows: KeyValueStore<unknown, unknown>
  readonly #steps: AggregationSteps

  constructor(node: AggregateNode, context: TaskContext) {
    super(node, context)
    this.#rows = this.store as KeyValueStore<unknown, unknown>
    this.#steps = aggregationSteps(node.aggregation)
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    if (key === null || value === null) {
      this.context.counters.dropped++
      return
    }
    const row = this.#rows.row(key)
    const { first, next } = this.#steps
    let oldValue = row.value
    let newValue
    let newTimestamp = timestamp
    try {
      if (oldValue !== null) {
        if (row.timestamp > timestamp) newTimestamp = row.timestamp
        newValue = next(key, value, oldValue) ?? null
      } else if (first === null) {
        newValue = value
      } else {
        oldValue = first() ?? null
        newValue = next(key, value, oldValue) ?? null
      }
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.update(row, newValue, oldValue, newTimestamp, timestamp, headers)
  }
}
