// peek and forEach: the user looks at each record; forEach simply has no children.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { ForEachNode, PeekNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import { refusePromise } from './refuse-promise.ts'
import type { TaskContext } from './task-context.ts'

export class PeekOperator extends Operator {
  readonly #action: (key: unknown, value: unknown) => void

  constructor(node: PeekNode | ForEachNode, context: TaskContext) {
    super(node, context)
    this.#action = node.action
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    try {
      refusePromise(this.#action(key, value))
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.forward(key, value, timestamp, headers)
  }
}
