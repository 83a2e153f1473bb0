// Says a case's topology in Millrace's language.

import { keyValueStore } from '../../dsl/key-value-store.ts'
import { StreamsBuilder } from '../../dsl/streams-builder.ts'
import type { GlobalKTable, KGroupedStream, KGroupedTable, KStream, KTable, TimeWindowedKStream } from '../../dsl/stream.ts'
import { serdes, type Serde } from '../../core/serde.ts'
import type { KeyValueStoreDescription } from '../../core/topology/store-description.ts'
import type { Partitioner, TimestampExtractor } from '../../core/topology/node.ts'
import { changelogTopicName, repartitionTopicName, type Topology } from '../../core/topology/topology.ts'
import { hopping } from '../../core/window.ts'
import { anySerde } from './any-serde.ts'
import { aggregator, expander, initializer, joiner, mapper, predicate, reducer, selector, str } from './functions.ts'
import { JavaNames } from './java-names.ts'
import type { OracleCase, OracleNode, OracleStore } from './oracle-case.ts'
import { processor } from './processors.ts'

type U = unknown
type Stream = KStream<U, U>
type Table = KTable<U, U>

export interface BuiltCase {
  readonly topology: Topology
  /** Kafka's name of a store by ours. */
  readonly javaStores: ReadonlyMap<string, string>
  /** Kafka's name of an internal topic by ours. */
  readonly javaTopics: ReadonlyMap<string, string>
  /** What peek and foreach have seen; the reader empties it. */
  readonly trace: U[]
}

export function buildCase(oracle: OracleCase): BuiltCase {
  return new CaseBuilder(oracle).build()
}

class CaseBuilder {
  readonly #oracle: OracleCase
  readonly #java: JavaNames
  readonly #builder: StreamsBuilder
  readonly #points = new Map<string, unknown>()
  readonly #processorStores = new Map<string, KeyValueStoreDescription>()
  readonly #extractors = new Map<string, TimestampExtractor>()
  /** Filled when all is built. */
  readonly #javaTopics = new Map<string, string>()
  /** Names given to operators that may have a store, by oracle id. */
  readonly #tables = new Map<string, string>()
  readonly #trace: U[] = []

  constructor(oracle: OracleCase) {
    this.#oracle = oracle
    this.#java = new JavaNames(oracle.nodes)
    const { dslStore, explicitNaming } = oracle.config
    this.#builder = new StreamsBuilder({ defaults: { key: anySerde, value: anySerde }, medium: dslStore === 'memory' ? 'memory' : 'level', explicitNames: explicitNaming })
  }

  build(): BuiltCase {
    for (const node of this.#oracle.nodes) this.#points.set(node.id, this.#call(node))
    const topology = this.#builder.build()
    const java = this.#java
    topology.repartitions.forEach(({ name }, index) => {
      this.#javaTopics.set(repartitionTopicName('app', name), repartitionTopicName('app', java.repartitions[index] ?? name))
    })
    const javaStores = this.#javaStores(topology, java.stores)
    for (const { name } of topology.stores) this.#javaTopics.set(changelogTopicName('app', name), changelogTopicName('app', javaStores.get(name) ?? name))
    return { topology, javaStores, javaTopics: this.#javaTopics, trace: this.#trace }
  }

  #javaStores(topology: Topology, java: ReadonlyMap<string, string>): Map<string, string> {
    const names = new Map<string, string>()
    for (const [id, name] of this.#tables) {
      const node = topology.nodes.find(other => other.name === name)
      if (node !== undefined && 'store' in node && node.store !== null) names.set(node.store, java.get(id) ?? node.store)
      const global = topology.globals.find(other => other.name === name)
      if (global !== undefined) names.set(global.store.name, java.get(id)!)
    }
    return names
  }

  #call(node: OracleNode): unknown {
    const make = this.#verbs[node.op]
    if (make === undefined) throw new Error(`the oracle has no operator ${node.op} here`)
    return make(node)
  }

  readonly #verbs: Readonly<Record<string, (node: OracleNode) => unknown>> = {
    stream: node => this.#builder.stream(node.topics!, { ...this.#source(node.topics!), ...named(node), ...this.#timestamp(node) }),
    table: node => this.#builder.table(node.topic!, { ...this.#source([node.topic!]), ...this.#tableOptions(node) }),
    globalTable: node => this.#builder.globalTable(node.topic!, { ...this.#source([node.topic!]), ...this.#tableOptions(node) }),
    filter: node => this.#streamOrTable(node, stream => stream.filter(predicate(node.predicate!), named(node)), table => table.filter(predicate(node.predicate!), this.#tableOptions(node))),
    filterNot: node => this.#streamOrTable(node, stream => stream.filterNot(predicate(node.predicate!), named(node)), table => table.filterNot(predicate(node.predicate!), this.#tableOptions(node))),
    mapValues: node => {
      const map = mapper(node.mapper!)
      return this.#streamOrTable(node, stream => stream.mapValues((v, k) => map(k, v), named(node)), table => table.mapValues((v, k) => map(k, v), this.#tableOptions(node)))
    },
    transformValues: node => {
      const map = mapper(node.mapper!)
      return this.#table(node).mapValues((v: U, k: U) => map(k, v), { ...this.#tableOptions(node), seesNulls: true })
    },
    map: node => this.#stream(node).map((k, v) => [selector(node.key!)(k, v), mapper(node.mapper!)(k, v)], named(node)),
    selectKey: node => this.#stream(node).selectKey(selector(node.key!), named(node)),
    flatMapValues: node => this.#stream(node).flatMapValues(expander(node.expand!), named(node)),
    flatMap: node => {
      const [expand, select] = [expander(node.expand!), selector(node.key!)]
      return this.#stream(node).flatMap((k, v) => expand(v).map(x => [select(k, x), x] as const), named(node))
    },
    peek: node => this.#stream(node).peek((k, v) => this.#trace.push([node.id, k, v]), named(node)),
    foreach: node => this.#stream(node).forEach((k, v) => this.#trace.push([node.id, k, v]), named(node)),
    split: node => this.#split(node),
    merge: node => this.#stream(node).merge(this.#points.get(node.from![1]!) as Stream, named(node)),
    repartition: node => this.#stream(node).repartition({ ...named(node), ...(node.partitions === undefined ? {} : { partitions: node.partitions }) }),
    toTable: node => this.#stream(node).toTable(this.#tableOptions(node)),
    toStream: node => this.#table(node).toStream(node.key === undefined ? undefined : selector(node.key), named(node)),
    to: node => this.#to(node),
    process: node => this.#stream(node).process(this.#processor(node), this.#processOptions(node)),
    processValues: node => this.#stream(node).processValues(this.#processor(node), this.#processOptions(node)),
    groupByKey: node => this.#stream(node).groupByKey(named(node)),
    groupBy: node => {
      const [select, map] = [selector(node.key!), mapper(node.mapper ?? 'identity')]
      return this.#streamOrTable(node, stream => stream.groupBy(select, named(node)), table => table.groupBy((k, v) => [select(k, v), map(k, v)], named(node)))
    },
    windowedBy: node => {
      const { size, advance, grace } = node.window!
      return this.#from<KGroupedStream<U, U>>(node).windowedBy(hopping(size!, advance ?? size!, { grace: grace ?? 0 }))
    },
    count: node => this.#from<KGroupedStream<U, U>>(node).count(this.#tableOptions(node)),
    reduce: node => this.#reduce(node),
    aggregate: node => this.#aggregate(node),
    joinTable: node => {
      const left = this.#from<Stream | Table>(node)
      if (left.kind === 'table') return this.#joinTables(node, left)
      const [table, join] = [this.#points.get(node.from![1]!) as Table, joiner(node.joiner!)]
      return node.kind === 'left' ? this.#stream(node).leftJoin(table, join, named(node)) : this.#stream(node).join(table, join, named(node))
    },
    joinGlobal: node => {
      const [table, join, options] = [this.#points.get(node.from![1]!) as GlobalKTable<U, U>, joiner(node.joiner!), { on: selector(node.key!), ...named(node) }]
      return node.kind === 'left' ? this.#stream(node).leftJoin(table, join, options) : this.#stream(node).join(table, join, options)
    },
  }

  #from<T>(node: OracleNode): T {
    return this.#points.get(node.from![0]!) as T
  }

  #stream(node: OracleNode): Stream {
    return this.#from<Stream>(node)
  }

  #table(node: OracleNode): Table {
    return this.#from<Table>(node)
  }

  #streamOrTable(node: OracleNode, stream: (stream: Stream) => unknown, table: (table: Table) => unknown): unknown {
    const from = this.#from<Stream | Table>(node)
    return from.kind === 'stream' ? stream(from) : table(from)
  }

  #source(topics: readonly string[]): { readonly key: Serde<U>; readonly value: Serde<U> } {
    const topic = this.#oracle.topics.find(other => other.name === topics[0])
    return { key: serdes.string, value: topic?.value === 'long' ? serdes.int64 : serdes.string }
  }

  /** The same function for the same name: two reads of a topic must agree. */
  #timestamp(node: OracleNode): { readonly timestamp?: TimestampExtractor } {
    if (node.extractor === undefined) return {}
    const known = this.#extractors.get(node.extractor) ?? extractor(node.extractor)
    this.#extractors.set(node.extractor, known)
    return { timestamp: known }
  }

  /** Every operator that may have a store gets a name, by which its store is found again. */
  #tableOptions(node: OracleNode): { readonly name: string; readonly store?: object } {
    const name = node.name ?? `table-${node.id}`
    this.#tables.set(node.id, name)
    if (node.store === undefined) return { name }
    const { name: storeName, type, retention, logging, caching } = node.store as OracleStore
    const store = {
      ...(storeName === undefined ? {} : { name: storeName }),
      ...(type === undefined ? {} : { medium: type === 'memory' ? 'memory' : 'level' }),
      ...(retention === undefined ? {} : { retention }),
      ...(logging === undefined ? {} : { logged: logging }),
      ...(caching === undefined ? {} : { cached: caching }),
    }
    return { name, store }
  }

  #processor(node: OracleNode): ReturnType<typeof processor> {
    return processor(node.fn!, node.store as string | undefined, node.reads ?? [], topic => this.#javaTopics.get(topic) ?? topic)
  }

  #processOptions(node: OracleNode): { readonly name?: string; readonly stores: readonly (string | KeyValueStoreDescription)[] } {
    const own = node.store === undefined ? [] : [this.#processorStore(node.store as string)]
    return { ...named(node), stores: [...own, ...(node.reads ?? [])] }
  }

  #processorStore(name: string): KeyValueStoreDescription {
    const store = this.#processorStores.get(name) ?? keyValueStore(name, { key: anySerde, value: anySerde })
    this.#processorStores.set(name, store)
    return store
  }

  /** A store without name is kept all the same, unlike that of a filter: it gets the name Kafka gives it. */
  #joinTables(node: OracleNode, left: Table): unknown {
    const [right, join] = [this.#points.get(node.from![1]!) as Table, joiner(node.joiner!)]
    const { name, store } = this.#tableOptions(node)
    const options = store === undefined ? { name } : { name, store: { name: this.#java.stores.get(node.id)!, ...store } }
    if (node.kind === 'outer') return left.outerJoin(right, join, options)
    return node.kind === 'left' ? left.leftJoin(right, join, options) : left.join(right, join, options)
  }

  #split(node: OracleNode): unknown {
    const branches = new Map<string, (key: U, value: U) => boolean>()
    node.branches!.forEach((branch, index) => {
      const name = branch.name ?? `unnamed-${index + 1}`
      if (branches.has(name)) throw new Error(`two branches are called ${name}`)
      branches.set(name, predicate(branch.predicate))
    })
    const rest = node.default === undefined ? undefined : (node.default.name ?? 'unnamed-0')
    const streams = this.#stream(node).split(Object.fromEntries(branches), { ...named(node), default: rest }) as Record<string, Stream>
    ;[...branches.keys()].forEach((name, index) => this.#points.set(`${node.id}.${index + 1}`, streams[name]))
    if (rest !== undefined) this.#points.set(`${node.id}.default`, streams[rest])
    return undefined
  }

  #to(node: OracleNode): void {
    const { dropIf } = node
    const partitioner: Partitioner | undefined = dropIf === undefined ? undefined : (_topic, _key, value) => (str(value).includes(dropIf) ? [] : undefined)
    const choose = node.topicBy === undefined ? null : selector(node.topicBy)
    const topic = choose === null ? node.topic! : (key: U, value: U): string => `dyn-${str(choose(key, value))}`
    this.#stream(node).to(topic, { ...named(node), key: anySerde, value: anySerde, partitioner })
  }

  #reduce(node: OracleNode): unknown {
    const from = this.#from<KGroupedStream<U, U> | TimeWindowedKStream<U, U>>(node)
    if (node.subtractor === undefined) return from.reduce(reducer(node.reducer!), this.#tableOptions(node))
    return this.#from<KGroupedTable<U, U>>(node).reduce({ adder: reducer(node.reducer!), subtractor: reducer(node.subtractor), ...this.#tableOptions(node) })
  }

  #aggregate(node: OracleNode): unknown {
    const shared = { initializer: initializer(node.init!), ...this.#tableOptions(node) }
    if (node.subtractor === undefined) return this.#from<KGroupedStream<U, U>>(node).aggregate({ ...shared, aggregator: aggregator(node.aggregator!) })
    return this.#from<KGroupedTable<U, U>>(node).aggregate({ ...shared, adder: aggregator(node.aggregator!), subtractor: aggregator(node.subtractor) })
  }
}

function named(node: OracleNode): { readonly name?: string } {
  return node.name === undefined ? {} : { name: node.name }
}

function extractor(text: string): TimestampExtractor {
  const colon = text.indexOf(':')
  const [name, argument] = [text.slice(0, colon), text.slice(colon + 1)]
  if (name === 'plus') return record => record.timestamp + Number(argument)
  if (name === 'negativeOn') return record => (str(record.value).includes(argument) ? -1 : record.timestamp)
  if (name === 'partitionTimeOn') return (record, partitionTime) => (str(record.value).includes(argument) ? partitionTime : record.timestamp)
  throw new Error(`the oracle has no extractor ${text}`)
}
