// A topology as JSON: everything in it that is not a function.

import type { Topology } from '../../core/topology/topology.ts'
import { nodeFacts } from './node-facts.ts'

export function topologyJson(topology: Topology): string {
  const subtopologies = topology.subtopologies.map(({ id, nodes, stores, sourceTopics, repartitionSources, copartitioned }) => ({
    id,
    sourceTopics,
    repartitionSources,
    copartitioned,
    stores,
    nodes: topology.nodes.filter(node => nodes.includes(node.name)).map(node => ({ name: node.name, kind: node.kind, parents: node.parents, site: node.site, ...nodeFacts(node) })),
  }))
  const stores = [...topology.stores, ...topology.globals.map(({ store }) => store)].map(store => ({ ...store, key: store.key.name, value: store.value.name }))
  const repartitions = topology.repartitions.map(({ name, serdes, partitions, changes }) => ({ name, partitions, changes, key: serdes.key.name, value: serdes.value.name }))
  const globals = topology.globals.map(({ name, topic, store, site }) => ({ name, topic, store: store.name, site }))
  return JSON.stringify({ subtopologies, stores, repartitions, globals }, null, 2)
}
