// One client's connection: cuts requests out of the bytes, has the session answer them in order, and sends the answers in that order.

import type { Socket } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { decodeRequest, encodeResponse, unsupportedApiVersionsResponse } from '../wire/frame.ts'
import { FrameSplitter } from '../wire/frame-splitter.ts'
import { apis } from '../wire/apis.ts'
import type { Session } from '../wire/session.ts'

/** Requests that are held, waiting or being answered, in number and bytes; beyond, the connection is not read until some are done. */
const MAX_HELD_REQUESTS = 16
const MAX_HELD_BYTES = 4 * 1024 * 1024
/** How long a client may take to read its last answers when the connection is closed. */
const MAX_LINGER_MS = 5_000

interface Answer {
  readonly frame: Buffer
  /** Never rejects: a failure waits until the answers before it are sent. */
  readonly outcome: Promise<{ readonly chunks: Buffer[] | null } | { readonly failure: unknown }>
}

export interface ConnectionOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly peer: { readonly host: string; readonly port: number }
  readonly maxRequestBytes: number
  readonly maxIdleMs: number
}

export class TcpConnection {
  /** Resolves when the socket is closed and the session has been told. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #session: Session
  readonly #options: ConnectionOptions
  readonly #splitter: FrameSplitter
  readonly #waiting: Buffer[] = []
  /** Being answered, in the order of their requests: one, or several Produces. */
  readonly #answers: Answer[] = []
  #heldBytes = 0
  #sending = false
  #draining = false
  #inputEnded = false
  #ended = false
  #corked = false
  #lastProgressMs: number
  #cancelIdle: () => void = () => {}

  constructor(socket: Socket, session: Session, options: ConnectionOptions) {
    this.#socket = socket
    this.#session = session
    this.#options = options
    this.#splitter = new FrameSplitter(options.maxRequestBytes)
    this.#lastProgressMs = options.clock.monotonic()
    this.#watchIdle(options.maxIdleMs)
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        this.#end()
        resolve()
      })
    })
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('error', (cause: NodeJS.ErrnoException) => this.#log('connection lost', { reason: cause.message }))
    socket.on('end', () => this.#finishInput())
  }

  /**
   * Ends waits (long polls), answers what is being done (a Produce that waits for the disk), and closes; what has come and is not begun is left out.
   * Requests that wait for other members of a group are not answered: their clients ask again elsewhere.
   */
  finish(): void {
    const [first] = this.#answers
    if (this.#ended || first === undefined || waitsForOthers(first.frame)) return this.close()
    this.#waiting.length = 0
    this.#inputEnded = true
    this.#socket.pause()
    this.#session.close()
    const cancel = this.#options.clock.after(MAX_LINGER_MS, () => this.#socket.destroy())
    void this.closed.then(cancel)
  }

  /** Closes at once; answers that the client has not taken are dropped, and their memory is free. */
  hangUp({ code, message }: MillraceError): void {
    if (this.#ended) return
    this.#log('connection closed', { code, reason: message })
    this.#end()
    this.#socket.destroy()
  }

  /** Sends what is answered already, then closes. */
  close(): void {
    if (this.#ended) return
    this.#end()
    const cancel = this.#options.clock.after(MAX_LINGER_MS, () => this.#socket.destroy())
    void this.closed.then(cancel)
    this.#socket.destroySoon()
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return
    this.#noteProgress()
    try {
      this.#splitter.push(chunk, frame => {
        this.#waiting.push(frame)
        this.#heldBytes += frame.length
      })
    } catch (error) {
      return this.#fail(error)
    }
    this.#startWaiting()
    if (this.#isFull()) this.#socket.pause()
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && !this.#draining && this.#mayStart(this.#waiting[0]!)) {
      const frame = this.#waiting.shift()!
      this.#answers.push({ frame, outcome: this.#answer(frame).then(chunks => ({ chunks }), (failure: unknown) => ({ failure })) })
    }
    if (!this.#sending && this.#answers.length > 0) void this.#sendAnswers()
  }

  /** Requests are handled one at a time; only Produces may overlap, so that batches that follow each other are made durable together. */
  #mayStart(frame: Buffer): boolean {
    return this.#answers.length === 0 || (isProduce(frame) && isProduce(this.#answers[0]!.frame))
  }

  async #sendAnswers(): Promise<void> {
    this.#sending = true
    for (let answer = this.#answers[0]; answer !== undefined; answer = this.#answers[0]) {
      const outcome = await answer.outcome
      if (this.#ended) return
      if ('failure' in outcome) return this.#fail(outcome.failure)
      this.#noteProgress()
      if (outcome.chunks !== null && !this.#send(outcome.chunks)) await this.#drained()
      this.#answers.shift()
      this.#heldBytes -= answer.frame.length
      this.#startWaiting()
      if (this.#socket.isPaused() && !this.#isFull() && !this.#inputEnded) this.#socket.resume()
    }
    this.#sending = false
    if (this.#inputEnded) this.close()
  }

  #isFull(): boolean {
    return this.#waiting.length + this.#answers.length > MAX_HELD_REQUESTS || this.#heldBytes > MAX_HELD_BYTES
  }

  /** The client says no more: what it sent before (a Produce with acks 0, perhaps) is still done, but nobody waits for a long poll. */
  #finishInput(): void {
    this.#inputEnded = true
    if (this.#waiting.length === 0) this.close()
  }

  /** Null: no answer is sent. */
  async #answer(frame: Buffer): Promise<Buffer[] | null> {
    const { api, apiKey, version, correlationId, clientId, body } = decodeRequest(frame)
    if (body === null) {
      if (api === 'ApiVersions') return unsupportedApiVersionsResponse(correlationId)
      throw new MillraceError('UNSUPPORTED_VERSION', `A request has the API ${api ?? `key ${apiKey}`} in version ${version}, which is not served.`)
    }
    const response = await this.#session.handle(api, version, body, clientId)
    return response === null ? null : encodeResponse(api, version, correlationId, response)
  }

  /** Gathers what is written in one turn into one system call. False when the kernel takes no more for now. */
  #send(chunks: readonly Buffer[]): boolean {
    const socket = this.#socket
    if (!this.#corked) {
      this.#corked = true
      socket.cork()
      process.nextTick(() => {
        this.#corked = false
        socket.uncork()
      })
    }
    for (const chunk of chunks) socket.write(chunk, error => void (error || this.#session.sent?.(chunk)))
    return !socket.writableNeedDrain
  }

  #drained(): Promise<void> {
    this.#draining = true
    return new Promise(resolve => {
      const socket = this.#socket
      const done = (): void => {
        this.#draining = false
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })
  }

  #noteProgress(): void {
    this.#lastProgressMs = this.#options.clock.monotonic()
  }

  /** Closes a connection that neither asks nor takes its answers; one that waits for an answer is not idle. */
  #watchIdle(delayMs: number): void {
    const { clock, maxIdleMs } = this.#options
    this.#cancelIdle = clock.after(delayMs, () => {
      const idleMs = this.#answers.length > 0 && !this.#draining ? 0 : clock.monotonic() - this.#lastProgressMs
      if (idleMs < maxIdleMs) return this.#watchIdle(maxIdleMs - idleMs)
      this.#log('connection closed: idle', { idleMs: Math.round(idleMs) })
      this.close()
    })
  }

  /** Ends this connection, and no other, because of what it sent or because answering failed. */
  #fail(error: unknown): void {
    if (this.#ended) return
    if (error instanceof MillraceError) this.#log('connection closed', { code: error.code, reason: error.message })
    else this.#options.logger.error('a request failed by a bug', { ...this.#options.peer, cause: error })
    this.close()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#waiting.length = 0
    this.#answers.length = 0
    this.#cancelIdle()
    this.#session.close()
  }

  #log(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.logger.warn(message, { ...this.#options.peer, ...fields })
  }
}

function isProduce(frame: Buffer): boolean {
  return apiKeyOf(frame) === apis.Produce.key
}

function waitsForOthers(frame: Buffer): boolean {
  const key = apiKeyOf(frame)
  return key === apis.JoinGroup.key || key === apis.SyncGroup.key
}

function apiKeyOf(frame: Buffer): number {
  return frame.length >= 2 ? frame.readInt16BE(0) : -1
}
