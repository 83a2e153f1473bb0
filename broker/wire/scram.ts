// SCRAM (RFC 5802): keys, proofs and the messages of its exchange, for both sides.

import { createHash, createHmac, pbkdf2, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { MillraceError } from '../../core/error.ts'

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export const scramMechanisms: readonly ScramMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Bounds that Apache Kafka sets, too. */
export const scramIterations = { min: 4096, max: 16_384 } as const

export interface ScramKeys {
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const sizes: Readonly<Record<ScramMechanism, { readonly hash: string; readonly bytes: number }>> = {
  'SCRAM-SHA-256': { hash: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { hash: 'sha512', bytes: 64 },
}

export function isScram(mechanism: string): mechanism is ScramMechanism {
  return Object.hasOwn(sizes, mechanism)
}

export function keyBytesOf(mechanism: ScramMechanism): number {
  return sizes[mechanism].bytes
}

/** Takes milliseconds, on a thread of its own. */
export function saltedPassword(mechanism: ScramMechanism, password: string, salt: Uint8Array, iterations: number): Promise<Buffer> {
  const { hash, bytes } = sizes[mechanism]
  return new Promise((resolve, reject) => pbkdf2(password, salt, iterations, bytes, hash, (error, key) => (error === null ? resolve(key) : reject(error))))
}

/** The same at once, where milliseconds matter to nobody. */
export function saltedPasswordSync(mechanism: ScramMechanism, password: string, salt: Uint8Array, iterations: number): Buffer {
  const { hash, bytes } = sizes[mechanism]
  return pbkdf2Sync(password, salt, iterations, bytes, hash)
}

export function scramKeys(mechanism: ScramMechanism, salted: Uint8Array): ScramKeys {
  return { storedKey: digest(mechanism, hmac(mechanism, salted, 'Client Key')), serverKey: hmac(mechanism, salted, 'Server Key') }
}

/** What a client shows instead of its password. */
export function clientProof(mechanism: ScramMechanism, salted: Uint8Array, authMessage: string): Buffer {
  const clientKey = hmac(mechanism, salted, 'Client Key')
  return xor(clientKey, hmac(mechanism, digest(mechanism, clientKey), authMessage))
}

export function isProof(mechanism: ScramMechanism, storedKey: Buffer, authMessage: string, proof: Buffer): boolean {
  if (proof.length !== storedKey.length) return false
  const clientKey = xor(proof, hmac(mechanism, storedKey, authMessage))
  return timingSafeEqual(digest(mechanism, clientKey), storedKey)
}

/** What a server shows of knowing the user. */
export function serverSignature(mechanism: ScramMechanism, serverKey: Uint8Array, authMessage: string): Buffer {
  return hmac(mechanism, serverKey, authMessage)
}

export function hmac(mechanism: ScramMechanism, key: Uint8Array, text: string): Buffer {
  return createHmac(sizes[mechanism].hash, key).update(text, 'utf8').digest()
}

function digest(mechanism: ScramMechanism, bytes: Uint8Array): Buffer {
  return createHash(sizes[mechanism].hash).update(bytes).digest()
}

function xor(a: Buffer, b: Buffer): Buffer {
  return a.map((byte, index) => byte ^ b[index]!) as Buffer
}

/** The attributes of a message: letters and values, each letter once. `m`, an extension that must be understood, is not. @throws MillraceError MALFORMED_SCRAM */
export function scramAttributes(message: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const part of message.split(',')) {
    if (!/^[A-Za-z]=/.test(part)) throw malformed('an attribute is not LETTER=VALUE')
    if (part[0] === 'm') throw malformed('it asks for an extension')
    if (attributes.has(part[0]!)) throw malformed(`${part[0]!} stands there twice`)
    attributes.set(part[0]!, part.slice(2))
  }
  return attributes
}

/** @throws MillraceError MALFORMED_SCRAM where the attribute is not there */
export function scramAttribute(attributes: ReadonlyMap<string, string>, name: string): string {
  const value = attributes.get(name)
  if (value === undefined || value === '') throw malformed(`no ${name}`)
  return value
}

export function escapedName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** `=2C` and `=3D` are all that may follow a `=`. @throws MillraceError MALFORMED_SCRAM */
export function unescapedName(name: string): string {
  if (/=(?!2C|3D)/.test(name)) throw malformed('a = in the name stands for nothing')
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** Says nothing of what was in the message. */
function malformed(why: string): MillraceError {
  return new MillraceError('MALFORMED_SCRAM', `A SCRAM message cannot be read: ${why}.`)
}
