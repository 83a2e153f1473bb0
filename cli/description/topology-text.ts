// Shows a topology as text: each subtopology as trees from its sources to its sinks.

import type { TopologyNode } from '../../core/topology/node.ts'
import type { StoreDescription } from '../../core/topology/store-description.ts'
import type { Subtopology, Topology } from '../../core/topology/topology.ts'
import { counted } from '../terminal/text-table.ts'
import { durationText, factsText, nodeFacts } from './node-facts.ts'

export function topologyText(topology: Topology, title: string): string {
  const head = `${title}: ${counted(topology.subtopologies.length, 'subtopology').replace('ologys', 'ologies')}, ${counted(topology.nodes.length, 'node')}, ${counted(topology.stores.length, 'store')}`
  const globals = topology.globals.map(({ name, topic, store }) => `  global table ${name}: topic ${topic}, store ${store.name}`)
  return [head, ...(globals.length === 0 ? [] : ['', ...globals]), ...topology.subtopologies.flatMap(subtopology => ['', ...subtopologyLines(topology, subtopology)])].join('\n')
}

function subtopologyLines(topology: Topology, subtopology: Subtopology): string[] {
  const nodes = new Map(topology.nodes.filter(node => subtopology.nodes.includes(node.name)).map(node => [node.name, node]))
  const shown = new Set<string>()
  const roots = [...nodes.values()].filter(node => !node.parents.some(parent => nodes.has(parent)))
  const reads = [...subtopology.sourceTopics, ...subtopology.repartitionSources.map(name => `${name}-repartition`)]
  const stores = topology.stores.filter(store => subtopology.stores.includes(store.name))
  return [
    `subtopology ${subtopology.id}: one task for each partition of ${reads.join(', ')}`,
    ...roots.flatMap(root => tree(root, nodes, shown, '  ', '  ')),
    ...stores.map(store => `  store ${store.name}: ${storeText(store)}`),
  ]
}

function tree(node: TopologyNode, nodes: ReadonlyMap<string, TopologyNode>, shown: Set<string>, first: string, rest: string): string[] {
  if (shown.has(node.name)) return [`${first}↑ ${node.name}`]
  shown.add(node.name)
  const { does, ...others } = nodeFacts(node)
  const facts = factsText(typeof does === 'string' && !title(node).endsWith(does) ? { does, ...others } : others)
  const site = node.site === null ? '' : `  (${node.site})`
  const children = [...nodes.values()].filter(other => other.parents.includes(node.name))
  const lines = children.flatMap((child, i) => {
    const last = i === children.length - 1
    return tree(child, nodes, shown, `${rest}${last ? '└─ ' : '├─ '}`, `${rest}${last ? '   ' : '│  '}`)
  })
  return [`${first}${title(node)}${facts === '' ? '' : `: ${facts}`}${site}`, ...lines]
}

/** The verb that drew it, where its name only says that; else its kind and name. */
function title(node: TopologyNode): string {
  const parent = node.parents.find(other => node.name.startsWith(`${other}.`))
  if (parent !== undefined) return node.name.slice(parent.length + 1)
  return node.name.endsWith(`-${node.kind}`) ? node.kind : `${node.kind} ${node.name}`
}

function storeText(store: StoreDescription): string {
  const parts: string[] = [store.kind === 'window' ? `windows of ${durationText(store.sizeMs)}, kept ${durationText(store.retentionMs)}` : 'key-value']
  parts.push(`${store.key.name}, ${store.value.name}`, store.medium === 'level' ? 'on disk' : 'in memory')
  if (!store.logged) parts.push('no changelog')
  return parts.join(' · ')
}
