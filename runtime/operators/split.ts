// split: each record goes to the first branch whose predicate holds.

import { assert } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Predicate, SplitNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import type { TaskContext } from './task-context.ts'

export class SplitOperator extends Operator {
  readonly #branches: SplitNode['branches']
  #routes: readonly { readonly predicate: Predicate | null; readonly child: Operator }[] = []

  constructor(node: SplitNode, context: TaskContext) {
    super(node, context)
    this.#branches = node.branches
  }

  override start(): void {
    this.#routes = this.#branches.map(({ child: name, predicate }) => {
      const child = this.children.find(operator => operator.node.name === name)
      assert(child !== undefined, `${this.node.name} has the child ${name}`)
      return { predicate, child }
    })
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let child
    try {
      child = this.#choose(key, value)
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    child?.receive(key, value, timestamp, headers)
  }

  #choose(key: unknown, value: unknown): Operator | undefined {
    const routes = this.#routes
    for (let i = 0; i < routes.length; i++) {
      const { predicate, child } = routes[i]!
      if (predicate === null || predicate(key, value)) return child
    }
    return undefined
  }
}
