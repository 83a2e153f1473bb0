// Well-formed messages of any description whose values nobody sane would send, and frames that are damaged; all from one Random.

import type { Random } from '../../../core/random.ts'
import { apiOf, type ApiName } from '../../../broker/wire/apis.ts'
import { defaultOf, isArray, optionsOf } from '../../../broker/wire/defaults.ts'
import type { Field, FieldOptions, Fields, Primitive } from '../../../broker/wire/description.ts'
import { encodeRequest } from '../../../broker/wire/frame.ts'

/** What the makers of messages draw from besides the odd: things that exist at the broker, so that requests reach beyond the first check. */
export interface Pools {
  readonly strings: readonly string[]
  readonly uuids: readonly string[]
  readonly records: (random: Random) => Buffer
}

export function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[random.uint32() % choices.length]!
}

export function chance(random: Random, oneIn: number): boolean {
  return random.uint32() % oneIn === 0
}

/** One whole request, length first. */
export function hostileRequest(random: Random, api: ApiName, version: number, correlationId: number, pools: Pools): Buffer {
  const body = struct(random, apiOf(api).request.fields, version, pools)
  return Buffer.concat(encodeRequest(api, version, { correlationId, clientId: pick(random, ['fuzz', '', null]) }, body as never))
}

function struct(random: Random, fields: Fields, version: number, pools: Pools): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, anyField(random, field, version, pools)]))
}

function anyField(random: Random, field: Field, version: number, pools: Pools): unknown {
  const { type, since = 0, until = version, nullable } = optionsOf(field)
  const fallback = defaultOf(field)
  if (version < since || version > until) return fallback
  if (nullable !== undefined && version >= nullable && chance(random, 5)) return null
  if (chance(random, 4) && fallback !== null && fallback !== undefined) return fallback
  return anyType(random, type, version, pools)
}

function anyType(random: Random, type: FieldOptions['type'], version: number, pools: Pools): unknown {
  if (typeof type === 'string') return scalar(random, type, pools)
  if (!isArray<Primitive | Fields>(type)) return struct(random, type, version, pools)
  const element = type[0]
  const count = chance(random, 40) ? 300 : random.uint32() % 4
  return Array.from({ length: count }, () => (typeof element === 'string' ? scalar(random, element, pools) : struct(random, element, version, pools)))
}

function scalar(random: Random, type: Primitive, pools: Pools): unknown {
  switch (type) {
    case 'boolean':
      return chance(random, 2)
    case 'int8':
      return pick(random, [0, 1, 2, 3, 4, -1, 8, 16, 32, -0x80, 0x7f])
    case 'int16':
      return pick(random, [0, 1, -1, 2, 5, -2, -0x8000, 0x7fff])
    case 'uint16':
      return pick(random, [0, 1, 0xffff])
    case 'int32':
      return pick(random, [0, 1, 2, 3, -1, -2, 10, 1000, 100_000, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), random.uint32() | 0])
    case 'uint32':
      return pick(random, [0, 1, 2 ** 32 - 1])
    case 'int64':
      return pick(random, [0, 1, -1, -2, -3, -4, -5, 10, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 2 ** 62, -(2 ** 63), 1_700_000_000_000])
    case 'float64':
      return pick(random, [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e308])
    case 'string':
      return chance(random, 3) ? pick(random, oddStrings) : pick(random, pools.strings)
    case 'uuid':
      return chance(random, 2) ? pick(random, pools.uuids) : '00000000-0000-0000-0000-000000000000'
    case 'bytes':
      return random.bytes(pick(random, [0, 1, 4, 40, 5000]))
    case 'records':
      return pools.records(random)
  }
}

const oddStrings: readonly string[] = [
  '', ' ', '.', '..', '/', '../../etc/passwd', 'a/b', 'x\0y', '\uD800', 'é', '__proto__', 'constructor', 'toString', '__consumer_offsets', '__transaction_state', 'NaN', '-1', '9223372036854775808', '1e400', 'true',
  'x'.repeat(249), 'x'.repeat(250), 'y'.repeat(5000), 'z'.repeat(32_767), '漢'.repeat(200), '(a+)+$', '*', 'null', 'undefined', '\r\n\r\n', '${jndi:ldap://x}', '%s%n',
]

/** Damages a frame in one of the ways that lines, bugs and enemies do. The length in front is mostly mended, so that the damage gets past the splitter. */
export function damaged(random: Random, frame: Buffer, other: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(frame)
  for (let rounds = 1 + (random.uint32() % 3); rounds > 0; rounds--) bytes = pick(random, damages)(random, bytes, other)
  if (bytes.length >= 4 && !chance(random, 10)) bytes.writeInt32BE(bytes.length - 4, 0)
  return bytes
}

type Damage = (random: Random, bytes: Buffer, other: Buffer) => Buffer

const damages: readonly Damage[] = [
  function flipBits(random, bytes) {
    for (let n = 1 + (random.uint32() % 4); n > 0 && bytes.length > 0; n--) bytes[random.uint32() % bytes.length]! ^= 1 << (random.uint32() % 8)
    return bytes
  },
  function setBytes(random, bytes) {
    if (bytes.length > 4) bytes[4 + (random.uint32() % (bytes.length - 4))] = pick(random, [0, 1, 0x7f, 0x80, 0xff])
    return bytes
  },
  function truncate(random, bytes) {
    return bytes.subarray(0, random.uint32() % (bytes.length + 1))
  },
  function insert(random, bytes) {
    const at = random.uint32() % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), random.bytes(random.uint32() % 20), bytes.subarray(at)])
  },
  function remove(random, bytes) {
    const at = random.uint32() % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + (random.uint32() % 10))])
  },
  function splice(random, bytes, other) {
    return Buffer.concat([bytes.subarray(0, random.uint32() % (bytes.length + 1)), other.subarray(random.uint32() % (other.length + 1))])
  },
  function hostileNumber(random, bytes) {
    const number = pick(random, hostileNumbers)
    if (bytes.length < 12 + number.length) return bytes
    number.copy(bytes, 12 + (random.uint32() % (bytes.length - 11 - number.length)))
    return bytes
  },
  function repeat(random, bytes) {
    const at = random.uint32() % (bytes.length + 1)
    const part = bytes.subarray(at, at + 64)
    return Buffer.concat([bytes.subarray(0, at), ...Array.from({ length: 1 + (random.uint32() % 50) }, () => part), bytes.subarray(at)])
  },
]

/** Lengths and counts as int32, int16 and varint: huge, negative, and varints that never end. */
const hostileNumbers: readonly Buffer[] = ['7fffffff', 'ffffffff', '80000000', 'fffffffe', '7fff', 'ffff', '8000', 'ffffffff0f', 'ffffffffff', 'ffffffffffffffffff01', '8080808000', '00ffffffff07', 'feffffff0f', '0180808008'].map(hex => Buffer.from(hex, 'hex'))
