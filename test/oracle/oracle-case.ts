// A case of the oracle: a topology, its inputs, and what Apache Kafka Streams answered, step by step.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export interface OracleCase {
  readonly name: string
  readonly why?: string
  readonly family?: string
  readonly config: OracleConfig
  readonly topics: readonly { readonly name: string; readonly key: string; readonly value: 'string' | 'long' }[]
  readonly nodes: readonly OracleNode[]
  readonly inputs: readonly OracleInput[]
  readonly answer: OracleAnswer
}

export interface OracleConfig {
  readonly optimization?: string
  readonly cacheBytes?: number
  readonly dslStore?: string
  readonly dslStoreFormat?: string
  readonly emitIntervalMs?: number
  readonly onProcessingError?: 'continue'
  readonly onDeserializationError?: 'continue'
  readonly deadLetterTopic?: string
  readonly explicitNaming?: boolean
  readonly captureInternal?: boolean
}

export interface OracleStore {
  readonly name?: string
  readonly type?: 'memory' | 'rocksdb' | 'versioned' | 'lru'
  readonly retention?: number
  readonly logging?: boolean
  readonly caching?: boolean
}

export interface OracleWindow {
  readonly type: 'time' | 'sliding' | 'session' | 'unlimited'
  readonly size?: number
  readonly advance?: number
  readonly grace?: number
}

/** One call of the language; which options there are depends on `op`. */
export interface OracleNode {
  readonly id: string
  readonly op: string
  readonly from?: readonly string[]
  readonly name?: string
  readonly topic?: string
  readonly topics?: readonly string[]
  readonly topicBy?: string
  readonly extractor?: string
  readonly predicate?: string
  readonly mapper?: string
  readonly key?: string
  readonly expand?: string
  readonly branches?: readonly { readonly predicate: string; readonly name?: string }[]
  readonly default?: { readonly name?: string }
  readonly partitions?: number
  readonly dropIf?: string
  readonly fn?: string
  readonly store?: OracleStore | string
  readonly reads?: readonly string[]
  readonly window?: OracleWindow
  readonly emit?: 'close' | 'update'
  readonly reducer?: string
  readonly subtractor?: string
  readonly init?: string
  readonly aggregator?: string
  readonly kind?: 'inner' | 'left' | 'outer'
  readonly joiner?: string
  readonly grace?: number
}

export interface OracleInput {
  readonly topic?: string
  readonly key?: string | null
  readonly value?: OracleValue
  readonly ts?: number
  readonly headers?: readonly (readonly [string, string | null])[]
  readonly valueHex?: string
  readonly advanceWallTime?: number
}

export type OracleValue = string | number | null
export type OracleKey = string | number | null | { readonly key: OracleKey; readonly start: number; readonly end: number | 'max' }

export interface OracleRecord {
  readonly key: OracleKey
  readonly value: OracleKey
  readonly ts: number | null
  readonly headers?: readonly (readonly [string, string | null])[]
}

export interface OracleStep {
  readonly out?: Readonly<Record<string, readonly OracleRecord[]>>
  readonly dropped?: number
  readonly trace?: readonly unknown[]
}

export interface OracleAnswer {
  readonly steps: readonly OracleStep[]
  readonly stores?: Readonly<Record<string, readonly OracleRow[]>>
  readonly internal?: Readonly<Record<string, readonly OracleRecord[]>>
  readonly dropped: number
  readonly error?: { readonly at: 'build' | 'start' | number; readonly class: string; readonly message?: string }
}

export interface OracleRow {
  readonly key: OracleKey
  readonly value: OracleKey
  readonly ts?: number
}

/** All cases of a file (`.json`: one; `.ndjson`: one a line; either with `.gz`) or of the files below a folder, in order of their names. */
export function readCases(path: string): OracleCase[] {
  if (statSync(path).isDirectory()) {
    const names = readdirSync(path).filter(name => /\.(json|ndjson)(\.gz)?$/.test(name) || statSync(join(path, name)).isDirectory())
    return names.sort().flatMap(name => (name.startsWith('bytes.') ? [] : readCases(join(path, name))))
  }
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const documents = /\.json(\.gz)?$/.test(path) ? [text] : text.split('\n').filter(line => line !== '')
  return documents.map(document => JSON.parse(document) as OracleCase)
}
