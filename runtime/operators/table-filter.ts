// filter and filterNot of a table: a row that no longer matches is deleted downstream.

import type { Predicate, TableFilterNode } from '../../core/topology/node.ts'
import { DerivedTableOperator } from './derived-table.ts'
import type { TaskContext } from './task-context.ts'

export class TableFilterOperator extends DerivedTableOperator {
  readonly #predicate: Predicate
  readonly #wanted: boolean

  constructor(node: TableFilterNode, context: TaskContext) {
    super(node, context)
    this.#predicate = node.predicate
    this.#wanted = !node.negated
  }

  protected override derived(value: unknown, key: unknown): unknown {
    return value !== null && !!this.#predicate(key, value) === this.#wanted ? value : null
  }

  protected override isNothing(newRow: unknown, oldRow: unknown): boolean {
    return newRow === null && oldRow === null
  }
}
