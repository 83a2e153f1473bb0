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
  /** Its place in the queue. */
  index: number
}

type HeldRow = Row<unknown, unknown>

const SHORTEST_QUEUE = 64

/** In the order of the rows' last writes. There is no bound here: held rows are dirty, and the budget for dirty rows brings the flush. */
export class HeldUpdates {
  #queue: (HeldRow | null)[] = []
  #count = 0

  /** `oldValue` is what the row was before this write. */
  hold(row: HeldRow, oldValue: unknown, timestamp: Timestamp, headers: Headers | null, context: TaskContext): void {
    const held = row.pending as HeldUpdate | null
    if (held === null) {
      row.pending = { oldValue, timestamp, headers, topic: context.topic, partition: context.sourcePartition, offset: context.offset, index: this.#queue.length }
      this.#count++
    } else {
      this.#queue[held.index] = null
      held.timestamp = timestamp
      held.headers = headers
      held.topic = context.topic
      held.partition = context.sourcePartition
      held.offset = context.offset
      held.index = this.#queue.length
    }
    this.#queue.push(row)
    if (this.#queue.length > SHORTEST_QUEUE && this.#queue.length > 2 * this.#count) this.#compact()
  }

  /** Empties the queue into `send`, with the context that each update had. */
  release(context: TaskContext, send: (row: HeldRow, held: HeldUpdate) => void): void {
    if (this.#count === 0) return
    const queue = this.#queue
    this.#queue = []
    this.#count = 0
    const { topic, sourcePartition, offset, timestamp } = context
    for (const row of queue) {
      if (row === null) continue
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

  #compact(): void {
    this.#queue = this.#queue.filter(row => row !== null)
    for (let i = 0; i < this.#queue.length; i++) (this.#queue[i]!.pending as HeldUpdate).index = i
  }
}
