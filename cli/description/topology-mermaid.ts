// A topology as a Mermaid flowchart: subtopologies as frames, topics as rounded boxes between them, stores as cylinders.

import type { TopologyNode } from '../../core/topology/node.ts'
import type { Topology } from '../../core/topology/topology.ts'
import { topicName } from './topic-name.ts'
import { factsText, nodeFacts } from './node-facts.ts'

export function topologyMermaid(topology: Topology): string {
  const ids = new Map<string, string>()
  const id = (kind: string, name: string): string => {
    const key = `${kind}:${name}`
    const known = ids.get(key) ?? `${kind}${ids.size}`
    ids.set(key, known)
    return known
  }
  const lines = ['flowchart TD']
  const arrows: string[] = []
  const topics = new Set<string>()
  for (const { id: number, nodes, stores } of topology.subtopologies) {
    lines.push(`  subgraph s${number}["subtopology ${number}"]`)
    for (const store of stores) lines.push(`    ${id('store', store)}[(${quoted(store)})]`)
    for (const node of topology.nodes.filter(other => nodes.includes(other.name))) {
      lines.push(`    ${id('node', node.name)}[${quoted(label(node))}]`)
      for (const parent of node.parents) arrows.push(`  ${id('node', parent)} --> ${id('node', node.name)}`)
      for (const store of storesOf(node)) arrows.push(`  ${id('node', node.name)} --- ${id('store', store)}`)
      for (const topic of topicsRead(node)) {
        topics.add(topic)
        arrows.push(`  ${id('topic', topic)} --> ${id('node', node.name)}`)
      }
      for (const topic of topicsWritten(node)) {
        topics.add(topic)
        arrows.push(`  ${id('node', node.name)} --> ${id('topic', topic)}`)
      }
    }
    lines.push('  end')
  }
  for (const { topic, store } of topology.globals) {
    topics.add(topic)
    lines.push(`  ${id('store', store.name)}[(${quoted(store.name)})]`)
    arrows.push(`  ${id('topic', topic)} --> ${id('store', store.name)}`)
  }
  return [...lines, ...[...topics].map(topic => `  ${id('topic', topic)}([${quoted(topic)}])`), ...arrows].join('\n')
}

function label(node: TopologyNode): string {
  const { store: _store, stores: _stores, topics: _topics, topic: _topic, repartition: _repartition, ...facts } = nodeFacts(node)
  const text = factsText(facts)
  return text === '' ? `${node.kind}<br/>${node.name}` : `${node.kind}<br/>${node.name}<br/>${text}`
}

function storesOf(node: TopologyNode): readonly string[] {
  if (node.kind === 'process') return node.stores
  return 'store' in node && node.store !== null ? [node.store] : []
}

function topicsRead(node: TopologyNode): readonly string[] {
  if (node.kind === 'source') return node.topics
  return node.kind === 'repartition-source' ? [topicName(node.repartition)] : []
}

function topicsWritten(node: TopologyNode): readonly string[] {
  if (node.kind === 'sink') return [typeof node.topic === 'string' ? node.topic : 'chosen for each record']
  return node.kind === 'repartition-sink' ? [topicName(node.repartition)] : []
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '#quot;')}"`
}
