// toStream: a table's changes as records; deletes are records with a null value.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { KeyValueFunction, TableToStreamNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import type { TaskContext } from './task-context.ts'

export class TableToStreamOperator extends Operator {
  readonly #selector: KeyValueFunction | null

  constructor(node: TableToStreamNode, context: TaskContext) {
    super(node, context)
    this.#selector = node.selector
  }

  override receiveChange(key: unknown, newValue: unknown, _oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    if (this.#selector === null) return this.forward(key, newValue, timestamp, this.ownHeaders(headers))
    let newKey
    try {
      newKey = this.#selector(key, newValue) ?? null
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.forward(newKey, newValue, timestamp, this.ownHeaders(headers))
  }
}
