// Makes a record of a row: the key and the event time from its fields, key and value as the topic's serdes write them.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Timestamp } from '../../core/record.ts'
import type { Serde } from '../../core/serde.ts'
import type { TopicSerdes } from '../../core/topology/node.ts'
import type { InputSource } from '../../runtime/application-definition.ts'
import { parseEventTime } from './event-time.ts'
import { formatOf } from './input-source.ts'
import type { Row } from './row-reader.ts'

export interface EncodedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: Timestamp
}

/** @throws MillraceError USAGE if `at` is no time */
export function recordEncoder(source: InputSource, serdes: TopicSerdes, clock: Clock): (row: Row) => EncodedRecord {
  const at = source.at === undefined ? null : parseEventTime(source.at)
  if (source.at !== undefined && at === null) throw new MillraceError('USAGE', `at=${source.at} is no time.`, { hint: 'Write milliseconds since 1970, or a date such as 2026-01-31T12:00Z.' })
  const timeOf = timestampReader(source, at, clock)
  const asText = (formatOf(source) === 'ndjson' && serdes.value.name === 'json') || serdes.value.name === 'string' || serdes.value.name === 'bytes'
  return row => {
    try {
      const key = source.key === undefined ? null : field(row, source.key)
      return { key: key === null ? null : encode(key, serdes.key), value: asText && typeof row.value !== 'string' ? textValue(row) : encode(row.value, serdes.value), timestamp: timeOf(row) }
    } catch (cause) {
      throw new MillraceError('INPUT', `${source.file}:${row.line}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  }
}

/** A plain value as a serde of that kind wants it: text becomes numbers, booleans and bytes where the serde writes those. */
export function fitted(value: unknown, serde: Serde<unknown>): unknown {
  switch (serde.name) {
    case 'string':
    case 'uuid':
      return plainText(value)
    case 'bytes':
      return Buffer.from(plainText(value), 'utf8')
    case 'int32':
    case 'int64':
    case 'float64':
      return typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    case 'bigint64':
      return typeof value === 'string' || typeof value === 'number' ? BigInt(value) : value
    case 'boolean':
      return value === 'true' ? true : value === 'false' ? false : value
    default:
      return value
  }
}

function encode(value: unknown, serde: Serde<unknown>): Uint8Array | null {
  return value === null ? null : serde.serialize(fitted(value, serde))
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The row as it stands in the file: what the serde would write, without writing it anew. */
function textValue(row: Row): Uint8Array | null {
  return row.value === null ? null : Buffer.from(row.text, 'utf8')
}

function timestampReader(source: InputSource, at: Timestamp | null, clock: Clock): (row: Row) => Timestamp {
  const name = source.timestamp
  if (name === undefined) return () => at ?? clock.now()
  return row => {
    const value = field(row, name)
    const time = parseEventTime(value)
    if (time === null) throw new MillraceError('INPUT', `the field ${name} is ${JSON.stringify(value)}, which is no time.`)
    return time
  }
}

/** @throws MillraceError INPUT where the row has no such field */
function field(row: Row, name: string): unknown {
  let value = row.value
  if (typeof value === 'object' && value !== null && name in value) return (value as Record<string, unknown>)[name]
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !(part in value)) {
      const names = typeof row.value === 'object' && row.value !== null ? Object.keys(row.value) : []
      throw new MillraceError('INPUT', `there is no field ${name}.`, { hint: names.length === 0 ? 'Plain lines have no fields.' : `The fields are ${names.join(', ')}.` })
    }
    value = (value as Record<string, unknown>)[part]
  }
  return value
}
