// Draws where records come in: streams and tables of topics, and global tables.

import type { TimestampExtractor } from '../core/topology/node.ts'
import { naming, type Blueprint, type Draft, type SerdeSlot } from './blueprint.ts'
import { checkName, topologyError, whereabouts, type Call } from './call.ts'
import type { GlobalTablePoint, StreamPoint, TablePoint } from './point.ts'
import { storeSettings, tableStore, type StoreChoice, type StoreSettings } from './draw-store.ts'

/** Source options with the types of the user's functions taken off. */
export interface SourceChoice {
  readonly key?: SerdeSlot | undefined
  readonly value?: SerdeSlot | undefined
  readonly timestamp?: TimestampExtractor | undefined
  readonly offsetReset?: 'earliest' | 'latest' | undefined
}

interface Reader {
  readonly use: 'stream' | 'table' | 'globalTable'
  readonly topics: readonly string[]
  readonly call: Call
  readonly choice: SourceChoice
  /** None for a global table. */
  readonly node: Draft | null
}

/** Who reads which topic: a topic is read once. */
export class Sources {
  readonly #blueprint: Blueprint
  readonly #readers: Reader[] = []

  constructor(blueprint: Blueprint) {
    this.#blueprint = blueprint
  }

  stream(call: Call, topics: readonly string[], choice: SourceChoice): StreamPoint {
    const sorted = checkedTopics(topics, call)
    const known = this.#readers.find(reader => reader.use === 'stream' && reader.topics.join() === sorted.join())
    if (known !== undefined) requireSameChoice(known, choice, call)
    const node = known?.node ?? this.#source('stream', call, sorted, choice)
    const { key = null, value = null } = choice
    return { blueprint: this.#blueprint, node, path: sorted.join('-and-'), key, value, rekeyed: false, joinRepartition: null }
  }

  table(call: Call, topic: string, choice: SourceChoice, storeChoice: StoreChoice | undefined): TablePoint {
    const source = this.#source('table', { ...call, name: null }, checkedTopics([topic], call), choice)
    const from = { blueprint: this.#blueprint, node: source, path: topic, key: choice.key ?? null, value: choice.value ?? null }
    // Only the node and its store have the verb in their names: what comes below is called `customers.filter`.
    return { ...drawTableSource(call, from, storeSettings(storeChoice)), path: topic }
  }

  globalTable(call: Call, topic: string, choice: SourceChoice, storeChoice: StoreChoice | undefined): GlobalTablePoint {
    this.#register({ use: 'globalTable', topics: checkedTopics([topic], call), call, choice, node: null })
    const serdes = { key: choice.key ?? null, value: choice.value ?? null }
    const path = `${topic}.globalTable`
    const store = tableStore({ blueprint: this.#blueprint, call, path, ...serdes }, { ...storeSettings(storeChoice), logged: false, cached: false })
    store.used = true
    const global = { naming: naming(call.name, path), call, topic, store, serdes }
    this.#blueprint.globals.push(global)
    return { blueprint: this.#blueprint, global }
  }

  #source(use: 'stream' | 'table', call: Call, topics: readonly string[], choice: SourceChoice): Draft {
    const node = this.#blueprint.node(call, topics.join('-and-'), [], (base, plan) => ({
      ...base,
      kind: 'source',
      topics,
      serdes: plan.sourceSerdes(choice.key ?? null, choice.value ?? null, call, topics[0]!),
      timestamp: choice.timestamp ?? null,
      offsetReset: choice.offsetReset ?? 'earliest',
    }))
    this.#register({ use, topics, call, choice, node })
    return node
  }

  #register(reader: Reader): void {
    for (const topic of reader.topics) {
      const other = this.#readers.find(known => known.topics.includes(topic))
      if (other === undefined) continue
      const facts = `topic ${topic} is read already, by ${whereabouts(other.call)}.`
      if (other.use !== 'stream') throw topologyError(reader.call, facts, 'Keep the table in a constant and use it in both places; toStream() gives its updates.')
      if (reader.use !== 'stream') throw topologyError(reader.call, facts, 'Read it once, as a stream, and make the table of it with toTable().')
      throw topologyError(reader.call, facts, 'Streams may share a source only if they read exactly the same topics: read each topic by itself and merge.')
    }
    this.#readers.push(reader)
  }
}

/** Reads a stream as a table: of a topic's source node or of any stream. */
export function drawTableSource(call: Call, from: Pick<StreamPoint, 'blueprint' | 'node' | 'path' | 'key' | 'value'>, settings: StoreSettings): TablePoint {
  const { blueprint } = from
  const path = `${from.path}.${call.verb}`
  const [key, value] = [settings.key ?? from.key, settings.value ?? from.value]
  const store = tableStore({ blueprint, call, path, key, value }, settings)
  const state = { parents: [], store, sendsOldValues: false }
  const node = blueprint.node(call, path, [from.node], (base, plan) => ({
    ...base,
    kind: 'table-source',
    store: store.used ? plan.storeName(store) : null,
    sendsOldValues: state.sendsOldValues,
  }))
  return { blueprint, node, path, key, value, state }
}

function checkedTopics(topics: readonly string[], call: Call): readonly string[] {
  if (topics.length === 0) throw topologyError(call, 'no topic is given.', 'Give one name or a list of names.')
  for (const topic of topics) checkName(topic, 'topic name', call)
  return [...new Set(topics)].sort()
}

function requireSameChoice(known: Reader, choice: SourceChoice, call: Call): void {
  for (const option of ['key', 'value', 'timestamp', 'offsetReset'] as const) {
    if (known.choice[option] === choice[option]) continue
    throw topologyError(
      call,
      `${known.topics.join(', ')} is read already, by ${whereabouts(known.call)}, with another ${option}.`,
      'Give both calls the same options (the same serde object), or call stream once and use its result twice.',
    )
  }
}
