// A record batch with its records compressed otherwise; all else stays.

import { compress, decompress } from './compression.ts'
import { batchHeaderBytes, RecordBatchHeader, writeBatchHeader } from './record-batch-header.ts'

/** A batch of its own, in a buffer of its own. @throws MillraceError UNSUPPORTED_COMPRESSION_TYPE; CORRUPT_RECORD where it holds more than `maxBytes` */
export function recompressed(header: RecordBatchHeader, codec: number, maxBytes: number): RecordBatchHeader {
  const plain = decompress(header.codec, header.buffer.subarray(header.position + batchHeaderBytes, header.end), maxBytes)
  const records = compress(codec, plain)
  const batch = Buffer.allocUnsafe(batchHeaderBytes + records.length)
  batch.set(records, batchHeaderBytes)
  const { baseOffset, leaderEpoch, lastOffsetDelta, baseTimestamp, maxTimestamp, producerId, producerEpoch, baseSequence, count } = header
  writeBatchHeader(batch, 0, batch.length, {
    baseOffset, leaderEpoch, codec, transactional: header.isTransactional, control: header.isControl,
    lastOffsetDelta, baseTimestamp, maxTimestamp, producerId, producerEpoch, baseSequence, count,
  })
  return new RecordBatchHeader(batch)
}
