// A topology as JSON: its data with serdes by name and without functions and lines of the script, so that equal topologies give equal text.

import type { TopologyNode } from './node.ts'
import { operatorWord } from './operator-word.ts'
import type { Topology } from './topology.ts'

/** `subtopologies` hold their nodes; a sink that chooses its topic for each record has the topic null. */
export function describeAsJson(topology: Topology): string {
  const nodes = new Map(topology.nodes.map(node => [node.name, node]))
  const { stores, repartitions, globals } = topology
  const subtopologies = topology.subtopologies.map(subtopology => ({ ...subtopology, nodes: subtopology.nodes.map(name => nodeData(nodes.get(name)!)) }))
  return `${JSON.stringify({ subtopologies, stores, repartitions, globals }, plainData, 2)}\n`
}

function nodeData(node: TopologyNode): object {
  const { name, kind, parents, ...rest } = node
  const topic = node.kind === 'sink' ? { topic: typeof node.topic === 'string' ? node.topic : null } : {}
  return { name, kind, operator: operatorWord(node), parents, ...rest, ...topic }
}

function plainData(key: string, value: unknown): unknown {
  if (key === 'site' || typeof value === 'function') return undefined
  if (typeof value === 'object' && value !== null && 'serialize' in value && 'name' in value) return value.name
  return value
}
