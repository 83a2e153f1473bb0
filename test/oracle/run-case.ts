// Runs a case on the TopologyTestDriver and says where its answers differ from Apache Kafka Streams'.

import { Headers } from '../../core/headers.ts'
import { serdes } from '../../core/serde.ts'
import { TopologyTestDriver } from '../kit/topology-test-driver.ts'
import type { TestRecord } from '../kit/test-topics.ts'
import { anySerde, isWindowed, UNLIMITED_END } from './any-serde.ts'
import { buildCase, type BuiltCase } from './build-case.ts'
import { departure } from './departures.ts'
import { notBuiltYet } from './not-built-yet.ts'
import type { OracleCase, OracleInput, OracleKey, OracleRecord, OracleRow, OracleStep } from './oracle-case.ts'

export type CaseResult =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'skipped'; readonly why: string }

export function runCase(oracle: OracleCase): CaseResult {
  const missing = notBuiltYet(oracle)
  if (missing !== null) return { kind: 'skipped', why: `not built yet: ${missing}` }
  const departs = departure(oracle)
  if (departs !== null) return { kind: 'skipped', why: `departs on purpose: ${departs}` }
  const expectedError = oracle.answer.error?.at
  let built: BuiltCase
  try {
    built = buildCase(oracle)
  } catch (error) {
    return expectedError === 'build' ? { kind: 'passed' } : failed(`it cannot be built: ${describe(error)}`)
  }
  if (expectedError === 'build') return failed('it was built, and should not')
  return new CaseRun(oracle, built).run()
}

class CaseRun {
  readonly #oracle: OracleCase
  readonly #built: BuiltCase
  readonly #driver: TopologyTestDriver
  #dropped = 0

  constructor(oracle: OracleCase, built: BuiltCase) {
    this.#oracle = oracle
    this.#built = built
    const { config } = oracle
    this.#driver = new TopologyTestDriver(built.topology, {
      applicationId: 'app',
      singleTask: true,
      holdUpdates: (config.cacheBytes ?? 0) > 0,
      onProcessingError: config.onProcessingError === 'continue' ? 'skip' : 'fail',
      onDeserializationError: config.onDeserializationError === 'continue' ? 'skip' : 'fail',
    })
  }

  run(): CaseResult {
    const { inputs, answer } = this.#oracle
    for (let i = 0; i < inputs.length; i++) {
      try {
        this.#feed(inputs[i]!)
      } catch (error) {
        return answer.error?.at === i ? { kind: 'passed' } : failed(`input ${i} failed: ${describe(error)}`)
      }
      if (answer.error?.at === i) return failed(`input ${i} should have failed (${answer.error.class})`)
      const difference = unequal(this.#step(), answer.steps[i] ?? {})
      if (difference !== null) return failed(`step ${i} (${JSON.stringify(inputs[i])}): ${difference}`)
    }
    const difference = unequal(this.#stores(), this.#visible(answer.stores ?? {}))
    if (difference !== null) return failed(`stores: ${difference}`)
    const internal = answer.internal === undefined ? null : this.#internalDifference(answer.internal)
    return internal === null ? { kind: 'passed' } : failed(`internal topics: ${internal}`)
  }

  #feed(input: OracleInput): void {
    if (input.advanceWallTime !== undefined) return this.#driver.advanceWallTime(input.advanceWallTime)
    const topic = this.#driver.input(input.topic!)
    const headers = Headers.of(...(input.headers ?? []))
    const timestamp = input.ts!
    const key = input.key ?? null
    if (input.valueHex === undefined) return topic.send({ key, value: input.value ?? null, timestamp, headers })
    topic.sendRaw({ key: key === null ? null : Buffer.from(key), value: Buffer.from(input.valueHex, 'hex'), timestamp, headers })
  }

  #step(): OracleStep {
    const out: Record<string, OracleRecord[]> = {}
    for (const topic of [...this.#driver.writtenTopics].sort()) {
      if (topic.startsWith('app-')) continue
      const records = this.#driver.output(topic, { key: anySerde, value: anySerde }).readAll()
      if (records.length > 0) out[topic] = records.map(plainRecord)
    }
    const dropped = this.#driver.dropped + this.#driver.skipped - this.#dropped
    this.#dropped += dropped
    const trace = this.#built.trace.splice(0).map(entry => (entry as unknown[]).map((part, index) => (index === 0 ? part : plain(part))))
    return { ...(Object.keys(out).length > 0 && { out }), ...(dropped > 0 && { dropped }), ...(trace.length > 0 && { trace }) }
  }

  #stores(): Record<string, OracleRow[]> {
    const { topology, javaStores } = this.#built
    const stores: Record<string, OracleRow[]> = {}
    for (const store of [...topology.stores, ...topology.globals.map(global => global.store)]) {
      const timestamped = store.kind === 'window' || store.timestamped
      const rows = this.#driver.store(store.name).rows().map(({ key, value, timestamp }) => ({ key: plain(key), value: plain(value), ...(timestamped && { ts: timestamp }) }))
      if (rows.length > 0) stores[javaStores.get(store.name) ?? store.name] = rows
    }
    return sortedStores(stores)
  }

  /** Bytes of repartition topics must be the same; a changelog may leave out what the same commit overwrites. */
  #internalDifference(theirs: Readonly<Record<string, readonly OracleRecord[]>>): string | null {
    const topics = this.#driver.writtenTopics.filter(topic => topic.startsWith('app-'))
    const ours = new Map(topics.map(topic => [this.#built.javaTopics.get(topic) ?? topic, this.#driver.output(topic, { key: serdes.bytes, value: serdes.bytes }).readAll().map(hexRecord)]))
    for (const topic of new Set([...ours.keys(), ...Object.keys(theirs)])) {
      // With this optimisation a table's source topic is its changelog; Millrace writes one of its own.
      if (theirs[topic] === undefined && this.#oracle.config.optimization !== undefined) continue
      const [mine, all] = [ours.get(topic) ?? [], theirs[topic] ?? []]
      const kept = topic.endsWith('-changelog') ? lastsAmong(all, mine) : all
      const difference = unequal(mine, kept)
      if (difference !== null) return `${topic}: ${difference}`
    }
    return null
  }

  /** Kafka's record cache shows windows that its store has forgotten, as long as they happen to be in the cache; they are no answer. */
  #visible(stores: Readonly<Record<string, readonly OracleRow[]>>): Record<string, readonly OracleRow[]> {
    const visible = { ...stores }
    for (const store of this.#built.topology.stores) {
      const name = this.#built.javaStores.get(store.name) ?? store.name
      const rows = visible[name]
      if (store.kind !== 'window' || (this.#oracle.config.cacheBytes ?? 0) === 0 || rows === undefined) continue
      const newest = Math.max(...rows.map(windowStart))
      visible[name] = rows.filter(row => windowStart(row) > newest - store.retentionMs)
    }
    return sortedStores(visible)
  }
}

function windowStart({ key }: OracleRow): number {
  return typeof key === 'object' && key !== null ? key.start : 0
}

function plainRecord({ key, value, timestamp, headers }: TestRecord<unknown, unknown>): OracleRecord {
  const pairs = [...headers].map(header => [header.key, header.value === null ? null : Buffer.from(header.value).toString('utf8')] as const)
  return { key: plain(key), value: plain(value), ts: timestamp, ...(pairs.length > 0 && { headers: pairs }) }
}

function plain(value: unknown): OracleKey {
  if (!isWindowed(value)) return value as OracleKey
  const { start, end } = value.window
  return { key: plain(value.key), start, end: end >= UNLIMITED_END ? 'max' : end }
}

function hexRecord({ key, value, timestamp, headers }: TestRecord<Uint8Array, Uint8Array>): OracleRecord {
  const pairs = [...headers].map(header => [header.key, hex(header.value)] as const)
  return { key: hex(key), value: hex(value), ts: timestamp, ...(pairs.length > 0 && { headers: pairs }) }
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex')
}

/** The records of `all` that are also among `some`, in order, and the last one of each key in any case. */
function lastsAmong(all: readonly OracleRecord[], some: readonly OracleRecord[]): readonly OracleRecord[] {
  const wanted = new Set(some.map(canonical))
  return all.filter((record, index) => wanted.has(canonical(record)) || all.findLastIndex(other => other.key === record.key) === index)
}

function sortedStores<T>(stores: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(stores).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Null if both say the same; keys of objects may come in any order. */
function unequal(ours: unknown, theirs: unknown): string | null {
  const [left, right] = [canonical(ours), canonical(theirs)]
  return left === right ? null : `Millrace ${left}, Kafka Streams ${right}`
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  )
}

function failed(why: string): CaseResult {
  return { kind: 'failed', why }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
