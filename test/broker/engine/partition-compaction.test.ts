// Compaction beside a partition's writers: what is appended and rolled while it waits for the disk stays out of it, and a crash in its midst finds all.

import { expect, test } from 'vitest'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { BrokerMeters } from '../../../broker/engine/broker-meters.ts'
import { Partition } from '../../../broker/engine/partition.ts'
import { compactOnce } from '../../../broker/engine/partition-upkeep.ts'
import { topicConfigs, topicSettings } from '../../../broker/kernel/topic-config.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { silentLogger } from '../../../core/logger.ts'
import { batchOf } from '../log/batches.ts'

const configs: Readonly<Record<string, string>> = { 'cleanup.policy': 'compact', 'segment.bytes': '300', 'min.cleanable.dirty.ratio': '0' }

function open(disk: MemoryDisk): Partition {
  const settings = topicSettings(name => configs[name] ?? topicConfigs.get(name)!.default!)
  const home = { disk, pool: new FilePool(disk), buffers: new LentBuffers(0), directory: 'topic-0' }
  return new Partition({ topic: 'topic', index: 0, home, settings, flush: 'fsync', leaderEpoch: 0, clock: new VirtualClock(10_000), logger: silentLogger, meters: new BrokerMeters() })
}

function append(partition: Partition, value: string): Promise<void> {
  const batch = batchOf([{ key: 'k', value, timestamp: 10_000 }])
  return partition.committed(partition.append(batch, new RecordBatchHeader(batch)) + 1)
}

test('the power goes before what a compaction did is written down: segments that were rolled since its checkpoint are whole', async () => {
  const disk = new MemoryDisk()
  const partition = open(disk)
  for (let i = 0; i < 5; i++) await append(partition, `early ${i}`.padEnd(100))
  // In the last segment, so that the compaction has a checkpoint to write.
  await append(partition, 'short')
  await turns()
  const replaceFile = disk.replaceFile.bind(disk)
  // The checkpoint that the compaction begins with is the last one that gets to the disk, and writers go on while it does.
  disk.replaceFile = async (path, bytes) => {
    disk.replaceFile = () => new Promise(() => {})
    await Promise.all(Array.from({ length: 5 }, (_, i) => append(partition, `late ${i}`.padEnd(100))))
    await replaceFile(path, bytes)
  }
  void compactOnce(partition, { maxKeyBytes: 1e9, pause: async () => {} }, { clock: new VirtualClock(10_000), logger: silentLogger, meters: new BrokerMeters() })
  await turns()
  const after = open(disk.crash(({ synced }) => ({ keep: synced })))
  await after.recovered()
  expect(after.log.endOffset).toBe(11)
})

async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
}
