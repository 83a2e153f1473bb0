// A task's state on one ordered byte map: its stores, and what each commit keeps beside their rows.

import { assert } from '../core/error.ts'
import type { RecordCursor } from '../core/record.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import { prefixEnd, type ByteBatch, type ByteMap } from './byte-map.ts'
import { WriteBackKeyValueStore } from './key-value-store.ts'
import { openLevelByteMap, type LevelOptions } from './level-byte-map.ts'
import { dirtyBytesOf, memoryStore, memoryTaskState, storeNamed, type WriteBack } from './memory-task-state.ts'
import { SortedRun } from './sorted-run.ts'
import { checkFormat, openPrefixes, readCommit, writeCommit, type CommitRecord } from './state-catalog.ts'
import { StateBudget } from './state-budget.ts'
import type { ChangelogSink, Checkpoint, Store, TaskState } from './store.ts'
import { WriteBackWindowStore } from './window-store.ts'
import type { StoreMemo } from './write-back-store.ts'

export interface TaskStateOptions {
  /** Of the task alone; made if it is not there. Null: everything in memory. */
  readonly directory: string | null
  readonly stores: readonly StoreDescription[]
  /** Shared by all tasks of the process. */
  readonly budget?: StateBudget
  /** How many tasks share the budget. Default 1. */
  readonly tasks?: number
  readonly level?: LevelOptions
}

const MIB = 1024 * 1024
/** Files of all tasks that may be open, as a multiple of the budget. Reading from one that is not takes four times as long; those that are count in the process's size. */
const OPEN_FILES_SHARE = 3
const LARGE_OPEN_FILES_BYTES = 128 * MIB
/** Bytes of a changelog that are gathered before they are written, unless told otherwise. */
const RUN_BYTES = 32 * MIB
const RUN_BATCH_RECORDS = 16_384
/** Rows are written to disk at the latest when so many records have gone to the changelog since: that is what is read again after a crash. */
const MOST_UNWRITTEN_RECORDS = 1_000_000

/**
 * Opens what the last commit left. Without any store of medium `level` nothing is opened on disk.
 * @throws MillraceError STATE_LOCKED, STATE_FORMAT, STATE_STORE_CHANGED, STATE_CORRUPT, STATE_OPEN
 */
export async function openTaskState(options: TaskStateOptions): Promise<TaskState> {
  if (options.directory === null || options.stores.every(store => store.medium === 'memory')) return memoryTaskState(options.stores)
  const budget = options.budget ?? new StateBudget()
  const map = await openLevelByteMap(options.directory, { ...levelOptions(budget, options.tasks ?? 1), ...options.level })
  try {
    return await openTaskStateOn(map, { stores: options.stores, budget, place: options.directory })
  } catch (error) {
    await map.close()
    throw error
  }
}

/** What is open on disk follows the budget too, and is shared by the tasks: a small one wants a small process, a large one fast reads. */
function levelOptions(budget: StateBudget, tasks: number): LevelOptions {
  const openFilesBytes = (OPEN_FILES_SHARE * budget.limitBytes) / tasks
  return { fileBytes: openFilesBytes < LARGE_OPEN_FILES_BYTES ? MIB : 2 * MIB, openFilesBytes }
}

export interface ByteMapStateOptions {
  readonly stores: readonly StoreDescription[]
  readonly budget: StateBudget
  /** Names the map in messages. Default `memory`. */
  readonly place?: string
  /** Bytes of a changelog that are gathered before they are written. */
  readonly runBytes?: number
}

/** The same on a byte map that is open; the state closes it. */
export async function openTaskStateOn(map: ByteMap, options: ByteMapStateOptions): Promise<TaskState> {
  const { stores, budget, place = 'memory', runBytes = RUN_BYTES } = options
  checkFormat(map, place)
  const commit = readCommit(map)
  const prefixes = await openPrefixes(map, stores, place)
  const opened = new Map<string, WriteBack>()
  const byId = new Map<number, WriteBack>()
  for (const description of stores) {
    const prefix = prefixes.get(description.name)
    const store = prefix === undefined ? memoryStore(description) : await openStore(map, description, prefix, budget, commit.memos[description.name] ?? null)
    opened.set(description.name, store)
    if (prefix !== undefined) byId.set(prefix.readUInt16BE(0), store)
  }
  return new MapTaskState({ map, stores: opened, storesById: byId, commit, budget, runBytes })
}

/** Restored records on their way to disk, and the stores they are of. */
interface StoresRun {
  readonly run: SortedRun
  readonly stores: Set<WriteBack>
}

interface MapTaskStateParts {
  readonly map: ByteMap
  readonly stores: ReadonlyMap<string, WriteBack>
  readonly storesById: ReadonlyMap<number, WriteBack>
  readonly commit: CommitRecord
  readonly budget: StateBudget
  readonly runBytes: number
}

class MapTaskState implements TaskState {
  readonly stores: ReadonlyMap<string, WriteBack>
  readonly #map: ByteMap
  readonly #storesById: ReadonlyMap<number, WriteBack>
  readonly #budget: StateBudget
  readonly #runBytes: number
  #checkpoint: Checkpoint
  /** Of the stores and the offsets as they are on disk. */
  #memos: CommitRecord['memos']
  #writtenOffsets: CommitRecord['offsets']
  /** What was flushed and goes to disk with the next commit. */
  #writes = new SortedRun(RUN_BYTES)
  /** True if the next commit writes all rows that the disk has not. */
  #writing = false
  /** True from a flush to its commit. */
  #flushed = false
  #unwrittenRecords = 0
  #committing = false
  #run: StoresRun
  /** Full runs on their way to disk, one after the other. */
  #draining: Promise<void> = Promise.resolve()
  #drainingRuns = 0

  constructor({ map, stores, storesById, commit, budget, runBytes }: MapTaskStateParts) {
    this.#map = map
    this.stores = stores
    this.#storesById = storesById
    this.#budget = budget
    this.#runBytes = runBytes
    this.#run = newRun(runBytes)
    this.#checkpoint = { changelogOffsets: new Map(Object.entries(commit.offsets)), clocks: new Map(Object.entries(commit.clocks)) }
    this.#memos = commit.memos
    this.#writtenOffsets = commit.offsets
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

  // ─── commits ───

  /**
   * A row that changes often is written to the changelog with each commit, but to disk only now and then: when memory asks for it, when the
   * changelog has grown by a lot, at the end. The offsets on disk are always those of the rows on disk, so that a crash costs reading the changelog from there.
   */
  flush(sink: ChangelogSink): void {
    this.#writing ||= this.#writingIsDue()
    this.#flushStores(sink, this.#writes, this.#writing)
    this.#flushed = true
  }

  #writingIsDue(): boolean {
    let isLogged = false
    for (const store of this.#storesById.values()) {
      this.#unwrittenRecords += store.dirtyRows
      isLogged ||= store.description.logged
    }
    return !isLogged || this.#unwrittenRecords > MOST_UNWRITTEN_RECORDS || this.#budget.writingIsDue
  }

  #flushStores(sink: ChangelogSink, writes: SortedRun, writing: boolean): void {
    const memos: Record<string, StoreMemo> = { ...this.#memos }
    for (const [name, store] of this.stores) {
      const written = store.place !== null && (writing || !store.description.logged)
      store.flush(sink, written ? writes : null)
      if (written) memos[name] = store.memo()
    }
    this.#memos = memos
    if (writing) this.#unwrittenRecords = 0
  }

  async commit(checkpoint: Checkpoint): Promise<void> {
    assert(!this.#committing, 'a task commits once at a time')
    this.#committing = true
    const writes = this.#writes
    this.#writes = new SortedRun(RUN_BYTES)
    const written = this.#writing || this.#nothingUnwritten()
    this.#writing = false
    this.#flushed = false
    await this.#write(writes, checkpoint, written)
    this.#budget.released()
    if (written) for (const store of this.stores.values()) if (store instanceof WriteBackWindowStore) await store.expire()
    this.#committing = false
  }

  #nothingUnwritten(): boolean {
    for (const store of this.#storesById.values()) if (store.unwrittenRows > 0) return false
    return true
  }

  async #write(writes: SortedRun, checkpoint: Checkpoint, rowsToo: boolean): Promise<void> {
    const committed = [...this.stores.values()].map(store => store.committing())
    if (rowsToo) this.#writtenOffsets = Object.fromEntries([...checkpoint.changelogOffsets].filter(([name]) => this.stores.get(name)?.place !== null))
    const record: CommitRecord = { offsets: this.#writtenOffsets, clocks: Object.fromEntries(checkpoint.clocks), memos: this.#memos }
    const batch = await this.#writeRun(writes, null)
    writeCommit(batch, record)
    await batch.write()
    for (const done of committed) done()
    this.#checkpoint = checkpoint
  }

  // ─── restoring ───

  restore(name: string, records: RecordCursor): number {
    const store = storeNamed(this.stores, name)
    if (store.place === null) return store.restoreToMemory(records)
    const applied = store.restoreToRun(records, this.#run.run)
    if (applied > 0) this.#run.stores.add(store)
    if (this.#run.run.full) this.#drain()
    return applied
  }

  async restoreSettled(): Promise<void> {
    if (this.#drainingRuns > 0) await this.#draining
  }

  async commitRestored(checkpoint: Checkpoint): Promise<void> {
    this.#drain()
    await this.#draining
    const writes = new SortedRun(RUN_BYTES)
    this.#flushStores(refuseRecord, writes, true)
    await this.#write(writes, checkpoint, true)
  }

  #drain(): void {
    const { run, stores } = this.#run
    this.#run = newRun(this.#runBytes)
    this.#drainingRuns++
    this.#draining = this.#draining.then(async () => {
      await (await this.#writeRun(run, stores)).write()
      this.#drainingRuns--
    })
    this.#draining.catch(() => {}) // the next to await it, restoreSettled or commitRestored, gets the failure
  }

  /**
   * Writes a run in batches; the last one is the caller's to write, with what makes the whole durable. Rows that are on disk before their
   * offsets do no harm, for the changelog says the same again. `restored` are the stores whose rows come from a changelog.
   */
  async #writeRun(run: SortedRun, restored: ReadonlySet<WriteBack> | null): Promise<ByteBatch> {
    const order = run.sorted()
    let batch = this.#map.batch()
    if (restored !== null) for (const store of restored) store.restoring(order.length)
    for (let at = 0; at < order.length; ) {
      if (at > 0) {
        await batch.write()
        batch = this.#map.batch()
      }
      at = run.emit(order, at, RUN_BATCH_RECORDS, (key, value) => {
        if (restored !== null) this.#storesById.get(key.readUInt16BE(0))!.restored(key, value === null)
        if (value === null) batch.delete(key)
        else batch.put(key, value)
      })
    }
    return batch
  }

  /** Writes the rows that are committed and not on disk yet, unless others were changed or flushed since, which no commit has confirmed. */
  async close(): Promise<void> {
    try {
      await this.#draining.catch(() => {}) // what was restored and not committed is restored again
      if (!this.#flushed && this.#isClean() && !this.#nothingUnwritten()) {
        this.#flushStores(refuseRecord, this.#writes, true)
        await this.#write(this.#writes, this.#checkpoint, true)
      }
    } finally {
      for (const store of this.stores.values()) store.close()
      await this.#map.close()
    }
  }

  #isClean(): boolean {
    for (const store of this.#storesById.values()) if (store.dirtyRows > 0) return false
    return !this.#committing
  }
}

function newRun(runBytes: number): StoresRun {
  return { run: new SortedRun(runBytes), stores: new Set() }
}

function refuseRecord(): never {
  throw new Error('assertion failed: a store is not written while it is restored; this is a bug in Millrace')
}

/** A store that no commit has named holds nothing; rows of a restore that did not come to its end are removed. */
async function openStore(map: ByteMap, description: StoreDescription, prefix: Buffer, budget: StateBudget, memo: StoreMemo | null): Promise<WriteBack> {
  if (memo === null) await map.clear({ from: prefix, to: prefixEnd(prefix) })
  const place = { map, prefix, budget }
  if (description.kind === 'key-value') return new WriteBackKeyValueStore(description, place, memo)
  const starts: (readonly [number, number])[] = []
  for await (const entry of map.scan(WriteBackWindowStore.startsRange(prefix))) starts.push(WriteBackWindowStore.startOf(entry, prefix))
  return new WriteBackWindowStore(description, place, memo, starts)
}
