// map, mapValues and selectKey: one record out for each record in.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { KeyValueFunction, MapNode, MapValuesNode, SelectKeyNode } from '../../core/topology/node.ts'
import { Operator } from './operator.ts'
import type { TaskContext } from './task-context.ts'

export class MapOperator extends Operator {
  readonly #mapper: MapNode['mapper']

  constructor(node: MapNode, context: TaskContext) {
    super(node, context)
    this.#mapper = node.mapper
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let newKey, newValue
    try {
      ;[newKey = null, newValue = null] = this.#mapper(key, value)
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.forward(newKey, newValue, timestamp, this.ownHeaders(headers))
  }
}

export class MapValuesOperator extends Operator {
  readonly #mapper: MapValuesNode['mapper']

  constructor(node: MapValuesNode, context: TaskContext) {
    super(node, context)
    this.#mapper = node.mapper
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let newValue
    try {
      newValue = this.#mapper(value, key) ?? null
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.forward(key, newValue, timestamp, this.ownHeaders(headers))
  }
}

export class SelectKeyOperator extends Operator {
  readonly #selector: KeyValueFunction

  constructor(node: SelectKeyNode, context: TaskContext) {
    super(node, context)
    this.#selector = node.selector
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    let newKey
    try {
      newKey = this.#selector(key, value) ?? null
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.forward(newKey, value, timestamp, this.ownHeaders(headers))
  }
}
