// Control batches: the commit and abort markers that end a producer's transaction in a partition.

import type { Timestamp } from '../../core/record.ts'
import { batchHeaderBytes, RecordBatchHeader } from './record-batch-header.ts'
import { RecordBatchWriter } from './record-batch-writer.ts'
import { controlRecordType, endTxnMarker } from './records/control-record.ts'
import { encodeVersioned } from './versioned.ts'

export interface TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly isCommit: boolean
  /** Grows with every coordinator of the transaction. */
  readonly coordinatorEpoch: number
}

const abortType = 0
const commitType = 1
/** In a marker's record the key comes behind five numbers of one byte each, and its type behind the key's version. */
const typeAt: number = batchHeaderBytes + 7
const coordinatorEpochAt: number = typeAt + 5

/** A batch that is one marker; `isAppendTime`: for a topic whose times are the broker's. */
export function writeMarker({ producerId, producerEpoch, isCommit, coordinatorEpoch }: TransactionMarker, timestamp: Timestamp, isAppendTime = false): Buffer {
  const writer = new RecordBatchWriter(batchHeaderBytes + 32)
  writer.append(encodeVersioned(controlRecordType, 0, { type: isCommit ? commitType : abortType }), encodeVersioned(endTxnMarker, 0, { coordinatorEpoch }), timestamp)
  const batch = writer.close({ producerId, producerEpoch, transactional: true, control: true })
  if (isAppendTime) new RecordBatchHeader(batch).setAppendTime(timestamp)
  return batch
}

/** What a control batch says; null where it ends no transaction. The whole batch must be in the header's buffer. */
export function readMarker(header: RecordBatchHeader): TransactionMarker | null {
  const { buffer, position, producerId, producerEpoch } = header
  if (header.end < position + coordinatorEpochAt + 4) return null
  const type = buffer.readInt16BE(position + typeAt)
  if (type !== abortType && type !== commitType) return null
  return { producerId, producerEpoch, isCommit: type === commitType, coordinatorEpoch: buffer.readInt32BE(position + coordinatorEpochAt) }
}
