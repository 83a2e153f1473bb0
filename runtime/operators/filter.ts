// filter and filterNot of a stream.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { FilterNode, Predicate } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import type { TaskContext } from './task-context.ts'

export class FilterOperator extends Operator {
  readonly #predicate: Predicate
  readonly #wanted: boolean

  constructor(node: FilterNode, context: TaskContext) {
    super(node, context)
    this.#predicate = node.predicate
    this.#wanted = !node.negated
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let matches
    try {
      matches = !!this.#predicate(key, value)
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    if (matches === this.#wanted) this.forward(key, value, timestamp, headers)
  }
}
