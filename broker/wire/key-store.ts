// Files of keys and certificates that Kafka's `ssl.keystore.location` and `ssl.truststore.location` name: PEM and PKCS12, told apart by what is in them.

import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import type { X509Certificate } from 'node:crypto'
import { MillraceError } from '../../core/error.ts'
import { readPkcs12, type Pkcs12Store } from './pkcs12.ts'

/** All public authorities together have less than one. */
const maxStoreBytes = 4 * 1024 * 1024

export interface StoreFile {
  /** Of the setting that names it. */
  readonly setting: string
  readonly path: string
  /** Null: a store without one. */
  readonly password: string | null
  /** Of the keys in it, where they have another. */
  readonly keyPassword?: string | undefined
}

/** Key and certificate chain as PEM, the owner's certificate first; of a PEM file its text for both. @throws MillraceError BAD_SETTING */
export function readKeyStore(file: StoreFile): { readonly key: string; readonly cert: string } {
  const bytes = bytesOf(file)
  if (isPem(bytes)) return { key: bytes.toString('utf8'), cert: bytes.toString('utf8') }
  const { keys, certificates } = storeOf(bytes, file)
  for (const key of keys) {
    const owner = certificates.find(({ certificate }) => certificate.checkPrivateKey(key))?.certificate
    if (owner !== undefined) return { key: String(key.export({ format: 'pem', type: 'pkcs8' })), cert: pemOf(chainOf(owner, certificates.map(({ certificate }) => certificate))) }
  }
  throw bad(file, 'has no private key with its certificate', 'keytool -list shows what is in it: a key store has a PrivateKeyEntry.')
}

/** Who is trusted, as PEM. Of a PKCS12 store that are the certificates that Java trusts. @throws MillraceError BAD_SETTING */
export function readTrustStore(file: StoreFile): string {
  const bytes = bytesOf(file)
  if (isPem(bytes)) return bytes.toString('utf8')
  const { keys, certificates } = storeOf(bytes, file)
  const trusted = certificates.filter(({ certificate, isTrusted }) => isTrusted || keys.some(key => certificate.checkPrivateKey(key)))
  if (trusted.length > 0) return pemOf(trusted.map(({ certificate }) => certificate))
  throw bad(file, 'has no certificate that it says is trusted', `Java would find none either; keytool -importcert -alias ca -file CA.pem -keystore ${newName(file.path)} -storetype PKCS12 makes a store that has.`)
}

function storeOf(bytes: Buffer, file: StoreFile): Pkcs12Store {
  const magic = bytes.length < 4 ? 0 : bytes.readUInt32BE(0)
  if (magic === 0xfeedfeed || magic === 0xcececece) throw bad(file, `is a ${magic === 0xfeedfeed ? 'JKS' : 'JCEKS'} store, which only Java reads`, convert(file, magic === 0xfeedfeed ? 'JKS' : 'JCEKS'))
  if (bytes[0] !== 0x30) throw bad(file, 'is no PEM and no PKCS12', 'A store is PEM or PKCS12.')
  try {
    return readPkcs12(bytes, file.password ?? '', file.keyPassword)
  } catch (cause) {
    if (!(cause instanceof MillraceError)) throw bad(file, 'cannot be read', convert(file, 'PKCS12'), cause)
    throw bad(file, `cannot be read: ${cause.message.replace(/\.$/, '')}`, cause.code === 'WRONG_STORE_PASSWORD' ? `It is set by ${file.setting.replace('.location', '.password')}.` : convert(file, 'PKCS12'), cause)
  }
}

/** The command that makes a store that can be read of one that cannot. */
function convert({ path }: StoreFile, type: string): string {
  return `keytool -importkeystore -srckeystore ${path} -srcstoretype ${type} -destkeystore ${newName(path)} -deststoretype PKCS12 makes a store that can be read.`
}

function newName(path: string): string {
  return `${basename(path).replace(/\.[^.]*$/, '')}-new.p12`
}

/** From the owner's to that of the last who signed, as far as they are there. */
function chainOf(owner: X509Certificate, all: readonly X509Certificate[]): readonly X509Certificate[] {
  const chain = [owner]
  for (let next: X509Certificate | undefined = owner; next !== undefined; ) {
    const last: X509Certificate = next
    next = all.find(other => !chain.includes(other) && last.checkIssued(other))
    if (next !== undefined) chain.push(next)
  }
  return chain
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map(certificate => certificate.toString()).join('')
}

function isPem(bytes: Buffer): boolean {
  return bytes.includes('-----BEGIN ')
}

function bytesOf({ setting, path }: StoreFile): Buffer {
  try {
    const stat = statSync(path)
    // What a setting names may be anything, a device without end, too.
    if (!stat.isFile() || stat.size > maxStoreBytes) throw new MillraceError('BAD_STORE', `It is no file of at most ${maxStoreBytes} bytes.`)
    return readFileSync(path)
  } catch (cause) {
    throw new MillraceError('BAD_SETTING', `${setting} is ${path}, which cannot be read.`, { cause })
  }
}

function bad({ setting, path }: StoreFile, what: string, hint: string, cause?: unknown): MillraceError {
  return new MillraceError('BAD_SETTING', `${setting} is ${path}, which ${what}.`, { hint, cause })
}
