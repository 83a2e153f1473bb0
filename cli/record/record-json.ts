// A record as one line of JSON, and back: what `run`, `consume` and `produce` speak.

import { Headers } from '../../core/headers.ts'
import { MillraceError } from '../../core/error.ts'
import type { Serde } from '../../core/serde.ts'

/** What stands in a line. Bytes that are no UTF-8 text stand as `{"base64": "…"}`. */
export interface JsonRecord {
  readonly topic?: string
  readonly partition?: number
  readonly offset?: number
  readonly timestamp?: number
  readonly key: unknown
  readonly value: unknown
  /** Pairs of name and value, in order, as there may be several of a name. Left out where there are none. */
  readonly headers?: readonly (readonly [string, unknown])[]
}

export function recordLine(record: JsonRecord): string {
  try {
    return `${JSON.stringify(record)}\n`
  } catch {
    return `${JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? plainBigint(value) : value))}\n`
  }
}

/** A decoded key or value as JSON can hold it. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return plainBytes(Buffer.from(value.buffer, value.byteOffset, value.length))
  if (typeof value === 'bigint') return plainBigint(value)
  return value === undefined ? null : value
}

/** Bytes of an unknown topic: as JSON where they are JSON that would be written the same again, as text where they are text. */
export function plainBytes(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  if (!Buffer.from(text, 'utf8').equals(bytes)) return { base64: bytes.toString('base64') }
  const first = text[0]
  if (first !== '{' && first !== '[') return text
  try {
    const value: unknown = JSON.parse(text)
    return isBase64(value) || JSON.stringify(value) !== text ? text : value
  } catch {
    return text // Text that only begins like JSON.
  }
}

/** The bytes of a key or value that a person wrote into a line: the other way round. Null stays null. */
export function bytesOf(value: unknown, serde: Serde<unknown> | null): Uint8Array | null {
  if (value === null || value === undefined) return null
  if (isBase64(value)) return Buffer.from(value.base64, 'base64')
  if (serde !== null) return serde.serialize(value)
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value), 'utf8')
}

/** @throws MillraceError INPUT */
export function headersOf(value: unknown): Headers | null {
  if (value === undefined || value === null) return null
  const pairs: readonly unknown[] = Array.isArray(value) ? value : Object.entries(value)
  const headers = new Headers()
  for (const pair of pairs) {
    if (!Array.isArray(pair) || typeof pair[0] !== 'string') throw new MillraceError('INPUT', `The headers ${JSON.stringify(value)} are no pairs of name and value.`)
    headers.add(pair[0], bytesOf(pair[1], null))
  }
  return headers
}

export function plainHeaders(headers: Headers | null): { readonly headers?: readonly (readonly [string, unknown])[] } {
  if (headers === null || headers.size === 0) return {}
  return { headers: headers.toArray().map(({ key, value }) => [key, value === null ? null : plain(value)] as const) }
}

function isBase64(value: unknown): value is { readonly base64: string } {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 1 && typeof (value as { base64?: unknown }).base64 === 'string'
}

function plainBigint(value: bigint): number | string {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
}
