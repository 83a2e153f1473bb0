// Bodies in the JSON that Apache Kafka's own converters read: fields of the version only, bytes as base64, uuids in Kafka's base64url.

import { isArray, optionsOf } from '../../../broker/wire/defaults.ts'
import type { Description, FieldOptions, Fields, Primitive } from '../../../broker/wire/description.ts'
import type { Body } from './arbitrary-message.ts'

export function toKafkaJson(description: Description, version: number, body: Body): unknown {
  return structJson(description.fields, version, body)
}

function structJson(fields: Fields, version: number, body: Body): unknown {
  const ofVersion = Object.entries(fields).filter(([, field]) => {
    const { since = 0, until = version } = optionsOf(field)
    return version >= since && version <= until
  })
  return Object.fromEntries(ofVersion.map(([name, field]) => [name, typeJson(optionsOf(field).type, version, body[name])]))
}

function typeJson(type: FieldOptions['type'], version: number, value: unknown): unknown {
  if (value === null) return null
  if (isArray<Primitive | Fields>(type)) return (value as readonly unknown[]).map(element => typeJson(type[0], version, element))
  if (typeof type !== 'string') return structJson(type, version, value as Body)
  if (type === 'bytes' || type === 'records') return (value as Buffer).toString('base64')
  if (type === 'uuid') return Buffer.from((value as string).replaceAll('-', ''), 'hex').toString('base64url')
  return value === 2 ** 63 ? LONG_MAX : value
}

/** What stands for 2^63, the number that Long.MAX_VALUE is read as. */
export const LONG_MAX = '9223372036854775807'
