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

/** What a client can see of a credential without knowing the password. */
interface Shape {
  readonly mechanism: ScramMechanism
  readonly saltBytes: number
  readonly iterations: number
}

interface Shapes {
  readonly all: readonly Shape[]
  /** Of those that passwords are checked by. */
  readonly ofPasswords: readonly Shape[]
}

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
  /** Those that credentials have; null until somebody asks. */
  #shapes: Shapes | null = null
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
   * shaped as one of those that others have. No proof fits it.
   */
  pretended(user: string, mechanism: ScramMechanism): ScramCredential {
    const nothing = Buffer.alloc(keyBytesOf(mechanism))
    const shape = this.#shapeFor(user, this.#shapesInUse().all.filter(each => each.mechanism === mechanism))
    const salt = this.#saltOf(user, mechanism).subarray(0, shape?.saltBytes ?? saltBytes)
    return { salt, iterations: shape?.iterations ?? scramIterations.min, storedKey: nothing, serverKey: nothing }
  }

  /** Always the same for a user, as long as there are the same shapes. */
  #shapeFor(user: string, shapes: readonly Shape[]): Shape | undefined {
    return shapes.length === 0 ? undefined : shapes[hmac('SCRAM-SHA-256', this.#secret, JSON.stringify(['shape', user])).readUInt32BE(0) % shapes.length]
  }

  #shapesInUse(): Shapes {
    if (this.#shapes !== null) return this.#shapes
    const users = [this.#stored, ...this.#fixed.values()].flatMap(realm => [...realm.values()])
    return (this.#shapes = { all: shapesOf(users.flatMap(credentials => [...credentials])), ofPasswords: shapesOf(users.flatMap(credentials => [...credentials].slice(-1))) })
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
    this.#shapes = null
  }

  /**
   * Whether it is the user's password; takes as long where there is no such user. One is checked at a time: guessing takes a thread of the
   * process, never all those that read and write files. `isWanted`: asked when its turn comes; no work is done for who has gone.
   */
  async isPassword(user: string, password: string, realm: string = sharedRealm, isWanted: () => boolean = () => true): Promise<boolean> {
    const token = hmac(scramMechanisms[0]!, this.#secret, JSON.stringify([user, password]))
    const place = JSON.stringify([realm, user])
    const seen = this.#seen.get(place)
    if (seen !== undefined && timingSafeEqual(seen, token)) return true
    const [mechanism, credential] = [...this.credentialsOf(user, realm)].at(-1) ?? ([this.#shapeFor(user, this.#shapesInUse().ofPasswords)?.mechanism ?? scramMechanisms.at(-1)!, null] as const)
    const { salt, iterations, storedKey } = credential ?? this.pretended(user, mechanism)
    const salting = this.#checking.then(() => (isWanted() ? saltedPassword(mechanism, password, salt, iterations) : null))
    this.#checking = salting.catch(() => null)
    const salted = await salting
    const isRight = salted !== null && timingSafeEqual(scramKeys(mechanism, salted).storedKey, storedKey) && credential !== null
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
    this.#shapes = null
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

/** Each once, in an order that depends on nothing else. */
function shapesOf(credentials: readonly (readonly [ScramMechanism, ScramCredential])[]): readonly Shape[] {
  const shapes = new Map(credentials.map(([mechanism, { salt, iterations }]) => [`${mechanism} ${iterations} ${salt.length}`, { mechanism, saltBytes: salt.length, iterations }]))
  return [...shapes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, shape]) => shape)
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
