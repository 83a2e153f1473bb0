// Gives everything in a blueprint its name: the user's, or the path of verbs, with an ordinal only where paths are equal.

import { MillraceError } from '../core/error.ts'
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
 * @throws MillraceError TOPOLOGY if a given name is used twice, or none is given where it must be
 */
export function nameAll(blueprint: Blueprint): Names {
  if (blueprint.explicitNames) requireNames(blueprint)
  const stores = assign(blueprint.stores.filter(store => store.used), 'store')
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

/** A table's store may be needed by an operator that is added later, so it must have a name even while it is not. */
function requireNames(blueprint: Blueprint): void {
  const globals = blueprint.globals.map(global => global.store)
  const unnamed = [
    ...blueprint.stores.filter(store => isUnnamed(store) && !globals.includes(store)).map(store => `the store of ${whereabouts(store.call)}`),
    ...blueprint.repartitions.filter(isUnnamed).map(topic => `the repartition topic of ${whereabouts(topic.call)}`),
  ]
  if (unnamed.length === 0) return
  throw new MillraceError('TOPOLOGY', `Names are required, and these have none: ${unnamed.join(', ')}.`, { hint: 'Give { store } to what makes a table, { name } to what repartitions.' })
}

function isUnnamed({ naming }: Named): boolean {
  return naming.kind === 'structural' || (naming.kind === 'derived' && isUnnamed(naming.from))
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
