// Where Millrace departs from Apache Kafka Streams on purpose, and why. Such cases are skipped, with the reason.

import { isTable } from './not-built-yet.ts'
import type { OracleCase } from './oracle-case.ts'

const BY_NAME: Readonly<Record<string, string>> = {
  'optimize-relaxed-null-key': "Kafka's optimiser lets a join and an aggregation share a repartition topic, so that a null key is dropped later, and counted",
}

/** Null for nearly all. */
export function departure({ name, config, nodes, answer }: OracleCase): string | null {
  if (answer.error?.at === 'build' && answer.error.class === 'StreamsException' && config.optimization !== undefined) return "Kafka's optimiser fails here"
  if (config.dslStoreFormat === 'HEADERS' && readsTable(nodes)) return "Java's processors get value, timestamp and headers of a table's row in one object; ours get the value"
  return BY_NAME[name] ?? null
}

function readsTable(nodes: OracleCase['nodes']): boolean {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const tables = new Set(nodes.filter(node => isTable(node.id, byId)).map(node => (typeof node.store === 'object' ? node.store.name : undefined)))
  return nodes.some(node => node.reads?.some(store => tables.has(store)))
}
