// Reads an application's stores from outside: the rows of all partitions that run here, as one store. Uncommitted rows show.

import { MillraceError } from '../core/error.ts'
import type { ReadOnlyKeyValueStore } from '../core/processor.ts'
import type { Timestamp } from '../core/record.ts'
import type { Windowed } from '../core/window.ts'
import type { KeyValueStore, Store, TaskState, WindowStore } from '../state/store.ts'

/** Read access to a window store. Bounds are window starts, included. */
export interface QueryableWindowStore<K, V> {
  readonly name: string
  /** The key's windows that start in `[from, to]`, by start. */
  fetch(key: K, from: Timestamp, to: Timestamp): Iterable<readonly [Windowed<K>, V]>
  /** All windows that start in `[from, to]`: partition by partition, in each by the keys' bytes, then start. */
  fetchAll(from: Timestamp, to: Timestamp): Iterable<readonly [Windowed<K>, V]>
}

interface HoldsState {
  readonly state: TaskState
}

/** @throws MillraceError UNKNOWN_STORE */
export function queryKeyValueStore<K, V>(
  name: string,
  tasks: Iterable<HoldsState>,
  globals: ReadonlyMap<string, KeyValueStore<unknown, unknown>>,
): ReadOnlyKeyValueStore<K, V> {
  const global = globals.get(name)
  const stores = (global === undefined ? storesOf(name, tasks, 'key-value') : [global]) as KeyValueStore<K, V>[]
  const range = function* (from: K | null, to: K | null, order: 'ascending' | 'descending'): Iterable<readonly [K, V]> {
    for (const store of stores) for (const row of store.range(from, to, order)) if (row.value !== null) yield [row.key, row.value]
  }
  return {
    name,
    get(key) {
      for (const store of stores) {
        const value = store.get(key)
        if (value !== null) return value
      }
      return null
    },
    range: (from, to) => range(from, to, 'ascending'),
    reverseRange: (from, to) => range(from, to, 'descending'),
    all: () => range(null, null, 'ascending'),
    reverseAll: () => range(null, null, 'descending'),
    approximateCount: () => stores.reduce((sum, store) => sum + store.approximateCount(), 0),
  }
}

/** @throws MillraceError UNKNOWN_STORE */
export function queryWindowStore<K, V>(name: string, tasks: Iterable<HoldsState>): QueryableWindowStore<K, V> {
  const stores = storesOf(name, tasks, 'window') as WindowStore<K, V>[]
  const rows = function* (read: (store: WindowStore<K, V>) => ReturnType<WindowStore<K, V>['fetch']>): Iterable<readonly [Windowed<K>, V]> {
    for (const store of stores) {
      for (const { key, value, start } of read(store)) {
        if (value !== null) yield [{ key, window: { start, end: start + store.description.sizeMs } }, value]
      }
    }
  }
  return {
    name,
    fetch: (key, from, to) => rows(store => store.fetch(key, from, to)),
    fetchAll: (from, to) => rows(store => store.fetchAll(from, to)),
  }
}

function storesOf(name: string, tasks: Iterable<HoldsState>, kind: Store['description']['kind']): Store[] {
  const known = new Set<string>()
  const found: Store[] = []
  for (const { state } of tasks) {
    for (const [storeName, store] of state.stores) {
      known.add(storeName)
      if (storeName === name && store.description.kind === kind) found.push(store)
    }
  }
  if (found.length > 0) return found
  const hint = known.size === 0 ? 'No task with stores runs here.' : `There are: ${[...known].sort().join(', ')}.`
  throw new MillraceError('UNKNOWN_STORE', `No ${kind} store ${JSON.stringify(name)} runs here.`, { hint })
}
