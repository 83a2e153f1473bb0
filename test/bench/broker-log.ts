// How fast the log appends and reads large batches, without fsync: `node --import … test/bench/broker-log.ts` after a build, or through esbuild.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { FileDisk } from '../../broker/disk/file-disk.ts'
import { FilePool } from '../../broker/disk/file-pool.ts'
import { LentBuffers } from '../../broker/wire/lent-buffers.ts'
import { openLog } from '../../broker/log/recovery.ts'
import { RecordBatchWriter } from '../../broker/wire/record-batch-writer.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-log-'))
try {
  const disk = new FileDisk(directory)
  const settings = { segmentBytes: 1 << 30, segmentMs: 7 * 24 * 3600_000, indexIntervalBytes: 4096, segmentIndexBytes: 10 << 20 }
  const { log } = openLog({ disk, pool: new FilePool(disk), buffers: new LentBuffers(0), directory: 't-0' }, settings, { restore: () => {}, batch: () => {} })
  const writer = new RecordBatchWriter(300_000)
  const value = Buffer.alloc(100, 7)
  for (let i = 0; writer.size < 256 * 1024; i++) writer.append(value, value, i)
  const batch = Buffer.from(writer.close())
  const totalBytes = 512 << 20
  report('append 256 KiB batches', totalBytes, () => {
    for (let bytes = 0; bytes < totalBytes; bytes += batch.length) log.append(batch, 0)
  })
  for (const maxBytes of [1 << 20, 256 << 10]) {
    report(`read ${maxBytes >> 10} KiB at a time`, totalBytes, () => {
      for (let offset = 0; offset < log.endOffset; ) offset = log.read(offset, { maxBytes, limit: log.endOffset, atLeastOne: true })!.nextOffset
    })
  }
} finally {
  rmSync(directory, { recursive: true })
}

function report(what: string, bytes: number, action: () => void): void {
  const start = systemClock.monotonic()
  action()
  const seconds = (systemClock.monotonic() - start) / 1000
  process.stdout.write(`${what}: ${(bytes / seconds / 1e6).toFixed(0)} MB/s\n`)
}
