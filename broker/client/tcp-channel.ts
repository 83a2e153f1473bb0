// A channel to one broker over TCP: connects, agrees on versions, and matches pipelined answers to requests.

import type { Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { apiByKey, apis, type ApiName, type RequestInput, type ResponseOf } from '../wire/apis.ts'
import { ByteReader } from '../wire/byte-reader.ts'
import type { Channel, RequestOptions } from '../wire/channel.ts'
import { complete } from '../wire/defaults.ts'
import { errorCodeOf, kafkaError } from '../wire/error-code.ts'
import { decodeResponse, encodeRequest, readCorrelationId } from '../wire/frame.ts'
import { TurnCork } from '../wire/turn-cork.ts'
import { logIn, type SaslLogin } from './sasl-login.ts'
import { FrameInput, openFrameSocket } from './frame-socket.ts'

export interface TcpChannelOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly clientId?: string
  /** Certificates and the like, as node:tls takes them. Default: no TLS. */
  readonly tls?: ConnectionOptions | undefined
  /** Default: nobody in particular. */
  readonly sasl?: SaslLogin | undefined
  /** How long connecting and agreeing on versions may take, milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** How long an answer may take unless a request says otherwise, milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number
  /** Requests sent and not answered; more of them wait here. Default 100. */
  readonly maxInFlight?: number
  /** Requests that may wait here; one more is refused. Default 10,000. */
  readonly maxWaiting?: number
  /** Largest answer, bytes. Default 512 MiB. */
  readonly maxResponseBytes?: number
}

/** @throws MillraceError CONNECTION_FAILED or REQUEST_TIMED_OUT (retriable), UNSUPPORTED_VERSION */
export async function connectTcpChannel(options: TcpChannelOptions): Promise<Channel> {
  const input = new FrameInput(options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES)
  const socket = await openFrameSocket(options, options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS, input)
  const channel = new TcpChannel(socket, input, options)
  try {
    await channel.negotiate(options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS)
    if (options.sasl !== undefined) await logIn(channel, options.sasl)
  } catch (error) {
    channel.close()
    throw error
  }
  return channel
}

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000
const DEFAULT_MAX_RESPONSE_BYTES = 512 * 1024 * 1024
/** What a broker shows of its clients; letters, digits, dots and dashes. */
const CLIENT_SOFTWARE = { clientSoftwareName: 'millrace', clientSoftwareVersion: '0' } as const

interface Pending {
  readonly api: ApiName
  readonly version: number
  readonly correlationId: number
  readonly chunks: readonly Buffer[]
  /** False for a Produce with acks 0, which resolves when it is sent. */
  readonly isAnswered: boolean
  readonly resolve: (response: ResponseOf<ApiName>) => void
  readonly reject: (error: Error) => void
  /** Stops the clock and lets the signal go. */
  readonly release: () => void
}

class TcpChannel implements Channel {
  readonly closed: Promise<Error | null>
  readonly #socket: Socket
  readonly #cork: TurnCork
  readonly #options: TcpChannelOptions
  readonly #address: string
  readonly #maxInFlight: number
  readonly #versions = new Map<ApiName, number>()
  /** In the order sent, which is the order of the answers. */
  readonly #inFlight: Pending[] = []
  readonly #waiting: Pending[] = []
  #nextCorrelationId = 0
  #open = true
  #failure: Error | null = null
  #resolveClosed!: (reason: Error | null) => void

  constructor(socket: Socket, input: FrameInput, options: TcpChannelOptions) {
    this.#socket = socket
    this.#cork = new TurnCork(socket)
    this.#options = options
    this.#address = `${options.host}:${options.port}`
    this.#maxInFlight = options.maxInFlight ?? 100
    this.closed = new Promise(resolve => {
      this.#resolveClosed = resolve
    })
    input.onFrame = frame => this.#answer(frame)
    input.onFailure = error => this.#end(error)
    socket.on('error', (cause: NodeJS.ErrnoException) => this.#end(this.#lost(cause.code ?? cause.message, cause)))
    socket.on('close', () => this.#end(this.#lost('the broker closed it')))
  }

  /** Asks the broker what it speaks; the connection's first exchange. */
  async negotiate(timeoutMs: number): Promise<void> {
    let answer = await this.request('ApiVersions', CLIENT_SOFTWARE, { version: apis.ApiVersions.maxVersion, timeoutMs })
    if (answer.errorCode === errorCodeOf('UNSUPPORTED_VERSION')) {
      const range = answer.apiKeys.find(({ apiKey }) => apiKey === apis.ApiVersions.key)
      const version = Math.min(range?.maxVersion ?? 0, apis.ApiVersions.maxVersion)
      answer = await this.request('ApiVersions', CLIENT_SOFTWARE, { version, timeoutMs })
    }
    if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, `asking ${this.#address} for its versions`)
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys) {
      const api = apiByKey(apiKey)
      if (api === undefined) continue
      const common = Math.min(maxVersion, apis[api].maxVersion)
      if (common >= Math.max(minVersion, apis[api].minVersion)) this.#versions.set(api, common)
    }
  }

  versionOf(api: ApiName): number {
    const version = this.#versions.get(api)
    if (version === undefined) {
      throw new MillraceError('UNSUPPORTED_VERSION', `The broker at ${this.#address} does not serve ${api} in a version that Millrace speaks.`, { hint: 'Brokers from Apache Kafka 2.1 on do.' })
    }
    return version
  }

  request<N extends ApiName>(api: N, body: RequestInput<N>, options: RequestOptions = {}): Promise<ResponseOf<N>> {
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted()
      if (!this.#open) throw this.#lost('it is closed', this.#failure ?? undefined)
      const version = options.version ?? this.versionOf(api)
      const correlationId = this.#nextCorrelationId
      const chunks = encodeRequest(api, version, { correlationId, clientId: this.#options.clientId ?? null }, body)
      this.#nextCorrelationId = (correlationId + 1) & 0x7fff_ffff
      this.#submit({
        api, version, correlationId, chunks, reject,
        isAnswered: !(api === 'Produce' && (body as RequestInput<'Produce'>).acks === 0),
        resolve,
        release: this.#limit(api, options, reject),
      })
    })
  }

  close(): void {
    this.#end(null)
  }

  /** Starts the clock of a request, and watches its signal; the answer stops both. */
  #limit(api: ApiName, { signal, timeoutMs = this.#options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS }: RequestOptions, reject: (error: Error) => void): () => void {
    const cancel = this.#options.clock.after(timeoutMs, () => {
      const error = new MillraceError('REQUEST_TIMED_OUT', `${api} got no answer from ${this.#address} within ${timeoutMs} ms.`, { retriable: true })
      reject(error)
      // Answers come in order: behind one that is missing no other will come.
      this.#end(error)
    })
    if (signal === undefined) return cancel
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    return () => {
      cancel()
      signal.removeEventListener('abort', onAbort)
    }
  }

  #submit(pending: Pending): void {
    const { maxWaiting = 10_000 } = this.#options
    if (this.#inFlight.length < this.#maxInFlight && this.#waiting.length === 0) return this.#send(pending)
    if (this.#waiting.length < maxWaiting) return void this.#waiting.push(pending)
    pending.release()
    pending.reject(new MillraceError('TOO_MANY_REQUESTS', `${maxWaiting} requests wait for ${this.#address} already.`, { retriable: true }))
  }

  #send(pending: Pending): void {
    const socket = this.#socket
    this.#cork.hold()
    const { chunks } = pending
    const last = chunks.length - 1
    for (let i = 0; i < last; i++) socket.write(chunks[i]!)
    if (pending.isAnswered) {
      this.#inFlight.push(pending)
      socket.write(chunks[last]!)
    } else {
      socket.write(chunks[last]!, error => {
        pending.release()
        if (error) pending.reject(this.#lost(error.message, error))
        else pending.resolve(complete(apis.Produce.response, { responses: [] }))
      })
    }
  }

  #answer(frame: Buffer): void {
    if (!this.#open) return
    const reader = new ByteReader(frame)
    const correlationId = readCorrelationId(reader)
    const pending = this.#inFlight[0]
    if (pending === undefined || pending.correlationId !== correlationId) {
      throw new MillraceError('MALFORMED_FRAME', `The broker at ${this.#address} answers request ${correlationId}; ${pending === undefined ? 'none is open' : `${pending.correlationId} is due`}.`)
    }
    const response = decodeResponse(pending.api, pending.version, reader)
    this.#inFlight.shift()
    pending.release()
    pending.resolve(response)
    while (this.#waiting.length > 0 && this.#inFlight.length < this.#maxInFlight) this.#send(this.#waiting.shift()!)
  }

  #end(reason: Error | null): void {
    if (!this.#open) return
    this.#open = false
    this.#failure = reason
    this.#socket.destroy()
    for (const pending of [...this.#inFlight.splice(0), ...this.#waiting.splice(0)]) {
      pending.release()
      pending.reject(this.#lost(reason === null ? 'it was closed' : reason.message, reason ?? undefined))
    }
    this.#resolveClosed(reason)
  }

  #lost(why: string, cause?: Error): MillraceError {
    return new MillraceError('CONNECTION_FAILED', `The connection to ${this.#address} is lost: ${why.replace(/\.$/, '')}.`, { retriable: true, cause })
  }
}
