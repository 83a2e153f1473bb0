// A broker on a disk without a byte of room: topics can be deleted, which makes room; the log says it once.

import { expect, test } from 'vitest'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { reserveBytes } from '../../../broker/disk/disk-reserve.ts'
import { FullDiskLog } from '../../../broker/engine/full-disk-log.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { ZERO_UUID } from '../../../broker/wire/defaults.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { batchOf } from '../log/batches.ts'

const clock = new VirtualClock(1000)
let logged: string[] = []
const logger = { info: (message: string) => void logged.push(message), warn: (message: string) => void logged.push(message), error: (message: string) => void logged.push(message) }

function start(disk: MemoryDisk): Promise<Broker> {
  logged = []
  return startBroker({ disk, clock, random: seededRandom(1), logger })
}

async function produce(channel: Channel, name: string, bytes: number): Promise<string> {
  const records = batchOf([{ key: 'k', value: 'x'.repeat(bytes), timestamp: 1000 }])
  const { responses } = await channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name, partitionData: [{ index: 0, records }] }] }, { version: 11 })
  return errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)
}

async function create(channel: Channel, ...names: readonly string[]): Promise<void> {
  await channel.request('CreateTopics', { topics: names.map(name => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })) })
}

async function remove(channel: Channel, name: string): Promise<string> {
  const { responses } = await channel.request('DeleteTopics', { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 1000 })
  return errorNameOf(responses[0]!.errorCode)
}

function roomyDisk(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.capacityBytes = 64 * reserveBytes
  return disk
}

test('topics can be deleted, once and again when there is room for another reserve', async () => {
  const disk = roomyDisk()
  let broker = await start(disk)
  let channel = broker.connect()
  expect(disk.size('.reserve')).toBe(reserveBytes)
  await create(channel, 'big', 'small', 'other')
  await produce(channel, 'big', 900_000)
  disk.capacityBytes = disk.usedBytes
  expect([await produce(channel, 'small', 1), await remove(channel, 'big')]).toEqual(['KAFKA_STORAGE_ERROR', 'NONE'])
  expect(disk.size('.reserve')).toBeNull()
  expect(await produce(channel, 'small', 1)).toBe('NONE')
  disk.capacityBytes = disk.usedBytes
  expect(await remove(channel, 'small')).toBe('KAFKA_STORAGE_ERROR')
  disk.capacityBytes = 64 * reserveBytes
  clock.advance(10_000)
  expect(disk.size('.reserve')).toBe(reserveBytes)
  disk.capacityBytes = disk.usedBytes
  expect(await remove(channel, 'other')).toBe('NONE')
  disk.capacityBytes = 64 * reserveBytes
  await broker.close()
  broker = await start(disk)
  channel = broker.connect()
  expect((await channel.request('Metadata', { topics: null })).topics.map(({ name }) => name)).toEqual(['small'])
  await broker.close()
})

test('a disk with little room is left to the records, and one in memory has nothing to keep', async () => {
  const small = new MemoryDisk()
  small.capacityBytes = 2 * reserveBytes
  for (const disk of [small, new MemoryDisk()]) {
    const broker = await start(disk)
    expect(disk.size('.reserve')).toBeNull()
    await broker.close()
  }
})

test('two minutes of a full disk are a few lines, and then it says that there is room', async () => {
  const disk = roomyDisk()
  const broker = await start(disk)
  const channel = broker.connect()
  await create(channel, 't')
  await produce(channel, 't', 1)
  logged = []
  disk.capacityBytes = disk.usedBytes
  for (let second = 0; second < 120; second++) {
    for (let time = 0; time < 3; time++) expect(await produce(channel, 't', 10)).toBe('KAFKA_STORAGE_ERROR')
    clock.advance(1000)
  }
  expect(logged).toEqual(['could not append to a log', 'could not append to a log'])
  disk.capacityBytes = 64 * reserveBytes
  clock.advance(10_000)
  for (let time = 0; time < 3; time++) expect(await produce(channel, 't', 10)).toBe('NONE')
  expect(logged.slice(2)).toEqual(['there is room on the disk again'])
  await broker.close()
})

test('what has another reason is said each time, and how many lines were left out', () => {
  const said: unknown[] = []
  const say = (message: string, fields?: object): void => void said.push([message, fields])
  const log = new FullDiskLog({ info: say, warn: say, error: say }, clock)
  for (let time = 0; time < 3; time++) {
    log.error('a', { code: 'DISK_FULL' })
    log.warn('b', { code: 'DISK_FAILED' })
  }
  clock.advance(60_000)
  log.warn('c', { code: 'DISK_FULL' })
  expect(said).toEqual([['a', { code: 'DISK_FULL' }], ['b', { code: 'DISK_FAILED' }], ['b', { code: 'DISK_FAILED' }], ['b', { code: 'DISK_FAILED' }], ['c', { code: 'DISK_FULL', linesLeftOut: 2 }]])
})
