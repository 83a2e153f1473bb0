// More answers about groups that once departed from Apache Kafka's, found by the long stories of test/interop/twin; each is what Apache Kafka 4.3.1 says.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { RequestInput } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'

let broker: Broker
let channel: Channel
beforeAll(async () => {
  broker = await startBroker({ memory: true, listen: '127.0.0.1:0', settings: { 'group.initial.rebalance.delay.ms': 0 } })
  channel = await connectTcpChannel({ ...broker.address!, clock: systemClock })
  await channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }] })
  for (const keyType of [0, 1]) await channel.request('FindCoordinator', { keyType, coordinatorKeys: ['g'] })
})
afterAll(async () => {
  channel?.close()
  await broker?.close()
})

interface Answered {
  readonly name: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

const told = (topics: readonly Answered[]): readonly string[] => topics.map(({ name, partitions }) => `${name}: ${partitions.map(({ partitionIndex, errorCode }) => `${partitionIndex} ${errorNameOf(errorCode)}`).join(', ')}`)

describe('a topic that is named twice', () => {
  const offset = (partitionIndex: number) => ({ partitionIndex, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: '' })
  const offsets = (name: string, ...partitions: number[]) => ({ name, partitions: partitions.map(offset) })

  async function committed(topics: RequestInput<'OffsetCommit'>['topics'], version = 9): Promise<readonly string[]> {
    return told((await channel.request('OffsetCommit', { groupId: 'g', memberId: '', generationIdOrMemberEpoch: -1, topics }, { version })).topics)
  }

  test('is answered once where nobody has it, by its id as by its name', async () => {
    const topicId = '99999999-9999-4999-8999-999999999999'
    expect(await committed([{ topicId, partitions: [offset(0)] }, { topicId, partitions: [offset(7), offset(0)] }], 10)).toEqual([': 0 UNKNOWN_TOPIC_ID, 7 UNKNOWN_TOPIC_ID, 0 UNKNOWN_TOPIC_ID'])
    expect(await committed([offsets('nowhere', 0), offsets('nowhere', 1)])).toEqual(['nowhere: 0 UNKNOWN_TOPIC_OR_PARTITION, 1 UNKNOWN_TOPIC_OR_PARTITION'])
  })

  test('is answered as it was asked where all is there, and once as soon as something is not', async () => {
    expect(await committed([offsets('t', 0), offsets('t', 1)])).toEqual(['t: 0 NONE', 't: 1 NONE'])
    expect(await committed([offsets('t', 0), offsets('nowhere', 0), offsets('t', 1, 9)])).toEqual(['nowhere: 0 UNKNOWN_TOPIC_OR_PARTITION', 't: 9 UNKNOWN_TOPIC_OR_PARTITION, 0 NONE, 1 NONE'])
  })

  test('in transactions, and where offsets are deleted, too', async () => {
    const topics = [offsets('t', 0), offsets('t', 1, 9)]
    const inTransaction = await channel.request('TxnOffsetCommit', { transactionalId: 'x', groupId: 'g', memberId: '', producerId: 1, producerEpoch: 0, topics }, { version: 3 })
    expect(told(inTransaction.topics)).toEqual(['t: 9 UNKNOWN_TOPIC_OR_PARTITION, 0 INVALID_PRODUCER_ID_MAPPING, 1 INVALID_PRODUCER_ID_MAPPING'])
    const ofNothing = await channel.request('TxnOffsetCommit', { transactionalId: 'x', groupId: 'g', memberId: '', producerId: 1, producerEpoch: 0, topics: [offsets('t'), offsets('nowhere')] })
    expect(told(ofNothing.topics)).toEqual(['nowhere: '])
    expect(told((await channel.request('OffsetDelete', { groupId: 'g', topics })).topics)).toEqual(['t: 9 UNKNOWN_TOPIC_OR_PARTITION, 0 NONE, 1 NONE'])
  })
})

describe('a member that takes another instance id', () => {
  const beat = async (memberId: string, memberEpoch: number, instanceId: string | null) =>
    channel.request('ConsumerGroupHeartbeat', { groupId: 'names', memberId, memberEpoch, instanceId, rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['t'], topicPartitions: [] })

  test('goes on to be known by the one before, until it has left', async () => {
    const { memberEpoch } = await beat('m', 0, 'one')
    expect(errorNameOf((await beat('m', 0, 'other')).errorCode)).toBe('NONE')
    expect(errorNameOf((await beat('m', memberEpoch, 'one')).errorCode)).toBe('NONE')
    expect(errorNameOf((await beat('n', 0, 'other')).errorCode)).toBe('UNRELEASED_INSTANCE_ID')
    expect(errorNameOf((await beat('m', -1, 'one')).errorCode)).toBe('NONE')
    expect(errorNameOf((await beat('n', 0, 'other')).errorCode)).toBe('NONE')
    expect(errorNameOf((await beat('o', 0, 'one')).errorCode)).toBe('NONE')
  })
})

describe('a consumer group', () => {
  const beat = async (groupId: string, memberId: string, memberEpoch: number, more: Partial<RequestInput<'ConsumerGroupHeartbeat'>> = {}) =>
    channel.request('ConsumerGroupHeartbeat', { groupId, memberId, memberEpoch, rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['later'], topicPartitions: [], ...more })

  test('gives what cannot be divided to who has it already, and else to the last', async () => {
    for (const memberId of ['a', 'b']) await beat('uneven', memberId, 0)
    await channel.request('CreateTopics', { topics: [{ name: 'later', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }] })
    expect((await beat('uneven', 'c', 0)).assignment!.topicPartitions.map(({ partitions }) => partitions)).toEqual([[1]])
    expect((await beat('uneven', 'a', 0)).assignment!.topicPartitions).toEqual([])
    await beat('uneven', 'a', -1)
    expect((await beat('uneven', 'd', 0)).assignment!.topicPartitions).toEqual([])
  })

  test('knows who asks before it looks at a pattern', async () => {
    const pattern = { instanceId: 'i', subscribedTopicRegex: '(' }
    expect(errorNameOf((await beat('pattern', 'm', 0, pattern)).errorCode)).toBe('INVALID_REGULAR_EXPRESSION')
    await beat('pattern', 'm', 0)
    expect(errorNameOf((await beat('pattern', 'm', 2, pattern)).errorCode)).toBe('UNKNOWN_MEMBER_ID')
  })
})

test('who joins before the last assignment was told takes it from all', async () => {
  const join = async (memberId: string, groupInstanceId: string, metadata: string) =>
    channel.request('JoinGroup', { groupId: 'classic', sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId, groupInstanceId, protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from(metadata) }] })
  const { memberId, generationId } = await join('', 'i', 'meta')
  await channel.request('SyncGroup', { groupId: 'classic', generationId, memberId, groupInstanceId: 'i', protocolType: 'consumer', protocolName: 'range', assignments: [{ memberId, assignment: Buffer.from('part') }] })
  const assigned = async (): Promise<string> => (await channel.request('DescribeGroups', { groups: ['classic'] })).groups[0]!.members[0]!.memberAssignment.toString()
  await join(memberId, 'i', 'more')
  expect(await assigned()).toBe('part')
  await join(memberId, 'i', 'meta')
  expect(await assigned()).toBe('')
})

describe('what an open transaction has committed for a group', () => {
  async function opened(groupId: string): Promise<(committed: boolean) => Promise<string>> {
    const { producerId, producerEpoch } = await channel.request('InitProducerId', { transactionalId: groupId, transactionTimeoutMs: 60_000 })
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 10, committedLeaderEpoch: -1, committedMetadata: '' }] }]
    const { topics: [topic] } = await channel.request('TxnOffsetCommit', { transactionalId: groupId, groupId, memberId: '', producerId, producerEpoch, topics })
    expect(errorNameOf(topic!.partitions[0]!.errorCode)).toBe('NONE')
    return async committed => errorNameOf((await channel.request('EndTxn', { transactionalId: groupId, producerId, producerEpoch, committed })).errorCode)
  }
  async function position(groupId: string): Promise<string | number> {
    const { groups } = await channel.request('OffsetFetch', { groups: [{ groupId, topics: [{ name: 't', partitionIndexes: [0] }] }], requireStable: true }, { version: 9 })
    const { committedOffset, errorCode } = groups[0]!.topics[0]!.partitions[0]!
    return errorCode === 0 ? committedOffset : errorNameOf(errorCode)
  }

  test('holds it open until the transaction ends, also where another position is committed since, which stays', async () => {
    const end = await opened('overtaken')
    await channel.request('OffsetCommit', { groupId: 'overtaken', memberId: '', generationIdOrMemberEpoch: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 4, committedLeaderEpoch: -1, committedMetadata: '' }] }] }, { version: 9 })
    expect(await position('overtaken')).toBe('UNSTABLE_OFFSET_COMMIT')
    expect(await end(true)).toBe('NONE')
    await expect.poll(() => position('overtaken')).toBe(4)
  })

  test('is gone where the offset is deleted', async () => {
    const end = await opened('deleted')
    expect(await position('deleted')).toBe('UNSTABLE_OFFSET_COMMIT')
    expect(told((await channel.request('OffsetDelete', { groupId: 'deleted', topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }] })).topics)).toEqual(['t: 0 NONE'])
    expect(await position('deleted')).toBe(-1)
    expect(await end(true)).toBe('NONE')
    expect(await position('deleted')).toBe(-1)
  })
})
