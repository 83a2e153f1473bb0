// Answers that once departed from Apache Kafka's, as random stories told to both found (test/interop/twin); each is what Apache Kafka 4.3.1 says.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { RequestInput } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { batchOf } from '../log/batches.ts'
import { resealed } from './hostile-batch.ts'
import { TransactionalProducer } from './transactional-producer.ts'

const now = 1_700_000_000_000
let broker: Broker
let channel: Channel
beforeAll(async () => {
  broker = await startBroker({ memory: true, listen: '127.0.0.1:0', settings: { 'group.initial.rebalance.delay.ms': 0, 'log.retention.ms': '-1' } })
  channel = await connectTcpChannel({ ...broker.address!, clock: systemClock })
  const topic = (name: string, configs: RequestInput<'CreateTopics'>['topics'][number]['configs'] = []): RequestInput<'CreateTopics'>['topics'][number] => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs })
  await channel.request('CreateTopics', { topics: [topic('t'), topic('times'), topic('stamped', [{ name: 'message.timestamp.type', value: 'LogAppendTime' }])] })
})
afterAll(async () => {
  channel?.close()
  await broker?.close()
})

const record = (value: string, timestamp = now): { key: string; value: string; timestamp: number } => ({ key: 'k', value, timestamp })

async function produced(records: Buffer, { topic = 't', transactionalId = null, acks = -1 }: { topic?: string; transactionalId?: string | null; acks?: number } = {}): Promise<unknown> {
  const { responses } = await channel.request('Produce', { transactionalId, acks, timeoutMs: 5000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }, { version: 9 })
  const { errorCode, logStartOffset } = responses[0]!.partitionResponses[0]!
  return [errorNameOf(errorCode), logStartOffset]
}

describe('Produce', () => {
  test('what the log refuses comes with its start, what the request may not ask does not', async () => {
    expect(await produced(batchOf([record('a')], { producerId: 5, producerEpoch: 0, baseSequence: -1 }))).toEqual(['INVALID_RECORD', 0])
    expect(await produced(Buffer.concat([batchOf([record('a')]), batchOf([record('b')])]))).toEqual(['INVALID_RECORD', -1])
    expect(await produced(batchOf([record('a')], { baseOffset: 100 }))).toEqual(['INVALID_RECORD', 0])
    expect(await produced(batchOf([record('a')]), { acks: 2 })).toEqual(['INVALID_REQUIRED_ACKS', -1])
    expect(await produced(batchOf([record('a')]).subarray(0, 30), { acks: 2 })).toEqual(['INVALID_RECORD', -1])
  })

  test('bytes behind a batch that are too few for another are let go', async () => {
    expect(await produced(Buffer.concat([batchOf([record('a')]), Buffer.from([0, 0, 0])]))).toEqual(['NONE', 0])
  })

  test('one transactional batch without a transactional id refuses the whole request', async () => {
    const plain = batchOf([record('a')])
    const transactional = batchOf([record('a')], { producerId: 5, producerEpoch: 0, baseSequence: 0, transactional: true })
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: plain }] }, { name: 'nowhere', partitionData: [{ index: 0, records: transactional }] }]
    const { responses } = await channel.request('Produce', { transactionalId: null, acks: -1, timeoutMs: 5000, topicData }, { version: 9 })
    expect(responses.map(({ partitionResponses }) => errorNameOf(partitionResponses[0]!.errorCode))).toEqual(['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'])
  })

  test('a batch that says it has its time from the broker gets its own back, or is refused where the broker gives the time', async () => {
    const said = (): Buffer => {
      const batch = Buffer.from(batchOf([record('a')]))
      batch[22]! |= 8
      return resealed(batch)
    }
    expect(await produced(said())).toEqual(['NONE', 0])
    expect(await produced(said(), { topic: 'stamped' })).toEqual(['INVALID_TIMESTAMP', 0])
  })
})

describe('Produce of a transaction', () => {
  test('begins at sequence 0 in the second way of transactions, and anywhere in the first', async () => {
    const producer = new TransactionalProducer(channel, 'late')
    await producer.init()
    const late = batchOf([record('a')], { producerId: producer.producerId, producerEpoch: producer.producerEpoch, baseSequence: 5, transactional: true })
    const { responses } = await channel.request('Produce', { transactionalId: 'late', acks: -1, timeoutMs: 5000, topicData: [{ name: 't', partitionData: [{ index: 0, records: late }] }] }, { version: 12 })
    expect(errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(await produced(batchOf([record('a')], { producerId: producer.producerId, producerEpoch: producer.producerEpoch, baseSequence: 5, transactional: true }), { transactionalId: 'late' })).toEqual(['NONE', 0])
    expect(await producer.end(false)).toBe('NONE')
  })

  test('who asks for a new epoch in the midst of its transaction gets that of the abort', async () => {
    const producer = new TransactionalProducer(channel, 'anew', 1)
    await producer.init()
    await producer.add('t')
    const current = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
    let answer = await producer.init({ current, version: 4 })
    for (let tries = 0; answer === 'CONCURRENT_TRANSACTIONS' && tries < 100; tries++) {
      await systemClock.turn()
      answer = await producer.init({ current, version: 4 })
    }
    expect([answer, producer.producerId, producer.producerEpoch]).toEqual(['NONE', current.producerId, current.producerEpoch + 1])
  })

  test('a repetition is told the time of the batch that is there', async () => {
    const batch = batchOf([record('a')], { producerId: 777, producerEpoch: 0, baseSequence: 0 })
    const times = []
    for (let n = 0; n < 2; n++) times.push((await channel.request('Produce', { acks: -1, timeoutMs: 5000, topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.from(batch) }] }] }, { version: 9 })).responses[0]!.partitionResponses[0]!.logAppendTimeMs)
    expect(times).toEqual([-1, now])
  })
})

describe('Fetch', () => {
  async function fetched(asked: { readonly fetchOffset: number; readonly currentLeaderEpoch?: number; readonly lastFetchedEpoch?: number }): Promise<unknown> {
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 'stamped', partitions: [{ partition: 0, partitionMaxBytes: 1000, ...asked }] }] }, { version: 12 })
    const { errorCode, divergingEpoch } = responses[0]!.partitions[0]!
    return [errorNameOf(errorCode), divergingEpoch?.endOffset]
  }

  test('who has read more than there is learns where both agree', async () => {
    const { topics } = await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 'stamped', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })
    const { offset, leaderEpoch } = topics[0]!.partitions[0]!
    expect(await fetched({ fetchOffset: offset, lastFetchedEpoch: leaderEpoch })).toEqual(['NONE', -1])
    expect(await fetched({ fetchOffset: offset + 100, lastFetchedEpoch: leaderEpoch })).toEqual(['NONE', offset])
    expect(await fetched({ fetchOffset: offset, lastFetchedEpoch: leaderEpoch + 1 })).toEqual(['OFFSET_OUT_OF_RANGE', -1])
  })

  test.each([
    ['none', 0, -1, 'NONE'],
    ['one', 0, 0, 'NONE'],
    ['the end of one that it had with another broker', 7, -1, 'NONE'],
    ['another one instead of that', 7, 0, 'NONE'],
    ['to go on with one', 7, 1, 'FETCH_SESSION_ID_NOT_FOUND'],
    ['to go on with none', 0, 1, 'FETCH_SESSION_ID_NOT_FOUND'],
  ])('a reader may ask for a session and gets none: %s', async (_, sessionId, sessionEpoch, error) => {
    const topics = [{ topic: 'stamped', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }]
    const answer = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch, topics, forgottenTopicsData: [{ topic: 'times', partitions: [0] }] }, { version: 12 })
    expect([errorNameOf(answer.errorCode), answer.sessionId, answer.responses.length]).toEqual([error, 0, error === 'NONE' ? 1 : 0])
  })

  test('an epoch below -1 is none to Fetch, and an old one to ListOffsets', async () => {
    expect(await fetched({ fetchOffset: 0, currentLeaderEpoch: -2 })).toEqual(['NONE', -1])
    const { topics } = await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -2, timestamp: -1 }] }] })
    expect(errorNameOf(topics[0]!.partitions[0]!.errorCode)).toBe('FENCED_LEADER_EPOCH')
  })
})

test('Metadata names a topic once, however often it is asked for', async () => {
  const named = async (topics: RequestInput<'Metadata'>['topics']): Promise<unknown> => (await channel.request('Metadata', { topics, allowAutoTopicCreation: false }, { version: 12 })).topics.map(({ name, errorCode }) => [name, errorNameOf(errorCode)])
  expect(await named([{ name: 't' }, { name: 'times' }, { name: 't' }])).toEqual([['t', 'NONE'], ['times', 'NONE']])
  expect(await named([{ name: 'nowhere' }, { name: 'nowhere' }])).toEqual([['nowhere', 'UNKNOWN_TOPIC_OR_PARTITION']])
})

describe('ListOffsets', () => {
  test.each([[6, -3], [7, -4], [8, -5], [10, -6], [11, -7]] as const)('version %i does not know %i', async (version, timestamp) => {
    const { topics } = await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }] }, { version })
    expect(errorNameOf(topics[0]!.partitions[0]!.errorCode)).toBe('UNSUPPORTED_VERSION')
  })

  test('by time finds the marker of a transaction, too', async () => {
    const producer = new TransactionalProducer(channel, 'x')
    expect(await producer.init()).toBe('NONE')
    expect(await producer.send('times', ['a'])).toBe('NONE')
    expect(await producer.end(true)).toBe('NONE')
    const offsetAt = async (timestamp: number): Promise<number> => (await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 'times', partitions: [{ partitionIndex: 0, timestamp }] }] })).topics[0]!.partitions[0]!.offset
    expect([await offsetAt(now + 86_400_000), await offsetAt(-3)]).toEqual([1, 1])
  })

  test('no partition is asked about twice', async () => {
    const partitions = [{ partitionIndex: 0, timestamp: -1 }, { partitionIndex: 0, timestamp: -2 }]
    const { topics } = await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions }] })
    expect(topics[0]!.partitions.map(({ errorCode }) => errorNameOf(errorCode))).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  })
})

describe('groups', () => {
  test('a commit for what nobody has makes no group', async () => {
    await channel.request('OffsetCommit', { groupId: 'ghost', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 't', partitions: [{ partitionIndex: 7, committedOffset: 1, committedMetadata: null }] }] }, { version: 8 })
    expect((await channel.request('ListGroups', {})).groups.map(({ groupId }) => groupId)).not.toContain('ghost')
  })

  test('SyncGroup says its protocol from version 5 on', async () => {
    const body = { groupId: 'g', generationId: 0, memberId: 'm', assignments: [], protocolType: 'consumer', protocolName: null }
    expect(errorNameOf((await channel.request('SyncGroup', body, { version: 5 })).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('a group that is deleted twice in one request is answered once', async () => {
    expect((await channel.request('DeleteGroups', { groupsNames: ['no', 'no'] })).results.map(({ errorCode }) => errorNameOf(errorCode))).toEqual(['GROUP_ID_NOT_FOUND'])
  })

  test('a consumer group has a name', async () => {
    expect(errorNameOf((await channel.request('ConsumerGroupDescribe', { groupIds: [''], includeAuthorizedOperations: false })).groups[0]!.errorCode)).toBe('INVALID_GROUP_ID')
  })
})

describe('administration', () => {
  test('ids of topics are not taken before version 12 of Metadata', async () => {
    const answer = await channel.request('Metadata', { topics: [{ name: null, topicId: '11111111-1111-4111-8111-111111111111' }] }, { version: 10 })
    expect([answer.brokers, answer.controllerId, answer.topics.map(({ errorCode }) => errorNameOf(errorCode))]).toEqual([[], -1, ['INVALID_REQUEST']])
  })

  test('throttled replicas are pairs, or all', async () => {
    const codes = []
    for (const value of ['*', '', '0:1, 1:1', 'x']) codes.push((await channel.request('AlterConfigs', { validateOnly: true, resources: [{ resourceType: 2, resourceName: 't', configs: [{ name: 'leader.replication.throttled.replicas', value }] }] })).responses[0]!.errorCode)
    expect(codes.map(errorNameOf)).toEqual(['NONE', 'NONE', 'NONE', 'INVALID_CONFIG'])
  })

  test('controllers are asked for elsewhere', async () => {
    const { errorCode, endpointType, controllerId } = await channel.request('DescribeCluster', { endpointType: 2, includeClusterAuthorizedOperations: false })
    expect([errorNameOf(errorCode), endpointType, controllerId]).toEqual(['MISMATCHED_ENDPOINT_TYPE', 1, -1])
  })

  test('more than 10,000 partitions in one request create nothing', async () => {
    const topics = [{ name: 'one', numPartitions: 1 }, { name: 'many', numPartitions: 10_000 }].map(topic => ({ ...topic, replicationFactor: 1, assignments: [], configs: [] }))
    const answer = await channel.request('CreateTopics', { topics })
    expect(answer.topics.map(({ errorCode, configs }) => [errorNameOf(errorCode), configs])).toEqual([['POLICY_VIOLATION', []], ['POLICY_VIOLATION', []]])
  })

  test('an unknown kind of election is refused for each partition', async () => {
    const { errorCode, replicaElectionResults } = await channel.request('ElectLeaders', { electionType: 9, topicPartitions: [{ topic: 't', partitions: [0] }], timeoutMs: 1000 })
    expect([errorCode, replicaElectionResults[0]!.partitionResult[0]!.errorCode].map(errorNameOf)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  })

  test('producers of a topic whose name is none', async () => {
    expect(errorNameOf((await channel.request('DescribeProducers', { topics: [{ name: 'a/b', partitionIndexes: [0] }] })).topics[0]!.partitions[0]!.errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
  })

  test.each([
    [[{ entityType: 'user', matchType: 2, match: null }], 'NONE'],
    [[{ entityType: 'user', matchType: 2, match: 'x' }], 'INVALID_REQUEST'],
    [[{ entityType: 'cow', matchType: 2, match: null }], 'UNSUPPORTED_VERSION'],
    [[{ entityType: 'ip', matchType: 2, match: null }, { entityType: 'user', matchType: 2, match: null }], 'INVALID_REQUEST'],
  ] as const)('quotas of %j: %s', async (components, error) => {
    expect(errorNameOf((await channel.request('DescribeClientQuotas', { components, strict: false })).errorCode)).toBe(error)
  })
})
