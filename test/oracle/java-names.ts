// The names that Kafka Streams gives to stores and repartition topics that have none: one counter for operators and stores, in the order of the calls.

import { isTable } from './not-built-yet.ts'
import type { OracleNode } from './oracle-case.ts'

export class JavaNames {
  /** Store names by the id of the node that may have the store. */
  readonly stores: Map<string, string> = new Map()
  /** Names of repartition topics, without application id and ending, in the order they are made. */
  readonly repartitions: string[] = []
  readonly #nodes: ReadonlyMap<string, OracleNode>
  /** Streams whose next grouping or join repartitions. */
  readonly #rekeyed = new Set<string>()
  /** Names of the operators behind streams. */
  readonly #operators = new Map<string, string>()
  readonly #shared = new Set<string>()
  #index = 0

  constructor(nodes: readonly OracleNode[]) {
    this.#nodes = new Map(nodes.map(node => [node.id, node]))
    for (const node of nodes) this.#visit(node)
  }

  #next(prefix: string): string {
    return `${prefix}${String(this.#index++).padStart(10, '0')}`
  }

  /** An operator takes a number even if its name is given. */
  #operator(node: OracleNode, prefix: string): void {
    const generated = this.#next(prefix)
    this.#operators.set(node.id, node.name ?? generated)
  }

  #store(node: OracleNode, prefix: string): void {
    const given = typeof node.store === 'object' ? node.store.name : undefined
    this.stores.set(node.id, given ?? this.#next(`${prefix}STATE-STORE-`))
  }

  /** Sink, filter and source take numbers. `user` says whose name the topic has, so that it may be shared by it. */
  #repartition(name: string, sharedBy: string | null): void {
    this.#index += 3
    if (sharedBy !== null) {
      if (this.#shared.has(`${sharedBy} ${name}`)) return
      this.#shared.add(`${sharedBy} ${name}`)
    }
    this.repartitions.push(name)
  }

  #visit(node: OracleNode): void {
    const from = node.from?.[0] ?? ''
    const table = isTable(from, this.#nodes)
    if (!table && CHANGES_KEY.has(node.op)) this.#rekeyed.add(node.id)
    if (!table && KEEPS_KEY.has(node.op) && node.from!.some(id => this.#rekeyed.has(id))) this.#rekeyed.add(node.id)
    const visit = this.#visits[node.op]
    if (visit !== undefined) visit(node, from, table)
    else this.#operator(node, PREFIXES[node.op]!)
  }

  readonly #visits: Readonly<Record<string, (node: OracleNode, from: string, table: boolean) => void>> = {
    table: node => this.#table(node),
    globalTable: node => this.#table(node),
    toTable: (node, from) => {
      this.#operator(node, 'KSTREAM-TOTABLE-')
      this.#store(node, 'KSTREAM-TOTABLE-')
      if (this.#rekeyed.has(from)) this.#repartition(this.#operators.get(node.id)!, null)
    },
    filter: (node, _, table) => this.#step(node, 'FILTER', table),
    filterNot: (node, _, table) => this.#step(node, 'FILTER', table),
    mapValues: (node, _, table) => this.#step(node, 'MAPVALUES', table),
    transformValues: (node, _, table) => this.#step(node, 'TRANSFORMVALUES', table),
    count: node => this.#aggregate(node),
    reduce: node => this.#aggregate(node),
    aggregate: node => this.#aggregate(node),
    split: node => this.#split(node),
    repartition: node => {
      const name = node.name ?? this.#next('KSTREAM-REPARTITION-')
      this.#operators.set(node.id, name)
      this.#repartition(name, null)
    },
    process: node => this.#operators.set(node.id, node.name ?? this.#next('KSTREAM-PROCESSOR-')),
    processValues: node => this.#operators.set(node.id, node.name ?? this.#next('KSTREAM-PROCESSVALUES-')),
    groupByKey: (node, from) => this.#operators.set(node.id, this.#operators.get(from)!),
    windowedBy: () => {},
    toStream: node => {
      this.#operator(node, 'KTABLE-TOSTREAM-')
      if (node.key === undefined) return
      this.#rekeyed.add(node.id)
      this.#operator(node, 'KSTREAM-KEY-SELECT-')
    },
    joinTable: (node, from, table) => {
      if (table) {
        if (node.store !== undefined) this.#store(node, 'KTABLE-MERGE-')
        this.#operator(node, 'KTABLE-MERGE-')
        this.#index += 2
        return
      }
      if (this.#rekeyed.has(from)) this.#repartition(node.name ?? this.#operators.get(from)!, `join of ${from}`)
      this.#operator(node, node.kind === 'left' ? 'KSTREAM-LEFTJOIN-' : 'KSTREAM-JOIN-')
    },
  }

  #table(node: OracleNode): void {
    this.#store(node, `${node.topic}-`)
    this.#operator(node, 'KSTREAM-SOURCE-')
    this.#operator(node, 'KTABLE-SOURCE-')
  }

  #step(node: OracleNode, name: string, table: boolean): void {
    const nameless = typeof node.store === 'object' && node.store.name === undefined
    if (table && node.store !== undefined && !(nameless && node.op === 'transformValues')) this.#store(node, `KTABLE-${name}-`)
    this.#operator(node, `${table ? 'KTABLE' : 'KSTREAM'}-${name}-`)
  }

  #aggregate(node: OracleNode): void {
    const from = this.#nodes.get(node.from![0]!)!
    const group = from.op === 'windowedBy' ? this.#nodes.get(from.from![0]!)! : from
    const sharedBy = group.name === undefined ? null : `group ${group.id}`
    if (isTable(group.from![0]!, this.#nodes)) {
      this.#store(node, 'KTABLE-AGGREGATE-')
      this.#repartition(group.name ?? this.stores.get(node.id)!, sharedBy)
      return
    }
    if (node.op === 'count' && typeof node.store === 'object' && node.store.name === undefined) this.#index++
    const prefix = node.op === 'reduce' ? 'KSTREAM-REDUCE-' : 'KSTREAM-AGGREGATE-'
    this.#store(node, prefix)
    this.#operator(node, prefix)
    if (this.#rekeyed.has(group.id)) this.#repartition(group.name ?? this.stores.get(node.id)!, sharedBy)
  }

  /** Branches take numbers, too, the default one as well. */
  #split(node: OracleNode): void {
    const ids = node.branches!.map((_, index) => `${node.id}.${index + 1}`)
    if (node.default !== undefined) ids.push(`${node.id}.default`)
    if (this.#rekeyed.has(node.from![0]!)) for (const id of ids) this.#rekeyed.add(id)
    this.#operator(node, 'KSTREAM-BRANCH-')
    const base = this.#operators.get(node.id)!
    ids.forEach((id, index) => {
      const branch = node.branches![index] ?? node.default!
      this.#index++
      this.#operators.set(id, `${base}${branch.name ?? (index < node.branches!.length ? index + 1 : 0)}`)
    })
  }
}

const PREFIXES: Readonly<Record<string, string>> = {
  stream: 'KSTREAM-SOURCE-',
  map: 'KSTREAM-MAP-',
  flatMap: 'KSTREAM-FLATMAP-',
  flatMapValues: 'KSTREAM-FLATMAPVALUES-',
  selectKey: 'KSTREAM-KEY-SELECT-',
  groupBy: 'KSTREAM-KEY-SELECT-',
  peek: 'KSTREAM-PEEK-',
  foreach: 'KSTREAM-FOREACH-',
  merge: 'KSTREAM-MERGE-',
  to: 'KSTREAM-SINK-',
  joinGlobal: 'KSTREAM-LEFTJOIN-',
}
const KEEPS_KEY = new Set(['filter', 'filterNot', 'mapValues', 'flatMapValues', 'peek', 'processValues', 'merge', 'joinGlobal', 'groupByKey'])
const CHANGES_KEY = new Set(['map', 'flatMap', 'selectKey', 'groupBy', 'process'])
