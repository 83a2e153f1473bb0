// One client's connection: cuts requests out of the bytes, has the session answer them in order, and sends the answers in that order.

import type { Socket } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { decodeRequest, encodeResponse, unsupportedApiVersionsResponse } from '../wire/frame.ts'
import { FrameSplitter } from '../wire/frame-splitter.ts'
import type { LentBuffers } from '../wire/lent-buffers.ts'
import { apis } from '../wire/apis.ts'
import type { Session } from '../wire/session.ts'
import { TurnCork } from '../wire/turn-cork.ts'
import type { ConnectionLimits, ConnectionPlace } from './security/connection-limits.ts'
import type { RequestMemory, MemoryShare } from './security/request-memory.ts'
import type { StrangerMemory } from './security/stranger-memory.ts'
import type { IncomingBytes } from './shared-reads.ts'

/** How long a client may take to read its last answers when the connection is closed. */
const MAX_LINGER_MS = 5_000
/** So many bytes of one request count as a sign of life: a large one may take longer than a connection may be idle. */
const PROGRESS_BYTES = 1024 * 1024

/** What is allocated on a stranger's word; a login has less. */
const STRANGERS_TRUSTED_BYTES = 4096

interface Answer {
  readonly frame: Buffer
  /** Never rejects: a failure waits until the answers before it are sent. */
  readonly outcome: Promise<{ readonly chunks: Buffer[] | null } | { readonly failure: unknown }>
}

export interface ConnectionOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly peer: { readonly host: string; readonly port: number }
  /** Hears when the client has said who it is. */
  readonly place: ConnectionPlace
  readonly limits: ConnectionLimits
  /** Shared by all connections. */
  readonly memory: RequestMemory
  /** The same of those that have not said who they are. */
  readonly strangers: StrangerMemory
  /** Large requests come in here. Shared by all connections. */
  readonly buffers: LentBuffers
}

export class TcpConnection {
  /** Resolves when the socket is closed and the session has been told. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #cork: TurnCork
  readonly #session: Session
  readonly #options: ConnectionOptions
  readonly #splitter: FrameSplitter
  readonly #waiting: Buffer[] = []
  /** Being answered, in the order of their requests: one, or several Produces or OffsetCommits. */
  readonly #answers: Answer[] = []
  #memory: MemoryShare
  #isStranger: boolean
  #heldBytes = 0
  #unnotedBytes = 0
  /** Came while there was no memory for it; its own memory. */
  #unread: Buffer | null = null
  #sending = false
  #draining = false
  #inputEnded = false
  #ended = false
  #lastProgressMs: number
  #cancelIdle: () => void = () => {}
  #cancelDeadline: () => void = () => {}

  constructor(incoming: IncomingBytes, session: Session, options: ConnectionOptions) {
    const { socket, isShared } = incoming
    this.#socket = socket
    this.#cork = new TurnCork(socket)
    this.#session = session
    this.#options = options
    const { clock, limits, memory, strangers, buffers } = options
    this.#isStranger = this.#isUnknown()
    this.#splitter = this.#isStranger ? new FrameSplitter(limits.maxUnknownRequestBytes, buffers, { copies: isShared, trustedBytes: STRANGERS_TRUSTED_BYTES }) : new FrameSplitter(limits.maxRequestBytes, buffers, { copies: isShared })
    this.#memory = this.#isStranger ? strangers.share(reason => this.hangUp(reason)) : memory.share(() => this.#readOn())
    this.#lastProgressMs = clock.monotonic()
    this.#watchIdle(limits.maxIdleMs)
    if (!this.#isStranger) options.place.welcome()
    else this.#cancelDeadline = clock.after(limits.maxUnknownMs, () => this.#closeIfUnknown())
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        this.#end()
        resolve()
      })
    })
    incoming.listen(chunk => this.#receive(chunk, isShared))
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
    this.#unread = null
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

  #receive(chunk: Buffer, isShared: boolean): void {
    if (this.#ended) return
    // A request that has begun to come may go on: it makes room only once it is whole.
    if (this.#memory.isFull && this.#splitter.partialBytes === 0) {
      this.#unread = isShared ? Buffer.from(chunk) : chunk
      this.#memory.wait()
      return void this.#socket.pause()
    }
    const framesBefore = this.#waiting.length
    try {
      this.#splitter.push(chunk, frame => {
        this.#waiting.push(frame)
        this.#heldBytes += frame.length
      })
      this.#memory.hold(this.#heldBytes + this.#splitter.partialBytes)
    } catch (error) {
      return this.#fail(error)
    }
    if (this.#ended) return
    this.#unnotedBytes += chunk.length
    if (this.#waiting.length > framesBefore || this.#unnotedBytes >= PROGRESS_BYTES) this.#noteProgress()
    this.#startWaiting()
    if (this.#isFull()) this.#socket.pause()
  }

  /** There is memory again. */
  #readOn(): void {
    const chunk = this.#unread
    this.#unread = null
    if (chunk !== null) this.#receive(chunk, false)
    this.#resume()
  }

  #resume(): void {
    if (this.#socket.isPaused() && !this.#isFull() && this.#unread === null && !this.#inputEnded) this.#socket.resume()
  }

  #startWaiting(): void {
    while (this.#waiting.length > 0 && !this.#draining && this.#mayStart(this.#waiting[0]!)) {
      const frame = this.#waiting.shift()!
      this.#answers.push({ frame, outcome: this.#answer(frame).then(chunks => ({ chunks }), (failure: unknown) => ({ failure })) })
    }
    if (!this.#sending && this.#answers.length > 0) void this.#sendAnswers()
  }

  /** Requests are handled one at a time; only such as write, and follow others of their kind, may overlap, so that they are made durable together. */
  #mayStart(frame: Buffer): boolean {
    return this.#answers.length === 0 || (isWrite(frame) && apiKeyOf(frame) === apiKeyOf(this.#answers[0]!.frame))
  }

  async #sendAnswers(): Promise<void> {
    this.#sending = true
    for (let answer = this.#answers[0]; answer !== undefined; answer = this.#answers[0]) {
      const outcome = await answer.outcome
      if (this.#ended) return
      if ('failure' in outcome) return this.#fail(outcome.failure)
      this.#noteProgress()
      if (this.#isStranger && !this.#isUnknown()) this.#welcome()
      if (outcome.chunks !== null && !this.#send(outcome.chunks)) await this.#drained()
      if (this.#session.isOver === true) return this.close()
      this.#answers.shift()
      // Of other requests something may be kept, such as what a member of a group says of itself.
      if (isProduce(answer.frame)) this.#options.buffers.give(answer.frame)
      this.#heldBytes -= answer.frame.length
      this.#memory.hold(this.#heldBytes + this.#splitter.partialBytes)
      this.#startWaiting()
      this.#resume()
    }
    this.#sending = false
    if (this.#inputEnded) this.close()
  }

  /** The client has said who it is. Who logs in again later is not new here. */
  #welcome(): void {
    const { limits, memory } = this.#options
    this.#isStranger = false
    this.#options.place.welcome()
    this.#cancelDeadline()
    this.#splitter.maxFrameBytes = limits.maxRequestBytes
    this.#memory.release()
    this.#memory = memory.share(() => this.#readOn())
  }

  #isFull(): boolean {
    const { maxHeldRequests, maxHeldBytes } = this.#options.limits
    return this.#waiting.length + this.#answers.length > maxHeldRequests || this.#heldBytes > maxHeldBytes || this.#leavesRoom()
  }

  /** Where memory is short, who has records on their way to the disk sends no more meanwhile, not even the rest of a request: these end without anyone's help. */
  #leavesRoom(): boolean {
    return this.#memory.isFull && !this.#draining && this.#answers.length > 0 && isProduce(this.#answers[0]!.frame)
  }

  /** The client says no more: what it sent before (a Produce with acks 0, perhaps) is still done, but nobody waits for a long poll. */
  #finishInput(): void {
    this.#inputEnded = true
    if (this.#waiting.length === 0) this.close()
  }

  /** Null: no answer is sent. */
  async #answer(frame: Buffer): Promise<Buffer[] | null> {
    if (this.#session.expectsToken === true) return withLength(await this.#session.handleToken!(frame))
    const { api, apiKey, version, correlationId, clientId, body } = decodeRequest(frame)
    if (body === null) {
      if (api === 'ApiVersions') return unsupportedApiVersionsResponse(correlationId)
      throw new MillraceError('UNSUPPORTED_VERSION', `A request has the API ${api ?? `key ${apiKey}`} in version ${version}, which is not served.`)
    }
    const response = await this.#session.handle(api, version, body, clientId)
    return response === null ? null : encodeResponse(api, version, correlationId, response)
  }

  /** False when the kernel takes no more for now. */
  #send(chunks: readonly Buffer[]): boolean {
    const socket = this.#socket
    this.#cork.hold()
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
    this.#unnotedBytes = 0
  }

  #isUnknown(): boolean {
    return this.#session.isKnown === false
  }

  #closeIfUnknown(): void {
    if (!this.#isUnknown()) return
    this.#log('connection closed: it did not say who it is in time', {})
    this.close()
  }

  /** Closes a connection that neither asks nor takes its answers; one that waits for an answer is not idle. */
  #watchIdle(delayMs: number): void {
    const { clock, limits: { maxIdleMs } } = this.#options
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
    this.#unread = null
    this.#cancelIdle()
    this.#cancelDeadline()
    this.#memory.release()
    this.#session.close()
  }

  #log(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.logger.warn(message, { ...this.#options.peer, ...fields })
  }
}

function isProduce(frame: Buffer): boolean {
  return apiKeyOf(frame) === apis.Produce.key
}

/** What it writes takes effect when it begins, and its answer waits for the disk alone. */
function isWrite(frame: Buffer): boolean {
  return isProduce(frame) || apiKeyOf(frame) === apis.OffsetCommit.key
}

function waitsForOthers(frame: Buffer): boolean {
  const key = apiKeyOf(frame)
  return key === apis.JoinGroup.key || key === apis.SyncGroup.key
}

function apiKeyOf(frame: Buffer): number {
  return frame.length >= 2 ? frame.readInt16BE(0) : -1
}

/** Null is not sent. */
function withLength(token: Buffer | null): Buffer[] | null {
  if (token === null) return null
  const length = Buffer.allocUnsafe(4)
  length.writeInt32BE(token.length)
  return [length, token]
}
