// What the language calls each kind of node.

import type { NodeKind, NodeOf, TopologyNode } from './node.ts'

/** The verb that made the node: `filterNot`, `groupBy`, `leftJoin`. */
export function operatorWord(node: TopologyNode): string {
  const word = WORDS[node.kind] as string | ((node: TopologyNode) => string)
  return typeof word === 'string' ? word : word(node)
}

const filter = (node: { readonly negated: boolean }): string => (node.negated ? 'filterNot' : 'filter')
const join = (node: { readonly join: string }): string => (node.join === 'inner' ? 'join' : `${node.join}Join`)
const aggregation = (node: { readonly aggregation: { readonly kind: string } }): string => node.aggregation.kind

const WORDS: { readonly [Kind in NodeKind]: string | ((node: NodeOf<Kind>) => string) } = {
  source: 'stream',
  'repartition-source': 'repartition',
  'repartition-sink': 'repartition',
  sink: 'to',
  filter,
  map: 'map',
  'map-values': 'mapValues',
  'flat-map': 'flatMap',
  'flat-map-values': 'flatMapValues',
  'select-key': 'selectKey',
  peek: 'peek',
  'for-each': 'forEach',
  split: 'split',
  pass: node => node.role,
  'table-source': 'table',
  'table-filter': filter,
  'table-map-values': 'mapValues',
  'table-to-stream': 'toStream',
  'table-group': 'groupBy',
  aggregate: aggregation,
  'window-aggregate': aggregation,
  'table-aggregate': aggregation,
  'stream-table-join': join,
  'stream-global-join': join,
  'table-join': join,
  process: node => (node.fixedKey ? 'processValues' : 'process'),
}
