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
  /** Whose users log in. */
  readonly realm: string
  /** How long who has logged in by a mechanism may go on without doing so again; 0: for ever. */
  readonly maxSessionMs: (mechanism: string) => number
  readonly clock: Clock
  readonly random: Random
  /** How long a failure waits for its answer: guessing takes time. */
  readonly failureDelayMs: number
  /** Whether the connection is closed, so that nobody waits for an answer. */
  readonly isGone: () => boolean
}

/** `sessionLifetimeMs`: when the client is to log in again; 0: never. */
export type Authenticated = { readonly authBytes: Buffer; readonly sessionLifetimeMs: number } | { readonly refused: ErrorName; readonly message: string }

/** What one step of an exchange came to; null if it failed. */
type Outcome = { readonly message: string; readonly user: string | null } | null

type Step = (bytes: Buffer) => Promise<Outcome> | Outcome

/** Requests that a client may make before it is known. */
const openApis: ReadonlySet<ApiName> = new Set<ApiName>(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate'])

/** A client may not log in again sooner than that; Kafka's bound. */
const MIN_REAUTHENTICATION_MS = 1000

/**
 * One exchange a connection, and where sessions end, one more each time (KIP-368): it begins with a handshake, and whoever departs from it is not heard
 * again. Who logs in again is the same user by the same mechanism.
 */
export class Authentication {
  readonly #options: AuthenticationOptions
  #principal: string | null
  /** Who is logging in again; null while nobody is. */
  #before: { readonly principal: string; readonly mechanism: string } | null = null
  #sessionEndsMs = Infinity
  #begunAgainMs = -Infinity
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

  /** Of the exchange that has begun; '' before. */
  get mechanism(): string {
    return this.#mechanism
  }

  get mechanisms(): readonly string[] {
    return this.#options.mechanisms
  }

  /** @throws MillraceError ILLEGAL_SASL_STATE, SASL_SESSION_EXPIRED, which close the connection */
  admit(api: ApiName): void {
    if (this.#principal !== null && (this.#sessionEndsMs === Infinity || api === 'SaslHandshake' || this.#options.clock.monotonic() < this.#sessionEndsMs)) return
    if (this.#principal !== null) throw new MillraceError('SASL_SESSION_EXPIRED', `${this.#principal} was to log in again before it asks for ${api}.`)
    if (!this.#hasFailed && (this.#before === null ? openApis.has(api) : api === 'SaslAuthenticate')) return
    this.#hasFailed = true
    throw new MillraceError('ILLEGAL_SASL_STATE', `A client that has not said who it is asks for ${api}.`)
  }

  /** Begins an exchange; the error if it cannot begin. */
  handshake(mechanism: string, version: number): ErrorName | null {
    if (this.#principal !== null && !this.#begins(mechanism, version)) return 'ILLEGAL_SASL_STATE'
    if (this.#before !== null && this.#before.mechanism !== mechanism) return this.#refuse('UNSUPPORTED_SASL_MECHANISM')
    if (this.#mechanism !== '') return this.#refuse('ILLEGAL_SASL_STATE')
    if (!this.mechanisms.includes(mechanism)) return this.#refuse('UNSUPPORTED_SASL_MECHANISM')
    this.#mechanism = mechanism
    this.#expectsTokens = version === 0
    this.#step = isScram(mechanism) ? scramStep(new ScramExchange({ ...this.#options, mechanism, nonce: this.#options.random.bytes(18).toString('base64') })) : bytes => this.#plain(bytes)
    return null
  }

  /** Whether a client that has logged in may do so again: where its session ends, and with steps that are requests. */
  #begins(mechanism: string, version: number): boolean {
    const nowMs = this.#options.clock.monotonic()
    if (this.#sessionEndsMs === Infinity || version === 0 || nowMs - this.#begunAgainMs < MIN_REAUTHENTICATION_MS) return false
    this.#begunAgainMs = nowMs
    this.#before = { principal: this.#principal!, mechanism: this.#mechanism }
    this.#principal = null
    this.#mechanism = ''
    return true
  }

  async authenticate(bytes: Buffer): Promise<Authenticated> {
    if (this.#principal !== null) return { refused: 'ILLEGAL_SASL_STATE', message: 'The client is authenticated already.' }
    const step = this.#step
    this.#step = null
    if (step === null) return { refused: this.#refuse('ILLEGAL_SASL_STATE'), message: 'SaslAuthenticate comes after SaslHandshake, one step after the other.' }
    const outcome = await step(bytes)
    if (outcome === null) return this.#fail()
    if (outcome.user !== null) return this.#known(`User:${outcome.user}`, outcome.message)
    this.#step = step
    return { authBytes: Buffer.from(outcome.message), sessionLifetimeMs: 0 }
  }

  #known(principal: string, message: string): Authenticated {
    if (this.#before !== null && this.#before.principal !== principal) {
      return { refused: this.#refuse('SASL_AUTHENTICATION_FAILED'), message: `Who logs in again stays who it was: ${this.#before.principal}.` }
    }
    const { maxSessionMs, clock } = this.#options
    const sessionLifetimeMs = maxSessionMs(this.#mechanism)
    this.#before = null
    this.#principal = principal
    this.#sessionEndsMs = sessionLifetimeMs > 0 ? clock.monotonic() + sessionLifetimeMs : Infinity
    return { authBytes: Buffer.from(message), sessionLifetimeMs }
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
    return (await this.#options.credentials.isPassword(user, password, this.#options.realm, () => !this.#options.isGone())) ? { message: '', user } : null
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
