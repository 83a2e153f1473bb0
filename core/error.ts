// The one error class of Millrace: a stable code, whether trying again can help, the cause, and a hint what to do.

export interface ErrorDetails {
  /** What the person can do about it, as a full sentence. */
  readonly hint?: string
  readonly cause?: unknown
  /** True if the same call may succeed later. Default false. */
  readonly retriable?: boolean
}

/**
 * A failure of the world (input, disk, network, configuration). Our own mistakes are assertions instead.
 * `code` is stable, upper snake case (`UNKNOWN_STORE`, `LOG_LOCKED`), for programs to compare; the message states the fact.
 */
export class MillraceError extends Error {
  readonly code: string
  readonly retriable: boolean
  readonly hint: string | undefined

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(details.hint === undefined ? message : `${message} ${details.hint}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'MillraceError'
    this.code = code
    this.retriable = details.retriable ?? false
    this.hint = details.hint
  }
}

/** Throws if our own reasoning was wrong; always on. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}; this is a bug in Millrace`)
}
