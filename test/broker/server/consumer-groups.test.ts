// Consumer groups (KIP-848) as their members and admin tools meet them: joining, leaving, coming back, errors, offsets, and the change from one protocol to the other.

import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import type { RequestInput } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'

const open: Broker[] = []

afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

async function start(options: BrokerOptions = { memory: true }): Promise<{ broker: Broker; channel: Channel }> {
  const broker = await startBroker({ random: seededRandom(1), ...options })
  open.push(broker)
  const channel = broker.connect({ clientId: 'test' })
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 4, replicationFactor: -1, assignments: [], configs: [] }] })
  await channel.request('FindCoordinator', { key: 'g', keyType: 0, coordinatorKeys: ['g'] })
  return { broker, channel }
}

type Heartbeat = RequestInput<'ConsumerGroupHeartbeat'>

async function beat(channel: Channel, memberId: string, memberEpoch: number, more: Partial<Heartbeat> = {}) {
  const first = memberEpoch === 0 ? { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['t'], topicPartitions: [] } : {}
  const { errorCode, memberEpoch: epoch, assignment } = await channel.request('ConsumerGroupHeartbeat', { groupId: 'g', memberId, memberEpoch, ...first, ...more })
  return { error: errorNameOf(errorCode), epoch, partitions: assignment?.topicPartitions.flatMap(({ partitions }) => partitions) ?? null }
}

async function topicId(channel: Channel): Promise<string> {
  return (await channel.request('Metadata', { topics: [{ name: 't' }] })).topics[0]!.topicId
}

async function describeGroup(channel: Channel) {
  return (await channel.request('ConsumerGroupDescribe', { groupIds: ['g'], includeAuthorizedOperations: false })).groups[0]!
}

test('a second member gets its half when the first has given it up', async () => {
  const { channel } = await start()
  const id = await topicId(channel)
  expect(await beat(channel, 'a', 0)).toEqual({ error: 'NONE', epoch: 2, partitions: [0, 1, 2, 3] })
  expect(await beat(channel, 'b', 0)).toEqual({ error: 'NONE', epoch: 3, partitions: [] })
  const all = [{ topicId: id, partitions: [0, 1, 2, 3] }]
  const told = await beat(channel, 'a', 2, { topicPartitions: all })
  expect(told).toMatchObject({ error: 'NONE', epoch: 2 })
  expect(told.partitions).toHaveLength(2)
  expect(await beat(channel, 'b', 3)).toEqual({ error: 'NONE', epoch: 3, partitions: null })
  expect((await describeGroup(channel)).groupState).toBe('Reconciling')
  expect(await beat(channel, 'a', 2, { topicPartitions: [{ topicId: id, partitions: told.partitions! }] })).toMatchObject({ error: 'NONE', epoch: 3 })
  const gained = await beat(channel, 'b', 3)
  expect([...told.partitions!, ...gained.partitions!].sort((a, b) => a - b)).toEqual([0, 1, 2, 3])
  const group = await describeGroup(channel)
  expect(group).toMatchObject({ errorCode: 0, groupState: 'Stable', groupEpoch: 3, assignmentEpoch: 3, assignorName: 'uniform' })
  expect(group.members).toHaveLength(2)
  expect(group.members[0]).toMatchObject({ memberId: 'a', memberEpoch: 3, subscribedTopicNames: ['t'], clientId: 'test', memberType: 1, assignment: { topicPartitions: [{ topicName: 't', partitions: told.partitions }] } })
})

test('a static member comes back to what it had, and nobody else takes its name meanwhile', async () => {
  const { channel } = await start()
  const owner = { instanceId: 'i' }
  await beat(channel, 'a', 0, owner)
  expect(await beat(channel, 'other', 0, owner)).toMatchObject({ error: 'UNRELEASED_INSTANCE_ID' })
  expect(await beat(channel, 'a', -2, owner)).toMatchObject({ error: 'NONE', epoch: -2 })
  expect(await beat(channel, 'b', 0)).toEqual({ error: 'NONE', epoch: 3, partitions: [] })
  const back = await beat(channel, 'a2', 0, owner)
  expect(back).toMatchObject({ error: 'NONE', epoch: 3 })
  expect(back.partitions).toHaveLength(2)
  expect(await beat(channel, 'a', 3, owner)).toMatchObject({ error: 'FENCED_INSTANCE_ID' })
})

test('what members may not say is refused as by Kafka', async () => {
  const { channel } = await start({ memory: true, settings: { 'group.consumer.max.size': 1 } })
  expect(await beat(channel, 'a', 3)).toMatchObject({ error: 'GROUP_ID_NOT_FOUND' })
  expect(await beat(channel, 'a', 0, { rebalanceTimeoutMs: -1 })).toMatchObject({ error: 'INVALID_REQUEST' })
  expect(await beat(channel, 'a', 0, { subscribedTopicNames: null })).toMatchObject({ error: 'INVALID_REQUEST' })
  expect(await beat(channel, 'a', 0, { serverAssignor: 'mine' })).toMatchObject({ error: 'UNSUPPORTED_ASSIGNOR' })
  expect(await beat(channel, 'a', 0, { subscribedTopicNames: null, subscribedTopicRegex: '(' })).toMatchObject({ error: 'INVALID_REGULAR_EXPRESSION' })
  expect(await beat(channel, 'a', 0)).toMatchObject({ error: 'NONE', epoch: 2 })
  expect(await beat(channel, 'b', 0)).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED' })
  expect(await beat(channel, 'b', 2)).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED' })
  expect(await beat(channel, 'a', 7)).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
  expect(await beat(channel, 'a', -1)).toMatchObject({ error: 'NONE', epoch: -1 })
  expect((await describeGroup(channel)).groupState).toBe('Empty')
})

test('a pattern takes in topics as they are made', async () => {
  const { channel } = await start()
  const pattern = { subscribedTopicNames: null, subscribedTopicRegex: 't.*' }
  expect(await beat(channel, 'a', 0, pattern)).toMatchObject({ error: 'NONE', partitions: [0, 1, 2, 3] })
  await channel.request('CreateTopics', { topics: [{ name: 't2', numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }] })
  expect(await beat(channel, 'a', 2)).toMatchObject({ error: 'NONE', epoch: 3, partitions: [0, 1, 2, 3, 0] })
})

test("a pattern takes in the broker's own topics, too", async () => {
  const { channel } = await start()
  expect(await beat(channel, 'a', 0, { subscribedTopicNames: null, subscribedTopicRegex: '__consumer_.*' })).toMatchObject({ error: 'NONE', partitions: [0] })
})

test('who is silent for a session is given up, and so is who does not give up what it must', async () => {
  const clock = new VirtualClock(1e12)
  const { channel } = await start({ memory: true, clock })
  await beat(channel, 'a', 0)
  clock.advance(40_000)
  await beat(channel, 'b', 0)
  clock.advance(6_000)
  expect(await beat(channel, 'b', 3)).toMatchObject({ error: 'NONE', epoch: 4, partitions: [0, 1, 2, 3] })
  expect(await beat(channel, 'a', 2)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  await beat(channel, 'a', 0)
  expect((await beat(channel, 'b', 4)).partitions).toHaveLength(2)
  clock.advance(30_000)
  expect(await beat(channel, 'b', 4)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
})

test('with an epoch of before a member commits for what it has had since then, and for nothing else (KIP-1251)', async () => {
  const { channel } = await start()
  const topics = [{ topicId: await topicId(channel), partitions: [0, 1, 2, 3] }]
  const commit = async (memberId: string, epoch: number, partitions: readonly number[]) => {
    const asked = [{ name: 't', partitions: partitions.map(partitionIndex => ({ partitionIndex, committedOffset: 7, committedMetadata: null })) }]
    const answer = await channel.request('OffsetCommit', { groupId: 'g', generationIdOrMemberEpoch: epoch, memberId, topics: asked }, { version: 9 })
    return answer.topics[0]!.partitions.map(({ errorCode }) => errorNameOf(errorCode))
  }
  await beat(channel, 'a', 0)
  await beat(channel, 'b', 0)
  const kept = (await beat(channel, 'a', 2, { topicPartitions: topics })).partitions!
  await beat(channel, 'a', 2, { topicPartitions: [{ topicId: topics[0]!.topicId, partitions: kept }] })
  const gained = (await beat(channel, 'b', 3)).partitions!
  expect(await commit('a', 2, kept)).toEqual(['NONE', 'NONE'])
  expect(await commit('a', 1, kept)).toEqual(['STALE_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])
  expect(await commit('a', 4, kept)).toEqual(['STALE_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])
  expect(await commit('a', 2, [kept[0]!, gained[0]!])).toEqual(['STALE_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])
  expect(await commit('b', 2, gained)).toEqual(['STALE_MEMBER_EPOCH', 'STALE_MEMBER_EPOCH'])
})

test('offsets belong to the epoch, outlive the members, and the protocol may change while there are none', async () => {
  const disk = new MemoryDisk()
  const { broker, channel } = await start({ disk })
  await beat(channel, 'a', 0)
  const commit = async (memberId: string, epoch: number) => {
    const { topics } = await channel.request('OffsetCommit', { groupId: 'g', generationIdOrMemberEpoch: epoch, memberId, topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }] }] }, { version: 9 })
    return errorNameOf(topics[0]!.partitions[0]!.errorCode)
  }
  expect(await commit('a', 0)).toBe('STALE_MEMBER_EPOCH')
  expect(await commit('x', 2)).toBe('UNKNOWN_MEMBER_ID')
  expect(await commit('a', 2)).toBe('NONE')
  const asked = { groupId: 'g', memberId: 'a', memberEpoch: 5, topics: [{ name: 't', partitionIndexes: [0] }] }
  expect(errorNameOf((await channel.request('OffsetFetch', { groups: [asked], requireStable: true }, { version: 9 })).groups[0]!.errorCode)).toBe('STALE_MEMBER_EPOCH')
  const join = { groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: '', protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }] }
  expect(errorNameOf((await channel.request('JoinGroup', join, { version: 5 })).errorCode)).toBe('MEMBER_ID_REQUIRED')
  await beat(channel, 'a', -1)
  const joined = await channel.request('JoinGroup', join, { version: 3 })
  expect(errorNameOf(joined.errorCode)).toBe('NONE')
  expect(await beat(channel, 'a', 0)).toMatchObject({ error: 'GROUP_ID_NOT_FOUND' })
  expect(errorNameOf((await describeGroup(channel)).errorCode)).toBe('GROUP_ID_NOT_FOUND')
  await channel.request('LeaveGroup', { groupId: 'g', memberId: joined.memberId, members: [{ memberId: joined.memberId }] })
  expect(await beat(channel, 'a', 0)).toMatchObject({ error: 'NONE' })
  const { groups } = await channel.request('ListGroups', { statesFilter: [], typesFilter: ['consumer'] })
  expect(groups).toMatchObject([{ groupId: 'g', groupType: 'consumer', groupState: 'Stable', protocolType: 'consumer' }])
  await broker.close()
  const again = await startBroker({ disk })
  open.push(again)
  const channel2 = again.connect()
  const kept = await channel2.request('OffsetFetch', { groups: [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }], requireStable: true }, { version: 9 })
  expect(kept.groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBe(7)
  const deleted = async () => errorNameOf((await channel2.request('DeleteGroups', { groupsNames: ['g'] })).results[0]!.errorCode)
  expect(await deleted()).toBe('NONE')
  expect(await deleted()).toBe('GROUP_ID_NOT_FOUND')
})
