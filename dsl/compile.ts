// Makes the frozen topology of a blueprint: names, serdes, checks, subtopologies.

import { subtopologiesOf } from '../core/topology/subtopologies.ts'
import type { Serde } from '../core/serde.ts'
import type { TopologyNode } from '../core/topology/node.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import type { DefaultSerdes, GlobalTable, RepartitionTopic, Topology } from '../core/topology/topology.ts'
import type { Blueprint, Plan, SerdeSlot } from './blueprint.ts'
import { topologyError, type Call } from './call.ts'
import { keySerde } from './key-serde.ts'
import { nameAll, type Names } from './names.ts'
import { presence } from './presence.ts'

type Caller = Pick<Call, 'verb' | 'site'>

/** @throws MillraceError TOPOLOGY for what cannot run, with the operator and its line */
export function compile(blueprint: Blueprint, defaults: DefaultSerdes): Topology {
  const names = nameAll(blueprint)
  const plan = planOf(blueprint, names, defaults)
  const nodes = relaxNullKeys(blueprint.nodes.map(draft => draft.emit({
    name: plan.nodeName(draft),
    parents: draft.parents.map(parent => plan.nodeName(parent)),
    site: draft.call.site,
  }, plan)))
  const globals = globalTables(blueprint, names, plan)
  const globalStores = new Set(globals.map(global => global.store.name))
  const stores = blueprint.stores
    .filter(draft => names.stores.has(draft) && !globalStores.has(plan.storeName(draft)))
    .map(draft => draft.describe(plan.storeName(draft), plan))
  const repartitions = repartitionTopics(blueprint, names, plan, defaults)
  const subtopologies = subtopologiesOf(nodes)
  const topology: Topology = { kind: 'topology', nodes, stores, repartitions, globals, subtopologies }
  checkCopartitions(topology, blueprint, names)
  checkRepartitionNames(topology, blueprint, names)
  return deepFreeze(topology)
}

function planOf(blueprint: Blueprint, names: Names, defaults: DefaultSerdes): Plan {
  const globals = new Set(blueprint.globals.map(global => names.stores.get(global.store)!))
  const stores = new Set(names.stores.values())
  const missing = (side: string, call: Caller, what: string): never => {
    throw topologyError(call, `no serde is known for the ${side}s of ${what}.`, `Give { ${side}: serdes.… } here, or a default to the builder.`)
  }
  const value = (slot: SerdeSlot, call: Caller, what: string): Serde<unknown> => (typeof slot === 'function' ? slot(defaults) : slot ?? defaults.value ?? missing('value', call, what))
  return {
    nodeName: draft => names.nodes.get(draft)!,
    storeName: store => names.stores.get(store)!,
    repartitionName: repartition => names.repartitions.get(repartition)!,
    connectedStores: (wanted, call) => [...new Set(wanted)].filter(name => {
      if (!stores.has(name)) throw unknownStore(name, stores, call)
      return !globals.has(name)
    }),
    key: slot => keySerde(slot, defaults),
    value,
    sourceSerdes(key, valueSlot, call, topic) {
      if (key === null && defaults.key === undefined) missing('key', call, `topic ${topic}`)
      return { key: keySerde(key, defaults), value: value(valueSlot, call, `topic ${topic}`) }
    },
  }
}

function unknownStore(name: string, stores: ReadonlySet<string>, call: Caller): Error {
  const known = stores.size === 0 ? 'There is none yet.' : `There are: ${[...stores].join(', ')}.`
  return topologyError(call, `there is no store ${name}.`, `${known} Add it with builder.addStore, or name a table's store so.`)
}

/**
 * A left join further down keeps records without key, so a repartition above one must not drop them (KIP-962).
 * Goes from the last node to the first, which have what is below them before them.
 */
function relaxNullKeys(nodes: readonly TopologyNode[]): readonly TopologyNode[] {
  const relaxed = new Set<string>()
  const relaxedTopics = new Set<string>()
  for (const node of nodes.toReversed()) {
    const joins = (node.kind === 'stream-table-join' || node.kind === 'stream-global-join') && node.join === 'left'
    const sinks = node.kind === 'repartition-sink' && relaxedTopics.has(node.repartition)
    if (sinks) relaxed.add(node.name)
    if (!joins && !relaxed.has(node.name)) continue
    for (const parent of node.parents) relaxed.add(parent)
    if (node.kind === 'repartition-source') relaxedTopics.add(node.repartition)
  }
  return nodes.map(node => (node.kind === 'repartition-sink' && relaxed.has(node.name) ? { ...node, dropNullKeys: false } : node))
}

function globalTables(blueprint: Blueprint, names: Names, plan: Plan): readonly GlobalTable[] {
  const nodes = names.nodes as ReadonlyMap<unknown, string>
  return blueprint.globals.map(draft => {
    plan.sourceSerdes(draft.serdes.key, draft.serdes.value, draft.call, draft.topic)
    const store: StoreDescription = draft.store.describe(names.stores.get(draft.store)!, plan)
    return { name: nodes.get(draft)!, topic: draft.topic, store, site: draft.call.site }
  })
}

function repartitionTopics(blueprint: Blueprint, names: Names, plan: Plan, defaults: DefaultSerdes): readonly RepartitionTopic[] {
  return blueprint.repartitions.map(draft => {
    const name = names.repartitions.get(draft)!
    const what = `repartition topic ${name}`
    const value = draft.valueMatters ? plan.value(draft.value, draft.call, what) : plan.value(draft.value ?? defaults.value ?? presence, draft.call, what)
    return { name, serdes: { key: plan.key(draft.key), value }, partitions: draft.partitions, changes: draft.changes }
  })
}

function checkCopartitions(topology: Topology, blueprint: Blueprint, names: Names): void {
  for (const group of topology.subtopologies.flatMap(subtopology => subtopology.copartitioned)) {
    const counted = blueprint.repartitions.filter(draft => draft.partitions !== null && group.includes(names.repartitions.get(draft)!))
    const other = counted.find(draft => draft.partitions !== counted[0]!.partitions)
    if (other === undefined) continue
    const [first, second] = [counted[0]!, other].map(draft => `${names.repartitions.get(draft)} has ${draft.partitions}`)
    throw topologyError(other.call, `topics that are joined must have equally many partitions, but ${first} and ${second}.`, 'Give both the same number, or leave one out.')
  }
}

/** Topics that are read and repartition topics share one table of partition counts: of one name, they must not ask for different ones. */
function checkRepartitionNames(topology: Topology, blueprint: Blueprint, names: Names): void {
  const read = new Set(topology.subtopologies.flatMap(subtopology => subtopology.sourceTopics))
  for (const draft of blueprint.repartitions) {
    const name = names.repartitions.get(draft)!
    if (draft.partitions === null || !read.has(name)) continue
    throw topologyError(draft.call, `the repartition topic ${name} has the name of a topic that is read.`, 'Give it another name.')
  }
}

/** Freezes data all the way down; serdes and functions are the user's and stay as they are. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || 'serialize' in value) return value
  Object.freeze(value)
  for (const part of Object.values(value)) deepFreeze(part)
  return value
}
