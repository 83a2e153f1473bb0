// A client's session: finds the handler of each request, and tells those that wait when the client is gone.

import { MillraceError } from '../../core/error.ts'
import type { ApiName, RequestOf, ResponseInput } from '../wire/apis.ts'
import type { HangUp, Peer, Session } from '../wire/session.ts'
import type { AnswerHolder } from '../engine/answer-memory.ts'
import type { ListenerConfig } from '../kernel/listener-config.ts'
import { anonymous, resourceType } from '../kernel/acl.ts'
import { sharedRealm } from '../kernel/credential-book.ts'
import type { BrokerState, Endpoint } from '../engine/broker-state.ts'
import { AnswerBudget } from './handlers/answer-budget.ts'
import type { Connection, RequestContext } from './handlers/handler.ts'
import { measured } from './measured-request.ts'
import { accessOf, unlimited, type Access } from './security/access.ts'
import { Authentication } from './security/authentication.ts'
import type { Denial, DenialLog } from './security/denial-log.ts'
import type { Verdict } from './security/guard.ts'
import { servedApi, type Served } from './served-apis.ts'

/** One request names so many things that it may not have, as far as the log is concerned. */
const MAX_DENIALS = 100

/** By which of a broker's listeners the client has come, and what that one asks of it. */
export interface ListenerContext {
  readonly name: string | null
  /** Where its clients are told to find the broker. */
  readonly endpoint: Endpoint
  readonly settings: ListenerConfig
  readonly mechanisms: readonly string[]
  /** Whose users log in. */
  readonly realm: string
  readonly denials: DenialLog
}

/** May be handed a request before the one before is answered; they take effect in the order of the calls. */
export class BrokerSession implements Session, Connection, AnswerHolder {
  readonly #broker: BrokerState
  readonly #peer: Peer
  /** Null of a client in process. */
  readonly #listener: ListenerContext | null
  readonly #hangUp: HangUp
  readonly #authentication: Authentication
  readonly #listeners = new Set<() => void>()
  #known: { readonly principal: string | null; readonly access: Access } | null = null
  /** Of the guard that is looking; null while none is. */
  #denials: Denial[] | null = null
  #closed = false

  /** `hangUp`: ends the connection; a pipe needs none, for what it is answered is its own. */
  constructor(broker: BrokerState, peer: Peer, listener: ListenerContext | null, hangUp: HangUp = () => {}) {
    this.#broker = broker
    this.#peer = peer
    this.#listener = listener
    this.#hangUp = hangUp
    const { config, catalogue, clock, random } = broker
    this.#authentication = new Authentication({
      mechanisms: listener?.mechanisms ?? [],
      principal: peer === 'in-process' || typeof peer.certified !== 'string' ? anonymous : `User:${peer.certified}`,
      credentials: catalogue.credentials,
      realm: listener?.realm ?? sharedRealm,
      maxSessionMs: mechanism => (listener === null ? 0 : maxSessionMs(listener.settings, mechanism)),
      clock,
      random,
      failureDelayMs: config.number('connection.failed.authentication.delay.ms'),
      isGone: () => this.#closed,
    })
  }

  async handle<N extends ApiName>(api: N, version: number, body: RequestOf<N>, clientId: string | null): Promise<ResponseInput<N> | null> {
    this.#authentication.admit(api)
    const served = servedApi(api)
    if (served === undefined) throw new MillraceError('UNSUPPORTED_VERSION', `A request has the API ${api}, which is not served.`)
    return measured(this.#broker, api, clientId, () => {
      const endpoint = this.#listener?.endpoint ?? this.#broker.endpoint
      const context = { broker: this.#broker, version, clientId, peer: this.#peer, connection: this, access: this.#access, endpoint, authentication: this.#authentication, answer: new AnswerBudget() }
      return this.#access.isUnlimited ? served.handler(context, body) : this.#guarded(api, served, context, body)
    })
  }

  /** The guard looks and the handler begins in one go: nothing changes in between. */
  async #guarded<N extends ApiName>(api: N, { handler, guard }: Served<N>, context: RequestContext, body: RequestOf<N>): Promise<ResponseInput<N> | null> {
    const verdict = this.#looked(() => guard(context, body), api)
    if ('answer' in verdict) return verdict.answer
    const answer = await handler(context, verdict.request)
    return answer === null || verdict.finish === undefined ? answer : verdict.finish(answer)
  }

  /** What a guard asks about and is not refused for, what a client may see of a list for example, is nobody's business. */
  #looked<N extends ApiName>(look: () => Verdict<N>, api: N): Verdict<N> {
    this.#denials = []
    let isRefused = true
    try {
      const verdict = look()
      isRefused = 'answer' in verdict || verdict.refuses === true
      return verdict
    } finally {
      // Where the cluster would have done as well as the topic, the topic is what was asked for.
      const specific = this.#denials.filter(denial => denial.resourceType !== resourceType.cluster)
      if (isRefused) for (const denial of specific.length > 0 ? specific : this.#denials) this.#listener?.denials.say(denial, api)
      this.#denials = null
    }
  }

  /** Of the client as far as it is known. */
  get #access(): Access {
    const { principal } = this.#authentication
    if (this.#peer === 'in-process') return unlimited
    if (this.#known?.principal !== principal) this.#known = { principal, access: accessOf(this.#broker.config, this.#broker.catalogue.acls, { principal: principal ?? anonymous, host: this.#peer.host, onDenied: denial => this.#note(denial) }) }
    return this.#known.access
  }

  #note(denial: Denial): void {
    if (this.#denials !== null && this.#denials.length < MAX_DENIALS) this.#denials.push(denial)
  }

  get answerRoom(): number {
    return this.#peer === 'in-process' ? Infinity : this.#broker.answerMemory.room
  }

  holdAnswer(bytes: number): void {
    if (this.#peer !== 'in-process' && bytes > 0) this.#broker.answerMemory.hold(this, bytes)
  }

  cutOff(): void {
    this.#hangUp(new MillraceError('SLOW_READER', 'The client does not take its answers, and others need the memory.'))
  }

  sent(chunk: Buffer): void {
    this.#broker.answerMemory.release(this, chunk.length)
    this.#broker.partitions.readBuffers.give(chunk)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#broker.answerMemory.release(this)
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }

  get isKnown(): boolean {
    return this.#authentication.principal !== null
  }

  get isOver(): boolean {
    return this.#authentication.hasFailed
  }

  get expectsToken(): boolean {
    return this.#authentication.expectsTokens
  }

  async handleToken(token: Buffer): Promise<Buffer | null> {
    const { authBytes, errorCode } = (await this.handle('SaslAuthenticate', 0, { authBytes: token }, null))!
    return errorCode === 0 ? authBytes : null
  }

  get isClosed(): boolean {
    return this.#closed
  }

  onClose(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/** A mechanism can have its own, as `plain.connections.max.reauth.ms` of a listener. */
function maxSessionMs(settings: ListenerConfig, mechanism: string): number {
  return Number(settings.own(`${mechanism.toLowerCase()}.connections.max.reauth.ms`) ?? settings.text('connections.max.reauth.ms'))
}
