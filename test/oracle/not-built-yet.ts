// Which cases need what Millrace cannot say yet, and what that is.

import type { OracleCase, OracleNode } from './oracle-case.ts'

const OPS: Readonly<Record<string, string>> = {
  joinStream: 'joins of streams',
  joinForeign: 'foreign-key joins',
  cogroup: 'cogroup',
  suppress: 'suppress',
}

/** The first thing of the case that is not built yet; null if all of it is. */
export function notBuiltYet({ config, nodes }: OracleCase): string | null {
  if (config.deadLetterTopic !== undefined) return 'dead-letter topics'
  for (const node of nodes) {
    const missing = missingOf(node)
    if (missing !== null) return missing
  }
  return null
}

function missingOf(node: OracleNode): string | null {
  const op = OPS[node.op]
  if (op !== undefined) return op
  if (node.op === 'windowedBy' && node.window!.type !== 'time') return `${node.window!.type} windows`
  if (node.emit === 'close') return 'results at the close of a window'
  if (node.grace !== undefined) return 'stream-table joins with grace'
  const store = typeof node.store === 'object' ? node.store : {}
  if (store.type === 'versioned') return 'versioned tables'
  return store.type === 'lru' ? 'LRU stores' : null
}

/** Whether a node puts out a table; enough is known of what is not skipped before. */
export function isTable(id: string, nodes: ReadonlyMap<string, OracleNode>): boolean {
  const node = nodes.get(id)
  if (node === undefined) return false
  if (['table', 'toTable', 'count', 'reduce', 'aggregate', 'transformValues'].includes(node.op)) return true
  return ['filter', 'filterNot', 'mapValues', 'joinTable'].includes(node.op) && isTable(node.from![0]!, nodes)
}
