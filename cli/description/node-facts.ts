// What there is to say about a node besides its kind and name: topics, stores, windows, serdes. One line of plain facts for each kind.

import type { NodeOf, TopologyNode, TopicSerdes } from '../../core/topology/node.ts'
import type { TimeWindows } from '../../core/window.ts'

/** Plain data, in the order in which it reads best. Functions are left out. */
export type NodeFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>

export function nodeFacts(node: TopologyNode): NodeFacts {
  return { ...(FACTS[node.kind] as (node: TopologyNode) => NodeFacts)(node) }
}

/** The same in words: `topics orders · string, json`. */
export function factsText(facts: NodeFacts): string {
  return Object.entries(facts)
    .map(([name, value]) => (value === true ? name : `${name} ${Array.isArray(value) ? value.join(', ') : String(value as string | number)}`))
    .join(' · ')
}

/** `10s`, `1d`, `90m`: the largest unit that leaves no rest. */
export function durationText(ms: number): string {
  for (const [unit, length] of UNITS) if (ms > 0 && ms % length === 0) return `${ms / length}${unit}`
  return `${ms}ms`
}

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const

const none = (): NodeFacts => ({})
const stored = (node: { readonly store: string | null }): NodeFacts => (node.store === null ? {} : { store: node.store })

const FACTS: { readonly [Kind in TopologyNode['kind']]: (node: NodeOf<Kind>) => NodeFacts } = {
  source: node => ({ topics: node.topics, ...serdeFacts(node.serdes), ...(node.offsetReset === 'latest' ? { begins: 'latest' } : {}) }),
  'repartition-source': node => ({ repartition: node.repartition }),
  'repartition-sink': node => ({ repartition: node.repartition }),
  sink: node => ({ topic: typeof node.topic === 'string' ? node.topic : 'chosen for each record', ...serdeFacts(node.serdes) }),
  filter: node => (node.negated ? { negated: true } : {}),
  map: none,
  'map-values': none,
  'flat-map': none,
  'flat-map-values': none,
  'select-key': none,
  peek: none,
  'for-each': none,
  split: node => ({ branches: node.branches.map(branch => branch.child) }),
  pass: node => ({ role: node.role }),
  'table-source': stored,
  'table-filter': node => ({ ...(node.negated ? { negated: true } : {}), ...stored(node) }),
  'table-map-values': stored,
  'table-to-stream': node => (node.selector === null ? {} : { selects: 'new keys' }),
  'table-group': none,
  aggregate: node => ({ does: node.aggregation.kind, store: node.store }),
  'window-aggregate': node => ({ does: node.aggregation.kind, windows: windowsText(node.windows), store: node.store }),
  'table-aggregate': node => ({ does: node.aggregation.kind, store: node.store }),
  'stream-table-join': node => ({ join: node.join, table: node.table }),
  'stream-global-join': node => ({ join: node.join, store: node.store }),
  'table-join': node => ({ join: node.join, ...stored(node) }),
  process: node => ({ ...(node.fixedKey ? { keeps: 'keys' } : {}), ...(node.stores.length === 0 ? {} : { stores: node.stores }) }),
}

function serdeFacts({ key, value }: TopicSerdes): NodeFacts {
  return { serdes: `${key.name}, ${value.name}` }
}

function windowsText({ sizeMs, advanceMs, graceMs }: TimeWindows): string {
  const shape = advanceMs === sizeMs ? `tumbling ${durationText(sizeMs)}` : `hopping ${durationText(sizeMs)} every ${durationText(advanceMs)}`
  return graceMs === 0 ? shape : `${shape}, grace ${durationText(graceMs)}`
}
