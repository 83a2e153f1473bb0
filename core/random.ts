// Chance as an argument: everything that draws lots gets a Random; this file alone asks the machine for one.

import { randomBytes } from 'node:crypto'

export interface Random {
  /** A whole number in [0, 2^32). */
  uint32(): number
  /** `length` random bytes. */
  bytes(length: number): Buffer
}

export const systemRandom: Random = {
  uint32: () => randomBytes(4).readUInt32LE(0),
  bytes: length => randomBytes(length),
}

/** The same draws for the same seed (mulberry32); for tests and simulations, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    uint32,
    bytes(length) {
      const bytes = Buffer.allocUnsafe(length)
      for (let i = 0; i < length; i++) bytes[i] = uint32() & 255
      return bytes
    },
  }
}

/** A version 4 UUID (RFC 9562). */
export function uuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * A version 4 UUID that, as Kafka's tools write it, begins with no dash: they would take it for an option. So does Apache Kafka's Uuid.randomUuid
 * choose the ids of clusters, topics and members; those that it reserves (0 and 1) are none of version 4.
 */
export function uuidForTools(random: Random): string {
  const id = uuid(random)
  // The six bits of a dash: 62.
  return /^f[89ab]/.test(id) ? `7${id.slice(1)}` : id
}

/** A UUID as Kafka's tools write it: its 16 bytes in base64url, 22 letters. */
export function base64Uuid(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}
