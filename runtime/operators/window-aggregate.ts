// count, reduce and aggregate over tumbling and hopping windows, one row per key and window.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { WindowAggregateNode } from '../../core/topology/node.ts'
import { firstWindowStart, type TimeWindows, type Windowed } from '../../core/window.ts'
import type { WindowStore } from '../../state/store.ts'
import { aggregationSteps, type AggregationSteps } from './aggregation-steps.ts'
import { TableOperator, type TableRow } from './table-operator.ts'
import type { EventClock, TaskContext } from './task-context.ts'

export class WindowAggregateOperator extends TableOperator {
  readonly #rows: WindowStore<unknown, unknown>
  readonly #windows: TimeWindows
  readonly #steps: AggregationSteps
  readonly #clock: EventClock

  constructor(node: WindowAggregateNode, context: TaskContext) {
    super(node, context)
    this.#rows = this.store as WindowStore<unknown, unknown>
    this.#windows = node.windows
    this.#steps = aggregationSteps(node.aggregation)
    this.#clock = context.eventClock(node.name)
    // A store restored from its changelog knows more than clocks that were lost with the disk.
    this.#clock.time = Math.max(this.#clock.time, this.#rows.observedStart)
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const { counters } = this.context
    if (key === null) {
      counters.dropped++
      return
    }
    if (timestamp > this.#clock.time) this.#clock.time = timestamp
    const { sizeMs, advanceMs, graceMs } = this.#windows
    const closedBefore = this.#clock.time - graceMs
    try {
      for (let start = firstWindowStart(this.#windows, timestamp); start <= timestamp; start += advanceMs) {
        if (start + sizeMs > closedBefore) this.#add(key, value, timestamp, start, headers)
        else counters.dropped++
      }
    } catch (error) {
      this.context.failed(this.node, error)
    }
  }

  protected override keyOf(row: TableRow): Windowed<unknown> {
    return { key: row.key, window: { start: row.start, end: row.start + this.#windows.sizeMs } }
  }

  #add(key: unknown, value: unknown, timestamp: Timestamp, start: Timestamp, headers: Headers | null): void {
    const row = this.#rows.row(key, start)
    const { first, next } = this.#steps
    let oldValue = row.value
    let newValue
    let newTimestamp = timestamp
    if (oldValue !== null) {
      if (row.timestamp > timestamp) newTimestamp = row.timestamp
      newValue = next(key, value, oldValue) ?? null
    } else if (first === null) {
      newValue = value
    } else {
      oldValue = first() ?? null
      newValue = next(key, value, oldValue) ?? null
    }
    this.update(row, newValue, oldValue, newTimestamp, timestamp, headers)
  }
}
