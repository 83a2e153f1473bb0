// A table whose rows are made from its parent's, row by row: what filtered and mapped tables have in common, with a store of their own or without.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { KeyValueStore } from '../../state/store.ts'
import type { Operator } from './operator.ts'
import { TableOperator } from './table-operator.ts'
import { DerivedReader, type TableReader } from './table-reader.ts'

export abstract class DerivedTableOperator extends TableOperator {
  #parent: Operator | undefined

  /** The row that comes of the parent's; null where there is none. May throw what the user's function throws. */
  protected abstract derived(value: unknown, key: unknown): unknown

  /** Whether a change tells those below nothing. Called only if old rows are known. */
  protected abstract isNothing(newRow: unknown, oldRow: unknown): boolean

  override start(others: ReadonlyMap<string, Operator>): void {
    this.#parent = others.get(this.node.parents[0]!)
  }

  override receiveChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let newRow, oldRow
    const row = this.store === null ? null : (this.store as KeyValueStore<unknown, unknown>).row(key)
    try {
      newRow = this.derived(newValue, key)
      oldRow = !this.sendsOldValues ? null : row === null ? this.derived(oldValue, key) : row.value
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    if (this.sendsOldValues && this.isNothing(newRow, oldRow)) return
    if (row === null) this.forwardChange(key, newRow, oldRow, timestamp, this.ownHeaders(headers))
    else this.update(row, newRow, oldRow, timestamp, timestamp, headers)
  }

  protected override derivedReader(): TableReader {
    return new DerivedReader(this.#parent!.reader(), (value, key) => this.derived(value, key))
  }
}
