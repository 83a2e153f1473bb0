// Checks a record batch that a producer has sent before it is appended.

import type { Timestamp } from '../../../core/record.ts'
import { MillraceError } from '../../../core/error.ts'
import type { TopicSettings } from '../../kernel/topic-config.ts'
import { shapeProblem } from '../../log/batch-scan.ts'
import type { ErrorName } from '../../wire/error-code.ts'
import { RecordBatchCursor } from '../../wire/record-batch-cursor.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../../wire/record-batch-header.ts'

export interface BatchRefusal {
  readonly error: ErrorName
  readonly message: string
  /** Which records of the batch are to blame, where that is known. */
  readonly records?: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string }[]
}

export interface BatchCheck {
  readonly settings: TopicSettings
  readonly now: Timestamp
  /** The bytes came in process: their CRC was made a moment ago. */
  readonly trusted: boolean
}

const zstd = 4

/** The header of the one good batch that `records` is, or what is wrong. A topic with LogAppendTime gets its time written into the batch. */
export function checkBatch(records: Buffer | null, version: number, check: BatchCheck): RecordBatchHeader | BatchRefusal {
  if (records === null || records.length === 0) return invalid('The request has no record batch.')
  if (records.length > 16 && records[16] !== 2) return invalid(`The batch has magic ${records[16]}; only 2 is taken.`)
  if (records.length < batchHeaderBytes) return { error: 'CORRUPT_MESSAGE', message: `There are only ${records.length} bytes of a record batch.` }
  const header = new RecordBatchHeader(records)
  const problem = check.trusted ? shapeProblem(header, records.length, Number.NEGATIVE_INFINITY) : damage(header, records.length)
  if (problem !== null) return { error: 'CORRUPT_MESSAGE', message: `The record batch is corrupt: ${problem}.` }
  if (header.size < records.length) return invalid('The request has more than one record batch for a partition.')
  return contentProblem(header, version, check) ?? stamped(header, check)
}

function damage(header: RecordBatchHeader, limit: number): string | null {
  return header.size > limit ? `its length says ${header.size} bytes of ${limit}` : header.problem(header.end)
}

function contentProblem(header: RecordBatchHeader, version: number, check: BatchCheck): BatchRefusal | null {
  const { settings } = check
  if (header.size > settings.maxMessageBytes) {
    return { error: 'MESSAGE_TOO_LARGE', message: `The record batch has ${header.size} bytes, more than the topic's max.message.bytes ${settings.maxMessageBytes}.` }
  }
  if (header.count < 1 || header.count !== header.lastOffsetDelta + 1) return invalid(`The batch counts ${header.count} records with a last offset delta of ${header.lastOffsetDelta}.`)
  if (header.isControl) return invalid('Control batches are not taken from clients.')
  if (header.codec > zstd || (header.codec === zstd && version < 7)) return { error: 'UNSUPPORTED_COMPRESSION_TYPE', message: `Compression ${header.codec} is not supported in version ${version}.` }
  return timestampProblem(header, check) ?? (settings.compact ? keyProblem(header) : null)
}

function timestampProblem(header: RecordBatchHeader, { settings, now }: BatchCheck): BatchRefusal | null {
  if (settings.logAppendTime) return null
  const { baseTimestamp, maxTimestamp } = header
  const tooLate = maxTimestamp - now > settings.timestampAfterMaxMs
  if (!tooLate && (baseTimestamp < 0 || now - baseTimestamp <= settings.timestampBeforeMaxMs)) return null
  const bound = tooLate ? `message.timestamp.after.max.ms ${settings.timestampAfterMaxMs}` : `message.timestamp.before.max.ms ${settings.timestampBeforeMaxMs}`
  return { error: 'INVALID_TIMESTAMP', message: `Timestamp ${tooLate ? maxTimestamp : baseTimestamp} of the batch is out of range for ${bound}; the broker's time is ${now}.` }
}

/** A compacted topic keeps the last record of each key: one without a key cannot be kept. */
function keyProblem(header: RecordBatchHeader): BatchRefusal | null {
  const keyless: { batchIndex: number; batchIndexErrorMessage: string }[] = []
  try {
    const cursor = new RecordBatchCursor(header.buffer, { start: header.position, end: header.end, fromOffset: Number.NEGATIVE_INFINITY })
    for (let index = 0; cursor.next(); index++) {
      if (cursor.keyStart < 0) keyless.push({ batchIndex: index, batchIndexErrorMessage: 'Compacted topic cannot accept message without key.' })
    }
  } catch (error) {
    if (error instanceof MillraceError) return { error: 'CORRUPT_MESSAGE', message: error.message }
    throw error
  }
  return keyless.length === 0 ? null : { error: 'INVALID_RECORD', message: 'One or more records have been rejected due to ' + `${keyless.length} record errors in total.`, records: keyless }
}

function stamped(header: RecordBatchHeader, { settings, now }: BatchCheck): RecordBatchHeader {
  if (settings.logAppendTime) header.setAppendTime(now)
  return header
}

function invalid(message: string): BatchRefusal {
  return { error: 'INVALID_RECORD', message }
}
