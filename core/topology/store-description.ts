// What a state store is, as data: its name, layout, serdes and changelog. `state/` makes the real one from it.

import type { Serde } from '../serde.ts'

interface StoreBase {
  /** Unique in a topology; the changelog topic is `<application id>-<name>-changelog`. */
  readonly name: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** `level`: LevelDB, larger than memory, kept across restarts. `memory`: rebuilt from the changelog at each start. */
  readonly medium: 'level' | 'memory'
  /** False: no changelog; what the medium loses is lost. */
  readonly logged: boolean
  /** Topic settings of the changelog, over the defaults. */
  readonly topicConfig: Readonly<Record<string, string>>
  /** Whether updates of the table in it may be held back until a commit, so that only the last one of each key goes on. */
  readonly cached: boolean
}

export interface KeyValueStoreDescription extends StoreBase {
  readonly kind: 'key-value'
  /** True for tables: every row has a timestamp. False for a processor's own store. */
  readonly timestamped: boolean
}

/** Rows by key and window start, timestamped. Rows whose window start is at or below (highest start seen - retentionMs) are gone. */
export interface WindowStoreDescription extends StoreBase {
  readonly kind: 'window'
  readonly sizeMs: number
  readonly retentionMs: number
}

export type StoreDescription = KeyValueStoreDescription | WindowStoreDescription
