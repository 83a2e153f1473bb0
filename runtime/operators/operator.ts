// An operator is a node at work: it takes a record, does its one thing, and calls its children. No object is made per record.

import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { TopologyNode } from '../../core/topology/node.ts'
import { assert } from '../../core/error.ts'
import type { TaskContext } from './task-context.ts'
import type { TableReader } from './table-reader.ts'

/**
 * Streams flow through `receive`, tables through `receiveChange`; an operator understands what its node's kind takes.
 * Headers are null where there are none. Only user code is guarded: what fails below is the child's own failure.
 */
export abstract class Operator {
  readonly node: TopologyNode
  readonly context: TaskContext
  /** In the order of the topology; complete before the first record. */
  readonly children: Operator[] = []

  constructor(node: TopologyNode, context: TaskContext) {
    this.node = node
    this.context = context
  }

  receive(_key: unknown, _value: unknown, _timestamp: Timestamp, _headers: Headers | null): void {
    assert(false, `${this.node.name} (${this.node.kind}) takes no stream`)
  }

  /** A table's row changed. `oldValue` is null where nobody below asked for it. */
  receiveChange(_key: unknown, _newValue: unknown, _oldValue: unknown, _timestamp: Timestamp, _headers: Headers | null): void {
    assert(false, `${this.node.name} (${this.node.kind}) takes no table`)
  }

  /** Called once, when all operators of the task are made and joined, parents first. `others` has all of the task by name. */
  start(_others: ReadonlyMap<string, Operator>): void {}

  /** Sends on what was held back since the last flush. Parents flush before children. */
  flush(): void {}

  close(): void {}

  /** Who gets the records of that parent: this operator, unless it must tell its parents apart. */
  inputs(_parent: string): readonly Operator[] {
    return [this]
  }

  /** How others read this operator's table. */
  reader(): TableReader {
    assert(false, `${this.node.name} (${this.node.kind}) is no table`)
  }

  protected forward(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const { children } = this
    for (let i = 0; i < children.length; i++) children[i]!.receive(key, value, timestamp, headers)
  }

  protected forwardChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const { children } = this
    for (let i = 0; i < children.length; i++) children[i]!.receiveChange(key, newValue, oldValue, timestamp, headers)
  }

  /** Headers for a record that is a new one: a copy where somebody may change headers in place, else the same. */
  protected ownHeaders(headers: Headers | null): Headers | null {
    return headers === null || !this.context.headersChange ? headers : headers.copy()
  }
}
