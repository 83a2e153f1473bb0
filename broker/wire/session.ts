// The border between a broker and whatever carries requests to it, a socket or a pipe: a session per connection.

import type { MillraceError } from '../../core/error.ts'
import type { ApiName, RequestOf, ResponseInput } from './apis.ts'

export interface Session {
  /**
   * Answers one request, already decoded; null where Kafka sends no answer (Produce with acks 0).
   * Called again only after the answer before: requests of a connection are handled one at a time. Produces, and OffsetCommits, may follow
   * their like without waiting (a pipe in process may hand over any); requests take effect in the order of the calls.
   * @throws MillraceError to close the connection; what a client should see goes into the answer's error codes instead
   */
  handle<N extends ApiName>(api: N, version: number, body: RequestOf<N>, clientId: string | null): Promise<ResponseInput<N> | null>
  /** Whoever carries answers says so when it needs one of their chunks no more: memory lent for it is used again. Need not be said. */
  sent?(chunk: Buffer): void
  /** The connection is gone: a request that is being waited for (a long poll, a join) may end at once; its answer is dropped. */
  close(): void
  /** False until the client has said who it is; it gets little meanwhile. */
  readonly isKnown?: boolean
  /** True once no request will be answered any more: the connection is closed behind the last answer. */
  readonly isOver?: boolean
  /** True while the next frame is no request but a token of an authentication: {@link handleToken} answers it. */
  readonly expectsToken?: boolean
  /** Null: there is nothing to answer. */
  handleToken?(token: Buffer): Promise<Buffer | null>
}

/** Where a session's client is, and whom its certificate names, if it has shown one that is trusted. */
export type Peer = { readonly host: string; readonly port: number; readonly certified?: string | null } | 'in-process'

/** Ends a session's connection at once, for a reason of the broker's. */
export type HangUp = (reason: MillraceError) => void

export type SessionFactory = (peer: Peer, hangUp: HangUp) => Session
