// flatMap and flatMapValues: any number of records out for each record in.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { FlatMapNode, FlatMapValuesNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import type { TaskContext } from './task-context.ts'

export class FlatMapOperator extends Operator {
  readonly #mapper: FlatMapNode['mapper']

  constructor(node: FlatMapNode, context: TaskContext) {
    super(node, context)
    this.#mapper = node.mapper
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    try {
      for (const [newKey = null, newValue = null] of this.#mapper(key, value)) this.forward(newKey, newValue, timestamp, this.ownHeaders(headers))
    } catch (error) {
      this.context.failed(this.node, error)
    }
  }
}

export class FlatMapValuesOperator extends Operator {
  readonly #mapper: FlatMapValuesNode['mapper']

  constructor(node: FlatMapValuesNode, context: TaskContext) {
    super(node, context)
    this.#mapper = node.mapper
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    try {
      for (const newValue of this.#mapper(value, key)) this.forward(key, newValue ?? null, timestamp, this.ownHeaders(headers))
    } catch (error) {
      this.context.failed(this.node, error)
    }
  }
}
