// What an error handler is told of a record that could not be read or processed, and what it may answer.

import type { MillraceError } from '../../core/error.ts'
import type { Offset } from '../../core/record.ts'

export interface RecordFailure {
  /** Where the record came from; null in a punctuation, which has no record. */
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
export type FailureVerdict = 'fail' | 'skip'

export interface FailureHandlers {
  /** A record that cannot be decoded. */
  readonly onDeserializationError: (failure: RecordFailure) => FailureVerdict
  /** A function of the user's that threw, a negative event time, a value that its serde cannot write. */
  readonly onProcessingError: (failure: RecordFailure) => FailureVerdict
}
