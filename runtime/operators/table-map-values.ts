// mapValues of a table: each row's value through a function; deletes stay deletes unless the function wants to see them.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { TableMapValuesNode } from '../../core/topology/node.ts'
import type { KeyValueStore } from '../../state/store.ts'
import type { Operator } from './operator.ts'
import { TableOperator } from './table-operator.ts'
import { DerivedReader, type TableReader } from './table-reader.ts'
import type { TaskContext } from './task-context.ts'

export class TableMapValuesOperator extends TableOperator {
  readonly #mapper: TableMapValuesNode['mapper']
  readonly #seesNulls: boolean
  #parent: Operator | undefined

  constructor(node: TableMapValuesNode, context: TaskContext) {
    super(node, context)
    this.#mapper = node.mapper
    this.#seesNulls = node.seesNulls
  }

  override start(others: ReadonlyMap<string, Operator>): void {
    this.#parent = others.get(this.node.parents[0]!)
  }

  override receiveChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let newRow, oldRow
    const row = this.store === null ? null : (this.store as KeyValueStore<unknown, unknown>).row(key)
    try {
      newRow = this.#mapped(newValue, key)
      oldRow = !this.sendsOldValues ? null : row === null ? this.#mapped(oldValue, key) : row.value
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    if (row === null) this.forwardChange(key, newRow, oldRow, timestamp, this.ownHeaders(headers))
    else this.update(row, newRow, oldRow, timestamp, timestamp, headers)
  }

  protected override derivedReader(): TableReader {
    return new DerivedReader(this.#parent!.reader(), (value, key) => this.#mapped(value, key))
  }

  #mapped(value: unknown, key: unknown): unknown {
    return value === null && !this.#seesNulls ? null : (this.#mapper(value, key) ?? null)
  }
}
