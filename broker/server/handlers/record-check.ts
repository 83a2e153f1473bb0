// Checks the records within a batch that a producer has sent: what is acknowledged can be read by everyone, as Apache Kafka sees to it.

import type { Offset, Timestamp } from '../../../core/record.ts'
import { MillraceError } from '../../../core/error.ts'
import type { TopicSettings } from '../../kernel/topic-config.ts'
import { canDecompress } from '../../wire/compression.ts'
import type { ErrorName } from '../../wire/error-code.ts'
import { RecordBatchCursor } from '../../wire/record-batch-cursor.ts'
import type { RecordBatchHeader } from '../../wire/record-batch-header.ts'

export interface BatchRefusal {
  readonly error: ErrorName
  readonly message: string
  /** Of the log that refuses it. */
  readonly logStartOffset?: Offset
  /** Which records of the batch are to blame, where that is known. */
  readonly records?: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string }[]
}

export interface BatchCheck {
  readonly settings: TopicSettings
  readonly now: Timestamp
  /** The bytes came in process: our own writer made them a moment ago. */
  readonly trusted: boolean
}

/** Most bytes that a batch may hold when it is decompressed: what our own readers take. */
export const maxDecompressedBytes: number = 128 * 1024 * 1024
const maxRecordErrors = 100

/**
 * What is wrong with the records of a batch whose header is good; null if nothing. A largest timestamp that the header does not have is written into it.
 * Of batches that were made in process only the keys are looked at, and those of unknown codecs are taken as they are, but on compacted topics.
 */
export function recordProblem(header: RecordBatchHeader, check: BatchCheck): BatchRefusal | null {
  const { compact, logAppendTime } = check.settings
  if (!canDecompress(header.codec)) return !compact ? headerTimeProblem(header, check) : { error: 'UNSUPPORTED_COMPRESSION_TYPE', message: `This broker cannot read compression ${header.codec}, which a compacted topic needs.` }
  if (check.trusted && !compact) return headerTimeProblem(header, check)
  try {
    const { keyless, untimely, maxTimestamp, refusal } = walk(header, check)
    if (refusal !== null) return refusal
    // Kafka's order: a bad time tells more than a missing key, and all are named.
    if (untimely.length > 0) return { error: 'INVALID_TIMESTAMP', message: 'One or more records have been rejected due to invalid timestamp.', records: [...keyless, ...untimely].sort((a, b) => a.batchIndex - b.batchIndex) }
    if (keyless.length > 0) return { error: 'INVALID_RECORD', message: 'One or more records have been rejected: a compacted topic takes no record without a key.', records: keyless }
    const problem = headerTimeProblem(header, check)
    if (problem === null && !logAppendTime && (maxTimestamp !== header.maxTimestamp || header.isAppendTime)) header.setMaxTimestamp(maxTimestamp)
    return problem
  } catch (error) {
    // The sum is right, so this is what was sent: trying again would not help.
    if (error instanceof MillraceError) return { error: 'INVALID_RECORD', message: error.message }
    throw error
  }
}

function headerTimeProblem(header: RecordBatchHeader, check: BatchCheck): BatchRefusal | null {
  return outOfRange(header.maxTimestamp, check) ?? outOfRange(header.baseTimestamp, check)
}

type RecordError = NonNullable<BatchRefusal['records']>[number]

interface Walk {
  readonly keyless: RecordError[]
  /** Out of range, as far as they have a key where they must. */
  readonly untimely: RecordError[]
  readonly maxTimestamp: Timestamp
  readonly refusal: BatchRefusal | null
}

/** Reads every record. @throws MillraceError CORRUPT_RECORD */
function walk(header: RecordBatchHeader, check: BatchCheck): Walk {
  const cursor = new RecordBatchCursor(header.buffer, { start: header.position, end: header.end, fromOffset: Number.NEGATIVE_INFINITY, maxBatchBytes: maxDecompressedBytes, isSummed: true })
  const keyless: RecordError[] = []
  const untimely: RecordError[] = []
  const { baseOffset } = header
  const { compact } = check.settings
  let maxTimestamp = -1
  let index = 0
  for (; cursor.next(); index++) {
    if (cursor.offset !== baseOffset + index) return { keyless, untimely, maxTimestamp, refusal: invalid(`Record ${index} of the batch has the offset delta ${cursor.offset - baseOffset}.`) }
    if (keyless.length + untimely.length < maxRecordErrors) {
      const problem = !check.trusted && header.isAppendTime && (check.settings.logAppendTime || cursor.timestamp === -1) ? appendTimeSaid : outOfRange(cursor.timestamp, check)
      if (compact && cursor.keyStart < 0) keyless.push({ batchIndex: index, batchIndexErrorMessage: 'Compacted topic cannot accept message without key.' })
      else if (problem !== null) untimely.push({ batchIndex: index, batchIndexErrorMessage: problem.message })
    }
    if (cursor.timestamp > maxTimestamp) maxTimestamp = cursor.timestamp
    cursor.checkHeaders()
  }
  if (index !== header.count || cursor.bytesLeft !== 0) return { keyless, untimely, maxTimestamp, refusal: invalid(`The batch has ${cursor.bytesLeft} bytes behind its ${index} records.`) }
  return { keyless, untimely, maxTimestamp, refusal: null }
}

const appendTimeSaid: BatchRefusal = { error: 'INVALID_TIMESTAMP', message: 'Producers do not set the timestamp type to LogAppendTime.' }

/** Says so where a timestamp is further from now than the topic takes. No timestamp (-1) is always taken. */
function outOfRange(timestamp: Timestamp, { settings, now }: BatchCheck): BatchRefusal | null {
  if (settings.logAppendTime || timestamp === -1) return null
  const tooLate = timestamp - now > settings.timestampAfterMaxMs
  if (!tooLate && now - timestamp <= settings.timestampBeforeMaxMs) return null
  const bound = tooLate ? `message.timestamp.after.max.ms ${settings.timestampAfterMaxMs}` : `message.timestamp.before.max.ms ${settings.timestampBeforeMaxMs}`
  return { error: 'INVALID_TIMESTAMP', message: `Timestamp ${timestamp} is out of range for ${bound}; the broker's time is ${now}.` }
}

function invalid(message: string): BatchRefusal {
  return { error: 'INVALID_RECORD', message }
}
