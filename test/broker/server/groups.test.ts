// Stories of consumer groups over a broker's pipe, with time moved by hand.

import { afterEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { RequestInput, ResponseOf } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'

const open: Broker[] = []
let clock = new VirtualClock(1_000_000)

async function start(disk = new MemoryDisk()): Promise<Channel> {
  clock = new VirtualClock(1_000_000)
  const broker = await startBroker({ disk, clock, random: seededRandom(1) })
  open.push(broker)
  const channel = broker.connect({ clientId: 'c' })
  await channel.request('FindCoordinator', { coordinatorKeys: ['g'] })
  await channel.request('Metadata', { topics: [{ name: 't' }] })
  return channel
}

afterEach(async () => {
  for (const broker of open.splice(0)) await broker.close()
})

/** Lets what was begun go on until it waits for time or people. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve()
}

function join(channel: Channel, memberId: string, options: Partial<RequestInput<'JoinGroup'>> & { version?: number } = {}): Promise<ResponseOf<'JoinGroup'>> {
  const { version = 9, ...rest } = options
  return channel.request('JoinGroup', {
    groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 30_000, memberId, protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from(memberId) }], ...rest,
  }, { version })
}

function sync(channel: Channel, generationId: number, memberId: string, assignments: Record<string, string> = {}): Promise<ResponseOf<'SyncGroup'>> {
  const list = Object.entries(assignments).map(([member, text]) => ({ memberId: member, assignment: Buffer.from(text) }))
  return channel.request('SyncGroup', { groupId: 'g', generationId, memberId, protocolType: 'consumer', protocolName: 'range', assignments: list })
}

async function beat(channel: Channel, generationId: number, memberId: string): Promise<string> {
  return errorNameOf((await channel.request('Heartbeat', { groupId: 'g', generationId, memberId })).errorCode)
}

async function commit(channel: Channel, generation: number, memberId: string, offset: number): Promise<string> {
  const { topics } = await channel.request('OffsetCommit', {
    groupId: 'g', generationIdOrMemberEpoch: generation, memberId, topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: 'note' }] }],
  }, { version: 9 })
  return errorNameOf(topics[0]!.partitions[0]!.errorCode)
}

async function committed(channel: Channel): Promise<readonly [number, string | null]> {
  const { groups } = await channel.request('OffsetFetch', { groups: [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }] }, { version: 9 })
  const { committedOffset, metadata } = groups[0]!.topics[0]!.partitions[0]!
  return [committedOffset, metadata]
}

/** Two members in generation 2, the first of which leads. */
async function twoMembers(channel: Channel): Promise<readonly [string, string]> {
  const a = (await join(channel, '')).memberId
  const first = await join(channel, a)
  expect([first.errorCode, first.generationId, first.leader, first.members.length]).toEqual([0, 1, a, 1])
  expect((await sync(channel, 1, a, { [a]: 'all' })).assignment.toString()).toBe('all')
  const b = (await join(channel, '')).memberId
  const joiningB = join(channel, b)
  await settle()
  expect(await beat(channel, 1, a)).toBe('REBALANCE_IN_PROGRESS')
  const [againA, joinedB] = await Promise.all([join(channel, a), joiningB])
  expect([againA.generationId, joinedB.generationId, joinedB.leader, joinedB.members.length, againA.members.length]).toEqual([2, 2, a, 0, 2])
  const syncingB = sync(channel, 2, b)
  await settle()
  expect((await sync(channel, 2, a, { [a]: 'left', [b]: 'right' })).assignment.toString()).toBe('left')
  expect((await syncingB).assignment.toString()).toBe('right')
  expect(errorNameOf((await sync(channel, 1, a)).errorCode)).toBe('ILLEGAL_GENERATION')
  expect(errorNameOf((await sync(channel, 3, a)).errorCode)).toBe('ILLEGAL_GENERATION')
  return [a, b]
}

test('members join, get their assignment, and make room for another', async () => {
  const channel = await start()
  const refused = await join(channel, '')
  expect(errorNameOf(refused.errorCode)).toBe('MEMBER_ID_REQUIRED')
  channel.close()
  const other = await start()
  const [a, b] = await twoMembers(other)
  expect([await beat(other, 2, a), await beat(other, 2, b), await beat(other, 1, a), await beat(other, 2, 'nobody')]).toEqual(['NONE', 'NONE', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])
  const { groups } = await other.request('DescribeGroups', { groups: ['g'] })
  expect(groups[0]).toMatchObject({ groupState: 'Stable', protocolType: 'consumer', protocolData: 'range' })
  expect(groups[0]!.members.map(({ memberAssignment }) => memberAssignment.toString())).toEqual(['left', 'right'])
})

test('a member that leaves, and one that falls silent, cause a rebalance of the rest', async () => {
  const channel = await start()
  const [a, b] = await twoMembers(channel)
  const left = await channel.request('LeaveGroup', { groupId: 'g', members: [{ memberId: b }, { memberId: 'nobody' }] })
  expect(left.members.map(({ errorCode }) => errorNameOf(errorCode))).toEqual(['NONE', 'UNKNOWN_MEMBER_ID'])
  expect(await beat(channel, 2, a)).toBe('REBALANCE_IN_PROGRESS')
  expect((await join(channel, a)).generationId).toBe(3)
  await sync(channel, 3, a, { [a]: 'all' })
  clock.advance(9_000)
  expect(await beat(channel, 3, a)).toBe('NONE')
  clock.advance(9_000)
  expect(await beat(channel, 3, a)).toBe('NONE')
  clock.advance(10_001)
  expect(await beat(channel, 3, a)).toBe('UNKNOWN_MEMBER_ID')
  const { groups } = await channel.request('ListGroups', {})
  expect(groups).toMatchObject([{ groupId: 'g', groupState: 'Empty', protocolType: 'consumer' }])
})

test('members that do not come back in time are left behind', async () => {
  const channel = await start()
  const [a, b] = await twoMembers(channel)
  const joining = join(channel, a)
  await settle()
  for (let i = 0; i < 4; i++) {
    clock.advance(8_000)
    await beat(channel, 2, b)
  }
  const joined = await joining
  expect([joined.generationId, joined.members.map(({ memberId }) => memberId)]).toEqual([3, [a]])
  expect(await beat(channel, 3, b)).toBe('UNKNOWN_MEMBER_ID')
})

test('offsets are committed by members of the generation, kept over a restart, and deleted with the group', async () => {
  const disk = new MemoryDisk()
  const channel = await start(disk)
  const [a, b] = await twoMembers(channel)
  expect(await commit(channel, 2, a, 7)).toBe('NONE')
  expect([await commit(channel, 1, a, 8), await commit(channel, 2, 'nobody', 8), await commit(channel, -1, '', 8)]).toEqual(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'])
  expect(await committed(channel)).toEqual([7, 'note'])
  await open.splice(0)[0]!.close()
  const again = await start(disk)
  expect(await committed(again)).toEqual([7, 'note'])
  // Members of the broker's own process have ended with it.
  expect([await beat(again, 2, a), await beat(again, 2, b)]).toEqual(['UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'])
  const c = (await join(again, '', { version: 3 })).memberId
  expect((await again.request('DeleteGroups', { groupsNames: ['g', 'other'] })).results.map(({ errorCode }) => errorNameOf(errorCode))).toEqual(['NON_EMPTY_GROUP', 'GROUP_ID_NOT_FOUND'])
  await again.request('LeaveGroup', { groupId: 'g', members: [{ memberId: c }] })
  expect((await again.request('DeleteGroups', { groupsNames: ['g'] })).results[0]!.errorCode).toBe(0)
  expect(await committed(again)).toEqual([-1, ''])
  expect((await again.request('ListGroups', {})).groups).toEqual([])
})

test('a client without a group keeps offsets, too', async () => {
  const channel = await start()
  expect(await commit(channel, -1, '', 3)).toBe('NONE')
  expect(await committed(channel)).toEqual([3, 'note'])
})

test('a static member that comes back without its id takes its place without a rebalance', async () => {
  const channel = await start()
  const options = { groupInstanceId: 'one', protocols: [{ name: 'range', metadata: Buffer.from('same') }] }
  const first = await join(channel, '', options)
  await channel.request('SyncGroup', { groupId: 'g', protocolType: 'consumer', protocolName: 'range', generationId: 1, memberId: first.memberId, groupInstanceId: 'one', assignments: [{ memberId: first.memberId, assignment: Buffer.from('mine') }] })
  // What it says of itself may differ: a new process has no partitions yet.
  const second = await join(channel, '', { ...options, protocols: [{ name: 'range', metadata: Buffer.from('anew') }] })
  expect([second.errorCode, second.generationId, second.skipAssignment, second.leader]).toEqual([0, 1, true, second.memberId])
  expect((await channel.request('SyncGroup', { groupId: 'g', protocolType: 'consumer', protocolName: 'range', generationId: 1, memberId: second.memberId, groupInstanceId: 'one', assignments: [] })).assignment.toString()).toBe('mine')
  expect(errorNameOf((await channel.request('Heartbeat', { groupId: 'g', generationId: 1, memberId: first.memberId, groupInstanceId: 'one' })).errorCode)).toBe('FENCED_INSTANCE_ID')
})

test('a member that shares no protocol is refused', async () => {
  const channel = await start()
  await twoMembers(channel)
  const refused = await join(channel, '', { protocols: [{ name: 'odd', metadata: Buffer.alloc(0) }] })
  expect(errorNameOf(refused.errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
})

test('offsets of a deleted topic are forgotten, and old ones of a group that keeps nothing else', async () => {
  const channel = await start()
  await commit(channel, -1, '', 3)
  await channel.request('DeleteTopics', { topics: [{ name: 't', topicId: '00000000-0000-0000-0000-000000000000' }], timeoutMs: 1 })
  await settle()
  expect(await committed(channel)).toEqual([-1, ''])
})
