// Checks a record batch that a producer has sent before it is appended.

import { MillraceError } from '../../../core/error.ts'
import { compressionNames, type CompressionName } from '../../wire/compression.ts'
import { batchHeaderBytes, batchOverheadBytes, RecordBatchHeader } from '../../wire/record-batch-header.ts'
import { recompressed } from '../../wire/record-batch-recompression.ts'
import { maxDecompressedBytes, recordProblem, type BatchCheck, type BatchRefusal } from './record-check.ts'

const zstd = 4
const magicTaken = 2
/** What tells the magic, which is the same in every version of the format. */
const bytesUpToMagic = 17
/** Of the oldest version; a length below is none. */
const smallestBatchBytes = 26

/** The header of the one batch that `records` is, as far as its length and magic tell; or what is wrong. */
export function singleBatch(records: Buffer | null, version: number): RecordBatchHeader | BatchRefusal {
  if (records === null) return invalid('The request has no record batch.')
  const header = batchAt(records, 0)
  if (header === null) return invalid('The request has no whole record batch.')
  if (!(header instanceof RecordBatchHeader)) return header
  if (header.magic !== magicTaken) return invalid(`The batch has magic ${header.magic}; only 2 is taken.`)
  if (header.size < batchHeaderBytes) return corrupt(`its length says ${header.size} bytes`)
  if (header.codec === zstd && version < 7) return { error: 'UNSUPPORTED_COMPRESSION_TYPE', message: `Compression zstd is not supported in version ${version}.` }
  const next = batchAt(records, header.end)
  if (next === null) return header.end === records.length ? header : new RecordBatchHeader(records.subarray(0, header.end))
  return next instanceof RecordBatchHeader ? invalid('The request has more than one record batch for a partition.') : next
}

/** Null where the bytes end before a batch does; what is behind the last one whole is let go. */
function batchAt(records: Buffer, position: number): RecordBatchHeader | BatchRefusal | null {
  const left = records.length - position
  if (left < batchOverheadBytes) return null
  const header = new RecordBatchHeader(records, position)
  if (header.size < smallestBatchBytes) return corrupt(`its length says ${header.size} bytes`)
  if (left < bytesUpToMagic) return null
  if (header.magic > magicTaken) return corrupt(`its magic is ${header.magic}`)
  return header.size <= left ? header : null
}

/** The header of the batch as it goes into the log, or what is wrong with it. A topic with LogAppendTime gets its time written into the batch. */
export function checkBatch(header: RecordBatchHeader, check: BatchCheck): RecordBatchHeader | BatchRefusal {
  const { settings } = check
  // In process the bytes are shared: what is sent again has the offset, and perhaps the time, that the try before wrote into it.
  if (!check.trusted && header.baseOffset !== 0) return invalid(`The batch begins at offset ${header.baseOffset}, where a producer's begins at 0.`)
  if (header.size > settings.maxMessageBytes) return tooLarge(header, settings.maxMessageBytes)
  if (!check.trusted && header.computeCrc() !== header.crc) return corrupt('its CRC-32C is another than it says')
  return contentProblem(header, check) ?? compressedAsAsked(header, check)
}

function contentProblem(header: RecordBatchHeader, check: BatchCheck): BatchRefusal | null {
  if (header.count < 1 || header.count !== header.lastOffsetDelta + 1) return invalid(`The batch counts ${header.count} records with a last offset delta of ${header.lastOffsetDelta}.`)
  if (header.isControl) return invalid('Control batches are not taken from clients.')
  if (header.codec > zstd) return { error: 'UNSUPPORTED_COMPRESSION_TYPE', message: `There is no compression ${header.codec}.` }
  if (header.producerId >= 0 && header.baseSequence < 0) return invalid(`The batch of producer ${header.producerId} begins at sequence ${header.baseSequence}.`)
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

function corrupt(problem: string): BatchRefusal {
  return { error: 'CORRUPT_MESSAGE', message: `The record batch is corrupt: ${problem}.` }
}

function invalid(message: string): BatchRefusal {
  return { error: 'INVALID_RECORD', message }
}
