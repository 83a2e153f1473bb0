// One client's connection: cuts requests out of the bytes, has the session answer them one at a time, and sends the answers in order.

import type { Socket } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { decodeRequest, encodeResponse, unsupportedApiVersionsResponse, type Request, type UnknownRequest } from '../wire/frame.ts'
import { FrameSplitter } from '../wire/frame-splitter.ts'
import type { ApiName } from '../wire/apis.ts'
import type { Session } from '../wire/session.ts'

/** Requests that may wait while one is handled, in number and bytes; beyond, the connection is not read until they are done. */
const MAX_WAITING_REQUESTS = 16
const MAX_WAITING_BYTES = 1024 * 1024
/** How long a client may take to read its last answers when the connection is closed. */
const MAX_LINGER_MS = 5_000

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
  #waitingBytes = 0
  /** The loop over waiting requests runs; `#answering`: it waits for the session. */
  #handling = false
  #answering = false
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
        this.#waitingBytes += frame.length
      })
    } catch (error) {
      return this.#fail(error)
    }
    if (this.#isFull()) this.#socket.pause()
    if (!this.#handling && this.#waiting.length > 0) void this.#handleWaiting()
  }

  async #handleWaiting(): Promise<void> {
    this.#handling = true
    try {
      for (let frame = this.#take(); frame !== undefined; frame = this.#take()) {
        const answer = await this.#answer(decodeRequest(frame))
        if (this.#ended) return
        this.#noteProgress()
        if (answer !== null && !this.#send(answer)) await this.#drained()
      }
      if (this.#inputEnded) this.close()
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#handling = false
    }
  }

  #take(): Buffer | undefined {
    if (this.#ended) return undefined
    const frame = this.#waiting.shift()
    if (frame === undefined) return undefined
    this.#waitingBytes -= frame.length
    if (this.#socket.isPaused() && !this.#isFull()) this.#socket.resume()
    return frame
  }

  #isFull(): boolean {
    return this.#waiting.length > MAX_WAITING_REQUESTS || this.#waitingBytes > MAX_WAITING_BYTES
  }

  /** The client says no more: what it sent before (a Produce with acks 0, perhaps) is still done, but nobody waits for a long poll. */
  #finishInput(): void {
    this.#inputEnded = true
    if (this.#waiting.length === 0) this.close()
  }

  /** Null: no answer is sent. */
  async #answer(request: Request<ApiName> | UnknownRequest): Promise<Buffer[] | null> {
    const { api, version, correlationId, clientId, body } = request
    if (body === null) {
      if (api === 'ApiVersions') return unsupportedApiVersionsResponse(correlationId)
      throw new MillraceError('UNSUPPORTED_VERSION', `A request has the API ${api ?? `key ${request.apiKey}`} in version ${version}, which is not served.`)
    }
    this.#answering = true
    const response = await this.#session.handle(api, version, body, clientId)
    this.#answering = false
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
    for (const chunk of chunks) socket.write(chunk)
    return !socket.writableNeedDrain
  }

  #drained(): Promise<void> {
    return new Promise(resolve => {
      const socket = this.#socket
      const done = (): void => {
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
      const idleMs = this.#answering ? 0 : clock.monotonic() - this.#lastProgressMs
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
    this.#cancelIdle()
    this.#session.close()
  }

  #log(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#options.logger.warn(message, { ...this.#options.peer, ...fields })
  }
}
