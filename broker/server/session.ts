// A client's session: finds the handler of each request, and tells those that wait when the client is gone.

import { MillraceError } from '../../core/error.ts'
import type { ApiName, RequestOf, ResponseInput } from '../wire/apis.ts'
import type { HangUp, Peer, Session } from '../wire/session.ts'
import type { AnswerHolder } from '../engine/answer-memory.ts'
import { listOf } from '../kernel/config-definition.ts'
import { anonymous } from '../kernel/acl.ts'
import type { BrokerState } from '../engine/broker-state.ts'
import { AnswerBudget } from './handlers/answer-budget.ts'
import type { Connection } from './handlers/handler.ts'
import { measured } from './measured-request.ts'
import { Authentication } from './security/authentication.ts'
import { handlerOf } from './served-apis.ts'

/** May be handed a request before the one before is answered; they take effect in the order of the calls. */
export class BrokerSession implements Session, Connection, AnswerHolder {
  readonly #broker: BrokerState
  readonly #peer: Peer
  readonly #hangUp: HangUp
  readonly #authentication: Authentication
  readonly #listeners = new Set<() => void>()
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
    const handler = handlerOf(api)
    if (handler === undefined) throw new MillraceError('UNSUPPORTED_VERSION', `A request has the API ${api}, which is not served.`)
    return measured(this.#broker, api, clientId, () => handler({ broker: this.#broker, version, clientId, peer: this.#peer, connection: this, authentication: this.#authentication, answer: new AnswerBudget() }, body))
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
