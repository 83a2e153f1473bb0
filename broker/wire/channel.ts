// A client's way to one broker, over TCP or in process: requests out, answers back, versions already agreed on.

import type { ApiName, RequestInput, ResponseOf } from './apis.ts'

export interface RequestOptions {
  /** Default: the newest that both sides speak. */
  readonly version?: number
  /** Aborting gives up waiting; the broker may still do what was asked. */
  readonly signal?: AbortSignal
  /** How long to wait for the answer, milliseconds. Default: the channel's. */
  readonly timeoutMs?: number
}

export interface Channel {
  /**
   * Requests are sent in the order of the calls and handled by the broker in that order. Error codes in the answer are the caller's to read.
   * Record batches are handed over as they are: what the answerer keeps beyond its answer it copies, for their buffers are used again then.
   * A Produce with acks 0 resolves at once, to an answer without topics.
   * @throws MillraceError CONNECTION_FAILED or REQUEST_TIMED_OUT (retriable), UNSUPPORTED_VERSION
   */
  request<N extends ApiName>(api: N, body: RequestInput<N>, options?: RequestOptions): Promise<ResponseOf<N>>
  /** The newest version of an API that both sides speak. @throws MillraceError UNSUPPORTED_VERSION */
  versionOf(api: ApiName): number
  /** Resolves when the channel is no longer usable: with the reason, or null after `close()`. */
  readonly closed: Promise<Error | null>
  /** Requests without an answer fail with CONNECTION_FAILED. */
  close(): void
}
