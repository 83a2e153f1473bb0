// Reads a PKCS12 store (RFC 7292), as keytool and openssl write it: private keys, and certificates with what Java says of them.

import { createDecipheriv, createHash, createHmac, createPrivateKey, pbkdf2Sync, timingSafeEqual, X509Certificate, type KeyObject } from 'node:crypto'
import { MillraceError } from '../../core/error.ts'
import { derContent, derInside, derNumber, derObjectId, derTag, derValues, type DerValue } from './der.ts'

export interface Pkcs12Store {
  readonly keys: readonly KeyObject[]
  readonly certificates: readonly StoredCertificate[]
}

export interface StoredCertificate {
  readonly certificate: X509Certificate
  /** By Java: the store says of it that who it has signed is to be believed. */
  readonly isTrusted: boolean
}

/** An attacker's file could ask for years of work. Java and OpenSSL take 10,000 and 2,048. */
const maxIterations = 1_000_000

const oid = {
  data: '1.2.840.113549.1.7.1', encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1', shroudedKeyBag: '1.2.840.113549.1.12.10.1.2', certificateBag: '1.2.840.113549.1.12.10.1.3', x509: '1.2.840.113549.1.9.22.1',
  trustedByJava: '2.16.840.1.113894.746875.1.1', pbes2: '1.2.840.113549.1.5.13', pbkdf2: '1.2.840.113549.1.5.12', tripleDes: '1.2.840.113549.1.12.1.3',
} as const

const explicit = 0xa0
const implicit = 0x80

/** `keyPassword`: of the keys in it, where they have another. @throws MillraceError BAD_STORE, WRONG_STORE_PASSWORD, MALFORMED_DER */
export function readPkcs12(bytes: Buffer, password: string, keyPassword: string = password): Pkcs12Store {
  const [, safe, mac] = derInside(derValues(bytes)[0], derTag.sequence)
  const content = dataOf(safe)
  if (mac !== undefined && !isMac(mac, content, password)) throw new MillraceError('WRONG_STORE_PASSWORD', 'The password of the store is another, or the store is damaged.')
  const keys: KeyObject[] = []
  const certificates: StoredCertificate[] = []
  for (const part of derInside(derValues(content)[0], derTag.sequence)) {
    for (const bag of derInside(derValues(safeOf(part, password))[0], derTag.sequence)) {
      const [kind, wrapped, attributes] = derInside(bag, derTag.sequence)
      const value = derInside(wrapped, explicit)[0]
      const name = derObjectId(kind)
      if (name === oid.keyBag || name === oid.shroudedKeyBag) keys.push(keyOf(value!, keyPassword))
      else if (name === oid.certificateBag) certificates.push(...certificateOf(value, attributes))
    }
  }
  return { keys, certificates }
}

function dataOf(contentInfo: DerValue | undefined): Buffer {
  const [kind, wrapped] = derInside(contentInfo, derTag.sequence)
  if (derObjectId(kind) !== oid.data) throw unreadable(derObjectId(kind))
  return derContent(derInside(wrapped, explicit)[0], derTag.octetString)
}

function safeOf(part: DerValue, password: string): Buffer {
  const [kind, wrapped] = derInside(part, derTag.sequence)
  if (derObjectId(kind) !== oid.encryptedData) return dataOf(part)
  const [, encrypted] = derInside(derInside(wrapped, explicit)[0], derTag.sequence)
  const [, algorithm, bytes] = derInside(encrypted, derTag.sequence)
  return decrypted(algorithm, derContent(bytes, implicit), password)
}

function keyOf({ whole }: DerValue, password: string): KeyObject {
  try {
    return createPrivateKey({ key: whole, format: 'der', type: 'pkcs8', passphrase: password })
  } catch (cause) {
    throw new MillraceError('BAD_STORE', 'A private key of the store cannot be read.', { cause })
  }
}

function certificateOf(value: DerValue | undefined, attributes: DerValue | undefined): readonly StoredCertificate[] {
  const [kind, wrapped] = derInside(value, derTag.sequence)
  if (derObjectId(kind) !== oid.x509) return []
  const names = attributes === undefined ? [] : derInside(attributes, derTag.set).map(attribute => derObjectId(derInside(attribute, derTag.sequence)[0]))
  return [{ certificate: new X509Certificate(derContent(derInside(wrapped, explicit)[0], derTag.octetString)), isTrusted: names.includes(oid.trustedByJava) }]
}

// ─── passwords ───

const hashes: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'sha1'], ['1.2.840.113549.2.9', 'sha256'], ['1.2.840.113549.2.10', 'sha384'], ['1.2.840.113549.2.11', 'sha512'],
  ['1.3.14.3.2.26', 'sha1'], ['2.16.840.1.101.3.4.2.1', 'sha256'], ['2.16.840.1.101.3.4.2.2', 'sha384'], ['2.16.840.1.101.3.4.2.3', 'sha512'],
])

const ciphers: ReadonlyMap<string, { readonly name: string; readonly keyBytes: number }> = new Map([
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', keyBytes: 16 }], ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', keyBytes: 24 }],
  ['2.16.840.1.101.3.4.1.42', { name: 'aes-256-cbc', keyBytes: 32 }], ['1.2.840.113549.3.7', { name: 'des-ede3-cbc', keyBytes: 24 }],
])

function decrypted(algorithm: DerValue | undefined, bytes: Buffer, password: string): Buffer {
  const [kind, parameters] = derInside(algorithm, derTag.sequence)
  const name = derObjectId(kind)
  const { cipher, key, iv } = name === oid.pbes2 ? modernKey(parameters, password) : legacyKey(name, parameters, password)
  try {
    const decipher = createDecipheriv(cipher, key, iv)
    return Buffer.concat([decipher.update(bytes), decipher.final()])
  } catch (cause) {
    throw new MillraceError('WRONG_STORE_PASSWORD', 'The password of the store is another, or the store is damaged.', { cause })
  }
}

interface CipherKey {
  readonly cipher: string
  readonly key: Buffer
  readonly iv: Buffer
}

function modernKey(parameters: DerValue | undefined, password: string): CipherKey {
  const [derivation, scheme] = derInside(parameters, derTag.sequence)
  const [derivationKind, derivationParameters] = derInside(derivation, derTag.sequence)
  if (derObjectId(derivationKind) !== oid.pbkdf2) throw unreadable(derObjectId(derivationKind))
  const [salt, iterations, ...more] = derInside(derivationParameters, derTag.sequence)
  const prf = more.find(({ tag }) => tag === derTag.sequence)
  const [cipherKind, iv] = derInside(scheme, derTag.sequence)
  const { name, keyBytes } = known(ciphers, derObjectId(cipherKind))
  const hash = prf === undefined ? 'sha1' : known(hashes, derObjectId(derInside(prf, derTag.sequence)[0]))
  return { cipher: name, key: pbkdf2Sync(password, derContent(salt, derTag.octetString), bounded(derNumber(iterations)), keyBytes, hash), iv: derContent(iv, derTag.octetString) }
}

/** Of what older tools write only triple DES is readable: OpenSSL no longer has RC2. */
function legacyKey(name: string, parameters: DerValue | undefined, password: string): CipherKey {
  if (name !== oid.tripleDes) throw unreadable(name)
  const [salt, iterations] = derInside(parameters, derTag.sequence)
  const derive = (id: number, length: number): Buffer => pkcs12Key({ hash: 'sha1', id, password, salt: derContent(salt, derTag.octetString), iterations: bounded(derNumber(iterations)), length })
  return { cipher: 'des-ede3-cbc', key: derive(1, 24), iv: derive(2, 8) }
}

function isMac(mac: DerValue, content: Buffer, password: string): boolean {
  const [info, salt, iterations] = derInside(mac, derTag.sequence)
  const [algorithm, digest] = derInside(info, derTag.sequence)
  const hash = known(hashes, derObjectId(derInside(algorithm, derTag.sequence)[0]))
  const said = derContent(digest, derTag.octetString)
  const key = pkcs12Key({ hash, id: 3, password, salt: derContent(salt, derTag.octetString), iterations: iterations === undefined ? 1 : bounded(derNumber(iterations)), length: createHash(hash).digest().length })
  const ours = createHmac(hash, key).update(content).digest()
  return ours.length === said.length && timingSafeEqual(ours, said)
}

interface Derivation {
  readonly hash: string
  /** What it is for: 1 a key, 2 where a cipher begins, 3 a check. */
  readonly id: number
  readonly password: string
  readonly salt: Buffer
  readonly iterations: number
  readonly length: number
}

/** RFC 7292, appendix B.2. */
function pkcs12Key({ hash, id, password, salt, iterations, length }: Derivation): Buffer {
  const block = hash === 'sha384' || hash === 'sha512' ? 128 : 64
  const said = Buffer.from(`${password}\0`, 'utf16le').swap16()
  const state = Buffer.concat([repeated(salt, block), repeated(said, block)])
  const parts: Buffer[] = []
  for (let done = 0; done < length; done += parts.at(-1)!.length) {
    let part = createHash(hash).update(Buffer.alloc(block, id)).update(state).digest()
    for (let round = 1; round < iterations; round++) part = createHash(hash).update(part).digest()
    parts.push(part)
    addToBlocks(state, repeated(part, block).subarray(0, block), block)
  }
  return Buffer.concat(parts).subarray(0, length)
}

/** As often as fills whole blocks. */
function repeated(bytes: Buffer, block: number): Buffer {
  return Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes)
}

/** Each block is a number, the largest digit first, to which another and one are added. */
function addToBlocks(state: Buffer, addend: Buffer, block: number): void {
  for (let start = 0; start < state.length; start += block) {
    let carry = 1
    for (let index = block - 1; index >= 0; index--) {
      carry += state[start + index]! + addend[index]!
      state[start + index] = carry & 0xff
      carry >>= 8
    }
  }
}

function known<T>(all: ReadonlyMap<string, T>, name: string): T {
  const found = all.get(name)
  if (found === undefined) throw unreadable(name)
  return found
}

function bounded(iterations: number): number {
  if (iterations < 1 || iterations > maxIterations) throw new MillraceError('BAD_STORE', `The store asks for ${iterations} rounds of its password.`)
  return iterations
}

function unreadable(name: string): MillraceError {
  return new MillraceError('BAD_STORE', `The store is protected by the algorithm ${name}, which is too old or too new to be read.`)
}
