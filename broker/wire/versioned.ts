// Bodies that carry their version in front as an int16: records of internal topics and the consumer protocol.

import { MillraceError } from '../../core/error.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { codecOf } from './codec.ts'
import type { Description, InputOf, ValueOf } from './description.ts'

/** A kind of record of an internal topic: its key begins with `keyType`, its value with a version. */
export interface CoordinatorRecord {
  readonly keyType: number
  readonly key: Description
  readonly value: Description
}

/** The version, then the body. */
export function encodeVersioned<const D extends Description>(description: D, version: number, body: InputOf<D>): Buffer {
  return encodePrefixed(description, version, version, body)
}

/**
 * The body after its version. One newer than the description is read as the newest described, as the consumer protocol wants it
 * (new fields come last), unless `exact`.
 * @throws MillraceError MALFORMED_FRAME, UNSUPPORTED_VERSION
 */
export function decodeVersioned<const D extends Description>(description: D, bytes: Buffer, options: { readonly exact?: boolean } = {}): ValueOf<D> {
  const reader = new ByteReader(bytes)
  const version = reader.int16()
  const [first, last] = description.versions
  if (version < first || (options.exact === true && version > last)) {
    throw new MillraceError('UNSUPPORTED_VERSION', `${description.name} has version ${version}; ${first} to ${last} can be read.`)
  }
  return codecOf(description, Math.min(version, last)).read(reader)
}

/** The key of a record of an internal topic. */
export function encodeRecordKey<const R extends CoordinatorRecord>(record: R, key: InputOf<R['key']>): Buffer {
  return encodePrefixed(record.key, record.keyType, record.key.versions[1], key)
}

/** The type that a key of an internal topic begins with, by which its record is found. @throws MillraceError MALFORMED_FRAME */
export function keyTypeOf(key: Buffer): number {
  return new ByteReader(key).int16()
}

/** @throws MillraceError MALFORMED_FRAME */
export function decodeRecordKey<const R extends CoordinatorRecord>(record: R, key: Buffer): ValueOf<R['key']> {
  return codecOf(record.key, record.key.versions[1]).read(new ByteReader(key, 2))
}

function encodePrefixed<D extends Description>(description: D, prefix: number, version: number, body: InputOf<D>): Buffer {
  const writer = new ByteWriter()
  writer.int16(prefix)
  codecOf(description, version).write(writer, body)
  const chunks = writer.finish()
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}
