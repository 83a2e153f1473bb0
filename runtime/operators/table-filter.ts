// filter and filterNot of a table: a row that no longer matches is deleted downstream.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Predicate, TableFilterNode } from '../../core/topology/node.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { DerivedReader, type TableReader } from './table-reader.ts'
import type { Operator } from './operator.ts'
import { TableOperator } from './table-operator.ts'
import type { TaskContext } from './task-context.ts'

export class TableFilterOperator extends TableOperator {
  readonly #predicate: Predicate
  readonly #wanted: boolean
  #parent: Operator | undefined

  constructor(node: TableFilterNode, context: TaskContext) {
    super(node, context)
    this.#predicate = node.predicate
    this.#wanted = !node.negated
  }

  override start(others: ReadonlyMap<string, Operator>): void {
    this.#parent = others.get(this.node.parents[0]!)
  }

  override receiveChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let newRow, oldRow
    const row = this.store === null ? null : (this.store as KeyValueStore<unknown, unknown>).row(key)
    try {
      newRow = this.#filtered(newValue, key)
      oldRow = !this.sendsOldValues ? null : row === null ? this.#filtered(oldValue, key) : row.value
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    if (this.sendsOldValues && newRow === null && oldRow === null) return
    if (row === null) this.forwardChange(key, newRow, oldRow, timestamp, this.ownHeaders(headers))
    else this.update(row, newRow, oldRow, timestamp, timestamp, headers)
  }

  protected override derivedReader(): TableReader {
    return new DerivedReader(this.#parent!.reader(), (value, key) => this.#filtered(value, key))
  }

  #filtered(value: unknown, key: unknown): unknown {
    return value !== null && !!this.#predicate(key, value) === this.#wanted ? value : null
  }
}
