// A topology as a mermaid flowchart: topics as flags, operators as boxes in their subtopology, stores as cylinders.

import type { TopologyNode } from './node.ts'
import { operatorWord } from './operator-word.ts'
import { storesOf } from './subtopologies.ts'
import type { Subtopology, Topology } from './topology.ts'

/** Names are made of characters that need no escaping; each thing gets a short id of its own, for names may hold what mermaid reads. */
export function describeAsMermaid(topology: Topology): string {
  const ids = new Ids()
  const nodes = new Map(topology.nodes.map(node => [node.name, node]))
  const boxes = topology.subtopologies.flatMap(subtopology => subgraph(subtopology, nodes, ids))
  const edges = topology.nodes.flatMap(node => edgesOf(node, ids))
  const globals = topology.globals.flatMap(table => [
    `  ${ids.of('store', table.store.name)}[("${table.store.name}")]`,
    `  ${ids.of('topic', table.topic)} --> ${ids.of('store', table.store.name)}`,
  ])
  const topics = ids.all('topic').map(([name, id]) => `  ${id}>"${name}"]`)
  return ['flowchart TD', ...boxes, ...edges, ...globals, ...topics, ''].join('\n')
}

function subgraph(subtopology: Subtopology, nodes: ReadonlyMap<string, TopologyNode>, ids: Ids): readonly string[] {
  const operators = subtopology.nodes.map(name => `    ${ids.of('node', name)}["<b>${operatorWord(nodes.get(name)!)}</b><br/>${name}"]`)
  const stores = subtopology.stores.map(name => `    ${ids.of('store', name)}[("${name}")]`)
  return [`  subgraph sub${subtopology.id}["Sub-topology ${subtopology.id}"]`, ...operators, ...stores, '  end']
}

function edgesOf(node: TopologyNode, ids: Ids): readonly string[] {
  const own = ids.of('node', node.name)
  const edges = node.parents.map(parent => `  ${ids.of('node', parent)} --> ${own}`)
  if (node.kind === 'source') edges.push(...node.topics.map(topic => `  ${ids.of('topic', topic)} --> ${own}`))
  if (node.kind === 'repartition-source') edges.push(`  ${ids.of('topic', `${node.repartition}-repartition`)} --> ${own}`)
  if (node.kind === 'repartition-sink') edges.push(`  ${own} --> ${ids.of('topic', `${node.repartition}-repartition`)}`)
  if (node.kind === 'sink') edges.push(`  ${own} --> ${ids.of('topic', typeof node.topic === 'string' ? node.topic : 'chosen for each record')}`)
  if (node.kind === 'stream-table-join') edges.push(`  ${ids.of('node', node.table)} -.-> ${own}`)
  if (node.kind === 'stream-global-join') edges.push(`  ${ids.of('store', node.store)} -.-> ${own}`)
  return [...edges, ...storesOf(node).map(store => `  ${own} --- ${ids.of('store', store)}`)]
}

class Ids {
  readonly #ids = { node: new Map<string, string>(), store: new Map<string, string>(), topic: new Map<string, string>() }

  of(kind: 'node' | 'store' | 'topic', name: string): string {
    const ids = this.#ids[kind]
    const known = ids.get(name) ?? `${kind}${ids.size}`
    ids.set(name, known)
    return known
  }

  all(kind: 'node' | 'store' | 'topic'): readonly (readonly [string, string])[] {
    return [...this.#ids[kind]]
  }
}
