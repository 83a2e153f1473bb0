// What holds for every topology, whatever verbs it was said in.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describe } from '../../core/topology/describe.ts'
import { storesOf } from '../../core/topology/subtopologies.ts'
import type { Topology } from '../../dsl/index.ts'
import { grow, step } from './random-topology.ts'

/** `vitest run --project nightly` runs many more. */
const RUNS = process.env['MILLRACE_NIGHTLY'] === undefined ? 50 : 2000

const invariants: Readonly<Record<string, (topology: Topology) => void>> = {
  'names are unique and legal'({ nodes, stores, repartitions }) {
    for (const things of [nodes, stores, repartitions]) {
      const names = things.map(thing => thing.name)
      expect(new Set(names).size).toBe(names.length)
      expect(names.filter(name => !/^[a-zA-Z0-9._-]{1,249}$/.test(name))).toEqual([])
    }
  },
  'parents come before children'({ nodes }) {
    const seen = new Set<string>()
    for (const node of nodes) {
      expect(node.parents.filter(parent => !seen.has(parent))).toEqual([])
      seen.add(node.name)
    }
  },
  'every node is in one subtopology, with its parents and the tables it reads'({ nodes, subtopologies }) {
    const home = new Map(subtopologies.flatMap(({ id, nodes: names }) => names.map(name => [name, id] as const)))
    expect(subtopologies.flatMap(subtopology => subtopology.nodes)).toHaveLength(nodes.length)
    for (const node of nodes) {
      const together = node.kind === 'stream-table-join' ? [...node.parents, node.table] : node.parents
      for (const other of together) expect(home.get(other)).toBe(home.get(node.name))
    }
  },
  'every store used is described, and belongs to one subtopology'({ nodes, stores, subtopologies }) {
    const used = new Set(nodes.flatMap(storesOf))
    expect(stores.map(store => store.name).sort()).toEqual([...used].sort())
    expect(subtopologies.flatMap(subtopology => subtopology.stores).sort()).toEqual([...used].sort())
  },
  'every repartition topic is written, and read once'({ nodes, repartitions, subtopologies }) {
    const names = repartitions.map(topic => topic.name).sort()
    expect(subtopologies.flatMap(subtopology => subtopology.repartitionSources).sort()).toEqual(names)
    const written = nodes.flatMap(node => (node.kind === 'repartition-sink' ? [node.repartition] : []))
    expect([...new Set(written)].sort()).toEqual(names)
  },
  'a join finds a store above its table'({ nodes }) {
    const byName = new Map(nodes.map(node => [node.name, node]))
    const kept = (name: string): boolean => {
      const node = byName.get(name)!
      return ('store' in node && node.store !== null) || (node.parents.length === 1 && kept(node.parents[0]!))
    }
    for (const node of nodes) if (node.kind === 'stream-table-join') expect(kept(node.table)).toBe(true)
  },
  'it can be described'(topology) {
    for (const format of ['text', 'mermaid', 'json'] as const) expect(describe(topology, format)).toMatch(/\n$/)
  },
}

test.each(Object.entries(invariants))('%s', (_, holds) => {
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), steps => holds(grow(steps))), { numRuns: RUNS })
})
