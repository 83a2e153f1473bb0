// What an administrator learns of a broker's disk: bytes of each partition, and room.

import { expect, test } from 'vitest'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileDisk } from '../../../broker/disk/file-disk.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import { batchOf } from '../log/batches.ts'

const topics = ['a', 'b'].map(name => ({ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }))

test('sizes of partitions, all or those that are asked for and there', async () => {
  const disk = new MemoryDisk()
  await using broker = await startBroker({ disk })
  const channel = broker.connect()
  await channel.request('CreateTopics', { topics })
  const records = batchOf([{ key: null, value: 'v', timestamp: 1 }])
  const bytes = records.length
  await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 'a', partitionData: [{ index: 1, records }] }] }, { version: 11 })
  const sizes = async (topics: { topic: string; partitions: number[] }[] | null): Promise<unknown> => {
    const { results, errorCode } = await channel.request('DescribeLogDirs', { topics })
    return { errorCode, topics: results.map(({ topics }) => topics.map(({ name, partitions }) => [name, partitions.map(partition => [partition.partitionIndex, partition.partitionSize])])) }
  }
  expect(await sizes(null)).toEqual({ errorCode: 0, topics: [[['a', [[0, 0], [1, bytes]]], ['b', [[0, 0], [1, 0]]]]] })
  expect(await sizes([{ topic: 'a', partitions: [1, 7] }, { topic: 'c', partitions: [0] }, { topic: 'b', partitions: [] }])).toEqual({ errorCode: 0, topics: [[['a', [[1, bytes]]]]] })
  const { results } = await channel.request('DescribeLogDirs', { topics: null })
  expect(results[0]).toMatchObject({ errorCode: 0, logDir: 'memory', totalBytes: -1, usableBytes: -1 })
  expect(results[0]!.topics[0]!.partitions[0]).toMatchObject({ offsetLag: 0, isFutureKey: false })
  disk.capacityBytes = 1e6
  const { results: bounded } = await channel.request('DescribeLogDirs', { topics: null })
  expect(bounded[0]).toMatchObject({ totalBytes: 1e6, usableBytes: 1e6 - disk.usedBytes })
})

test('the machine says how much room there is', () => {
  const directory = mkdtempSync(join(tmpdir(), 'log-dirs-'))
  try {
    const { totalBytes, usableBytes } = new FileDisk(directory).space()!
    expect(totalBytes).toBeGreaterThan(0)
    expect(usableBytes).toBeLessThanOrEqual(totalBytes)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
