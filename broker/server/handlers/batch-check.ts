// Checks a record batch that a producer has sent before it is appended.

import { MillraceError } from '../../../core/error.ts'
import { shapeProblem } from '../../log/batch-scan.ts'
import { compressionNames, type CompressionName } from '../../wire/compression.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../../wire/record-batch-header.ts'
import { recompressed } from '../../wire/record-batch-recompression.ts'
import { maxDecompressedBytes, recordProblem, type BatchCheck, type BatchRefusal } from './record-check.ts'

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
  return contentProblem(header, version, check) ?? compressedAsAsked(header, check)
}

function damage(header: RecordBatchHeader, limit: number): string | null {
  return header.size > limit ? `its length says ${header.size} bytes of ${limit}` : header.problem(header.end)
}

function contentProblem(header: RecordBatchHeader, version: number, check: BatchCheck): BatchRefusal | null {
  const { settings } = check
  if (header.size > settings.maxMessageBytes) return tooLarge(header, settings.maxMessageBytes)
  if (header.count < 1 || header.count !== header.lastOffsetDelta + 1) return invalid(`The batch counts ${header.count} records with a last offset delta of ${header.lastOffsetDelta}.`)
  if (header.isControl) return invalid('Control batches are not taken from clients.')
  if (header.codec > zstd || (header.codec === zstd && version < 7)) return { error: 'UNSUPPORTED_COMPRESSION_TYPE', message: `Compression ${header.codec} is not supported in version ${version}.` }
  if (header.producerId >= 0 && header.baseSequence < 0) return invalid(`The batch of producer ${header.producerId} begins at sequence ${header.baseSequence}.`)
  if (header.isAppendTime) return { error: 'INVALID_TIMESTAMP', message: 'Producers do not set the timestamp type to LogAppendTime.' }
  return recordProblem(header, check)
}

/** A topic that says how its batches are compressed has them so, whatever the producer does. */
function compressedAsAsked(header: RecordBatchHeader, check: BatchCheck): RecordBatchHeader | BatchRefusal {
  const { compression, maxMessageBytes } = check.settings
  const codec = compression === 'uncompressed' ? 0 : compressionNames.indexOf(compression as CompressionName)
  if (codec < 0 || codec === header.codec) return stamped(header, check)
  try {
    const batch = recompressed(header, codec, maxDecompressedBytes)
    return batch.size > maxMessageBytes ? tooLarge(batch, maxMessageBytes) : stamped(batch, check)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return { error: error.code === 'UNSUPPORTED_COMPRESSION_TYPE' ? error.code : 'INVALID_RECORD', message: error.message }
  }
}

function stamped(header: RecordBatchHeader, { settings, now }: BatchCheck): RecordBatchHeader {
  if (settings.logAppendTime) header.setAppendTime(now)
  return header
}

function tooLarge({ size }: RecordBatchHeader, maxMessageBytes: number): BatchRefusal {
  return { error: 'MESSAGE_TOO_LARGE', message: `The record batch has ${size} bytes, more than the topic's max.message.bytes ${maxMessageBytes}.` }
}

function invalid(message: string): BatchRefusal {
  return { error: 'INVALID_RECORD', message }
}
