// Joins two tables by key: a change of either side is joined with the row that the other has.

import { assert } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { Timestamp } from '../../core/record.ts'
import type { TableJoinNode, ValueJoiner } from '../../core/topology/node.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { Operator } from './operator.ts'
import { TableOperator } from './table-operator.ts'
import type { TableReader } from './table-reader.ts'
import type { TaskContext } from './task-context.ts'

/** A joined row: what both sides give, or null where the kind of join has no row. */
type Join = (mine: unknown, other: unknown, key: unknown) => unknown

export class TableJoinOperator extends TableOperator {
  readonly #join: TableJoinNode
  readonly #left: JoinSide
  readonly #right: JoinSide

  constructor(node: TableJoinNode, context: TaskContext) {
    super(node, context)
    this.#join = node
    const { join, joiner } = node
    const changed = (key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void => this.#changed(key, newValue, oldValue, timestamp, headers)
    this.#left = new JoinSide(node, context, changed, { alone: join !== 'inner', withOther: join === 'outer', sendsOldValues: node.sendsOldValues, joiner })
    const flipped: ValueJoiner = (right, left, key) => joiner(left, right, key)
    this.#right = new JoinSide(node, context, changed, { alone: join === 'outer', withOther: join !== 'inner', sendsOldValues: node.sendsOldValues, joiner: flipped })
  }

  override inputs(parent: string): readonly Operator[] {
    const [left, right] = this.node.parents
    return [...(parent === left ? [this.#left] : []), ...(parent === right ? [this.#right] : [])]
  }

  override start(others: ReadonlyMap<string, Operator>): void {
    const [left, right] = this.node.parents.map(name => others.get(name))
    assert(left !== undefined && right !== undefined, `the task has both tables of ${this.node.name}`)
    this.#left.other = right.reader()
    this.#right.other = left.reader()
  }

  #changed(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    if (this.store === null) this.forwardChange(key, newValue, oldValue, timestamp, this.ownHeaders(headers))
    else this.update((this.store as KeyValueStore<unknown, unknown>).row(key), newValue, oldValue, timestamp, timestamp, headers)
  }

  protected override derivedReader(): TableReader {
    return new JoinReader(this.#join, this.#right.other!, this.#left.other!)
  }
}

interface SideRules {
  /** Whether a row of this side is a row of the join when the other side has none. */
  readonly alone: boolean
  /** Whether a row of the other side is a row of the join when this side has none. */
  readonly withOther: boolean
  readonly sendsOldValues: boolean
  readonly joiner: Join
}

/** What one table's changes go into. */
class JoinSide extends Operator {
  readonly #rules: SideRules
  readonly #changed: Operator['receiveChange']
  other: TableReader | null = null

  constructor(node: TableJoinNode, context: TaskContext, changed: Operator['receiveChange'], rules: SideRules) {
    super(node, context)
    this.#rules = rules
    this.#changed = changed
  }

  override receiveChange(key: unknown, newValue: unknown, oldValue: unknown, timestamp: Timestamp, headers: Headers | null): void {
    if (key === null) {
      this.context.counters.dropped++
      return
    }
    const { alone, sendsOldValues } = this.#rules
    let newRow, oldRow
    let newTimestamp = timestamp
    try {
      const other = this.other!.get(key)
      if (other === null && (!alone || (newValue === null && oldValue === null))) return
      if (other !== null && this.other!.timestamp > timestamp) newTimestamp = this.other!.timestamp
      newRow = this.#joined(newValue, other, key)
      oldRow = sendsOldValues ? this.#joined(oldValue, other, key) : null
    } catch (error) {
      return this.context.failed(this.node, error)
    }
    this.#changed(key, newRow, oldRow, newTimestamp, headers)
  }

  #joined(mine: unknown, other: unknown, key: unknown): unknown {
    if (mine === null && (other === null || !this.#rules.withOther)) return null
    return this.#rules.joiner(mine, other, key) ?? null
  }
}

/** A join that keeps no rows is joined anew when it is looked up. */
class JoinReader implements TableReader {
  readonly #join: TableJoinNode
  readonly #left: TableReader
  readonly #right: TableReader
  timestamp: Timestamp = -1

  constructor(join: TableJoinNode, left: TableReader, right: TableReader) {
    this.#join = join
    this.#left = left
    this.#right = right
  }

  get(key: unknown): unknown {
    const { join, joiner } = this.#join
    const left = this.#left.get(key)
    if (left === null && join !== 'outer') return null
    const leftTimestamp = left === null ? -1 : this.#left.timestamp
    const right = this.#right.get(key)
    if (right === null && (join === 'inner' || left === null)) return null
    this.timestamp = Math.max(leftTimestamp, right === null ? -1 : this.#right.timestamp)
    return joiner(left, right, key) ?? null
  }
}
