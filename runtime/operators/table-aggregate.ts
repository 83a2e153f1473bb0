// count, reduce and aggregate of a grouped table: takes the old row of a change out of its group, then adds the new one.

import { MillraceError } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { TableAggregateNode } from '../../core/topology/node.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { TableOperator } from './table-operator.ts'
import type { TaskContext } from './task-context.ts'

type Step = (key: unknown, value: unknown, aggregate: unknown) => unknown

interface Steps {
  /** What the first row is added to. Null: the first row is the aggregate. */
  readonly first: (() => unknown) | null
  readonly add: Step
  readonly subtract: Step
}

export class TableAggregateOperator extends TableOperator {
  readonly #rows: KeyValueStore<unknown, unknown>
  readonly #steps: Steps

  constructor(node: TableAggregateNode, context: TaskContext) {
    super(node, context)
    this.#rows = this.store as KeyValueStore<unknown, unknown>
    this.#steps = stepsOf(node.aggregation)
  }

  override receiveChange(key: unknown, newRow: unknown, oldRow: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const { first, add, subtract } = this.#steps
    let row, newValue
    let newTimestamp = timestamp
    try {
      if (key === null) throw new MillraceError('NULL_KEY', 'A change of a grouped table has no key.', { hint: 'Group by a key that is there.' })
      row = this.#rows.row(key)
      newValue = row.value
      if (oldRow !== null && newValue !== null) {
        newTimestamp = Math.max(timestamp, row.timestamp)
        newValue = subtract(key, oldRow, newValue) ?? null
      }
      if (newRow !== null) {
        if (row.value !== null && (first !== null || newValue !== null)) newTimestamp = Math.max(timestamp, row.timestamp)
        if (newValue === null && first === null) newValue = newRow
        else newValue = add(key, newRow, newValue ?? first!() ?? null) ?? null
      }
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.update(row, newValue, row.value, newTimestamp, timestamp, headers)
  }
}

function stepsOf(aggregation: TableAggregateNode['aggregation']): Steps {
  if (aggregation.kind === 'count') {
    return { first: () => 0, add: (_key, _row, count) => (count as number) + 1, subtract: (_key, _row, count) => (count as number) - 1 }
  }
  if (aggregation.kind === 'aggregate') return { first: aggregation.initializer, add: aggregation.adder, subtract: aggregation.subtractor }
  const { adder, subtractor } = aggregation
  return { first: null, add: (_key, row, aggregate) => adder(aggregate, row), subtract: (_key, row, aggregate) => subtractor(aggregate, row) }
}
