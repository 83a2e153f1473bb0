// Draws the verbs of a stream that look at one record at a time, and its ways out: splits, merges, topics, repartitions.

import type { KeyValueStoreDescription } from '../core/topology/store-description.ts'
import type { NodeOf, Partitioner, Predicate, TopicSelector } from '../core/topology/node.ts'
import type { Serde } from '../core/serde.ts'
import type { DefaultSerdes } from '../core/topology/topology.ts'
import { naming, type Draft, type NodeBase, type RepartitionDraft, type SerdeSlot } from './blueprint.ts'
import { checkName, topologyError, type Call } from './call.ts'
import { drawTableSource } from './draw-source.ts'
import { describedStore, storeSettings, type StoreChoice } from './draw-store.ts'
import { keySerde } from './key-serde.ts'
import type { Repartitioned, StreamPoint, TablePoint } from './point.ts'

/** What each kind of step does to the serdes: `lost` where it may put out keys or values of another type. */
const EFFECTS = {
  filter: { key: 'kept', value: 'kept' },
  map: { key: 'lost', value: 'lost' },
  'map-values': { key: 'kept', value: 'lost' },
  'flat-map': { key: 'lost', value: 'lost' },
  'flat-map-values': { key: 'kept', value: 'lost' },
  'select-key': { key: 'lost', value: 'kept' },
  peek: { key: 'kept', value: 'kept' },
  'for-each': { key: 'kept', value: 'kept' },
} as const

type StepKind = keyof typeof EFFECTS
type Body<Node> = Node extends unknown ? Omit<Node, keyof NodeBase> : never

/** One operator that takes a record and puts out records. A lost key means that it may have changed, too. */
export function drawStep(point: StreamPoint, call: Call, body: Body<NodeOf<StepKind>>): StreamPoint {
  const node = point.blueprint.node(call, `${point.path}.${call.verb}`, [point.node], base => ({ ...base, ...body }))
  const effect = EFFECTS[body.kind]
  return {
    ...point,
    node,
    path: body.kind === 'peek' ? point.path : `${point.path}.${call.verb}`,
    key: effect.key === 'kept' ? point.key : null,
    value: effect.value === 'kept' ? point.value : null,
    rekeyed: point.rekeyed || effect.key === 'lost',
    joinRepartition: null,
  }
}

/** The branches by name, in order; the default one last. */
export function drawSplit(point: StreamPoint, call: Call, branches: Readonly<Record<string, Predicate>>, defaultName: string | null): Map<string, StreamPoint> {
  const predicates: [string, Predicate | null][] = Object.entries(branches)
  if (defaultName !== null) predicates.push([defaultName, null])
  checkBranchNames(predicates.map(([name]) => name), call)
  const children: { child: Draft; predicate: Predicate | null }[] = []
  const split = point.blueprint.node(call, `${point.path}.split`, [point.node], (base, plan) => ({
    ...base,
    kind: 'split',
    branches: children.map(({ child, predicate }) => ({ child: plan.nodeName(child), predicate })),
  }))
  const points = new Map<string, StreamPoint>()
  for (const [name, predicate] of predicates) {
    const path = `${point.path}.split.${name}`
    const child = point.blueprint.node({ ...call, name: call.name === null ? null : call.name + name }, path, [split], base => ({ ...base, kind: 'pass', role: 'branch' }))
    children.push({ child, predicate })
    points.set(name, { ...point, node: child, path, joinRepartition: null })
  }
  return points
}

function checkBranchNames(names: readonly string[], call: Call): void {
  if (names.length === 0) throw topologyError(call, 'no branch is given.', 'Give an object with a predicate for each branch.')
  for (const name of names) {
    checkName(name, 'branch name', call)
    // JavaScript moves such keys to the front of an object, and the first branch that matches wins.
    if (/^\d+$/.test(name)) throw topologyError(call, `the branch name ${name} is a number, which loses its place among the branches.`, 'Begin it with a letter.')
    if (names.indexOf(name) !== names.lastIndexOf(name)) throw topologyError(call, `two branches are called ${name}.`, 'Give the default branch a name of its own.')
  }
}

/** Serdes stay where both sides have the very same. */
export function drawMerge(point: StreamPoint, other: StreamPoint, call: Call): StreamPoint {
  const path = `${point.path}.merge`
  const parents = point.node === other.node ? [point.node] : [point.node, other.node]
  const node = point.blueprint.node(call, path, parents, base => ({ ...base, kind: 'pass', role: 'merge' }))
  return {
    ...point,
    node,
    path,
    key: point.key === other.key ? point.key : null,
    value: point.value === other.value ? point.value : null,
    rekeyed: point.rekeyed || other.rekeyed,
    joinRepartition: null,
  }
}

export interface SinkChoice {
  readonly key?: Serde<unknown> | undefined
  readonly value?: Serde<unknown> | undefined
  readonly partitioner?: Partitioner | undefined
}

export function drawSink(point: StreamPoint, call: Call, topic: string | TopicSelector, choice: SinkChoice): void {
  if (typeof topic === 'string') checkName(topic, 'topic name', call)
  const what = typeof topic === 'string' ? `topic ${topic}` : 'the topics it chooses'
  point.blueprint.node(call, `${point.path}.to`, [point.node], (base, plan) => {
    const key = plan.key(choice.key ?? point.key)
    const value = plan.value(choice.value ?? point.value, call, what)
    return { ...base, kind: 'sink', topic, serdes: { key, value }, partitioner: choice.partitioner ?? null }
  })
}

/** How what a sink wrote is read again. */
export function writtenSerdes(point: StreamPoint, choice: SinkChoice): { readonly key: SerdeSlot; readonly value: SerdeSlot } {
  const unknownKey = (defaults: DefaultSerdes): Serde<unknown> => keySerde(null, defaults)
  return { key: choice.key ?? point.key ?? unknownKey, value: choice.value ?? point.value }
}

export interface RepartitionChoice extends SinkChoice {
  readonly partitions?: number | undefined
}

/** `repartition()`: always through a topic. */
export function drawRepartition(point: StreamPoint, call: Call, choice: RepartitionChoice): StreamPoint {
  const { partitions } = choice
  if (partitions !== undefined && (!Number.isSafeInteger(partitions) || partitions < 1)) {
    throw topologyError(call, `a topic cannot have ${partitions} partitions.`, 'Give a whole number from 1.')
  }
  const path = `${point.path}.repartition`
  const draft = { ...repartitionDraft(call, path, { key: choice.key ?? point.key, value: choice.value ?? point.value }), partitions: partitions ?? null }
  const { source } = throughRepartition(point, draft, choice.partitioner ?? null)
  return { ...point, node: source, path, key: draft.key, value: draft.value, rekeyed: false, joinRepartition: null }
}

/** A call without name leaves it to the path. */
export function repartitionDraft(call: Call, path: string, { key, value }: { readonly key: SerdeSlot; readonly value: SerdeSlot }): RepartitionDraft {
  return { naming: naming(call.name, path), call, key, value, partitions: null, changes: false, valueMatters: true }
}

/** Puts the repartition topic behind the stream: a node that writes it, and one that reads it in the next subtopology. */
export function throughRepartition(from: Pick<StreamPoint, 'blueprint' | 'node'>, draft: RepartitionDraft, partitioner: Partitioner | null): Repartitioned {
  const { blueprint } = from
  blueprint.repartitions.push(draft)
  blueprint.repartitionNode(draft, '-repartition-sink', [from.node], (base, plan) => ({
    ...base,
    kind: 'repartition-sink',
    repartition: plan.repartitionName(draft),
    dropNullKeys: !draft.changes,
    partitioner,
  }))
  const source = blueprint.repartitionNode(draft, '-repartition-source', [], (base, plan) => ({ ...base, kind: 'repartition-source', repartition: plan.repartitionName(draft) }))
  return { draft, source }
}

/** A changed key makes a repartition first. */
export function drawToTable(point: StreamPoint, call: Call, store: StoreChoice | undefined): TablePoint {
  if (!point.rekeyed) return drawTableSource(call, point, storeSettings(store))
  const settings = storeSettings(store)
  const serdes = { key: settings.key ?? point.key, value: settings.value ?? point.value }
  const { source } = throughRepartition(point, repartitionDraft(call, `${point.path}.toTable`, serdes), null)
  return drawTableSource(call, { ...point, node: source, ...serdes }, settings)
}

export interface ProcessChoice {
  readonly stores?: readonly (string | KeyValueStoreDescription)[] | undefined
}

export function drawProcess(point: StreamPoint, call: Call, processor: Pick<NodeOf<'process'>, 'supplier' | 'fixedKey'>, choice: ProcessChoice): StreamPoint {
  const stores = choice.stores ?? []
  for (const store of stores) if (typeof store !== 'string') describedStore(point.blueprint, call, store)
  const names = stores.map(store => (typeof store === 'string' ? store : store.name))
  const path = `${point.path}.${call.verb}`
  const node = point.blueprint.node(call, path, [point.node], (base, plan) => ({ ...base, kind: 'process', ...processor, stores: plan.connectedStores(names, call) }))
  const { fixedKey } = processor
  return { ...point, node, path, key: fixedKey ? point.key : null, value: null, rekeyed: point.rekeyed || !fixedKey, joinRepartition: null }
}
