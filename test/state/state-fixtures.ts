// What the tests of state share: descriptions of stores, a changelog that is written down, and its records as a cursor.

import type { Headers } from '../../core/headers.ts'
import type { RecordCursor } from '../../core/record.ts'
import { readInt64, serdes, type Serde } from '../../core/serde.ts'
import type { KeyValueStoreDescription, StoreDescription, WindowStoreDescription } from '../../core/topology/store-description.ts'
import type { ChangelogSink, KeyValueStore, TaskState, WindowStore } from '../../state/store.ts'

interface StoreOptions {
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
  readonly medium?: 'level' | 'memory'
  readonly logged?: boolean
}

export function keyValueDescription(name: string, options: StoreOptions & { readonly timestamped?: boolean } = {}): KeyValueStoreDescription {
  return { ...base(name, options), kind: 'key-value', timestamped: options.timestamped ?? true }
}

export function windowDescription(name: string, options: StoreOptions & { readonly sizeMs: number; readonly retentionMs: number }): WindowStoreDescription {
  return { ...base(name, options), kind: 'window', sizeMs: options.sizeMs, retentionMs: options.retentionMs }
}

function base(name: string, options: StoreOptions): Omit<KeyValueStoreDescription, 'kind' | 'timestamped'> {
  return {
    name,
    key: options.key ?? serdes.string,
    value: options.value ?? serdes.int64,
    medium: options.medium ?? 'level',
    logged: options.logged ?? true,
    topicConfig: {},
    cached: true,
  }
}

export function asKeyValue(state: TaskState, name: string): KeyValueStore<unknown, unknown> {
  return state.store(name) as KeyValueStore<unknown, unknown>
}

export function asWindow(state: TaskState, name: string): WindowStore<unknown, unknown> {
  return state.store(name) as WindowStore<unknown, unknown>
}

export interface ChangelogRecord {
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: Headers | null
  readonly text: string
}

export interface RecordingSink {
  readonly records: ChangelogRecord[]
  readonly sink: ChangelogSink
}

/** Keeps every record of one store's changelog; `text` shows it, 8 bytes of value as an int64. */
export function recordingSink(): RecordingSink {
  const records: ChangelogRecord[] = []
  return {
    records,
    sink(store: StoreDescription, keyBytes, valueBytes, timestamp, headers) {
      const key = Buffer.from(keyBytes)
      const value = valueBytes === null ? null : Buffer.from(valueBytes)
      const shown = value === null ? 'null' : value.length === 8 ? `int64:${readInt64(value, 0)}` : value.toString()
      records.push({ key, value, timestamp, headers, text: `${store.name} ${key.toString()}=${shown}@${timestamp}` })
    },
  }
}

/** The records one after the other in one buffer, as a fetch brings them. */
export function recordsOf(records: readonly { readonly key: Buffer; readonly value: Buffer | null; readonly timestamp: number }[]): RecordCursor {
  const buffer = Buffer.concat(records.flatMap(record => [record.key, record.value ?? Buffer.of()]))
  let at = -1
  let next = 0
  const cursor = {
    buffer,
    offset: -1,
    timestamp: -1,
    keyStart: -1,
    keyEnd: -1,
    valueStart: -1,
    valueEnd: -1,
    headers: () => null,
    next(): boolean {
      const record = records[++at]
      if (record === undefined) return false
      cursor.offset = at
      cursor.timestamp = record.timestamp
      cursor.keyStart = next
      next += record.key.length
      cursor.keyEnd = next
      cursor.valueStart = record.value === null ? -1 : next
      next += record.value?.length ?? 0
      cursor.valueEnd = next
      return true
    },
  }
  return cursor
}
