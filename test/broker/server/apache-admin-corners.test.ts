// More answers to administrators and producers that once departed from Apache Kafka's, found by the long stories of test/interop/twin; each is what Apache Kafka 4.3.1 says.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../../core/clock.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { batchOf } from '../log/batches.ts'

let broker: Broker
let channel: Channel
beforeAll(async () => {
  broker = await startBroker({ memory: true, listen: '127.0.0.1:0', settings: { 'log.retention.ms': '-1' } })
  channel = await connectTcpChannel({ ...broker.address!, clock: systemClock })
  const topic = (name: string, type: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [{ name: 'message.timestamp.type', value: type }] })
  await channel.request('CreateTopics', { topics: [topic('t', 'CreateTime'), topic('stamped', 'LogAppendTime')] })
  await channel.request('FindCoordinator', { keyType: 1, coordinatorKeys: ['x'] })
})
afterAll(async () => {
  channel?.close()
  await broker?.close()
})

const batch = (fields = {}): Buffer => batchOf([{ key: 'k', value: 'v', timestamp: 1_700_000_000_000 }], fields)

async function sent(name: string, records: Buffer): Promise<string> {
  const { responses } = await channel.request('Produce', { transactionalId: null, acks: -1, timeoutMs: 5000, topicData: [{ name, partitionData: [{ index: 0, records }] }] }, { version: 9 })
  return errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)
}

test('a transactional batch that is cut off is a broken one before it is nobody\'s', async () => {
  const transactional = batch({ producerId: 1, producerEpoch: 0, baseSequence: 0, transactional: true })
  expect(await sent('t', transactional)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  expect(await sent('t', transactional.subarray(0, transactional.length - 3))).toBe('INVALID_RECORD')
})

test('attributes that nobody knows are gone where the broker writes its time', async () => {
  const odd = batch()
  odd.writeInt16BE(0x4000, 21)
  new RecordBatchHeader(odd).seal()
  for (const [name, attributes] of [['stamped', 8], ['t', 0x4000]] as const) {
    expect(await sent(name, odd)).toBe('NONE')
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 0, topics: [{ topic: name, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] }] }, { version: 12 })
    expect(new RecordBatchHeader(responses[0]!.partitions[0]!.records!).attributes).toBe(attributes)
  }
})

test('the quorum is asked for alone; of everything else nothing is known', async () => {
  const asked = async (...topics: (readonly [string, ...number[]])[]): Promise<readonly unknown[]> => {
    const answer = await channel.request('DescribeQuorum', { topics: topics.map(([topicName, ...partitions]) => ({ topicName, partitions: partitions.map(partitionIndex => ({ partitionIndex })) })) })
    return [...answer.topics.flatMap(({ partitions }) => partitions.map(({ errorCode, leaderId, leaderEpoch, highWatermark }) => (errorCode === 0 ? [errorNameOf(0), leaderId] : [errorNameOf(errorCode), leaderId, leaderEpoch, highWatermark]))), answer.nodes.length]
  }
  const nothing = ['UNKNOWN_TOPIC_OR_PARTITION', 0, 0, 0]
  expect(await asked(['__cluster_metadata', 0])).toEqual([['NONE', 1], 1])
  expect(await asked(['t', 0])).toEqual([nothing, 0])
  expect(await asked(['__cluster_metadata', 0, 1])).toEqual([nothing, nothing, 0])
  expect(await asked(['__cluster_metadata', 0], ['t'])).toEqual([nothing, 0])
})

test('nobody ends a transaction without an epoch', async () => {
  const { markers } = await channel.request('WriteTxnMarkers', { markers: [{ producerId: 5, producerEpoch: -1, transactionResult: true, coordinatorEpoch: 0, transactionVersion: 1, topics: [{ name: 't', partitionIndexes: [0] }] }] })
  expect(errorNameOf(markers[0]!.topics[0]!.partitions[0]!.errorCode)).toBe('INVALID_PRODUCER_EPOCH')
})

test('of two changes of one credential the first may be wrong, and the second is one too many', async () => {
  const upsertion = (name: string, iterations: number) => ({ name, mechanism: 1, iterations, salt: Buffer.alloc(0), saltedPassword: Buffer.from('salted') })
  const { results } = await channel.request('AlterUserScramCredentials', { deletions: [], upsertions: [upsertion('u', 1), upsertion('u', 4096), upsertion('v', 4096), upsertion('v', 1), upsertion('w', 4096)] })
  expect(results.map(({ user, errorCode }) => `${user} ${errorNameOf(errorCode)}`).sort()).toEqual(['u UNACCEPTABLE_CREDENTIAL', 'v DUPLICATE_RESOURCE', 'w NONE'])
})

test('of a marker for no partition nothing is said', async () => {
  const marker = (producerId: number, topics: readonly { name: string; partitionIndexes: number[] }[]) => ({ producerId, producerEpoch: 0, transactionResult: true, coordinatorEpoch: 0, transactionVersion: 1, topics })
  const { markers } = await channel.request('WriteTxnMarkers', { markers: [marker(7, [{ name: 't', partitionIndexes: [] }]), marker(8, [{ name: 'stamped', partitionIndexes: [] }, { name: 't', partitionIndexes: [0] }])] })
  expect(markers.map(({ producerId, topics }) => [producerId, topics.map(({ name }) => name)])).toEqual([[8, ['t']]])
})

test('a group without a name has a place in a transaction, as Apache Kafka sees it', async () => {
  const { producerId } = await channel.request('InitProducerId', { transactionalId: 'x', transactionTimeoutMs: 60_000 })
  const added = async (producerEpoch: number): Promise<string> => errorNameOf((await channel.request('AddOffsetsToTxn', { transactionalId: 'x', producerId, producerEpoch, groupId: '' })).errorCode)
  expect([await added(1), await added(0)]).toEqual(['PRODUCER_FENCED', 'NONE'])
})
