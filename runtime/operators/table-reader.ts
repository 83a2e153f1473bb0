// How joins read a table: from its store, or recomputed from the table above it.

import type { Timestamp } from '../../core/record.ts'
import type { Windowed } from '../../core/window.ts'
import type { KeyValueStore, WindowStore } from '../../state/store.ts'

export interface TableReader {
  /** The row's value now, held-back updates included; null if there is none. */
  get(key: unknown): unknown
  /** Timestamp of the row that `get` answered last. */
  readonly timestamp: Timestamp
}

export class StoreReader implements TableReader {
  readonly #store: KeyValueStore<unknown, unknown>
  timestamp: Timestamp = -1

  constructor(store: KeyValueStore<unknown, unknown>) {
    this.#store = store
  }

  get(key: unknown): unknown {
    const row = this.#store.row(key)
    this.timestamp = row.timestamp
    return row.value
  }
}

export class WindowStoreReader implements TableReader {
  readonly #store: WindowStore<unknown, unknown>
  timestamp: Timestamp = -1

  constructor(store: WindowStore<unknown, unknown>) {
    this.#store = store
  }

  get(key: unknown): unknown {
    const windowed = key as Windowed<unknown>
    const row = this.#store.row(windowed.key, windowed.window.start)
    this.timestamp = row.timestamp
    return row.value
  }
}

/** A table without a store of its own: the parent's row through the operator's function. */
export class DerivedReader implements TableReader {
  readonly #parent: TableReader
  readonly #derive: (value: unknown, key: unknown) => unknown

  constructor(parent: TableReader, derive: (value: unknown, key: unknown) => unknown) {
    this.#parent = parent
    this.#derive = derive
  }

  get timestamp(): Timestamp {
    return this.#parent.timestamp
  }

  get(key: unknown): unknown {
    return this.#derive(this.#parent.get(key), key)
  }
}
