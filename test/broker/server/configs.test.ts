// Settings of topics and of the broker: where they come from, and how they are changed.

import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'

const open: Broker[] = []
afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

async function start(settings: Record<string, string> = {}, disk = new MemoryDisk()): Promise<Channel> {
  const broker = await startBroker({ disk, settings })
  open.push(broker)
  return broker.connect()
}

async function describe(channel: Channel, resourceType: number, resourceName: string, name: string) {
  const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType, resourceName, configurationKeys: [name] }], includeSynonyms: true })
  return results[0]!.configs[0]!
}

async function alter(channel: Channel, resourceType: number, resourceName: string, name: string, configOperation: number, value: string | null): Promise<string> {
  const { responses } = await channel.request('IncrementalAlterConfigs', { resources: [{ resourceType, resourceName, configs: [{ name, configOperation, value }] }], validateOnly: false })
  return errorNameOf(responses[0]!.errorCode)
}

const topic = 2
const broker = 4
const group = 32

test('a setting of a topic comes from the topic, the broker, or the default', async () => {
  const disk = new MemoryDisk()
  const channel = await start({ 'log.retention.hours': '2' }, disk)
  await channel.request('Metadata', { topics: [{ name: 't' }] })
  expect(await describe(channel, topic, 't', 'retention.ms')).toMatchObject({ value: '7200000', configSource: 4, synonyms: [{ name: 'log.retention.hours', source: 4 }, { name: 'log.retention.hours', value: '168', source: 5 }] })
  expect(await alter(channel, broker, '', 'log.retention.ms', 0, '5000')).toBe('NONE')
  expect(await describe(channel, topic, 't', 'retention.ms')).toMatchObject({ value: '5000', configSource: 3 })
  expect(await alter(channel, topic, 't', 'retention.ms', 0, '77')).toBe('NONE')
  expect(await describe(channel, topic, 't', 'retention.ms')).toMatchObject({ value: '77', configSource: 1 })
  await open.splice(0)[0]!.close()
  const again = await start({}, disk)
  expect(await describe(again, topic, 't', 'retention.ms')).toMatchObject({ value: '77', configSource: 1 })
  expect(await describe(again, broker, '1', 'log.retention.ms')).toMatchObject({ value: '5000', configSource: 3 })
  expect(await alter(again, topic, 't', 'retention.ms', 1, null)).toBe('NONE')
  expect(await describe(again, topic, 't', 'retention.ms')).toMatchObject({ value: '5000', configSource: 3 })
})

test('lists are appended to and subtracted from; what is wrong is refused with a reason', async () => {
  const channel = await start()
  await channel.request('Metadata', { topics: [{ name: 't' }] })
  expect(await alter(channel, topic, 't', 'cleanup.policy', 2, 'compact')).toBe('NONE')
  expect(await describe(channel, topic, 't', 'cleanup.policy')).toMatchObject({ value: 'delete,compact' })
  expect(await alter(channel, topic, 't', 'cleanup.policy', 3, 'delete')).toBe('NONE')
  expect(await describe(channel, topic, 't', 'cleanup.policy')).toMatchObject({ value: 'compact' })
  expect(await alter(channel, topic, 't', 'cleanup.policy', 0, 'burn')).toBe('INVALID_CONFIG')
  expect(await alter(channel, topic, 't', 'retention.ms', 0, 'soon')).toBe('INVALID_CONFIG')
  expect(await alter(channel, topic, 't', 'no.such', 0, '1')).toBe('INVALID_CONFIG')
  expect(await alter(channel, topic, 'none', 'retention.ms', 0, '1')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(await alter(channel, broker, '', 'num.partitions', 0, '2')).toBe('INVALID_REQUEST')
  const { responses } = await channel.request('AlterConfigs', { resources: [{ resourceType: topic, resourceName: 't', configs: [{ name: 'segment.bytes', value: '1000' }] }], validateOnly: false })
  expect(responses[0]!.errorCode).toBe(0)
  expect([(await describe(channel, topic, 't', 'cleanup.policy')).value, (await describe(channel, topic, 't', 'segment.bytes')).value]).toEqual(['delete', '1000'])
})

test('an unknown or impossible setting is refused at the start, with the nearest name', async () => {
  await expect(start({ 'log.retentoin.ms': '1' })).rejects.toThrow('Did you mean log.retention.ms?')
  await expect(start({ 'num.partitions': 'many' })).rejects.toThrow('num.partitions')
})

test.each([
  [broker, '', 'num.io.threads', 'The setting num.io.threads of Apache Kafka means nothing here: one thread serves all.'],
  [broker, '1', 'replica.fetch.max.bytes', 'The setting replica.fetch.max.bytes of Apache Kafka means nothing here: there is one broker, and no replicas.'],
  [broker, '', 'security.providers', 'The setting security.providers of Apache Kafka means nothing here.'],
  [broker, '', 'log.cleaner.thraeds', 'Unknown broker setting: log.cleaner.thraeds.'],
  [topic, 't', 'num.io.threads', 'Unknown topic config name: num.io.threads.'],
  [group, 'g', 'share.session.timeout.ms', 'The setting share.session.timeout.ms of Apache Kafka means nothing here: share groups are not served.'],
  [group, 'g', 'session.timeout.ms', 'Unknown group config name: session.timeout.ms.'],
] as const)('a setting of Kafka that means nothing here is refused with the reason (%i %s %s)', async (resourceType, resourceName, name, said) => {
  const channel = await start()
  await channel.request('Metadata', { topics: [{ name: 't' }] })
  const incremental = await channel.request('IncrementalAlterConfigs', { resources: [{ resourceType, resourceName, configs: [{ name, configOperation: 0, value: '5' }] }], validateOnly: false })
  const whole = await channel.request('AlterConfigs', { resources: [{ resourceType, resourceName, configs: [{ name, value: '5' }] }], validateOnly: true })
  for (const { responses: [response] } of [incremental, whole]) expect([errorNameOf(response!.errorCode), response!.errorMessage]).toEqual(['INVALID_CONFIG', expect.stringContaining(said)])
})

test('so it is at the start', async () => {
  await expect(start({ 'num.network.threads': '3' })).rejects.toMatchObject({ code: 'UNKNOWN_SETTING', message: expect.stringContaining('one thread serves all') })
})

test('a default replication factor that one broker cannot keep refuses topics, but not its own', async () => {
  const channel = await start({ 'default.replication.factor': '3', 'offsets.topic.replication.factor': '3' })
  const { topics } = await channel.request('Metadata', { topics: [{ name: 't' }] })
  expect(errorNameOf(topics[0]!.errorCode)).toBe('INVALID_REPLICATION_FACTOR')
  const { coordinators } = await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  expect(coordinators[0]!.errorCode).toBe(0)
})

test.each([[{ 'node.id': '5' }, 5], [{ 'broker.id': '6' }, 6], [{ 'broker.id': '-1' }, 1], [{ 'node.id': '7', 'broker.id': '-1' }, 7]])('a broker with %j is number %i', async (settings: Record<string, string>, number) => {
  const channel = await start(settings)
  const { brokers, controllerId } = await channel.request('DescribeCluster', { includeClusterAuthorizedOperations: false })
  expect([controllerId, ...brokers.map(({ brokerId }) => brokerId)]).toEqual([number, number])
  expect(await describe(channel, broker, String(number), 'node.id')).toMatchObject({ value: String(number) })
})

test('a list does not grow beyond what every version of the protocol can tell', async () => {
  const channel = await start()
  await channel.request('Metadata', { topics: [{ name: 't' }] })
  const list = (from: number) => Array.from({ length: 3000 }, (_, index) => `${from + index}:1`).join(',')
  expect(await alter(channel, topic, 't', 'leader.replication.throttled.replicas', 2, list(1000))).toBe('NONE')
  expect(await alter(channel, topic, 't', 'leader.replication.throttled.replicas', 2, list(5000))).toBe('INVALID_CONFIG')
  expect((await describe(channel, topic, 't', 'leader.replication.throttled.replicas')).value).toBe(list(1000))
})

test('members of a consumer group are told the heartbeat interval of their group, and outlive the session timeout that it has', async () => {
  const clock = new VirtualClock(1000)
  const running = await startBroker({ memory: true, clock })
  open.push(running)
  const channel = running.connect()
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] })
  await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  const beat = (memberEpoch: number) => channel.request('ConsumerGroupHeartbeat', { groupId: 'g', memberId: 'm', memberEpoch, rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] }, { version: 0 })
  expect(await beat(0)).toMatchObject({ errorCode: 0, heartbeatIntervalMs: 5000 })
  expect(await alter(channel, 32, 'g', 'consumer.heartbeat.interval.ms', 0, '7000')).toBe('NONE')
  expect(await alter(channel, 32, 'g', 'consumer.session.timeout.ms', 0, '60000')).toBe('NONE')
  const { memberEpoch, heartbeatIntervalMs } = await beat(2)
  expect(heartbeatIntervalMs).toBe(7000)
  clock.advance(59_000)
  expect((await beat(memberEpoch)).errorCode).toBe(0)
  clock.advance(60_000)
  expect(errorNameOf((await beat(memberEpoch)).errorCode)).toMatch(/UNKNOWN_MEMBER_ID|GROUP_ID_NOT_FOUND/)
})

test('consumer groups are heard of and given up within the bounds that the broker has, whatever they ask for', async () => {
  const bounds = { 'group.consumer.min.heartbeat.interval.ms': 100, 'group.consumer.heartbeat.interval.ms': 200, 'group.consumer.max.session.timeout.ms': 90_000 }
  const running = await startBroker({ memory: true, settings: bounds })
  open.push(running)
  const channel = running.connect()
  const set = (name: string, value: string) => alter(channel, 32, 'g', name, 0, value)
  expect(await set('consumer.heartbeat.interval.ms', '99')).toBe('INVALID_CONFIG')
  expect(await set('consumer.heartbeat.interval.ms', '100')).toBe('NONE')
  expect(await set('consumer.session.timeout.ms', '90001')).toBe('INVALID_CONFIG')
  expect(await set('consumer.session.timeout.ms', '90000')).toBe('NONE')
  expect((await describe(channel, 32, 'g', 'consumer.heartbeat.interval.ms')).value).toBe('100')
})

test('a group that has settings of its own keeps to bounds that were drawn later', async () => {
  const disk = new MemoryDisk()
  const first = await startBroker({ disk })
  expect(await alter(first.connect(), 32, 'g', 'consumer.heartbeat.interval.ms', 0, '15000')).toBe('NONE')
  await first.close()
  const second = await startBroker({ disk, settings: { 'group.consumer.max.heartbeat.interval.ms': 8000 } })
  open.push(second)
  const channel = second.connect()
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] })
  await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  const beat = { groupId: 'g', memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] }
  expect(await channel.request('ConsumerGroupHeartbeat', beat, { version: 0 })).toMatchObject({ errorCode: 0, heartbeatIntervalMs: 8000 })
})

test.each([
  [{ 'group.consumer.session.timeout.ms': 10_000 }, 'group.consumer.session.timeout.ms must be at least group.consumer.min.session.timeout.ms'],
  [{ 'group.consumer.heartbeat.interval.ms': 20_000 }, 'group.consumer.heartbeat.interval.ms must be at most group.consumer.max.heartbeat.interval.ms'],
  [{ 'group.consumer.min.session.timeout.ms': 70_000 }, 'group.consumer.max.session.timeout.ms must be at least group.consumer.min.session.timeout.ms'],
  [{ 'group.consumer.min.session.timeout.ms': 1000, 'group.consumer.session.timeout.ms': 5000 }, 'group.consumer.heartbeat.interval.ms must be less than group.consumer.session.timeout.ms'],
  [{ 'group.consumer.assignors': 'range,range' }, 'group.consumer.assignors must name no assignor twice'],
  [{ 'group.consumer.assignors': '' }, 'group.consumer.assignors must name an assignor'],
  [{ 'group.consumer.migration.policy': 'both' }, 'group.consumer.migration.policy'],
])('a broker with %o does not start', async (settings, why) => {
  await expect(startBroker({ memory: true, settings })).rejects.toMatchObject({ code: 'BAD_SETTING', message: expect.stringContaining(why) })
})
