// The names that Kafka Streams gives to stores that have none: one counter for operators and stores, advanced in the order of the calls.

import type { OracleNode } from './oracle-case.ts'
import { isTable } from './not-built-yet.ts'

/** Store names by node, for every node that may have a store. */
export function javaStoreNames(nodes: readonly OracleNode[]): ReadonlyMap<string, string> {
  return new JavaNames(nodes).stores
}

class JavaNames {
  readonly stores = new Map<string, string>()
  readonly #nodes: ReadonlyMap<string, OracleNode>
  /** Streams whose next grouping or join repartitions. */
  readonly #rekeyed = new Set<string>()
  #index = 0

  constructor(nodes: readonly OracleNode[]) {
    this.#nodes = new Map(nodes.map(node => [node.id, node]))
    for (const node of nodes) this.#visit(node)
  }

  #burn(count = 1): void {
    this.#index += count
  }

  /** The given name, or a new one, which takes a number. */
  #store(node: OracleNode, prefix: string): void {
    const given = typeof node.store === 'object' ? node.store.name : undefined
    this.stores.set(node.id, given ?? `${prefix}STATE-STORE-${String(this.#index++).padStart(10, '0')}`)
  }

  #namelessStore(node: OracleNode): boolean {
    return typeof node.store === 'object' && node.store.name === undefined
  }

  #visit(node: OracleNode): void {
    const from = node.from?.[0] ?? ''
    const table = isTable(from, this.#nodes)
    if (!table && this.#rekeyed.has(from) && KEEPS_KEY.has(node.op)) this.#rekeyed.add(node.id)
    if (CHANGES_KEY.has(node.op) && !table) this.#rekeyed.add(node.id)
    switch (node.op) {
      case 'table':
      case 'globalTable':
        this.#store(node, `${node.topic}-`)
        return this.#burn(2)
      case 'toTable':
        this.#burn()
        this.#store(node, 'KSTREAM-TOTABLE-')
        return this.#burn(this.#rekeyed.has(from) ? 3 : 0)
      case 'filter':
      case 'filterNot':
      case 'mapValues':
      case 'transformValues':
        return this.#tableStep(node, table)
      case 'count':
      case 'reduce':
      case 'aggregate':
        return this.#aggregate(node)
      default:
        return this.#other(node, from)
    }
  }

  #tableStep(node: OracleNode, table: boolean): void {
    if (table && node.store !== undefined) this.#store(node, 'KTABLE-')
    this.#burn()
  }

  #aggregate(node: OracleNode): void {
    const group = this.#groupOf(node)
    if (isTable(group.from![0]!, this.#nodes)) {
      this.#store(node, 'KTABLE-AGGREGATE-')
      return this.#burn(3)
    }
    if (node.op === 'count' && this.#namelessStore(node)) this.#burn()
    this.#store(node, node.op === 'reduce' ? 'KSTREAM-REDUCE-' : 'KSTREAM-AGGREGATE-')
    this.#burn(1 + (this.#rekeyed.has(group.id) ? 3 : 0))
  }

  #groupOf(node: OracleNode): OracleNode {
    const from = this.#nodes.get(node.from![0]!)!
    return from.op === 'windowedBy' ? this.#nodes.get(from.from![0]!)! : from
  }

  #other(node: OracleNode, from: string): void {
    if (node.op === 'merge' && node.from!.some(id => this.#rekeyed.has(id))) this.#rekeyed.add(node.id)
    if (node.op === 'split') return this.#split(node)
    if (node.op === 'repartition') return this.#burn(node.name === undefined ? 4 : 3)
    if (node.op === 'process' || node.op === 'processValues') return this.#burn(node.name === undefined ? 1 : 0)
    if (node.op === 'joinTable') return this.#burn(this.#rekeyed.has(from) ? 4 : 1)
    if (node.op === 'toStream') {
      if (node.key !== undefined) this.#rekeyed.add(node.id)
      return this.#burn(node.key === undefined ? 1 : 2)
    }
    if (node.op !== 'groupByKey' && node.op !== 'windowedBy') this.#burn()
  }

  #split(node: OracleNode): void {
    if (this.#rekeyed.has(node.from![0]!)) {
      node.branches!.forEach((_, index) => this.#rekeyed.add(`${node.id}.${index + 1}`))
      this.#rekeyed.add(`${node.id}.default`)
    }
    this.#burn()
  }
}

const KEEPS_KEY = new Set(['filter', 'filterNot', 'mapValues', 'flatMapValues', 'peek', 'processValues', 'merge', 'joinGlobal', 'groupByKey'])
const CHANGES_KEY = new Set(['map', 'flatMap', 'selectKey', 'groupBy', 'process'])
