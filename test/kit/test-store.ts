// A store under test: the rows of all its partitions, typed by the caller.

import type { Timestamp } from '../../core/record.ts'
import type { Windowed } from '../../core/window.ts'
import type { Row, Store } from '../../state/store.ts'

export interface TestRow<K, V> {
  readonly key: K
  readonly value: V
  /** 0 in stores without timestamps. */
  readonly timestamp: Timestamp
  /** The task's partition; 0 for global tables. */
  readonly partition: number
}

/** Keys of windowed stores are `Windowed`. */
export class TestStore<K, V> {
  readonly name: string
  readonly #partitions: readonly Store[]

  /** `partitions` by number. */
  constructor(name: string, partitions: readonly Store[]) {
    this.name = name
    this.#partitions = partitions
  }

  /** The value of a key, wherever it is; null if it is nowhere. */
  get(key: K): V | null {
    for (const store of this.#partitions) {
      const value = valueOf(store, key)
      if (value !== null) return value as V
    }
    return null
  }

  /** All rows, partition by partition, in the order of the keys' bytes, then of window starts. */
  rows(): TestRow<K, V>[] {
    return this.#partitions.flatMap((store, partition) =>
      [...rowsOf(store)]
        .filter(row => row.value !== null)
        .map(row => ({ key: keyOf(store, row) as K, value: row.value as V, timestamp: row.timestamp, partition })),
    )
  }

  entries(): (readonly [K, V])[] {
    return this.rows().map(({ key, value }) => [key, value] as const)
  }
}

function valueOf(store: Store, key: unknown): unknown {
  if (store.description.kind !== 'window') return (store as Extract<Store, { get: unknown }>).get(key)
  const { key: inner, window } = key as Windowed<unknown>
  return (store as Extract<Store, { fetchAll: unknown }>).row(inner, window.start).value
}

function rowsOf(store: Store): Iterable<Row<unknown, unknown>> {
  return 'fetchAll' in store ? store.fetchAll(0, Number.MAX_SAFE_INTEGER) : store.range(null, null)
}

function keyOf({ description }: Store, row: Row<unknown, unknown>): unknown {
  if (description.kind !== 'window') return row.key
  return { key: row.key, window: { start: row.start, end: row.start + description.sizeMs } }
}
