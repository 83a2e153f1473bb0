// Describes a key-value store for processors.

import type { Serde } from '../core/serde.ts'
import type { KeyValueStoreDescription } from '../core/topology/store-description.ts'

export interface KeyValueStoreOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** `level` (LevelDB, the default): larger than memory, kept on disk. `memory`: rebuilt from the changelog at each start. */
  readonly medium?: 'level' | 'memory' | undefined
  /** False: no changelog topic; what the medium loses is lost. Default true. */
  readonly logged?: boolean | undefined
  /** Settings of the changelog topic, over the defaults. */
  readonly topicConfig?: Readonly<Record<string, string>> | undefined
}

/**
 * A store for processors: add it to the builder, or list it in a processor's `stores`.
 * ```ts
 * const seen = keyValueStore('seen', { key: serdes.string, value: serdes.int64 })
 * ```
 */
export function keyValueStore<K, V>(name: string, options: KeyValueStoreOptions<K, V>): KeyValueStoreDescription {
  return Object.freeze({
    kind: 'key-value',
    name,
    key: options.key,
    value: options.value,
    medium: options.medium ?? 'level',
    logged: options.logged ?? true,
    topicConfig: options.topicConfig ?? {},
    cached: false,
    timestamped: false,
  })
}
