// Stores as a user's processor sees them: keys and values, without rows and timestamps.

import { MillraceError } from '../../core/error.ts'
import type { ProcessorStore } from '../../core/processor.ts'
import type { KeyValueStore, Row } from '../../state/store.ts'
import type { TaskContext } from './task-context.ts'

/** What is written has the timestamp of the record in hand. */
export class TaskProcessorStore<K, V> implements ProcessorStore<K, V> {
  readonly name: string
  readonly #store: KeyValueStore<K, V>
  readonly #context: TaskContext
  readonly #writable: boolean

  constructor(store: KeyValueStore<K, V>, context: TaskContext, writable: boolean) {
    this.name = store.description.name
    this.#store = store
    this.#context = context
    this.#writable = writable
  }

  get(key: K): V | null {
    return this.#store.get(key)
  }

  put(key: K, value: V | null): void {
    if (!this.#writable) throw new MillraceError('READ_ONLY_STORE', `The store ${this.name} belongs to a global table and cannot be written.`, { hint: 'Write to the topic of the global table instead.' })
    this.#store.put(key, value ?? null, this.#context.timestamp)
  }

  putIfAbsent(key: K, value: V): V | null {
    const old = this.#store.get(key)
    if (old === null) this.put(key, value)
    return old
  }

  delete(key: K): V | null {
    const old = this.#store.get(key)
    this.put(key, null)
    return old
  }

  range(from: K | null, to: K | null): Iterable<readonly [K, V]> {
    return pairs(this.#store.range(from, to))
  }

  reverseRange(from: K | null, to: K | null): Iterable<readonly [K, V]> {
    return pairs(this.#store.range(from, to, 'descending'))
  }

  all(): Iterable<readonly [K, V]> {
    return this.range(null, null)
  }

  reverseAll(): Iterable<readonly [K, V]> {
    return this.reverseRange(null, null)
  }

  approximateCount(): number {
    return this.#store.approximateCount()
  }
}

function* pairs<K, V>(rows: Iterable<Row<K, V>>): Iterable<readonly [K, V]> {
  for (const { key, value } of rows) if (value !== null) yield [key, value]
}
