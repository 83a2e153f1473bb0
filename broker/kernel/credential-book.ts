// The users of a broker: what it keeps to recognise them by (never passwords), changed by replaying records of the metadata log.

import { timingSafeEqual } from 'node:crypto'
import type { Json } from '../log/checkpoint.ts'
import { hmac, keyBytesOf, saltedPassword, scramIterations, scramKeys, scramMechanisms, type ScramKeys, type ScramMechanism } from '../wire/scram.ts'

export interface ScramCredential extends ScramKeys {
  readonly salt: Buffer
  readonly iterations: number
}

interface CredentialRecord {
  readonly key: string
  readonly value: Json
}

type Credentials = ReadonlyMap<ScramMechanism, ScramCredential>

const prefix = 'scram/'
const secretKey = 'scram-secret'
const saltBytes = 16
/** Of the users of all listeners that have none of their own. */
export const sharedRealm = ''

export class CredentialBook {
  readonly #stored = new Map<string, Map<ScramMechanism, ScramCredential>>()
  /** Of users that the settings name, by realm; stronger than what is stored, and gone when the settings no longer name them. */
  readonly #fixed = new Map<string, Map<string, Credentials>>()
  /** Of passwords that were right, so that a client that comes again costs nothing. */
  readonly #seen = new Map<string, Buffer>()
  #secret: Buffer = Buffer.alloc(0)
  #checking: Promise<unknown> = Promise.resolve()

  get users(): ReadonlySet<string> {
    return new Set([...[...this.#fixed.values()].flatMap(users => [...users.keys()]), ...this.#stored.keys()])
  }

  isFixed(user: string): boolean {
    return [...this.#fixed.values()].some(users => users.has(user))
  }

  find(user: string, mechanism: ScramMechanism, realm: string = sharedRealm): ScramCredential | undefined {
    return this.credentialsOf(user, realm).get(mechanism)
  }

  credentialsOf(user: string, realm: string = sharedRealm): Credentials {
    return this.#fixed.get(realm)?.get(user) ?? this.#stored.get(user) ?? new Map<ScramMechanism, ScramCredential>()
  }

  /**
   * What stands for the credential of a user that does not exist, so that nobody learns who does: the same at each try and after each start,
   * shaped as those that others have. No proof fits it.
   */
  pretended(user: string, mechanism: ScramMechanism): ScramCredential {
    const nothing = Buffer.alloc(keyBytesOf(mechanism))
    const model = [...this.#stored.values()].find(credentials => credentials.has(mechanism))?.get(mechanism)
    const salt = this.#saltOf(user, mechanism).subarray(0, model?.salt.length ?? saltBytes)
    return { salt, iterations: model?.iterations ?? scramIterations.min, storedKey: nothing, serverKey: nothing }
  }

  /** Gives a user that the settings name its password; takes milliseconds. */
  async fix(user: string, password: string, realm: string = sharedRealm): Promise<void> {
    const credentials = scramMechanisms.map(async mechanism => {
      const salt = this.#saltOf(user, mechanism).subarray(0, saltBytes)
      const iterations = scramIterations.min
      return [mechanism, { salt, iterations, ...scramKeys(mechanism, await saltedPassword(mechanism, password, salt, iterations)) }] as const
    })
    const users = this.#fixed.get(realm) ?? new Map<string, Credentials>()
    this.#fixed.set(realm, users.set(user, new Map(await Promise.all(credentials))))
    this.#seen.clear()
  }

  /**
   * Whether it is the user's password; takes as long where there is no such user. One is checked at a time: guessing takes a thread of the
   * process, never all those that read and write files.
   */
  async isPassword(user: string, password: string, realm: string = sharedRealm): Promise<boolean> {
    const token = hmac(scramMechanisms[0]!, this.#secret, JSON.stringify([user, password]))
    const place = JSON.stringify([realm, user])
    const seen = this.#seen.get(place)
    if (seen !== undefined && timingSafeEqual(seen, token)) return true
    const [mechanism, credential] = [...this.credentialsOf(user, realm)].at(-1) ?? ([scramMechanisms.at(-1)!, null] as const)
    const { salt, iterations, storedKey } = credential ?? this.pretended(user, mechanism)
    const salting = this.#checking.then(() => saltedPassword(mechanism, password, salt, iterations))
    this.#checking = salting.catch(() => null)
    const isRight = timingSafeEqual(scramKeys(mechanism, await salting).storedKey, storedKey) && credential !== null
    if (isRight && this.find(user, mechanism, realm) === credential) this.#seen.set(place, token)
    return isRight
  }

  /** What a first start has to write; `secret` is random. */
  start(secret: Buffer): readonly CredentialRecord[] {
    return this.#secret.length > 0 ? [] : [{ key: secretKey, value: secret.toString('base64') }]
  }

  /** True if the record is about users. */
  replay(key: string, value: Json): boolean {
    if (key === secretKey) this.#secret = Buffer.from(value as string, 'base64')
    else if (key.startsWith(prefix)) this.#replayCredential(key, value)
    else return false
    return true
  }

  #replayCredential(key: string, value: Json): void {
    const slash = key.indexOf('/', prefix.length)
    const mechanism = key.slice(prefix.length, slash) as ScramMechanism
    const user = key.slice(slash + 1)
    this.#seen.clear()
    const credentials = this.#stored.get(user) ?? new Map<ScramMechanism, ScramCredential>()
    if (value === null) credentials.delete(mechanism)
    else credentials.set(mechanism, parsed(value as unknown as StoredCredential))
    if (credentials.size === 0) this.#stored.delete(user)
    else this.#stored.set(user, credentials)
  }

  #saltOf(user: string, mechanism: ScramMechanism): Buffer {
    return hmac(mechanism, this.#secret, user)
  }
}

interface StoredCredential {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

/** The record that makes or replaces a user's credential; `salted` is the salted password. */
export function credentialRecord(user: string, mechanism: ScramMechanism, salt: Uint8Array, iterations: number, salted: Uint8Array): CredentialRecord {
  const { storedKey, serverKey } = scramKeys(mechanism, salted)
  const value: StoredCredential = { salt: Buffer.from(salt).toString('base64'), iterations, storedKey: storedKey.toString('base64'), serverKey: serverKey.toString('base64') }
  return { key: `${prefix}${mechanism}/${user}`, value: { ...value } }
}

export function credentialRemoval(user: string, mechanism: ScramMechanism): CredentialRecord {
  return { key: `${prefix}${mechanism}/${user}`, value: null }
}

function parsed({ salt, iterations, storedKey, serverKey }: StoredCredential): ScramCredential {
  return { salt: Buffer.from(salt, 'base64'), iterations, storedKey: Buffer.from(storedKey, 'base64'), serverKey: Buffer.from(serverKey, 'base64') }
}
