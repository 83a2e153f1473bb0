// A serde turns a key or value into bytes and back. Nulls never reach one: a null is the absence of bytes.

import './buffer-slices.ts'
import { MillraceError } from './error.ts'
import type { StandardSchema } from './standard-schema.ts'
import type { TimeWindows, Windowed } from './window.ts'

export interface Serde<T> {
  /** Short, for messages and descriptions: `string`, `json`, `int64`. */
  readonly name: string
  /** @throws MillraceError SERDE if the value is not one this serde can write */
  serialize(value: T): Uint8Array
  /** Reads `buffer[start, end)`, which may be part of a larger buffer that is reused later: copy what is kept. @throws MillraceError SERDE */
  deserialize(buffer: Buffer, start: number, end: number): T
  /**
   * True where values are strings, numbers, bigints or booleans and two values are equal exactly when their bytes are:
   * such a value serves as a key of a `Map` without being serialized.
   */
  readonly scalar: boolean
  /** For windowed keys: how many bytes at the end are the window's. The bytes before them, the inner key's, choose the partition. */
  readonly windowBytes?: number
}

/** A serde from two functions on whole byte arrays. */
function custom<T>(name: string, serialize: (value: T) => Uint8Array, deserialize: (bytes: Uint8Array) => T): Serde<T> {
  return { name, scalar: false, serialize, deserialize: (buffer, start, end) => deserialize(buffer.subarray(start, end)) }
}

/** UTF-8 text. */
const string: Serde<string> = {
  name: 'string',
  scalar: true,
  serialize(value) {
    if (typeof value !== 'string') throw unfit('string', value)
    return Buffer.from(value, 'utf8')
  },
  deserialize: readUtf8,
}

/** Bytes as they are. What is read is a copy. */
const bytes: Serde<Uint8Array> = {
  name: 'bytes',
  scalar: false,
  serialize(value) {
    if (!(value instanceof Uint8Array)) throw unfit('bytes', value)
    return value
  },
  deserialize: (buffer, start, end) => Buffer.from(buffer.subarray(start, end)),
}

/** A serde whose values nobody checked: it may stand for any type that an operator expects. */
export interface UntypedSerde extends Serde<unknown> {
  readonly untyped: true
}

/** JSON text. Given a Standard Schema (zod and others), what is read is validated and typed by it; the schema must be synchronous. */
function json(): UntypedSerde
function json<T>(schema?: StandardSchema<T>): Serde<T>
function json<T>(schema?: StandardSchema<T>): Serde<T> | (Serde<T> & { readonly untyped: true }) {
  const parse = (buffer: Buffer, start: number, end: number): unknown => {
    try {
      return JSON.parse(readUtf8(buffer, start, end))
    } catch (cause) {
      throw new MillraceError('SERDE', `These bytes are not JSON: ${excerpt(buffer, start, end)}.`, { cause })
    }
  }
  return {
    name: 'json',
    scalar: false,
    ...(schema === undefined && { untyped: true }),
    serialize(value) {
      const text = JSON.stringify(value)
      if (text === undefined) throw unfit('json', value)
      return Buffer.from(text, 'utf8')
    },
    deserialize: schema === undefined ? (buffer, start, end) => parse(buffer, start, end) as T : (buffer, start, end) => validated(schema, parse(buffer, start, end)),
  }
}

/** 4 bytes, big-endian, signed; Java's Integer. */
const int32: Serde<number> = {
  name: 'int32',
  scalar: true,
  serialize(value) {
    if ((value | 0) !== value) throw unfit('int32', value)
    const out = Buffer.allocUnsafe(4)
    out.writeInt32BE(value, 0)
    return out
  },
  deserialize(buffer, start, end) {
    expectLength('int32', 4, end - start)
    return buffer.readInt32BE(start)
  },
}

/** 8 bytes, big-endian, signed; Java's Long, as a number. Values beyond ±2^53 are refused both ways: use {@link serdes.bigint64}. */
const int64: Serde<number> = {
  name: 'int64',
  scalar: true,
  serialize(value) {
    if (!Number.isSafeInteger(value)) throw unfit('int64', value)
    const out = Buffer.allocUnsafe(8)
    writeInt64(out, value, 0)
    return out
  },
  deserialize(buffer, start, end) {
    expectLength('int64', 8, end - start)
    const value = readInt64(buffer, start)
    if (!Number.isSafeInteger(value)) {
      throw new MillraceError('SERDE', `The int64 ${buffer.readBigInt64BE(start)} is beyond 2^53.`, { hint: 'Read the topic with serdes.bigint64.' })
    }
    return value
  },
}

/** 8 bytes, big-endian, signed; Java's Long, as a bigint. */
const bigint64: Serde<bigint> = {
  name: 'bigint64',
  scalar: true,
  serialize(value) {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw unfit('bigint64', value)
    const out = Buffer.allocUnsafe(8)
    out.writeBigInt64BE(value, 0)
    return out
  },
  deserialize(buffer, start, end) {
    expectLength('bigint64', 8, end - start)
    return buffer.readBigInt64BE(start)
  },
}

/** 8 bytes, IEEE 754, big-endian; Java's Double. */
const float64: Serde<number> = {
  name: 'float64',
  scalar: false,
  serialize(value) {
    if (typeof value !== 'number') throw unfit('float64', value)
    const out = Buffer.allocUnsafe(8)
    out.writeDoubleBE(value, 0)
    return out
  },
  deserialize(buffer, start, end) {
    expectLength('float64', 8, end - start)
    return buffer.readDoubleBE(start)
  },
}

/** One byte, 0 or 1; Java's Boolean. */
const boolean: Serde<boolean> = {
  name: 'boolean',
  scalar: true,
  serialize(value) {
    if (typeof value !== 'boolean') throw unfit('boolean', value)
    return Buffer.of(value ? 1 : 0)
  },
  deserialize(buffer, start, end) {
    expectLength('boolean', 1, end - start)
    const byte = buffer[start]
    if (byte !== 0 && byte !== 1) throw new MillraceError('SERDE', `The byte ${byte} is no boolean.`)
    return byte === 1
  },
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A UUID as its 36 characters; Java's UUID. Read in lower case. */
const uuid: Serde<string> = {
  name: 'uuid',
  scalar: false,
  serialize(value) {
    if (typeof value !== 'string' || !UUID.test(value)) throw unfit('uuid', value)
    return Buffer.from(value.toLowerCase(), 'latin1')
  },
  deserialize(buffer, start, end) {
    const text = buffer.latin1Slice(start, end)
    if (!UUID.test(text)) throw new MillraceError('SERDE', `These bytes are no UUID: ${excerpt(buffer, start, end)}.`)
    return text.toLowerCase()
  },
}

/** A key of a tumbling or hopping window: the inner key's bytes, then the start as int64; Java's TimeWindowedSerde. The size comes from `windows`. */
function windowed<K>(inner: Serde<K>, windows: TimeWindows): Serde<Windowed<K>> {
  return {
    name: `windowed(${inner.name})`,
    scalar: false,
    windowBytes: 8,
    serialize(value) {
      const key = inner.serialize(value.key)
      const out = Buffer.allocUnsafe(key.length + 8)
      out.set(key, 0)
      writeInt64(out, value.window.start, key.length)
      return out
    },
    deserialize(buffer, start, end) {
      if (end - start < 8) throw new MillraceError('SERDE', `A windowed key has at least 8 bytes; this has ${end - start}.`)
      const key = inner.deserialize(buffer, start, end - 8)
      const windowStart = readInt64(buffer, end - 8)
      return { key, window: { start: windowStart, end: windowStart + windows.sizeMs } }
    },
  }
}

/** The serdes that come with Millrace; numeric ones are byte-compatible with Java's. */
export const serdes: {
  readonly string: Serde<string>
  readonly bytes: Serde<Uint8Array>
  readonly json: typeof json
  readonly int32: Serde<number>
  readonly int64: Serde<number>
  readonly bigint64: Serde<bigint>
  readonly float64: Serde<number>
  readonly boolean: Serde<boolean>
  readonly uuid: Serde<string>
  readonly windowed: <K>(inner: Serde<K>, windows: TimeWindows) => Serde<Windowed<K>>
  readonly custom: <T>(name: string, serialize: (value: T) => Uint8Array, deserialize: (bytes: Uint8Array) => T) => Serde<T>
} = { string, bytes, json, int32, int64, bigint64, float64, boolean, uuid, windowed, custom }

/** Big-endian signed 64-bit at `at`; exact for safe integers. */
export function writeInt64(buffer: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  buffer.writeInt32BE(high, at)
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4)
}

/** Big-endian signed 64-bit at `at` as a number; exact only for safe integers. */
export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4)
}

/** Text up to this long is cheaper to put together here than to ask C++ for (Node 20 and 24); above 12, V8 would make ropes of it, too. */
const SHORT_TEXT_BYTES = 8

/** UTF-8 of `buffer[start, end)`. */
export function readUtf8(buffer: Buffer, start: number, end: number): string {
  if (end - start > SHORT_TEXT_BYTES) return buffer.utf8Slice(start, end)
  let text = ''
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!
    if (byte > 127) return buffer.utf8Slice(start, end)
    text += String.fromCharCode(byte)
  }
  return text
}

function validated<T>(schema: StandardSchema<T>, value: unknown): T {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise) throw new MillraceError('SERDE', 'The schema validates asynchronously.', { hint: 'Give serdes.json a schema without async refinements.' })
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(issue => {
    const path = issue.path?.map(part => String(typeof part === 'object' ? part.key : part)).join('.') ?? ''
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  throw new MillraceError('SERDE', `The JSON does not fit the schema: ${issues.join('; ')}.`)
}

function unfit(name: string, value: unknown): MillraceError {
  const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : typeof value === 'object' && value !== null ? `a ${value.constructor?.name ?? 'object'}` : String(value)
  return new MillraceError('SERDE', `The serde ${name} cannot write ${shown}.`, { hint: 'Give the operator the serde that fits its values.' })
}

function expectLength(name: string, expected: number, actual: number): void {
  if (actual !== expected) throw new MillraceError('SERDE', `A ${name} has ${expected} bytes; this has ${actual}.`)
}

function excerpt(buffer: Buffer, start: number, end: number): string {
  const text = buffer.utf8Slice(start, Math.min(end, start + 60))
  return JSON.stringify(end - start > 60 ? `${text}…` : text)
}
