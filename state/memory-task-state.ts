// A task's state in memory alone, made without waiting: for memory stores, tests and the TopologyTestDriver.

import { MillraceError } from '../core/error.ts'
import type { RecordCursor } from '../core/record.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import { WriteBackKeyValueStore } from './key-value-store.ts'
import type { ChangelogSink, Checkpoint, Store, TaskState } from './store.ts'
import { WriteBackWindowStore } from './window-store.ts'

export type WriteBack = WriteBackKeyValueStore | WriteBackWindowStore

/** All stores in memory, whatever medium they ask for. Nothing is read or written anywhere. */
export function memoryTaskState(stores: readonly StoreDescription[]): TaskState {
  return new MemoryTaskState(stores)
}

class MemoryTaskState implements TaskState {
  readonly stores: ReadonlyMap<string, WriteBack>
  #checkpoint: Checkpoint = { changelogOffsets: new Map(), clocks: new Map() }

  constructor(stores: readonly StoreDescription[]) {
    this.stores = new Map(stores.map(store => [store.name, memoryStore(store)]))
  }

  store(name: string): Store {
    return storeNamed(this.stores, name)
  }

  get checkpoint(): Checkpoint {
    return this.#checkpoint
  }

  get dirtyBytes(): number {
    return dirtyBytesOf(this.stores)
  }

  restore(store: string, records: RecordCursor): number {
    return storeNamed(this.stores, store).restoreToMemory(records)
  }

  restoreSettled(): Promise<void> {
    return Promise.resolve()
  }

  commitRestored(checkpoint: Checkpoint): Promise<void> {
    return this.commit(checkpoint)
  }

  flush(sink: ChangelogSink): void {
    for (const store of this.stores.values()) store.flush(sink, null)
  }

  commit(checkpoint: Checkpoint): Promise<void> {
    this.#checkpoint = checkpoint
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

export function memoryStore(description: StoreDescription): WriteBack {
  return description.kind === 'key-value' ? new WriteBackKeyValueStore(description, null, null) : new WriteBackWindowStore(description, null, null)
}

/** @throws MillraceError UNKNOWN_STORE */
export function storeNamed(stores: ReadonlyMap<string, WriteBack>, name: string): WriteBack {
  const store = stores.get(name)
  if (store !== undefined) return store
  throw new MillraceError('UNKNOWN_STORE', `The task has no store ${JSON.stringify(name)}.`, { hint: `It has: ${[...stores.keys()].join(', ') || 'none'}.` })
}

export function dirtyBytesOf(stores: ReadonlyMap<string, WriteBack>): number {
  let bytes = 0
  for (const store of stores.values()) bytes += store.dirtyBytes
  return bytes
}
