// Times are found also in batches that this Node cannot read: to the batch, where the record is out of reach.

import { expect, test } from 'vitest'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import type { Log } from '../../../broker/log/log.ts'
import { openLog } from '../../../broker/log/recovery.ts'
import { findMaxTimestamp, findTimestamp } from '../../../broker/log/time-lookup.ts'
import { canDecompress } from '../../../broker/wire/compression.ts'
import { batchOf } from './batches.ts'

const ZSTD = 4
/** Three records at 1000, 1001 and 1002, compressed with zstd (by Node 24). */
const zstdBatch = 'AAAAAAAAAAAAAABg/////wJiC1AcAAQAAAACAAAAAAAAA+gAAAAAAAAD6v//////////////////AAAAAyi1L/1gjAAtAQDIhAIAAAAGa2V58AF2YWx1ZSAAhAIAAgIEBAMEKhzwP5jypSwB'

function logOf(...batches: readonly Buffer[]): Log {
  const disk = new MemoryDisk()
  const settings = { segmentBytes: 1 << 20, segmentMs: 1 << 30, indexIntervalBytes: 1, segmentIndexBytes: 4096 }
  const { log } = openLog({ disk, pool: new FilePool(disk), buffers: new LentBuffers(0), directory: 'topic-0' }, settings, { restore() {}, batch() {} })
  for (const batch of batches) log.append(Buffer.from(batch), 0)
  return log
}

test('with zstd the record is found, without it the batch that holds it, by the first offset that may still be read', () => {
  const log = logOf(batchOf([{ key: null, value: 'early', timestamp: 500 }]), Buffer.from(zstdBatch, 'base64'))
  const readable = canDecompress(ZSTD)
  expect(findTimestamp(log, 500, log.endOffset)).toEqual({ timestamp: 500, offset: 0 })
  expect(findTimestamp(log, 1001, log.endOffset)).toEqual(readable ? { timestamp: 1001, offset: 2 } : { timestamp: 1002, offset: 1 })
  expect(findMaxTimestamp(log, log.endOffset)).toEqual(readable ? { timestamp: 1002, offset: 3 } : { timestamp: 1002, offset: 1 })
  expect(findTimestamp(log, 1003, log.endOffset)).toBeNull()
})
