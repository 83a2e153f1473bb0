// Where a topology begins: names the topics it reads, and builds the frozen description of all that was said.

import type { Serde } from '../core/serde.ts'
import type { TimestampExtractor } from '../core/topology/node.ts'
import type { KeyValueStoreDescription } from '../core/topology/store-description.ts'
import type { DefaultSerdes, Topology } from '../core/topology/topology.ts'
import { Blueprint } from './blueprint.ts'
import { callOf } from './call.ts'
import { compile } from './compile.ts'
import { Sources, type SourceChoice } from './draw-source.ts'
import { describedStore } from './draw-store.ts'
import { globalTableFace, streamFace, tableFace } from './faces.ts'
import type { SourceOptions, StoreOption } from './operator-options.ts'
import type { GlobalKTable, KStream, KTable } from './stream.ts'

export interface BuilderOptions<DK, DV> {
  /** Stand in where an operator names no serde and none is known. Keys are strings if nothing is said. */
  readonly defaults?: { readonly key?: Serde<DK> | undefined; readonly value?: Serde<DV> | undefined } | undefined
  /** Where stores live that do not say it themselves. Default `level`. */
  readonly medium?: 'level' | 'memory' | undefined
  /** True: `build` refuses stores and repartition topics that have no name of yours, so that no change of the verbs can rename one. */
  readonly explicitNames?: boolean | undefined
}

export interface SourceTableOptions<K, V> extends SourceOptions<K, V> {
  /** Named: the table is kept and can be read. Otherwise it is kept if an operator below needs it. */
  readonly store?: StoreOption<K, V> | undefined
}

/**
 * ```ts
 * const builder = new StreamsBuilder()
 * builder.stream('sentences', { key: serdes.string, value: serdes.string })
 *   .flatMapValues(sentence => sentence.toLowerCase().match(/\w+/g) ?? [])
 *   .groupBy((_, word) => word)
 *   .count({ store: 'counts' })
 *   .toStream()
 *   .to('word-counts', { value: serdes.int64 })
 * const topology = builder.build()
 * ```
 * Every call may throw a MillraceError TOPOLOGY that names the operator and its line.
 */
export class StreamsBuilder<DK = unknown, DV = unknown> {
  readonly #blueprint: Blueprint
  readonly #sources: Sources
  readonly #defaults: DefaultSerdes

  constructor(options: BuilderOptions<DK, DV> = {}) {
    this.#blueprint = new Blueprint(options.medium ?? 'level', options.explicitNames ?? false)
    this.#sources = new Sources(this.#blueprint)
    this.#defaults = given(options.defaults)
  }

  /** The records of a topic, or of several with the same serdes. Calls for the same topics share one source. */
  stream<K = DK, V = DV>(topics: string | readonly string[], options: SourceOptions<K, V> = {}): KStream<K, V> {
    return streamFace(this.#sources.stream(callOf('stream', options), [topics].flat(), untyped(options)), this.#sources)
  }

  /** A topic read as a table: each record replaces the row of its key, a null value deletes it. Records without key are dropped. */
  table<K = DK, V = DV>(topic: string, options: SourceTableOptions<K, V> = {}): KTable<K, V> {
    return tableFace(this.#sources.table(callOf('table', options), topic, untyped(options), options.store), this.#sources)
  }

  /** A topic that each instance of the application holds whole, to be joined by any key. */
  globalTable<K = DK, V = DV>(topic: string, options: SourceTableOptions<K, V> = {}): GlobalKTable<K, V> {
    return globalTableFace(this.#sources.globalTable(callOf('globalTable', options), topic, untyped(options), options.store))
  }

  /** Adds a store for processors, which name it in their `stores`. */
  addStore(store: KeyValueStoreDescription): this {
    describedStore(this.#blueprint, callOf('addStore'), store)
    return this
  }

  /** The topology so far, frozen all the way down. @throws MillraceError TOPOLOGY if it could not run */
  build(options: { readonly defaults?: DefaultSerdes | undefined } = {}): Topology {
    return compile(this.#blueprint, { ...this.#defaults, ...given(options.defaults) })
  }
}

function untyped<K, V>(options: SourceOptions<K, V>): SourceChoice {
  return { ...options, timestamp: options.timestamp as TimestampExtractor | undefined }
}

/** Without the entries that are undefined. */
function given(defaults: { readonly key?: Serde<unknown> | undefined; readonly value?: Serde<unknown> | undefined } = {}): DefaultSerdes {
  return { ...(defaults.key && { key: defaults.key }), ...(defaults.value && { value: defaults.value }) }
}
