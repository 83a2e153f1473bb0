// What operators share that put out a table: writing a row, and sending its change on at once or with the next flush.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { NodeKind, NodeOf } from '../../core/topology/node.ts'
import type { KeyValueStore, Row, WindowStore } from '../../state/store.ts'
import { HeldUpdates, type HeldUpdate } from './held-updates.ts'
import { Operator } from './operator.ts'
import { StoreReader, WindowStoreReader, type TableReader } from './table-reader.ts'
import type { TaskContext } from './task-context.ts'

/** Kinds whose output is a table. */
export type TableNode = { [Kind in NodeKind]: NodeOf<Kind> extends { readonly sendsOldValues: boolean } ? NodeOf<Kind> : never }[NodeKind]
export type TableRow = Row<unknown, unknown>

export abstract class TableOperator extends Operator {
  protected readonly sendsOldValues: boolean
  /** Null for a table that is recomputed from its parent. */
  protected readonly store: KeyValueStore<unknown, unknown> | WindowStore<unknown, unknown> | null
  readonly #held: HeldUpdates | null

  constructor(node: TableNode, context: TaskContext) {
    super(node, context)
    this.sendsOldValues = node.sendsOldValues
    this.store = node.store === null ? null : context.store(node.store)
    this.#held = this.store !== null && context.holdUpdates && this.store.description.cached ? new HeldUpdates() : null
  }

  /** The key that goes downstream with a row: windowed, where rows are. */
  protected keyOf(row: TableRow): unknown {
    return row.key
  }

  /**
   * Writes a row of the store and tells the children. `oldValue` is what they hear if nothing is held back; `recordTimestamp` is
   * that of the record at work, which a held-back delete carries.
   */
  protected update(row: TableRow, newValue: unknown, oldValue: unknown, timestamp: Timestamp, recordTimestamp: Timestamp, headers: Headers | null): void {
    const before = row.value
    // Only a window store refuses: a window that is past its retention.
    if (this.store!.write(row, newValue, timestamp) === false) this.context.counters.dropped++
    else if (this.#held !== null) this.#held.hold(row, before, recordTimestamp, this.ownHeaders(headers), this.context)
    else if (this.children.length > 0) this.forwardChange(this.keyOf(row), newValue, this.sendsOldValues ? oldValue : null, timestamp, this.ownHeaders(headers))
  }

  override flush(): void {
    this.#held?.release(this.context, this.#send)
  }

  /** A row that was not there at the last flush and is not there now never was. */
  #send = (row: TableRow, held: HeldUpdate): void => {
    const { value } = row
    if (value === null && held.oldValue === null) return
    this.forwardChange(this.keyOf(row), value, this.sendsOldValues ? held.oldValue : null, value === null ? held.timestamp : row.timestamp, held.headers)
  }

  override reader(): TableReader {
    const { store } = this
    if (store === null) return this.derivedReader()
    return store.description.kind === 'window' ? new WindowStoreReader(store as WindowStore<unknown, unknown>) : new StoreReader(store as KeyValueStore<unknown, unknown>)
  }

  /** How to read the table without a store of its own. */
  protected derivedReader(): TableReader {
    return super.reader()
  }
}
