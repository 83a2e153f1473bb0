// Finds the parts of a topology that must run together: nodes joined by an edge, by a store, or by a table that is looked up.

import type { TopologyNode } from './node.ts'
import type { Subtopology } from './topology.ts'

/** Numbered by their first node; nodes keep their order. */
export function subtopologiesOf(nodes: readonly TopologyNode[]): readonly Subtopology[] {
  const groups = new Groups()
  for (const node of nodes) for (const other of togetherWith(node)) groups.join(nodeKey(node.name), other)
  const members = new Map<string, TopologyNode[]>()
  for (const node of nodes) {
    const root = groups.rootOf(nodeKey(node.name))
    const list = members.get(root)
    if (list === undefined) members.set(root, [node])
    else list.push(node)
  }
  const sources = sourcesAbove(nodes)
  return [...members.values()].map((list, id) => describe(id, list, sources))
}

function describe(id: number, nodes: readonly TopologyNode[], sources: ReadonlyMap<string, readonly string[]>): Subtopology {
  return {
    id,
    nodes: nodes.map(node => node.name),
    stores: [...new Set(nodes.flatMap(storesOf))],
    sourceTopics: nodes.flatMap(node => (node.kind === 'source' ? node.topics : [])),
    repartitionSources: nodes.flatMap(node => (node.kind === 'repartition-source' ? [node.repartition] : [])),
    copartitioned: copartitions(nodes, sources),
  }
}

/** Names of the stores a node keeps or uses, without global ones. */
export function storesOf(node: TopologyNode): readonly string[] {
  if (node.kind === 'process') return node.stores
  return 'sendsOldValues' in node && node.store !== null ? [node.store] : []
}

function togetherWith(node: TopologyNode): readonly string[] {
  const others = [...node.parents.map(nodeKey), ...storesOf(node).map(store => `store ${store}`)]
  if (node.kind === 'stream-table-join') others.push(nodeKey(node.table))
  return others
}

function nodeKey(name: string): string {
  return `node ${name}`
}

/** For each node: the topics that its records come from within its subtopology. */
function sourcesAbove(nodes: readonly TopologyNode[]): ReadonlyMap<string, readonly string[]> {
  const sources = new Map<string, readonly string[]>()
  for (const node of nodes) {
    if (node.kind === 'source') sources.set(node.name, node.topics)
    else if (node.kind === 'repartition-source') sources.set(node.name, [node.repartition])
    else sources.set(node.name, [...new Set(tablesAndParents(node).flatMap(parent => sources.get(parent) ?? []))])
  }
  return sources
}

function tablesAndParents(node: TopologyNode): readonly string[] {
  return node.kind === 'stream-table-join' ? [...node.parents, node.table] : node.parents
}

/** Groups that share a topic are one. */
function copartitions(nodes: readonly TopologyNode[], sources: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const groups = new Groups()
  for (const node of nodes) {
    if (node.kind !== 'stream-table-join' && node.kind !== 'table-join') continue
    const [first, ...rest] = sources.get(node.name) ?? []
    for (const topic of rest) groups.join(first!, topic)
  }
  return groups.all()
}

/** Union-find over names. */
class Groups {
  readonly #parent = new Map<string, string>()

  join(a: string, b: string): void {
    const root = this.rootOf(a)
    this.#parent.set(this.rootOf(b), root)
  }

  rootOf(name: string): string {
    const parent = this.#parent.get(name)
    if (parent === undefined) {
      this.#parent.set(name, name)
      return name
    }
    if (parent === name) return name
    const root = this.rootOf(parent)
    this.#parent.set(name, root)
    return root
  }

  /** Groups in the order of their first member. */
  all(): readonly (readonly string[])[] {
    const members = new Map<string, string[]>()
    for (const name of this.#parent.keys()) {
      const root = this.rootOf(name)
      members.set(root, [...(members.get(root) ?? []), name])
    }
    return [...members.values()]
  }
}
