// The law of a task's state on every medium: random writes, flushes, commits, evictions, crashes and restores against plain maps.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readInt64, serdes, type Serde } from '../../core/serde.ts'
import type { StoreDescription } from '../../core/topology/store-description.ts'
import type { ByteMap } from '../../state/byte-map.ts'
import { MemoryByteMap } from '../../state/memory-byte-map.ts'
import { memoryTaskState } from '../../state/memory-task-state.ts'
import { StateBudget } from '../../state/state-budget.ts'
import { openTaskState, openTaskStateOn } from '../../state/task-state.ts'
import type { Row, TaskState } from '../../state/store.ts'
import { asKeyValue, asWindow, keyValueDescription, recordingSink, recordsOf, windowDescription, type ChangelogRecord, type RecordingSink } from './state-fixtures.ts'

const nightly = process.env['MILLRACE_NIGHTLY'] !== undefined
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-state-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

/** A place that outlives the state on it. */
interface Medium {
  readonly durable: boolean
  open(stores: readonly StoreDescription[]): Promise<TaskState>
  /** Leaves the state as a killed process does, or, where the place cannot be opened twice, as a closed one. */
  leave(state: TaskState): Promise<void>
  /** Deletes all that is there. */
  wipe(): Promise<void>
}

function onMemory(): Medium {
  return { durable: false, open: async stores => memoryTaskState(stores), leave: state => state.close(), wipe: async () => {} }
}

function onByteMap(budgetBytes: number): Medium {
  let map: ByteMap = new MemoryByteMap()
  return {
    durable: true,
    open: stores => openTaskStateOn(map, { stores, budget: new StateBudget(budgetBytes), runBytes: budgetBytes }),
    leave: async () => {},
    async wipe() {
      map = new MemoryByteMap()
    },
  }
}

let levelPlaces = 0

function onLevel(budgetBytes: number): Medium {
  let generation = levelPlaces++
  return {
    durable: true,
    open: stores => openTaskState({ directory: join(directory, `state-${generation}`), stores, budget: new StateBudget(budgetBytes) }),
    leave: state => state.close(),
    async wipe() {
      generation = levelPlaces++
    },
  }
}

const media: readonly (readonly [string, () => Medium, number])[] = [
  ['memory', onMemory, 50],
  ['memory map, large budget', () => onByteMap(1 << 20), 60],
  ['memory map, small budget', () => onByteMap(4000), 60],
  ['memory map, tiny budget', () => onByteMap(600), 100],
  ['LevelDB, small budget', () => onLevel(2000), 12],
]

type Step =
  | { readonly kind: 'put' | 'write'; readonly key: number; readonly value: number | null }
  | { readonly kind: 'get'; readonly key: number }
  | { readonly kind: 'range'; readonly from: number | null; readonly to: number | null; readonly descending: boolean }
  | { readonly kind: 'flush' | 'commit' | 'crash' | 'wipe' }

const keyNumber = fc.nat(24)
const keyValueSteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('put' as const, 'write' as const), key: keyNumber, value: fc.option(fc.nat(1000), { freq: 3 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('get' as const), key: keyNumber }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('range' as const), from: fc.option(keyNumber), to: fc.option(keyNumber), descending: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'commit' as const, 'commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'crash' as const, 'wipe' as const) }) },
  ),
  { maxLength: 60 },
)

interface Keys {
  readonly name: string
  readonly serde: Serde<unknown>
  of(n: number): unknown
}

const keyKinds: readonly Keys[] = [
  { name: 'string', serde: serdes.string, of: n => (n % 3 === 0 ? `é${n}` : `key-${n}`) },
  { name: 'int32', serde: serdes.int32, of: n => n - 10 },
  { name: 'bytes', serde: serdes.bytes, of: n => Buffer.from([n % 2 === 0 ? 255 : 0, n]) },
  { name: 'json', serde: serdes.json(), of: n => ({ n }) },
]

interface Fact {
  readonly value: number
  readonly timestamp: number
}

type Facts = Map<string, Fact>

describe.each(media)('task state on %s', (_, medium, numRuns) => {
  const runs = nightly ? numRuns * 40 : numRuns

  it.each([true, false])('key-value store, timestamped %s: always the model, after a crash what the changelog says up to the checkpoint, then what all of it says', async timestamped => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keyKinds), keyValueSteps, async (keys, steps) => {
        const run = await KeyValueRun.start(medium(), keys, timestamped)
        try {
          for (const step of steps) await run.step(step)
          run.checkRange(null, null, false)
        } finally {
          await run.state.close()
        }
      }),
      { numRuns: runs },
    )
  })

  it('window store: always the model, retention to the millisecond, crash and restore', async () => {
    await fc.assert(
      fc.asyncProperty(windowSteps, async steps => {
        const run = await WindowRun.start(medium())
        try {
          for (const step of steps) await run.step(step)
          run.check(0, 10_000)
        } finally {
          await run.state.close()
        }
      }),
      { numRuns: runs },
    )
  })
})

/** What both kinds of store go through: a changelog of everything flushed, commits that say how far of it they reach. */
abstract class StoreRun {
  state!: TaskState
  protected readonly medium: Medium
  protected readonly description: StoreDescription
  protected readonly changelog: RecordingSink = recordingSink()
  protected clock = 0
  #committedOffset = 0
  #committedTime = 0

  constructor(medium: Medium, description: StoreDescription) {
    this.medium = medium
    this.description = description
  }

  /** The model becomes what this much of the changelog says. */
  protected abstract recall(records: readonly ChangelogRecord[]): void
  protected abstract checkAll(): void

  async lifecycle(kind: 'flush' | 'commit' | 'crash' | 'wipe'): Promise<void> {
    if (kind === 'flush' || kind === 'commit') this.flush()
    if (kind === 'commit') await this.#commit()
    if (kind === 'crash' || kind === 'wipe') await this.#restart(kind)
  }

  protected flush(): void {
    this.state.flush(this.changelog.sink)
  }

  async #commit(): Promise<void> {
    this.#committedOffset = this.changelog.records.length
    this.#committedTime = this.clock
    await this.state.commit({ changelogOffsets: new Map([[this.description.name, this.#committedOffset]]), clocks: new Map([['time', this.clock]]) })
  }

  async #restart(kind: 'crash' | 'wipe'): Promise<void> {
    await this.medium.leave(this.state)
    if (kind === 'wipe') await this.medium.wipe()
    this.state = await this.medium.open([this.description])
    const offset = this.state.checkpoint.changelogOffsets.get(this.description.name) ?? 0
    expect(offset).toBeLessThanOrEqual(this.medium.durable && kind === 'crash' ? this.#committedOffset : 0)
    if (offset > 0 || !this.medium.durable) expect(this.state.checkpoint.clocks.get('time') ?? 0).toBe(this.medium.durable ? this.#committedTime : 0)
    this.recall(this.changelog.records.slice(0, offset))
    this.checkAll()
    const { records } = this.changelog
    const middle = offset + ((records.length - offset) >> 1)
    this.state.restore(this.description.name, recordsOf(records.slice(offset, middle)))
    this.state.restore(this.description.name, recordsOf(records.slice(middle)))
    await this.state.commitRestored({ changelogOffsets: new Map([[this.description.name, records.length]]), clocks: new Map([['time', this.clock]]) })
    this.#committedOffset = records.length
    this.#committedTime = this.clock
    this.recall(records)
    this.checkAll()
  }
}

class KeyValueRun extends StoreRun {
  readonly #keys: Keys
  readonly #timestamped: boolean
  #now: Facts = new Map()

  private constructor(medium: Medium, keys: Keys, timestamped: boolean) {
    super(medium, keyValueDescription('store', { key: keys.serde, timestamped }))
    this.#keys = keys
    this.#timestamped = timestamped
  }

  static async start(medium: Medium, keys: Keys, timestamped: boolean): Promise<KeyValueRun> {
    await medium.wipe()
    const run = new KeyValueRun(medium, keys, timestamped)
    run.state = await medium.open([run.description])
    return run
  }

  async step(step: Step): Promise<void> {
    const store = asKeyValue(this.state, 'store')
    if (step.kind === 'put') {
      store.put(this.#keys.of(step.key), step.value, ++this.clock)
      this.#record(step.key, step.value)
    } else if (step.kind === 'write') {
      const row = store.row(this.#keys.of(step.key))
      this.#check(row, step.key)
      store.row(this.#keys.of(step.key + 1)) // may evict the row in hand
      store.write(row, step.value, ++this.clock)
      this.#record(step.key, step.value)
    } else if (step.kind === 'get') {
      this.#check(store.row(this.#keys.of(step.key)), step.key)
    } else if (step.kind === 'range') {
      this.checkRange(step.from, step.to, step.descending)
    } else {
      await this.lifecycle(step.kind)
    }
  }

  checkRange(from: number | null, to: number | null, descending: boolean): void {
    const low = from === null ? null : this.#orderOf(from)
    const high = to === null ? null : this.#orderOf(to)
    const expected = [...this.#now.keys()].filter(order => (low === null || order >= low) && (high === null || order <= high)).sort()
    if (descending) expected.reverse()
    const store = asKeyValue(this.state, 'store')
    const rows = [...store.range(from === null ? null : this.#keys.of(from), to === null ? null : this.#keys.of(to), descending ? 'descending' : 'ascending')]
    expect(rows.map(row => [latin1(this.#keys.serde.serialize(row.key)), row.value, row.timestamp])).toEqual(
      expected.map(order => [order, this.#now.get(order)!.value, this.#now.get(order)!.timestamp]),
    )
  }

  protected override recall(records: readonly ChangelogRecord[]): void {
    this.#now = new Map()
    for (const { key, value, timestamp } of records) {
      if (value === null) this.#now.delete(latin1(key))
      else this.#now.set(latin1(key), { value: readInt64(value, 0), timestamp: this.#timestamped ? timestamp : 0 })
    }
  }

  protected override checkAll(): void {
    this.checkRange(null, null, false)
  }

  #orderOf(n: number): string {
    return latin1(this.#keys.serde.serialize(this.#keys.of(n)))
  }

  #record(n: number, value: number | null): void {
    if (value === null) this.#now.delete(this.#orderOf(n))
    else this.#now.set(this.#orderOf(n), { value, timestamp: this.#timestamped ? this.clock : 0 })
  }

  #check(row: Row<unknown, unknown>, n: number): void {
    const fact = this.#now.get(this.#orderOf(n))
    expect([row.value, row.timestamp]).toEqual(fact === undefined ? [null, -1] : [fact.value, fact.timestamp])
  }
}

type WindowStep =
  | { readonly kind: 'write'; readonly key: number; readonly start: number; readonly value: number | null }
  | { readonly kind: 'fetch' | 'get'; readonly key: number; readonly start: number; readonly length: number }
  | { readonly kind: 'flush' | 'commit' | 'crash' | 'wipe' }

const RETENTION_MS = 100
const windowKey = fc.nat(3)
const windowStart = fc.nat(40).map(n => n * 10)
const windowSteps: fc.Arbitrary<WindowStep[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('write' as const), key: windowKey, start: windowStart, value: fc.option(fc.nat(1000), { freq: 4 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('fetch' as const, 'get' as const), key: windowKey, start: windowStart, length: fc.nat(200) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'commit' as const, 'commit' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'crash' as const, 'wipe' as const) }) },
  ),
  { maxLength: 60 },
)

interface WindowFacts {
  readonly rows: ReadonlyMap<string, Fact & { readonly key: string; readonly start: number }>
  readonly observed: number
}

class WindowRun extends StoreRun {
  #highestObserved = -1
  #now: WindowFacts = { rows: new Map(), observed: -1 }

  private constructor(medium: Medium) {
    super(medium, windowDescription('store', { sizeMs: 10, retentionMs: RETENTION_MS }))
  }

  static async start(medium: Medium): Promise<WindowRun> {
    await medium.wipe()
    const run = new WindowRun(medium)
    run.state = await medium.open([run.description])
    return run
  }

  async step(step: WindowStep): Promise<void> {
    const store = asWindow(this.state, 'store')
    if (step.kind === 'write') {
      this.#write(keyOf(step.key), step.start, step.value)
    } else if (step.kind === 'get') {
      const row = store.row(keyOf(step.key), step.start)
      const fact = this.#visible(step.start, step.start).find(other => other.key === keyOf(step.key))
      expect([row.value, row.timestamp, row.start]).toEqual([fact?.value ?? null, fact?.timestamp ?? -1, step.start])
    } else if (step.kind === 'fetch') {
      const expected = this.#visible(step.start, step.start + step.length).filter(other => other.key === keyOf(step.key))
      expect([...store.fetch(keyOf(step.key), step.start, step.start + step.length)].map(row => [row.start, row.value])).toEqual(expected.map(other => [other.start, other.value]))
      this.check(step.start, step.start + step.length)
    } else {
      await this.lifecycle(step.kind)
    }
  }

  check(from: number, to: number): void {
    const store = asWindow(this.state, 'store')
    expect(store.observedStart).toBe(this.#now.observed)
    const facts = this.#visible(from, to).sort((left, right) => (left.key === right.key ? left.start - right.start : left.key < right.key ? -1 : 1))
    expect([...store.fetchAll(from, to)].map(row => [row.key, row.start, row.value, row.timestamp])).toEqual(facts.map(fact => [fact.key, fact.start, fact.value, fact.timestamp]))
  }

  protected override recall(records: readonly ChangelogRecord[]): void {
    const rows = new Map<string, Fact & { readonly key: string; readonly start: number }>()
    for (const { key: bytes, value, timestamp } of records) {
      const key = bytes.subarray(0, -12).toString()
      const start = readInt64(bytes, bytes.length - 12)
      if (value === null) rows.delete(`${key}/${start}`)
      else rows.set(`${key}/${start}`, { key, start, value: readInt64(value, 0), timestamp })
    }
    this.#now = { rows, observed: records.reduce((highest, { key }) => Math.max(highest, readInt64(key, key.length - 12)), -1) }
  }

  protected override checkAll(): void {
    // A write that was taken back before its flush leaves no trace in the changelog, its start neither.
    const observed = asWindow(this.state, 'store').observedStart
    expect(observed).toBeLessThanOrEqual(this.#highestObserved)
    expect(observed).toBeGreaterThanOrEqual(this.#now.observed)
    this.#now = { rows: this.#now.rows, observed }
    this.check(0, 10_000)
  }

  #write(key: string, start: number, value: number | null): void {
    const store = asWindow(this.state, 'store')
    const observed = Math.max(this.#now.observed, start)
    const expired = start <= observed - RETENTION_MS
    expect(store.write(store.row(key, start), value, ++this.clock)).toBe(!expired)
    const rows = new Map(this.#now.rows)
    if (!expired && value === null) rows.delete(`${key}/${start}`)
    if (!expired && value !== null) rows.set(`${key}/${start}`, { key, start, value, timestamp: this.clock })
    this.#now = { rows, observed }
    this.#highestObserved = Math.max(this.#highestObserved, observed)
  }

  #visible(from: number, to: number): (Fact & { readonly key: string; readonly start: number })[] {
    return [...this.#now.rows.values()]
      .filter(fact => fact.start >= from && fact.start <= to && fact.start > this.#now.observed - RETENTION_MS)
      .sort((left, right) => left.start - right.start)
  }
}

function keyOf(n: number): string {
  return ['a', 'aa', 'b', 'é'][n]!
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

