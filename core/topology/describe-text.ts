// A topology as text, laid out as Kafka Streams' own description, with the stores and the application's topics below it.

import type { TopologyNode } from './node.ts'
import { operatorWord } from './operator-word.ts'
import type { StoreDescription } from './store-description.ts'
import { storesOf } from './subtopologies.ts'
import type { GlobalTable, RepartitionTopic, Subtopology, Topology } from './topology.ts'

export function describeAsText(topology: Topology): string {
  const nodes = new Map(topology.nodes.map(node => [node.name, node]))
  const children = childrenOf(topology.nodes)
  const parts = [
    ...topology.subtopologies.map(subtopology => subtopologyText(subtopology, nodes, children)),
    ...topology.globals.map(globalText),
  ]
  const stores = topology.stores.map(storeText)
  const topics = [...topology.repartitions.map(repartitionText), ...topology.stores.filter(store => store.logged).map(changelogText)]
  return `Topologies:\n${parts.join('\n')}${list('Stores', stores)}${list('Internal topics', topics)}`
}

/** For each node, the names of those that get its records. */
function childrenOf(nodes: readonly TopologyNode[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>(nodes.map(node => [node.name, []]))
  for (const node of nodes) for (const parent of new Set(node.parents)) children.get(parent)!.push(node.name)
  return children
}

function subtopologyText(subtopology: Subtopology, nodes: ReadonlyMap<string, TopologyNode>, children: ReadonlyMap<string, readonly string[]>): string {
  const lines = subtopology.nodes.flatMap(name => {
    const node = nodes.get(name)!
    const to = children.get(name)!
    const ends = node.kind === 'sink' || node.kind === 'repartition-sink' ? [] : [`      --> ${to.length === 0 ? 'none' : to.join(', ')}`]
    const begins = node.parents.length === 0 ? [] : [`      <-- ${node.parents.join(', ')}`]
    return [`    ${nodeText(node)}`, ...ends, ...begins]
  })
  return [`   Sub-topology: ${subtopology.id}`, ...lines, ''].join('\n')
}

function nodeText(node: TopologyNode): string {
  switch (node.kind) {
    case 'source':
      return `Source: ${node.name} (topics: [${node.topics.join(', ')}])`
    case 'repartition-source':
      return `Source: ${node.name} (topics: [${node.repartition}-repartition])`
    case 'repartition-sink':
      return `Sink: ${node.name} (topic: ${node.repartition}-repartition)`
    case 'sink':
      return `Sink: ${node.name} (${typeof node.topic === 'string' ? `topic: ${node.topic}` : 'topic chosen for each record'})`
    default:
      return `Processor: ${node.name} (${[operatorWord(node), ...stateText(node)].join(', ')})`
  }
}

function stateText(node: TopologyNode): readonly string[] {
  if (node.kind === 'stream-table-join') return [`table: ${node.table}`]
  if (node.kind === 'stream-global-join') return [`global store: ${node.store}`]
  const stores = storesOf(node)
  return stores.length === 0 ? [] : [`stores: [${stores.join(', ')}]`]
}

function globalText(table: GlobalTable): string {
  return `   Global table: ${table.name} (topic: ${table.topic}, store: ${table.store.name})\n`
}

function storeText(store: StoreDescription): string {
  const layout = store.kind === 'window' ? `window of ${store.sizeMs} ms kept for ${store.retentionMs} ms` : 'key-value'
  return `${store.name} (${layout}, ${store.key.name} -> ${store.value.name}, ${store.medium}${store.logged ? '' : ', no changelog'})`
}

function repartitionText(topic: RepartitionTopic): string {
  const partitions = topic.partitions === null ? '' : `, ${topic.partitions} partitions`
  return `${topic.name}-repartition (${topic.serdes.key.name} -> ${topic.serdes.value.name}${partitions})`
}

function changelogText(store: StoreDescription): string {
  return `${store.name}-changelog (${store.key.name} -> ${store.value.name})`
}

function list(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}:\n${lines.map(line => `   ${line}\n`).join('')}`
}
