// Gives everything in a blueprint its name: the user's, or the path of verbs, with an ordinal only where paths are equal.

import { murmur2 } from '../core/murmur2.ts'
import type { Blueprint, Draft, Naming, RepartitionDraft, StoreDraft } from './blueprint.ts'
import { topologyError, whereabouts, type Call } from './call.ts'

export interface Names {
  readonly nodes: ReadonlyMap<Draft, string>
  readonly stores: ReadonlyMap<StoreDraft, string>
  readonly repartitions: ReadonlyMap<RepartitionDraft, string>
}

interface Named {
  readonly naming: Naming
  readonly call: Pick<Call, 'verb' | 'site'>
}

/**
 * Ordinals count things of one path, not operators: whatever is added elsewhere in the topology, a name stays.
 * @throws MillraceError TOPOLOGY if a given name is used twice
 */
export function nameAll(blueprint: Blueprint): Names {
  const globals = blueprint.globals.map(global => global.store)
  const stores = assign([...blueprint.stores.filter(store => store.used || globals.includes(store))], 'store')
  const repartitions = assign(blueprint.repartitions, 'repartition topic', stores)
  const nodes = assign<Draft | Blueprint['globals'][number]>([...blueprint.nodes, ...blueprint.globals], 'operator', repartitions)
  return { nodes: nodes as ReadonlyMap<Draft, string>, stores, repartitions }
}

function assign<T extends Named>(things: readonly T[], what: string, sources: ReadonlyMap<Named, string> = new Map()): Map<T, string> {
  const names = new Map<T, string>()
  const taken = new Map<string, T>()
  const take = (thing: T, name: string): void => {
    const other = taken.get(name)
    if (other !== undefined) throw topologyError(thing.call, `the ${what} ${name} exists already, made by ${whereabouts(other.call)}.`, 'Give one of them another name.')
    taken.set(name, thing)
    names.set(thing, name)
  }
  for (const thing of things) {
    if (thing.naming.kind === 'given') take(thing, thing.naming.name)
    if (thing.naming.kind === 'derived') take(thing, sources.get(thing.naming.from)! + thing.naming.suffix)
  }
  for (const thing of things) {
    if (thing.naming.kind === 'structural') take(thing, free(shortened(thing.naming.path), taken))
  }
  return names
}

function free(name: string, taken: ReadonlyMap<string, unknown>): string {
  if (!taken.has(name)) return name
  let ordinal = 2
  while (taken.has(`${name}-${ordinal}`)) ordinal++
  return `${name}-${ordinal}`
}

/** Leaves room for an ordinal below the 200 that a name may have. */
const PATH_LIMIT = 190

function shortened(path: string): string {
  if (path.length <= PATH_LIMIT) return path
  const hash = (murmur2(Buffer.from(path)) >>> 0).toString(16).padStart(8, '0')
  return `${path.slice(0, 90)}.${hash}.${path.slice(-90)}`
}
