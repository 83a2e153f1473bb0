// A channel to the broker in the same process: requests and answers are handed over as objects, record batches by reference.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { apiOf, type ApiName, type RequestInput, type RequestOf, type ResponseOf } from '../wire/apis.ts'
import type { Channel, RequestOptions } from '../wire/channel.ts'
import type { Description, InputOf } from '../wire/description.ts'
import { complete } from '../wire/defaults.ts'
import type { Session } from '../wire/session.ts'
import type { ServedVersions } from './handlers/api-versions.ts'

export interface PipeOptions {
  readonly session: Session
  readonly served: ServedVersions
  readonly clock: Clock
  readonly clientId: string | null
  /** Called once when the pipe is closed from either side. */
  readonly onClose: () => void
}

export class Pipe implements Channel {
  readonly closed: Promise<Error | null>
  readonly #options: PipeOptions
  readonly #waiting = new Set<(error: MillraceError) => void>()
  #isClosed = false
  #resolveClosed: (reason: Error | null) => void = () => {}

  constructor(options: PipeOptions) {
    this.#options = options
    this.closed = new Promise(resolve => (this.#resolveClosed = resolve))
  }

  /** The broker begins with a request before this returns. */
  request<N extends ApiName>(api: N, body: RequestInput<N>, options: RequestOptions = {}): Promise<ResponseOf<N>> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw connectionFailed(api)
      const version = options.version ?? this.versionOf(api)
      const release = this.#limit(api, options, reject)
      const handled = this.#options.session.handle(api, version, complete(apiOf(api).request, body) as RequestOf<N>, this.#options.clientId)
      const answered = handled.then(answer => resolve(complete(apiOf(api).response, (answer ?? noAnswer) as InputOf<Description>) as ResponseOf<N>), reject)
      void answered.finally(release)
    })
  }

  versionOf(api: ApiName): number {
    const version = this.#options.served.get(api)?.[1]
    if (version === undefined) throw new MillraceError('UNSUPPORTED_VERSION', `The embedded broker does not serve ${api}.`)
    return version
  }

  close(): void {
    this.end(null)
  }

  /** From the broker's side, with the reason. */
  end(reason: Error | null): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const failure = new MillraceError('CONNECTION_FAILED', 'The pipe to the embedded broker was closed.', { retriable: true, cause: reason })
    for (const reject of this.#waiting) reject(failure)
    this.#waiting.clear()
    this.#options.session.close()
    this.#options.onClose()
    this.#resolveClosed(reason)
  }

  /** Sees to it that the wait ends when the pipe is closed, the caller gives up, or the time is up. Answers how to stop that. */
  #limit(api: ApiName, { signal, timeoutMs }: RequestOptions, reject: (error: unknown) => void): () => void {
    this.#waiting.add(reject)
    const onAbort = signal === undefined ? null : (): void => reject(signal.reason)
    if (onAbort !== null) signal!.addEventListener('abort', onAbort)
    const cancel = timeoutMs === undefined ? null : this.#options.clock.after(timeoutMs, () => reject(timedOut(api, timeoutMs)))
    return () => {
      this.#waiting.delete(reject)
      if (onAbort !== null) signal!.removeEventListener('abort', onAbort)
      cancel?.()
    }
  }
}

/** What a Produce with acks 0 resolves to once it is completed. */
const noAnswer: object = {}

function timedOut(api: ApiName, timeoutMs: number): MillraceError {
  return new MillraceError('REQUEST_TIMED_OUT', `The embedded broker did not answer ${api} within ${timeoutMs} ms.`, { retriable: true })
}

function connectionFailed(api: ApiName): MillraceError {
  return new MillraceError('CONNECTION_FAILED', `The pipe to the embedded broker is closed; ${api} was not sent.`, { retriable: true })
}
