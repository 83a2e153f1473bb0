// What to do with a record that cannot be read or processed: fail the application, or skip the record and count it.

import type { MillraceError } from '../../core/error.ts'
import type { Offset } from '../../core/record.ts'

/** Where it happened. */
export interface RecordFailure {
  /** Null in a punctuation, which has no record. */
  readonly topic: string | null
  /** -1 in a punctuation. */
  readonly partition: number
  /** -1 in a punctuation. */
  readonly offset: Offset
  /** Name of the node whose work failed. */
  readonly operator: string
  /** `file:line` of that operator in the user's script, where known. */
  readonly site: string | null
  readonly error: MillraceError
}

/** `skip`: the record goes no further from the operator that failed, and is counted; what was done before it stays. */
export type ErrorVerdict = 'fail' | 'skip'

/** The same verdict for all, or a function that looks at each failure. */
export type ErrorHandler = ErrorVerdict | ((failure: RecordFailure) => ErrorVerdict)

export function verdictOf(handler: ErrorHandler, failure: RecordFailure): ErrorVerdict {
  return typeof handler === 'function' ? handler(failure) : handler
}
