// Batches for tests of the log: a few small records, or bytes of a given size.

import { RecordBatchWriter, type BatchClosing } from '../../../broker/wire/record-batch-writer.ts'
import { RecordBatchCursor, type AbortedTransaction } from '../../../broker/wire/record-batch-cursor.ts'

export interface TestRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

export function batchOf(records: readonly TestRecord[], closing: BatchClosing = {}): Buffer {
  const writer = new RecordBatchWriter()
  for (const { key, value, timestamp } of records) writer.append(key === null ? null : Buffer.from(key), value === null ? null : Buffer.from(value), timestamp)
  return writer.close(closing)
}

export interface ReadRecord extends TestRecord {
  readonly offset: number
}

export function recordsOf(buffer: Buffer, fromOffset = 0, aborted: readonly AbortedTransaction[] = []): readonly ReadRecord[] {
  const cursor = new RecordBatchCursor(buffer, { fromOffset, aborted })
  const records: ReadRecord[] = []
  const text = (start: number, end: number): string | null => (start < 0 ? null : cursor.buffer.toString('utf8', start, end))
  while (cursor.next()) {
    records.push({ offset: cursor.offset, timestamp: cursor.timestamp, key: text(cursor.keyStart, cursor.keyEnd), value: text(cursor.valueStart, cursor.valueEnd) })
  }
  return records
}
