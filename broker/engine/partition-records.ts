// Reads all records of a partition in order, for state that is what replaying them gives.

import type { Log } from '../log/log.ts'
import { RecordBatchCursor } from '../wire/record-batch-cursor.ts'
import { RecordBatchHeader } from '../wire/record-batch-header.ts'

const readBytes = 1024 * 1024

/** Calls `visit` with a cursor at each record up to the log's end. */
export function readRecords(log: Log, visit: (cursor: RecordBatchCursor) => void): void {
  for (let offset = log.logStartOffset; ; ) {
    const read = log.read(offset, { maxBytes: readBytes, limit: log.endOffset, atLeastOne: true })
    if (read === null) return
    const cursor = new RecordBatchCursor(read.records, { fromOffset: offset })
    while (cursor.next()) visit(cursor)
    offset = read.nextOffset
  }
}

/** Calls `visit` with each batch up to the log's end, markers of transactions included, and a cursor before its first record. */
export function readBatches(log: Log, visit: (header: RecordBatchHeader, cursor: RecordBatchCursor) => void): void {
  const header = new RecordBatchHeader(Buffer.alloc(0))
  for (let offset = log.logStartOffset; ; ) {
    const read = log.read(offset, { maxBytes: readBytes, limit: log.endOffset, atLeastOne: true })
    if (read === null) return
    const { records } = read
    for (let start = 0; start < records.length; ) {
      const { end } = header.moveTo(records, start)
      visit(header, new RecordBatchCursor(records, { start, end, fromOffset: offset }))
      start = end
    }
    offset = read.nextOffset
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
