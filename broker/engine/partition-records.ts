// Reads all records of a partition in order, for state that is what replaying them gives.

import type { Offset } from '../../core/record.ts'
import type { Log, LogRead } from '../log/log.ts'
import { RecordBatchCursor } from '../wire/record-batch-cursor.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'

const readBytes = 1024 * 1024

/** Calls `visit` with a cursor at each record up to the log's end. Damage is passed over: the log's owner has been told of it. */
export function readRecords(log: Log, visit: (cursor: RecordBatchCursor) => void): void {
  for (const { records, fromOffset } of reads(log)) {
    const cursor = new RecordBatchCursor(records, { fromOffset })
    while (cursor.next()) visit(cursor)
  }
}

/** Calls `visit` with each batch up to the log's end, markers of transactions included, and a cursor before its first record. Damage is passed over. */
export function readBatches(log: Log, visit: (header: RecordBatchHeader, cursor: RecordBatchCursor) => void): void {
  const header = new RecordBatchHeader(Buffer.alloc(0))
  for (const { records, fromOffset } of reads(log)) {
    for (let start = 0; start < records.length; ) {
      const { end } = header.moveTo(records, start)
      visit(header, new RecordBatchCursor(records, { start, end, fromOffset }))
      start = end
    }
  }
}

function* reads(log: Log): Generator<{ readonly records: Buffer; readonly fromOffset: Offset }> {
  for (let offset = log.logStartOffset; offset < log.endOffset; ) {
    const read = readOrPassOver(log, offset)
    if (read === null) return
    if (typeof read !== 'number') yield { records: read.records, fromOffset: offset }
    offset = typeof read === 'number' ? read : read.nextOffset
  }
}

/** Batches; the offset to go on at where there is damage; null at the end. */
function readOrPassOver(log: Log, offset: Offset): LogRead | Offset | null {
  try {
    return log.read(offset, { maxBytes: readBytes, limit: log.endOffset, atLeastOne: true })
  } catch (error) {
    const damage = log.damageFrom(offset)
    if (damage === null) throw error
    return damage.nextOffset
  }
}

/** The key of the record at hand; null if it has none. Valid as long as the cursor's buffer. */
export function keyOf(cursor: RecordBatchCursor): Buffer | null {
  return cursor.keyStart < 0 ? null : cursor.buffer.subarray(cursor.keyStart, cursor.keyEnd)
}

/** The value of the record at hand; null for a tombstone. */
export function valueOf(cursor: RecordBatchCursor): Buffer | null {
  return cursor.valueStart < 0 ? null : cursor.buffer.subarray(cursor.valueStart, cursor.valueEnd)
}
