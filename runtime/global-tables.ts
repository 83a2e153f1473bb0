// The global tables of an application: every instance reads all partitions of their topics, before the first task starts and from then on.

import { MillraceError } from '../core/error.ts'
import type { FetchedRecords, LogPort, LogReader } from '../core/log-port.ts'
import { partitionName, type TopicPartition } from '../core/record.ts'
import type { GlobalTable, Topology } from '../core/topology/topology.ts'
import type { KeyValueStore, TaskState } from '../state/store.ts'
import { verdictOf, type ErrorHandler } from './operators/error-handler.ts'
import { restoreStores, type RestoreProgress } from './restore.ts'

export interface GlobalTablesOptions {
  readonly topology: Topology
  readonly log: LogPort
  /** Holds the store of every global table. */
  readonly state: TaskState
  readonly onDeserializationError: ErrorHandler
  readonly onProgress: (progress: RestoreProgress) => void
  readonly signal: AbortSignal
}

export class GlobalTables {
  readonly stores: ReadonlyMap<string, KeyValueStore<unknown, unknown>>
  readonly #tables: ReadonlyMap<string, GlobalTable>
  readonly #state: TaskState
  readonly #reader: LogReader
  readonly #onError: ErrorHandler
  readonly #partitions: readonly TopicPartition[]
  #changed = false
  skipped = 0

  private constructor(options: GlobalTablesOptions, partitions: readonly TopicPartition[], reader: LogReader) {
    this.#tables = new Map(options.topology.globals.map(table => [table.topic, table]))
    this.#state = options.state
    this.#reader = reader
    this.#onError = options.onDeserializationError
    this.#partitions = partitions
    this.stores = new Map(options.topology.globals.map(table => [table.store.name, options.state.store(table.store.name) as KeyValueStore<unknown, unknown>]))
  }

  /** Resolves when every table holds what its topic held at the call. @throws MillraceError MISSING_SOURCE_TOPIC */
  static async open(options: GlobalTablesOptions): Promise<GlobalTables> {
    const partitions = await partitionsOf(options)
    await restoreStores(
      options.log,
      partitions.map(partition => {
        const { store } = options.topology.globals.find(table => table.topic === partition.topic)!
        return { ...partition, state: options.state, store: store.name, checkpoint: partitionName(partition.topic, partition.partition), resumes: store.medium === 'level' }
      }),
      options.onProgress,
      options.signal,
    )
    const reader = options.log.reader()
    const offsets = options.state.checkpoint.changelogOffsets
    reader.assign(partitions.map(partition => ({ ...partition, offset: offsets.get(partitionName(partition.topic, partition.partition)) ?? 0 })))
    return new GlobalTables(options, partitions, reader)
  }

  /** Takes in what has arrived since the last call. */
  async update(): Promise<void> {
    for (const fetched of await this.#reader.poll(0)) this.#apply(fetched)
  }

  /** Makes what was taken in durable. */
  async commit(): Promise<void> {
    if (!this.#changed) return
    this.#changed = false
    this.#state.flush(() => {})
    const positions = this.#partitions.map(partition => [partitionName(partition.topic, partition.partition), this.#reader.position(partition)] as const)
    const changelogOffsets = new Map(positions.filter((entry): entry is readonly [string, number] => entry[1] !== undefined))
    await this.#state.commit({ changelogOffsets, clocks: new Map() })
  }

  async close(): Promise<void> {
    await this.#reader.close()
    await this.#state.close()
  }

  #apply(fetched: FetchedRecords): void {
    const table = this.#tables.get(fetched.topic)!
    const store = this.stores.get(table.store.name)!
    const { key, value } = table.store
    const { cursor } = fetched
    while (cursor.next()) {
      if (cursor.keyStart < 0) continue
      this.#changed = true
      try {
        const row = key.deserialize(cursor.buffer, cursor.keyStart, cursor.keyEnd)
        store.put(row, cursor.valueStart < 0 ? null : value.deserialize(cursor.buffer, cursor.valueStart, cursor.valueEnd), cursor.timestamp)
      } catch (cause) {
        this.#fail(table, fetched, cursor.offset, cause)
      }
    }
  }

  #fail(table: GlobalTable, at: TopicPartition, offset: number, cause: unknown): void {
    const error = new MillraceError('DESERIALIZATION', `A record of the global table ${table.name} cannot be read: ${partitionName(at.topic, at.partition)}, offset ${offset}: ${String(cause)}.`, {
      cause,
      hint: 'Mend its serde, or set onDeserializationError to skip such records.',
    })
    if (verdictOf(this.#onError, { topic: at.topic, partition: at.partition, offset, operator: table.name, site: table.site, error }) === 'fail') throw error
    this.skipped++
  }
}

async function partitionsOf(options: GlobalTablesOptions): Promise<TopicPartition[]> {
  const topics = options.topology.globals.map(table => table.topic)
  if (topics.length === 0) return []
  const described = await options.log.admin.describeTopics(topics)
  return topics.flatMap(topic => {
    const partitions = described.get(topic)?.partitions
    if (partitions === undefined) throw new MillraceError('MISSING_SOURCE_TOPIC', `The topic ${topic} of a global table does not exist.`, { hint: `Create it: millrace topics create ${topic}` })
    return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  })
}
