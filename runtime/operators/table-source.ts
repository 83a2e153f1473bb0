// Reads a stream's records as updates of a table: table(topic) and toTable.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { TableOperator } from './table-operator.ts'

export class TableSourceOperator extends TableOperator {
  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    if (key === null) {
      this.context.counters.dropped++
      return
    }
    if (this.store === null) return this.forwardChange(key, value, null, timestamp, this.ownHeaders(headers))
    const row = (this.store as KeyValueStore<unknown, unknown>).row(key)
    this.update(row, value, row.value, timestamp, timestamp, headers)
  }
}
