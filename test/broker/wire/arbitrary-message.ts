// Values of any described message at any version, for fast-check: full bodies whose absent fields are at their defaults.

import * as fc from 'fast-check'
import { apiOf, apiNames } from '../../../broker/wire/apis.ts'
import { defaultOf, isArray, optionsOf } from '../../../broker/wire/defaults.ts'
import * as classicGroup from '../../../broker/wire/records/classic-group.ts'
import * as consumerGroup from '../../../broker/wire/records/consumer-group.ts'
import * as consumerProtocol from '../../../broker/wire/records/consumer-protocol.ts'
import * as controlRecord from '../../../broker/wire/records/control-record.ts'
import * as offsetCommit from '../../../broker/wire/records/offset-commit.ts'
import * as transactionLog from '../../../broker/wire/records/transaction-log.ts'
import type { CoordinatorRecord } from '../../../broker/wire/versioned.ts'
import type { Description, Field, FieldOptions, Fields, Primitive } from '../../../broker/wire/description.ts'

export type Body = Readonly<Record<string, unknown>>

export interface MessageVersion {
  readonly description: Description
  readonly version: number
}

/** Every request, response and record with each of its versions. */
export function everyMessage(): readonly MessageVersion[] {
  const records: CoordinatorRecord[] = [classicGroup, consumerGroup, offsetCommit, transactionLog].flatMap(file => Object.values<CoordinatorRecord>(file))
  return [
    ...apiNames.flatMap(name => [apiOf(name).request, apiOf(name).response]),
    ...records.flatMap(({ key, value }) => [key, value]),
    ...Object.values(consumerProtocol),
    ...Object.values(controlRecord),
  ].flatMap(versionsOf)
}

function versionsOf(description: Description): readonly MessageVersion[] {
  const [first, last] = description.versions
  return Array.from({ length: last - first + 1 }, (_, i) => ({ description, version: first + i }))
}

export function arbitraryBody(description: Description, version: number): fc.Arbitrary<Body> {
  return struct(description.fields, version)
}

function struct(fields: Fields, version: number): fc.Arbitrary<Body> {
  return fc.record(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, anyField(field, version)])), { noNullPrototype: true })
}

function anyField(field: Field, version: number): fc.Arbitrary<unknown> {
  const { type, since = 0, until = version, nullable } = optionsOf(field)
  if (version < since || version > until) return fc.constant(defaultOf(field))
  const value = fc.oneof({ weight: 4, arbitrary: anyType(type, version) }, { weight: 1, arbitrary: fc.constant(defaultOf(field) ?? undefined).filter(given => given !== undefined) })
  const usual = defaultOf(field) === null ? anyType(type, version) : value
  return nullable !== undefined && version >= nullable ? fc.oneof({ weight: 4, arbitrary: usual }, { weight: 1, arbitrary: fc.constant(null) }) : usual
}

function anyType(type: FieldOptions['type'], version: number): fc.Arbitrary<unknown> {
  if (typeof type === 'string') return scalars[type]
  if (!isArray<Primitive | Fields>(type)) return struct(type, version)
  const element = type[0]
  return fc.array(typeof element === 'string' ? scalars[element] : struct(element, version), { maxLength: 3 })
}

const safeInteger = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32) - 1))
const bytes = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 1024, maxLength: 1100 })).map(array => Buffer.from(array))

const scalars: { readonly [P in Primitive]: fc.Arbitrary<unknown> } = {
  boolean: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int64: safeInteger,
  float64: fc.double({ noNaN: true }),
  string: fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 80 }), fc.string({ minLength: 120, maxLength: 140 })),
  uuid: fc.uuid(),
  bytes,
  records: bytes,
}
