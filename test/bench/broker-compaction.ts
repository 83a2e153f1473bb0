// How fast a changelog is compacted, and how long others wait for their turn meanwhile.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock } from '../../core/clock.ts'
import { seededRandom } from '../../core/random.ts'
import { FileDisk } from '../../broker/disk/file-disk.ts'
import { FilePool } from '../../broker/disk/file-pool.ts'
import { compact, compactionRange } from '../../broker/log/compaction.ts'
import { LentBuffers } from '../../broker/wire/lent-buffers.ts'
import { openLog } from '../../broker/log/recovery.ts'
import { RecordBatchWriter } from '../../broker/wire/record-batch-writer.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-compaction-'))
try {
  const disk = new FileDisk(directory)
  const segmentBytes = 50 << 20
  const settings = { segmentBytes, segmentMs: 1e12, indexIntervalBytes: 4096, segmentIndexBytes: 10 << 20 }
  const { log } = openLog({ disk, pool: new FilePool(disk), buffers: new LentBuffers(0), directory: 't-0' }, settings, { restore: () => {}, batch: () => {} })
  const random = seededRandom(1)
  const writer = new RecordBatchWriter()
  const value = Buffer.alloc(100, 7)
  const key = Buffer.alloc(8)
  const records = 1_500_000
  for (let i = 0; i < records; i++) {
    key.writeUInt32BE(random.uint32() % 100_000)
    writer.append(key, value, i)
    if (writer.size > 64 * 1024) log.append(Buffer.from(writer.close()), 0)
  }
  log.roll()
  await log.sync()
  const compaction = { deleteRetentionMs: 0, minCompactionLagMs: 0, maxCompactionLagMs: 1e15, minCleanableDirtyRatio: 0.5, segmentBytes, maxKeyBytes: 1 << 25 }
  const range = compactionRange(log, compaction, log.endOffset, 0)!
  let longest = 0
  let last = systemClock.monotonic()
  const start = last
  const { bytesBefore, bytesAfter } = await compact(log, range, compaction, 0, async () => {
    longest = Math.max(longest, systemClock.monotonic() - last)
    await nextTurn()
    last = systemClock.monotonic()
  })
  const seconds = (systemClock.monotonic() - start) / 1000
  process.stdout.write(`${records} records, ${bytesBefore >> 20} to ${bytesAfter >> 20} MiB: ${seconds.toFixed(1)} s, ${(records / seconds / 1e6).toFixed(2)} M records/s, ${(bytesBefore / seconds / 1e6).toFixed(0)} MB/s; longest turn ${longest.toFixed(0)} ms\n`)
} finally {
  rmSync(directory, { recursive: true })
}
