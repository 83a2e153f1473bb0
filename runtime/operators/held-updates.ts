// Updates of a table that wait for the flush, so that only the last one of each row goes on; Kafka's record cache.

import type { Headers } from '../../core/headers.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { Row } from '../../state/store.ts'
import type { TaskContext } from './task-context.ts'

/** What is remembered of a row in its `pending` slot: what it was at the last flush, and the record that wrote it last. */
export interface HeldUpdate {
  readonly oldValue: unknown
  timestamp: Timestamp
  headers: Headers | null
  topic: string | null
  partition: number
  offset: Offset
  /** Grows with every write: the order in which updates go on. */
  order: number
}

type HeldRow = Row<unknown, unknown>

/** There is no bound here: held rows are dirty, and the budget for dirty rows brings the flush. */
export class HeldUpdates {
  /** In the order of the rows' first writes. */
  #rows: HeldRow[] = []
  #writes = 0

  /** `oldValue` is what the row was before this write. */
  hold(row: HeldRow, oldValue: unknown, timestamp: Timestamp, headers: Headers | null, context: TaskContext): void {
    const held = row.pending as HeldUpdate | null
    const order = this.#writes++
    if (held === null) {
      row.pending = { oldValue, timestamp, headers, topic: context.topic, partition: context.sourcePartition, offset: context.offset, order }
      this.#rows.push(row)
      return
    }
    held.timestamp = timestamp
    held.headers = headers
    held.topic = context.topic
    held.partition = context.sourcePartition
    held.offset = context.offset
    held.order = order
  }

  /** Gives every update to `send`, in the order of the rows' last writes, with the context that each had. */
  release(context: TaskContext, send: (row: HeldRow, held: HeldUpdate) => void): void {
    if (this.#rows.length === 0) return
    const rows = this.#rows.sort((left, right) => (left.pending as HeldUpdate).order - (right.pending as HeldUpdate).order)
    this.#rows = []
    const { topic, sourcePartition, offset, timestamp } = context
    for (const row of rows) {
      const held = row.pending as HeldUpdate
      row.pending = null
      context.topic = held.topic
      context.sourcePartition = held.partition
      context.offset = held.offset
      context.timestamp = held.timestamp
      send(row, held)
    }
    context.topic = topic
    context.sourcePartition = sourcePartition
    context.offset = offset
    context.timestamp = timestamp
  }
}
