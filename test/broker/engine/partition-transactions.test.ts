// A partition with transactions in it: what is stable, what was aborted, and that a restart knows it too.

import { expect, test } from 'vitest'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { BrokerMeters } from '../../../broker/engine/broker-meters.ts'
import { Partition } from '../../../broker/engine/partition.ts'
import { topicConfigs, topicSettings } from '../../../broker/kernel/topic-config.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { RecordBatchWriter } from '../../../broker/wire/record-batch-writer.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { silentLogger } from '../../../core/logger.ts'

function open(disk: MemoryDisk): Partition {
  const settings = topicSettings(name => topicConfigs.get(name)!.default!)
  const home = { disk, pool: new FilePool(disk), buffers: new LentBuffers(0), directory: 'topic-0' }
  return new Partition({ topic: 'topic', index: 0, home, settings, flush: 'fsync', leaderEpoch: 0, clock: new VirtualClock(1000), logger: silentLogger, meters: new BrokerMeters() })
}

async function append(partition: Partition, producerId: number, baseSequence: number, transactional = true): Promise<void> {
  const writer = new RecordBatchWriter(256)
  writer.append(null, Buffer.from('value'), 1000)
  const batch = writer.close({ producerId, producerEpoch: 0, baseSequence, transactional })
  await partition.committed(partition.append(batch, new RecordBatchHeader(batch)) + 1)
}

async function end(partition: Partition, producerId: number, isCommit: boolean): Promise<void> {
  await partition.committed(partition.appendMarker({ producerId, producerEpoch: 0, isCommit, coordinatorEpoch: 0 })! + 1)
}

test('the last stable offset stands before the first open transaction and moves with its marker', async () => {
  const partition = open(new MemoryDisk())
  await append(partition, 7, 0, false)
  await append(partition, 8, 0)
  await append(partition, 9, 0)
  expect([partition.lastStableOffset, partition.highWatermark]).toEqual([1, 3])
  await end(partition, 9, true)
  expect(partition.lastStableOffset).toBe(1)
  await end(partition, 8, false)
  expect([partition.lastStableOffset, partition.highWatermark]).toEqual([5, 5])
  expect(partition.transactions.abortedWithin(0, 5)).toEqual([{ producerId: 8, firstOffset: 1, lastOffset: 4 }])
  await partition.close()
})

test.each(['closed', 'crashed'] as const)('a partition that was %s knows its transactions when it opens again', async how => {
  let disk = new MemoryDisk()
  const before = open(disk)
  await append(before, 8, 0)
  await end(before, 8, false)
  await append(before, 9, 0)
  if (how === 'closed') await before.close()
  else disk = disk.kill()
  const after = open(disk)
  await after.recovered()
  expect([after.lastStableOffset, after.highWatermark]).toEqual([2, 3])
  expect(after.transactions.abortedWithin(0, 3)).toEqual([{ producerId: 8, firstOffset: 0, lastOffset: 1 }])
  await end(after, 9, true)
  expect(after.lastStableOffset).toBe(4)
  await after.close()
})

test('a marker of an older epoch than the producer has shown is not written', async () => {
  const partition = open(new MemoryDisk())
  const writer = new RecordBatchWriter(256)
  writer.append(null, Buffer.from('value'), 1000)
  const batch = writer.close({ producerId: 8, producerEpoch: 3, baseSequence: 0, transactional: true })
  await partition.committed(partition.append(batch, new RecordBatchHeader(batch)) + 1)
  expect(partition.appendMarker({ producerId: 8, producerEpoch: 2, isCommit: true, coordinatorEpoch: 0 })).toBeNull()
  await partition.close()
})
