// A client's session: finds the handler of each request, and tells those that wait when the client is gone.

import { MillraceError } from '../../core/error.ts'
import type { ApiName, RequestOf, ResponseInput } from '../wire/apis.ts'
import type { HangUp, Peer, Session } from '../wire/session.ts'
import type { AnswerHolder } from '../engine/answer-memory.ts'
import { listOf } from '../kernel/config-definition.ts'
import { anonymous } from '../kernel/acl.ts'
import type { BrokerState } from '../engine/broker-state.ts'
import { AnswerBudget } from './handlers/answer-budget.ts'
import type { Connection, RequestContext } from './handlers/handler.ts'
import { measured } from './measured-request.ts'
import { accessOf, unlimited, type Access } from './security/access.ts'
import { Authentication } from './security/authentication.ts'
import { servedApi, type Served } from './served-apis.ts'

/** May be handed a request before the one before is answered; they take effect in the order of the calls. */
export class BrokerSession implements Session, Connection, AnswerHolder {
  readonly #broker: BrokerState
  readonly #peer: Peer
  readonly #hangUp: HangUp
  readonly #authentication: Authentication
  readonly #listeners = new Set<() => void>()
  #known: { readonly principal: string | null; readonly access: Access } | null = null
  #closed = false

  /** `hangUp`: ends the connection; a pipe needs none, for what it is answered is its own. */
  constructor(broker: BrokerState, peer: Peer, hangUp: HangUp = () => {}) {
    this.#broker = broker
    this.#peer = peer
    this.#hangUp = hangUp
    const { config, catalogue, clock, random } = broker
    this.#authentication = new Authentication({
      mechanisms: peer === 'in-process' ? [] : listOf(config.text('sasl.enabled.mechanisms')),
      principal: peer === 'in-process' || typeof peer.certified !== 'string' ? anonymous : `User:${peer.certified}`,
      credentials: catalogue.credentials,
      clock,
      random,
      failureDelayMs: config.number('connection.failed.authentication.delay.ms'),
    })
  }

  async handle<N extends ApiName>(api: N, version: number, body: RequestOf<N>, clientId: string | null): Promise<ResponseInput<N> | null> {
    this.#authentication.admit(api)
    const served = servedApi(api)
    if (served === undefined) throw new MillraceError('UNSUPPORTED_VERSION', `A request has the API ${api}, which is not served.`)
    return measured(this.#broker, api, clientId, () => {
      const context = { broker: this.#broker, version, clientId, peer: this.#peer, connection: this, access: this.#access, authentication: this.#authentication, answer: new AnswerBudget() }
      return this.#access.isUnlimited ? served.handler(context, body) : guarded(served, context, body)
    })
  }

  /** Of the client as far as it is known. */
  get #access(): Access {
    const { principal } = this.#authentication
    if (this.#peer === 'in-process') return unlimited
    if (this.#known?.principal !== principal) this.#known = { principal, access: accessOf(this.#broker.config, this.#broker.catalogue.acls, principal ?? anonymous, this.#peer.host) }
    return this.#known.access
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

/** The guard looks and the handler begins in one go: nothing changes in between. */
async function guarded<N extends ApiName>({ handler, guard }: Served<N>, context: RequestContext, body: RequestOf<N>): Promise<ResponseInput<N> | null> {
  const verdict = guard(context, body)
  if ('answer' in verdict) return verdict.answer
  const answer = await handler(context, verdict.request)
  return answer === null || verdict.finish === undefined ? answer : verdict.finish(answer)
}
