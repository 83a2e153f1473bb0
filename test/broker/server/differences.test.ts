// Where Millrace differs from Apache Kafka as README's tables say, row by row, as far as no other test shows it.

import { setImmediate } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { ZERO_UUID } from '../../../broker/wire/defaults.ts'
import { errorNameOf, type ErrorName } from '../../../broker/wire/error-code.ts'
import { batchOf } from '../log/batches.ts'

const open: Broker[] = []

afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

async function start(options: BrokerOptions = { memory: true }): Promise<Channel> {
  const broker = await startBroker({ clock: new VirtualClock(1_000_000), random: seededRandom(1), ...options })
  open.push(broker)
  return broker.connect({ clientId: 'test' })
}

async function create(channel: Channel, configs: Readonly<Record<string, string>> = {}, replicationFactor = -1): Promise<ErrorName> {
  const topic = { name: 't', numPartitions: 1, replicationFactor, assignments: [], configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }
  return errorNameOf((await channel.request('CreateTopics', { topics: [topic] })).topics[0]!.errorCode)
}

async function produce(channel: Channel, acks: number): Promise<void> {
  const records = batchOf([{ key: null, value: 'v', timestamp: 1000 }])
  await channel.request('Produce', { acks, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
}

async function fetch(channel: Channel, session: { readonly sessionId: number; readonly sessionEpoch: number }) {
  return channel.request('Fetch', { maxWaitMs: 0, minBytes: 0, ...session, topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }] }, { version: 11 })
}

test.each([[1, 'NONE'], [-1, 'NONE'], [2, 'INVALID_REPLICATION_FACTOR']] as const)('a replication factor of %i: %s', async (factor, told) => {
  expect(await create(await start(), {}, factor)).toBe(told)
})

test.each([['14', 'NONE'], ['13', 'INVALID_CONFIG']])('segments of %s bytes: %s', async (bytes, told) => {
  expect(await create(await start(), { 'segment.bytes': bytes })).toBe(told)
})

test('who asks for a fetch session gets its records, and none', async () => {
  const channel = await start()
  await create(channel)
  await produce(channel, -1)
  const { errorCode, sessionId, responses } = await fetch(channel, { sessionId: 0, sessionEpoch: 0 })
  expect([errorCode, sessionId, responses[0]!.partitions[0]!.records!.length > 0]).toEqual([0, 0, true])
})

test('records sent with acks 0 are read when they are on the disk', async () => {
  const disk = new MemoryDisk()
  const channel = await start({ disk })
  await create(channel)
  let opens = (): void => {}
  disk.syncGate = new Promise(resolve => (opens = resolve))
  await produce(channel, 0)
  const highWatermark = async (): Promise<number> => (await fetch(channel, { sessionId: 0, sessionEpoch: -1 })).responses[0]!.partitions[0]!.highWatermark
  expect(await highWatermark()).toBe(0)
  opens()
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  expect(await highWatermark()).toBe(1)
})

test('a topic made by asking for its metadata is in the answer', async () => {
  const { topics } = await (await start()).request('Metadata', { topics: [{ name: 't' }], allowAutoTopicCreation: true })
  expect(topics.map(({ name, errorCode, partitions }) => [name, errorCode, partitions.length])).toEqual([['t', 0, 1]])
})

test.each([['__consumer_offsets', 0], ['__transaction_state', 1]] as const)('%s cannot be deleted', async (name, keyType) => {
  const channel = await start()
  await channel.request('FindCoordinator', { keyType, coordinatorKeys: ['k'] })
  const { responses } = await channel.request('DeleteTopics', { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: 1000 })
  expect(errorNameOf(responses[0]!.errorCode)).toBe('INVALID_REQUEST')
  expect((await channel.request('Metadata', { topics: [{ name }] })).topics[0]!.errorCode).toBe(0)
})

test('topics of a pattern, and what a new member shares with another, are in the first answer', async () => {
  const channel = await start()
  await create(channel)
  await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  const join = { groupId: 'g', memberEpoch: 0, rebalanceTimeoutMs: 30_000, topicPartitions: [] }
  const first = await channel.request('ConsumerGroupHeartbeat', { ...join, memberId: 'a', subscribedTopicRegex: 't.*' })
  expect(first.assignment?.topicPartitions.map(({ partitions }) => partitions)).toEqual([[0]])
  // In Apache Kafka it would have the epoch before for a second yet.
  expect((await channel.request('ConsumerGroupHeartbeat', { ...join, memberId: 'b', subscribedTopicNames: ['t'] })).memberEpoch).toBeGreaterThan(first.memberEpoch)
})

test.each(['GSSAPI', 'OAUTHBEARER'])('logins by %s are refused at the start', async mechanism => {
  await expect(start({ memory: true, settings: { 'sasl.enabled.mechanisms': mechanism } })).rejects.toMatchObject({ code: 'BAD_SETTING', message: expect.stringContaining(mechanism) as string })
})

test.each([[8, '1'], [16, 'm']])('levels of loggers and metrics of clients cannot be set (resource type %i)', async (resourceType, resourceName) => {
  const resource = { resourceType, resourceName, configs: [{ name: 'x', configOperation: 0, value: 'INFO' }] }
  expect((await (await start()).request('IncrementalAlterConfigs', { resources: [resource], validateOnly: false })).responses[0]!.errorCode).not.toBe(0)
})
