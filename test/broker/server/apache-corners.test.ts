// More answers that once departed from Apache Kafka's, found by the long stories of test/interop/twin; each is what Apache Kafka 4.3.1 says.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { RequestInput, ResponseOf } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { ZERO_UUID } from '../../../broker/wire/defaults.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../broker/wire/records/consumer-protocol.ts'
import { encodeVersioned } from '../../../broker/wire/versioned.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { batchOf } from '../log/batches.ts'
import { TransactionalProducer } from './transactional-producer.ts'

const now = 1_700_000_000_000
let broker: Broker
let channel: Channel
beforeAll(async () => {
  broker = await startBroker({ memory: true, listen: '127.0.0.1:0', settings: { 'group.initial.rebalance.delay.ms': 0, 'log.retention.ms': '-1' } })
  channel = await connectTcpChannel({ ...broker.address!, clock: systemClock })
  const topic = (name: string): RequestInput<'CreateTopics'>['topics'][number] => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
  await channel.request('CreateTopics', { topics: [topic('t'), topic('u'), topic('marked')] })
  for (const keyType of [0, 1]) await channel.request('FindCoordinator', { keyType, coordinatorKeys: ['g'] })
})
afterAll(async () => {
  channel?.close()
  await broker?.close()
})

const names = (codes: readonly number[]): readonly string[] => codes.map(errorNameOf)

function batch(producerId: number, producerEpoch: number, baseSequence: number, transactional = false): Buffer {
  return batchOf([{ key: 'k', value: 'v', timestamp: now }], { producerId, producerEpoch, baseSequence, transactional })
}

async function produce(topicData: RequestInput<'Produce'>['topicData'], transactionalId: string | null = null): Promise<ResponseOf<'Produce'>['responses']> {
  return (await channel.request('Produce', { transactionalId, acks: -1, timeoutMs: 5000, topicData }, { version: 9 })).responses
}

describe('Produce', () => {
  async function sent(records: Buffer, name = 't'): Promise<string> {
    return errorNameOf((await produce([{ name, partitionData: [{ index: 0, records }] }]))[0]!.partitionResponses[0]!.errorCode)
  }

  test('transactional batches of two producers refuse the whole request', async () => {
    const [one, other] = [new TransactionalProducer(channel, 'one', 1), new TransactionalProducer(channel, 'other', 1)]
    for (const producer of [one, other]) expect([await producer.init(), await producer.add('t'), await producer.add('u')]).toEqual(['NONE', 'NONE', 'NONE'])
    const part = (name: string, { producerId, producerEpoch }: TransactionalProducer) => ({ name, partitionData: [{ index: 0, records: batch(producerId, producerEpoch, 0, true) }] })
    const plain = { name: 'marked', partitionData: [{ index: 0, records: batchOf([{ key: 'k', value: 'v', timestamp: now }]) }] }
    const answers = await produce([part('t', one), part('u', other), plain], 'one')
    expect(names(answers.map(({ partitionResponses }) => partitionResponses[0]!.errorCode))).toEqual(['INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING'])
    for (const producer of [one, other]) expect(await producer.end(false)).toBe('NONE')
  })

  test('a request that is refused as a whole says nothing of topics without partitions', async () => {
    const answers = await produce([{ name: 't', partitionData: [] }, { name: 'u', partitionData: [{ index: 0, records: batch(903, 0, 0, true) }] }])
    expect(answers.map(({ name, partitionResponses }) => [name, names(partitionResponses.map(({ errorCode }) => errorCode))])).toEqual([['u', ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED']]])
  })

  test('a producer without an epoch is never out of order, and is found again all the same', async () => {
    expect([await sent(batch(901, -1, 0)), await sent(batch(901, -1, 7)), await sent(batch(901, -1, 7)), await sent(batch(901, 3, 9))]).toEqual(['NONE', 'NONE', 'NONE', 'NONE'])
    expect(await sent(batch(902, -2, 0))).toBe('INVALID_PRODUCER_EPOCH')
    expect(await sent(batch(901, 3, 20))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('a batch of an older format is in no transaction', async () => {
    const old = Buffer.from(batch(910, 0, 0, true))
    old[16] = 0
    expect(await sent(old)).toBe('INVALID_RECORD')
  })

  test('a topic without partitions is not answered', async () => {
    expect(await produce([{ name: 't', partitionData: [] }])).toEqual([])
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions: [] }] }, { version: 12 })
    expect(responses).toEqual([])
    expect((await channel.request('DeleteRecords', { topics: [{ name: 't', partitions: [] }], timeoutMs: 5000 })).topics).toEqual([])
  })
})

describe('Fetch of a replica that there is not', () => {
  test.each([[-1, 'NOT_LEADER_OR_FOLLOWER', 1], [0, 'UNKNOWN_LEADER_EPOCH', -1]] as const)('which knows the leader epoch %i: %s', async (currentLeaderEpoch, error, leaderId) => {
    const { topics: [topic] } = await channel.request('Metadata', { topics: [{ name: 't' }] })
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, currentLeaderEpoch: currentLeaderEpoch < 0 ? -1 : topic!.partitions[0]!.leaderEpoch }
    const answer = await channel.request('Fetch', { replicaState: { replicaId: 5, replicaEpoch: -1 }, maxWaitMs: 0, minBytes: 0, topics: [{ topicId: topic!.topicId, partitions: [partition] }] }, { version: 16 })
    const { errorCode, currentLeader } = answer.responses[0]!.partitions[0]!
    expect([errorNameOf(errorCode), currentLeader.leaderId, answer.nodeEndpoints.map(({ nodeId }) => nodeId)]).toEqual([error, leaderId, leaderId < 0 ? [] : [1]])
  })
})

describe('transactions', () => {
  const verify = (id: TransactionalProducer, partitions: readonly number[]) => ({ transactionalId: 'verified', producerId: id.producerId, producerEpoch: id.producerEpoch, verifyOnly: true, topics: [{ name: 't', partitions }] })

  test('where one partition is not there, none is looked for', async () => {
    const producer = new TransactionalProducer(channel, 'verified', 1)
    await producer.init()
    const { resultsByTransaction } = await channel.request('AddPartitionsToTxn', { transactions: [verify(producer, [0, 7])] }, { version: 4 })
    expect(names(resultsByTransaction[0]!.topicResults[0]!.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode))).toEqual(['OPERATION_NOT_ATTEMPTED', 'UNKNOWN_TOPIC_OR_PARTITION'])
  })

  async function mark(marker: { readonly producerId: number; readonly producerEpoch: number; readonly coordinatorEpoch: number; readonly transactionVersion?: number }): Promise<string> {
    const { markers } = await channel.request('WriteTxnMarkers', { markers: [{ transactionResult: false, transactionVersion: 0, topics: [{ name: 'marked', partitionIndexes: [0] }], ...marker }] })
    return errorNameOf(markers[0]!.topics[0]!.partitions[0]!.errorCode)
  }

  async function endOfMarked(): Promise<number> {
    return (await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 'marked', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] })).topics[0]!.partitions[0]!.offset
  }

  test('a marker is written as often as it is asked for; the epoch of the producer is looked at first', async () => {
    const before = await endOfMarked()
    expect([await mark({ producerId: 950, producerEpoch: 4, coordinatorEpoch: 6 }), await mark({ producerId: 950, producerEpoch: 4, coordinatorEpoch: 6 })]).toEqual(['NONE', 'NONE'])
    expect(await endOfMarked()).toBe(before + 2)
    expect(await mark({ producerId: 950, producerEpoch: 3, coordinatorEpoch: 5 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(await mark({ producerId: 950, producerEpoch: 4, coordinatorEpoch: 5 })).toBe('TRANSACTION_COORDINATOR_FENCED')
  })

  test('in the second way of transactions the epoch of an open one does not end it', async () => {
    const producer = new TransactionalProducer(channel, 'open', 2)
    expect([await producer.init(), await producer.send('marked', ['a'])]).toEqual(['NONE', 'NONE'])
    const { producerId, producerEpoch } = producer
    expect(await mark({ producerId, producerEpoch, coordinatorEpoch: 0, transactionVersion: 2 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(await producer.end(false)).toBe('NONE')
    await systemClock.turn()
    expect(await mark({ producerId, producerEpoch: producer.producerEpoch, coordinatorEpoch: 0, transactionVersion: 2 })).toBe('NONE')
  })

  test('the end of a transaction is written where it has a partition, whatever its producer has written there before', async () => {
    const producer = new TransactionalProducer(channel, 'wordless', 1)
    await producer.init()
    const before = await endOfMarked()
    const records = batch(producer.producerId, producer.producerEpoch, 0)
    expect((await produce([{ name: 'marked', partitionData: [{ index: 0, records }] }]))[0]!.partitionResponses[0]!.errorCode).toBe(0)
    expect([await producer.add('marked'), await producer.end(true)]).toEqual(['NONE', 'NONE'])
    for (let tries = 0; (await endOfMarked()) < before + 2 && tries < 100; tries++) await systemClock.turn()
    expect(await endOfMarked()).toBe(before + 2)
  })

  test('while the newest record of all is not committed, nobody is told of one before it', async () => {
    const newest = async (isolationLevel: number, replicaId = -1): Promise<number> => (await channel.request('ListOffsets', { replicaId, isolationLevel, topics: [{ name: 'newest', partitions: [{ partitionIndex: 0, timestamp: -3 }] }] })).topics[0]!.partitions[0]!.offset
    await channel.request('Metadata', { topics: [{ name: 'newest' }] })
    await produce([{ name: 'newest', partitionData: [{ index: 0, records: batchOf([{ key: 'k', value: 'v', timestamp: now - 5000 }]) }] }])
    const producer = new TransactionalProducer(channel, 'newest', 1)
    expect([await producer.init(), await producer.add('newest')]).toEqual(['NONE', 'NONE'])
    await produce([{ name: 'newest', partitionData: [{ index: 0, records: batch(producer.producerId, producer.producerEpoch, 0, true) }] }], 'newest')
    expect([await newest(0), await newest(1), await newest(1, 3)]).toEqual([1, -1, 1])
    expect(await producer.end(false)).toBe('NONE')
  })

  test('what a transaction refuses it refuses whatever acks are', async () => {
    const producer = new TransactionalProducer(channel, 'acks', 1)
    await producer.init()
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: batch(producer.producerId, producer.producerEpoch + 1, 0, true) }] }]
    const { responses } = await channel.request('Produce', { transactionalId: 'acks', acks: 2, timeoutMs: 5000, topicData }, { version: 9 })
    expect(errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('a producer was last heard of when its transaction ended', async () => {
    await mark({ producerId: 960, producerEpoch: 0, coordinatorEpoch: 0 })
    const { topics } = await channel.request('DescribeProducers', { topics: [{ name: 'marked', partitionIndexes: [0] }] })
    const { lastTimestamp, lastSequence } = topics[0]!.partitions[0]!.activeProducers.find(({ producerId }) => producerId === 960)!
    expect([lastSequence, Math.abs(lastTimestamp - systemClock.now()) < 60_000]).toEqual([-1, true])
  })

  async function patiently(producer: TransactionalProducer, current: { readonly producerId: number; readonly producerEpoch: number }): Promise<string> {
    let answer = await producer.init({ current, version: 4 })
    for (let tries = 0; answer === 'CONCURRENT_TRANSACTIONS' && tries < 100; tries++) {
      await systemClock.turn()
      answer = await producer.init({ current, version: 4 })
    }
    return answer
  }

  test('whoever asks for a new epoch ends the open transaction, and who has an old one is shut out all the same', async () => {
    const producer = new TransactionalProducer(channel, 'zombie', 1)
    await producer.init()
    const zombie = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
    await producer.init()
    await producer.add('t')
    const { producerEpoch } = producer
    expect(await patiently(new TransactionalProducer(channel, 'zombie', 1), zombie)).toBe('PRODUCER_FENCED')
    expect(await producer.end(true)).toBe('PRODUCER_FENCED')
    // The one that was cut off may go on with the next epoch.
    expect([await patiently(producer, { ...zombie, producerEpoch }), producer.producerEpoch]).toEqual(['NONE', producerEpoch + 1])
    const { transactionStates } = await channel.request('DescribeTransactions', { transactionalIds: ['zombie'] })
    expect([transactionStates[0]!.transactionState, transactionStates[0]!.transactionStartTimeMs]).toEqual(['Empty', -1])
  })

  test('where the pattern is none, nothing is said of the states', async () => {
    const { errorCode, unknownStateFilters } = await channel.request('ListTransactions', { stateFilters: ['Nonsense'], producerIdFilters: [], transactionalIdPattern: '(' })
    expect([errorNameOf(errorCode), unknownStateFilters]).toEqual(['INVALID_REGULAR_EXPRESSION', []])
  })
})

describe('groups', () => {
  async function join(groupId: string, memberId = '', options: Partial<RequestInput<'JoinGroup'>> = {}): Promise<ResponseOf<'JoinGroup'>> {
    return channel.request('JoinGroup', { groupId, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, memberId, protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from('not to be read') }], ...options })
  }

  async function groups(): Promise<readonly string[]> {
    return (await channel.request('ListGroups', {})).groups.map(({ groupId, groupState }) => `${groupId} ${groupState}`)
  }

  async function deleteOffset(groupId: string, partitionIndex: number, name = 't'): Promise<readonly string[]> {
    const { errorCode, topics } = await channel.request('OffsetDelete', { groupId, topics: [{ name, partitions: [{ partitionIndex }] }] })
    return names([errorCode, ...topics.map(({ partitions }) => partitions[0]!.errorCode)])
  }

  test('who was refused has made the group all the same', async () => {
    expect(errorNameOf((await join('refused', '', { protocols: [] })).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(errorNameOf((await join('never', 'nobody', { protocols: [] })).errorCode)).toBe('UNKNOWN_MEMBER_ID')
    expect(await groups()).toContain('refused Empty')
    expect(await groups()).not.toContain('never Empty')
  })

  test('the others join again also when one leaves that had only its id', async () => {
    const { memberId } = await join('waited for')
    const { generationId } = await join('waited for', memberId)
    await channel.request('SyncGroup', { groupId: 'waited for', generationId, memberId, protocolType: 'consumer', protocolName: 'range', assignments: [] })
    const beat = async (): Promise<string> => errorNameOf((await channel.request('Heartbeat', { groupId: 'waited for', generationId, memberId })).errorCode)
    const other = await join('waited for')
    expect([errorNameOf(other.errorCode), await beat()]).toEqual(['MEMBER_ID_REQUIRED', 'NONE'])
    await channel.request('LeaveGroup', { groupId: 'waited for', members: [{ memberId: other.memberId, groupInstanceId: null }] })
    expect(await beat()).toBe('REBALANCE_IN_PROGRESS')
  })

  test('a group that is deleted forgets whom it has given an id', async () => {
    const { memberId } = await join('forgetful')
    expect(names((await channel.request('DeleteGroups', { groupsNames: ['forgetful'] })).results.map(({ errorCode }) => errorCode))).toEqual(['NONE'])
    expect(await groups()).not.toContain('forgetful Empty')
    expect(errorNameOf((await join('forgetful', memberId)).errorCode)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('a topic of which nothing is committed is not answered', async () => {
    const { topics } = await channel.request('OffsetCommit', { groupId: 'idle', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 't', partitions: [] }, { name: 'nowhere', partitions: [] }] }, { version: 9 })
    expect(topics.map(({ name }) => name)).toEqual(['nowhere'])
    const deleted = await channel.request('OffsetDelete', { groupId: 'refused', topics: [{ name: 't', partitions: [] }, { name: 'nowhere', partitions: [] }] })
    expect(deleted.topics.map(({ name }) => name)).toEqual(['nowhere'])
    expect((await channel.request('ListOffsets', { replicaId: -1, topics: [{ name: 't', partitions: [] }] })).topics).toEqual([])
  })

  test('who may commit offsets comes before whether they are too long, in transactions as without', async () => {
    const producer = new TransactionalProducer(channel, 'long', 2)
    expect(await producer.init()).toBe('NONE')
    const commit = async (producerEpoch: number, generationId: number): Promise<string> => {
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'x'.repeat(5000) }] }]
      const answer = await channel.request('TxnOffsetCommit', { transactionalId: 'long', producerId: producer.producerId, producerEpoch, groupId: 'lengthy', generationId, memberId: '', groupInstanceId: null, topics }, { version: 5 })
      return errorNameOf(answer.topics[0]!.partitions[0]!.errorCode)
    }
    expect([await commit(producer.producerEpoch + 1, -1), await commit(producer.producerEpoch, 7), await commit(producer.producerEpoch, -1)]).toEqual(['INVALID_PRODUCER_EPOCH', 'ILLEGAL_GENERATION', 'OFFSET_METADATA_TOO_LARGE'])
    expect(await producer.end(false)).toBe('NONE')
  })

  test.each([[null, 'NONE'], [Buffer.from('x'), 'GROUP_ID_NOT_FOUND']])('a group whose assignor tells members more than partitions (%s) does not go over to the new protocol: %s', async (userData, error) => {
    const groupId = `custom ${error}`
    const protocols = [{ name: 'range', metadata: encodeVersioned(consumerProtocolSubscription, 0, { topics: ['t'], userData: null }) }]
    const { memberId } = await join(groupId, '', { protocols })
    const { generationId } = await join(groupId, memberId, { protocols })
    const assignment = encodeVersioned(consumerProtocolAssignment, 0, { assignedPartitions: [{ topic: 't', partitions: [0] }], userData })
    await channel.request('SyncGroup', { groupId, generationId, memberId, protocolType: 'consumer', protocolName: 'range', assignments: [{ memberId, assignment }] })
    const { errorCode } = await channel.request('ConsumerGroupHeartbeat', { groupId, memberId: 'new', memberEpoch: 0, rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['t'], topicPartitions: [] })
    expect(errorNameOf(errorCode)).toBe(error)
  })

  test('a member has what it is to give up until it says that it has not', async () => {
    const beat = async (memberId: string, memberEpoch: number, topicPartitions: RequestInput<'ConsumerGroupHeartbeat'>['topicPartitions']) =>
      channel.request('ConsumerGroupHeartbeat', { groupId: 'giving', memberId, memberEpoch, rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['pair'], topicPartitions: topicPartitions! })
    await channel.request('CreateTopics', { topics: [{ name: 'pair', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }] })
    const first = await beat('a', 0, [])
    await beat('b', 0, [])
    expect((await beat('a', first.memberEpoch, first.assignment!.topicPartitions)).assignment!.topicPartitions[0]!.partitions).toHaveLength(1)
    const { groups: [group] } = await channel.request('ConsumerGroupDescribe', { groupIds: ['giving'], includeAuthorizedOperations: false })
    expect(group!.members.find(({ memberId }) => memberId === 'a')!.assignment.topicPartitions[0]!.partitions).toHaveLength(2)
  })

  test('consumers that did not say what they read may read everything; of others nobody knows', async () => {
    const { memberId } = await join('silent')
    expect(await deleteOffset('silent', 0)).toEqual(['NONE', 'NONE'])
    expect(errorNameOf((await join('silent', memberId)).errorCode)).toBe('NONE')
    expect(await deleteOffset('silent', 0)).toEqual(['NONE', 'GROUP_SUBSCRIBED_TO_TOPIC'])
    expect(await deleteOffset('silent', 7)).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
    const other = await join('other', '', { protocolType: 'connect' })
    await join('other', other.memberId, { protocolType: 'connect' })
    expect(await deleteOffset('other', 0)).toEqual(['NON_EMPTY_GROUP'])
  })

  test('of what a member reads only the topics must be readable', async () => {
    const metadata = Buffer.from([0, 1, 0, 0, 0, 1, 0, 1, 0x75, 0xff, 0xff, 0xff, 0xff, 0x7f])
    const protocols = [{ name: 'range', metadata }]
    const { memberId } = await join('halves', '', { protocols })
    expect(errorNameOf((await join('halves', memberId, { protocols })).errorCode)).toBe('NONE')
    expect(await deleteOffset('halves', 0)).toEqual(['NONE', 'NONE'])
    expect(await deleteOffset('halves', 0, 'u')).toEqual(['NONE', 'GROUP_SUBSCRIBED_TO_TOPIC'])
  })

  test('a member of a consumer group may take an instance id; that is no change of what it reads', async () => {
    const beat = async (instanceId: string | null): Promise<number> => (await channel.request('ConsumerGroupHeartbeat', { groupId: 'taken', memberId: 'm', memberEpoch: 0, instanceId, rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['t'], topicPartitions: [] })).memberEpoch
    const first = await beat(null)
    expect([await beat('i'), await beat(null)]).toEqual([first, first])
    // Who it is comes before what it says.
    expect(errorNameOf((await join('taken', 'stranger', { groupInstanceId: 'other' })).errorCode)).toBe('UNKNOWN_MEMBER_ID')
    expect(errorNameOf((await channel.request('ConsumerGroupHeartbeat', { groupId: 'taken', memberId: ' ', memberEpoch: 1, rebalanceTimeoutMs: -1 })).errorCode)).toBe('INVALID_REQUEST')
  })

  test('FindCoordinator says that all is well', async () => {
    const { errorMessage } = await channel.request('FindCoordinator', { key: 'g' }, { version: 3 })
    const { coordinators } = await channel.request('FindCoordinator', { coordinatorKeys: ['g'] }, { version: 4 })
    expect([errorMessage, coordinators[0]!.errorMessage]).toEqual(['NONE', ''])
  })
})

describe('administration', () => {
  test('topics that are to be deleted are answered as they were named; twice is not at all', async () => {
    const made = await channel.request('CreateTopics', { topics: ['d1', 'd2', 'd3', 'd4'].map(name => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })) })
    const ids = new Map(made.topics.map(({ name, topicId }) => [topicId, name]))
    const [one, two, three, four] = made.topics.map(({ topicId }) => ({ name: null, topicId }))
    const named = (name: string): { name: string; topicId: string } => ({ name, topicId: ZERO_UUID })
    const { responses } = await channel.request('DeleteTopics', { topics: [one!, one!, named('d2'), two!, named('d3'), named('d3'), four!, named('nowhere'), { ...three!, name: 'd3' }, { name: null, topicId: ZERO_UUID }], timeoutMs: 5000 })
    expect(responses.map(({ name, topicId, errorCode }) => `${name} ${ids.get(topicId) ?? '-'} ${errorNameOf(errorCode)}`).sort()).toEqual([
      'd2 d2 INVALID_REQUEST', 'd3 - INVALID_REQUEST', 'd3 d3 INVALID_REQUEST', 'd4 d4 NONE', 'nowhere - UNKNOWN_TOPIC_OR_PARTITION', 'null - INVALID_REQUEST', 'null d1 INVALID_REQUEST',
    ])
    const left = await channel.request('Metadata', { topics: [...ids.values()].map(name => ({ name })), allowAutoTopicCreation: false })
    expect(left.topics.flatMap(({ name, errorCode }) => (errorCode === 0 ? [name] : []))).toEqual(['d1', 'd2', 'd3'])
  })

  test('where some topics are asked for by id, those by name are passed over', async () => {
    const { topics: [topic] } = await channel.request('Metadata', { topics: [{ name: 't' }] })
    const { topics } = await channel.request('Metadata', { topics: [{ name: 'u' }, { name: null, topicId: topic!.topicId }] })
    expect(topics.map(({ name }) => name)).toEqual(['t'])
  })

  test('what may be done with a topic is said of one that is not there, too', async () => {
    const { topics } = await channel.request('Metadata', { topics: [{ name: 'nowhere' }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true })
    expect([errorNameOf(topics[0]!.errorCode), topics[0]!.topicAuthorizedOperations]).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', 3576])
  })

  test('a topic that keeps everything gives up what it is told to, one that is compacted does not', async () => {
    const codes: number[] = []
    for (const [name, value] of [['all', ''], ['latest', 'compact']] as const) {
      await channel.request('CreateTopics', { topics: [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [{ name: 'cleanup.policy', value }] }] })
      codes.push((await channel.request('DeleteRecords', { topics: [{ name, partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 5000 })).topics[0]!.partitions[0]!.errorCode)
    }
    expect(names(codes)).toEqual(['NONE', 'POLICY_VIOLATION'])
  })

  test('topics that are asked for twice do not count among too many partitions', async () => {
    const many = { name: 'many', numPartitions: 10_001, replicationFactor: 1, assignments: [], configs: [] }
    expect(names((await channel.request('CreateTopics', { topics: [many, many], validateOnly: true })).topics.map(({ errorCode }) => errorCode))).toEqual(['INVALID_REQUEST'])
  })

  test('settings of topics are shown as they were read', async () => {
    const given = { 'cleanup.policy': ' compact , delete', 'unclean.leader.election.enable': ' TRUE', 'retention.ms': '+05 ', 'min.cleanable.dirty.ratio': '1e-5', 'compression.type': 'gzip' }
    await channel.request('CreateTopics', { topics: [{ name: 'shown', numPartitions: 1, replicationFactor: 1, assignments: [], configs: Object.entries(given).map(([name, value]) => ({ name, value })) }] })
    const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 'shown', configurationKeys: Object.keys(given) }], includeSynonyms: true })
    const shown = Object.fromEntries(results[0]!.configs.map(({ name, value, synonyms }) => [name, [value, synonyms[0]!.value]]))
    expect(shown).toEqual(Object.fromEntries(Object.entries({ ...given, 'cleanup.policy': 'compact,delete', 'unclean.leader.election.enable': 'true', 'retention.ms': '5', 'min.cleanable.dirty.ratio': '1.0E-5' }).map(([name, value]) => [name, [value, value]])))
  })

  test('a state of transactions that is none is named once', async () => {
    expect((await channel.request('ListTransactions', { stateFilters: ['None', 'Empty', 'None'], producerIdFilters: [] })).unknownStateFilters).toEqual(['None'])
  })

  test('a resource of no known type makes the whole question none', async () => {
    const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }, { resourceType: 7, resourceName: 't', configurationKeys: null }] })
    expect(results.map(({ errorCode, configs }) => [errorNameOf(errorCode), configs])).toEqual([['INVALID_REQUEST', []], ['INVALID_REQUEST', []]])
  })

  async function alter(changes: readonly (readonly [resourceName: string, name: string, configOperation: number, value: string])[]): Promise<readonly string[]> {
    const resources = changes.map(([resourceName, name, configOperation, value]) => ({ resourceType: 2, resourceName, configs: [{ name, configOperation, value }] }))
    return names((await channel.request('IncrementalAlterConfigs', { resources, validateOnly: false })).responses.map(({ errorCode }) => errorCode))
  }

  test('an operation that is none leaves everything as it is; one that does not fit comes before a name that is none', async () => {
    expect(await alter([['t', 'retention.ms', 0, '77'], ['u', 'retention.ms', 9, '1']])).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
    const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 't', configurationKeys: ['retention.ms'] }] })
    expect(results[0]!.configs[0]!.value).toBe('-1')
    expect(await alter([['*', 'max.message.bytes', 2, '1']])).toEqual(['INVALID_CONFIG'])
    expect(await alter([['*', 'max.message.bytes', 0, '1']])).toEqual(['INVALID_TOPIC_EXCEPTION'])
  })

  test('an element of a list that is none is told where elements have names', async () => {
    expect(await alter([['t', 'cleanup.policy', 2, ''], ['u', 'cleanup.policy', 0, 'delete,']])).toEqual(['INVALID_CONFIG', 'INVALID_CONFIG'])
    expect(await alter([['t', 'leader.replication.throttled.replicas', 2, '']])).toEqual(['NONE'])
  })

  test('levels of loggers are no lists', async () => {
    const codes: number[] = []
    for (const configOperation of [2, 1, 0]) {
      const resources = [{ resourceType: 8, resourceName: '1', configs: [{ name: 'x', configOperation, value: 'INFO' }] }]
      codes.push((await channel.request('IncrementalAlterConfigs', { resources, validateOnly: false })).responses[0]!.errorCode)
    }
    expect(names(codes)).toEqual(['INVALID_REQUEST', 'INVALID_CONFIG', 'INVALID_CONFIG'])
  })

  test('what is not a number is neither too small nor too large', async () => {
    expect(await alter([['t', 'min.cleanable.dirty.ratio', 0, 'NaN'], ['u', 'min.cleanable.dirty.ratio', 0, '.5']])).toEqual(['NONE', 'NONE'])
    expect(await alter([['t', 'min.cleanable.dirty.ratio', 0, 'Infinity'], ['u', 'min.cleanable.dirty.ratio', 0, 'much']])).toEqual(['INVALID_CONFIG', 'INVALID_CONFIG'])
  })
})
