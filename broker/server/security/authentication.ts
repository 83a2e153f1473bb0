// Who the client of one session is: unknown until its SASL exchange ends well, which also says what it may ask meanwhile.

import type { Clock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import type { Random } from '../../../core/random.ts'
import type { CredentialBook } from '../../kernel/credential-book.ts'
import { ScramExchange } from '../../kernel/scram-exchange.ts'
import type { ApiName } from '../../wire/apis.ts'
import type { ErrorName } from '../../wire/error-code.ts'
import { isScram } from '../../wire/scram.ts'

export interface AuthenticationOptions {
  /** None: the client need not say who it is. */
  readonly mechanisms: readonly string[]
  /** Who a client is that need not say so. */
  readonly principal: string
  readonly credentials: CredentialBook
  readonly clock: Clock
  readonly random: Random
  /** How long a failure waits for its answer: guessing takes time. */
  readonly failureDelayMs: number
}

export type Authenticated = { readonly authBytes: Buffer } | { readonly refused: ErrorName; readonly message: string }

/** What one step of an exchange came to; null if it failed. */
type Outcome = { readonly message: string; readonly user: string | null } | null

type Step = (bytes: Buffer) => Promise<Outcome> | Outcome

/** Requests that a client may make before it is known. */
const openApis: ReadonlySet<ApiName> = new Set<ApiName>(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'])

/** One exchange a connection: it begins with a handshake, and whoever departs from it is not heard again. */
export class Authentication {
  readonly #options: AuthenticationOptions
  #principal: string | null
  /** Null before the handshake, while a step is under way, and after the end. */
  #step: Step | null = null
  #mechanism = ''
  #expectsTokens = false
  #hasFailed = false

  constructor(options: AuthenticationOptions) {
    this.#options = options
    this.#principal = options.mechanisms.length === 0 ? options.principal : null
  }

  /** As `User:alice`; null while it is not known. */
  get principal(): string | null {
    return this.#principal
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Whether the steps of the exchange come as they are, without the header of a request (after version 0 of the handshake). */
  get expectsTokens(): boolean {
    return this.#expectsTokens && this.#principal === null && !this.#hasFailed
  }

  get mechanisms(): readonly string[] {
    return this.#options.mechanisms
  }

  /** @throws MillraceError ILLEGAL_SASL_STATE, which closes the connection */
  admit(api: ApiName): void {
    if (this.#principal !== null || (openApis.has(api) && !this.#hasFailed)) return
    this.#hasFailed = true
    throw new MillraceError('ILLEGAL_SASL_STATE', `A client that has not said who it is asks for ${api}.`)
  }

  /** Begins an exchange; the error if it cannot begin. */
  handshake(mechanism: string, version: number): ErrorName | null {
    if (this.#principal !== null) return 'ILLEGAL_SASL_STATE'
    if (this.#mechanism !== '') return this.#refuse('ILLEGAL_SASL_STATE')
    if (!this.mechanisms.includes(mechanism)) return this.#refuse('UNSUPPORTED_SASL_MECHANISM')
    this.#mechanism = mechanism
    this.#expectsTokens = version === 0
    this.#step = isScram(mechanism) ? scramStep(new ScramExchange({ ...this.#options, mechanism, nonce: this.#options.random.bytes(18).toString('base64') })) : bytes => this.#plain(bytes)
    return null
  }

  async authenticate(bytes: Buffer): Promise<Authenticated> {
    if (this.#principal !== null) return { refused: 'ILLEGAL_SASL_STATE', message: 'The client is authenticated already.' }
    const step = this.#step
    this.#step = null
    if (step === null) return { refused: this.#refuse('ILLEGAL_SASL_STATE'), message: 'SaslAuthenticate comes after SaslHandshake, one step after the other.' }
    const outcome = await step(bytes)
    if (outcome === null) return this.#fail()
    if (outcome.user === null) this.#step = step
    else this.#principal = `User:${outcome.user}`
    return { authBytes: Buffer.from(outcome.message) }
  }

  #refuse(error: ErrorName): ErrorName {
    this.#hasFailed = true
    return error
  }

  async #fail(): Promise<Authenticated> {
    this.#hasFailed = true
    const { clock, failureDelayMs } = this.#options
    if (failureDelayMs > 0) await new Promise<void>(resolve => clock.after(failureDelayMs, resolve))
    return { refused: 'SASL_AUTHENTICATION_FAILED', message: `Authentication failed during authentication due to invalid credentials with SASL mechanism ${this.#mechanism}` }
  }

  async #plain(bytes: Buffer): Promise<Outcome> {
    const [actAs, user, password, ...more] = bytes.toString('utf8').split('\0')
    if (more.length > 0 || user === undefined || user === '' || password === undefined || password === '' || (actAs !== '' && actAs !== user)) return null
    return (await this.#options.credentials.isPassword(user, password)) ? { message: '', user } : null
  }
}

function scramStep(exchange: ScramExchange): Step {
  return bytes => {
    try {
      const step = exchange.step(bytes.toString('utf8'))
      return step.kind === 'failed' ? null : { message: step.message, user: step.kind === 'done' ? step.user : null }
    } catch (error) {
      if (error instanceof MillraceError) return null
      throw error
    }
  }
}
