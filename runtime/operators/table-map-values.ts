// mapValues of a table: each row's value through a function; deletes stay deletes unless the function wants to see them.

import type { TableMapValuesNode } from '../../core/topology/node.ts'
import { DerivedTableOperator } from './derived-table.ts'
import type { TaskContext } from './task-context.ts'

export class TableMapValuesOperator extends DerivedTableOperator {
  readonly #mapper: TableMapValuesNode['mapper']
  readonly #seesNulls: boolean

  constructor(node: TableMapValuesNode, context: TaskContext) {
    super(node, context)
    this.#mapper = node.mapper
    this.#seesNulls = node.seesNulls
  }

  protected override derived(value: unknown, key: unknown): unknown {
    return value === null && !this.#seesNulls ? null : (this.#mapper(value, key) ?? null)
  }

  /** Every change of the parent's goes on, a delete of what is deleted too, as in Kafka Streams. */
  protected override isNothing(): boolean {
    return false
  }
}
