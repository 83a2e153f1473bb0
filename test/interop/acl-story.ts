// A story of rules (ACLs), told to any broker: who may do what is asked before and after each rule, and the answers are kept for comparison.

import { operation, patternType, permission, resourceType, type Acl } from '../../broker/kernel/acl.ts'
import type { ApiName, RequestInput } from '../../broker/wire/apis.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { sleep, systemClock } from '../../core/clock.ts'
import { ZERO_UUID } from '../../broker/wire/defaults.ts'
import { RecordBatchWriter } from '../../broker/wire/record-batch-writer.ts'

/** One answer, without what differs between any two brokers. */
export interface Told {
  readonly asked: string
  readonly answer: unknown
}

type Question = readonly [asked: string, ask: (channel: Channel) => Promise<unknown>]

const rule: Acl = { resourceType: resourceType.topic, patternType: patternType.literal, resourceName: 'mine', principal: 'User:alice', host: '*', operation: operation.read, permission: permission.allow }
const group = { resourceType: resourceType.group, resourceName: 'g' }
const cluster = { resourceType: resourceType.cluster, resourceName: 'kafka-cluster' }
const transactionalId = { resourceType: resourceType.transactionalId, resourceName: 't' }

/** Each holds on top of those before. */
const chapters: readonly (readonly [name: string, rules: readonly Partial<Acl>[]])[] = [
  ['nothing', []],
  ['describe one topic', [{ operation: operation.describe }]],
  ['read one topic', [{ operation: operation.read }]],
  ['read a group', [{ ...group, operation: operation.read }]],
  ['write topics by prefix', [{ resourceName: 'm', patternType: patternType.prefixed, operation: operation.write }]],
  ['write in a transaction', [{ ...transactionalId, operation: operation.write }]],
  ['see the cluster', [{ ...cluster, operation: operation.describe }]],
  ['settings of a topic', [{ operation: operation.alterConfigs }]],
  ['create by prefix', [{ resourceName: 'new', patternType: patternType.prefixed, operation: operation.create }, { resourceName: 'new', patternType: patternType.prefixed, operation: operation.describe }]],
  ['alter and delete', [{ operation: operation.alter }, { operation: operation.delete }, { ...group, operation: operation.delete }]],
  ['a denial of describe', [{ operation: operation.describe, permission: permission.deny }]],
  ['a denial for everybody, from here', [{ operation: operation.read, permission: permission.deny, principal: 'User:*', host: '127.0.0.1' }]],
  ['everything on the cluster', [{ ...cluster, operation: operation.all }]],
  ['everything on all topics', [{ resourceName: '*', operation: operation.all }]],
]

/** `root` may do everything, `alice` has nothing yet; the topics mine and other are there. */
export async function tellAclStory(root: Channel, alice: Channel): Promise<readonly Told[]> {
  const told: Told[] = []
  let count = 0
  for (const [name, rules] of chapters) {
    await create(root, rules)
    count += rules.length
    await holds(root, count)
    for (const [asked, ask] of questions) told.push({ asked: `${name}: ${asked}`, answer: plain(await ask(alice)) })
  }
  const touching = await root.request('DescribeAcls', { ...everyRule, resourceTypeFilter: resourceType.topic, resourceNameFilter: 'mine', patternTypeFilter: patternType.match }, { version: 3 })
  told.push({ asked: 'rules that touch a topic', answer: plain(touching) })
  for (const change of wrongRules) told.push({ asked: `a rule with ${JSON.stringify(change)}`, answer: plain(await root.request('CreateAcls', { creations: [creation({ ...rule, ...change })] }, { version: 3 })) })
  return told
}

const wrongRules: readonly Partial<Acl>[] = [{ principal: 'alice' }, { ...cluster, resourceName: 'cluster' }, { resourceName: '' }]

async function create(root: Channel, rules: readonly Partial<Acl>[]): Promise<void> {
  const { results } = await root.request('CreateAcls', { creations: rules.map(change => creation({ ...rule, ...change })) }, { version: 3 })
  const refused = results.find(({ errorCode }) => errorCode !== 0)
  if (refused !== undefined) throw new Error(`a rule was refused: ${refused.errorMessage}`)
}

/** Apache Kafka's controller has a rule before its broker knows of it. */
async function holds(root: Channel, count: number): Promise<void> {
  const known = async (): Promise<number> => (await root.request('DescribeAcls', everyRule, { version: 3 })).resources.reduce((sum, { acls }) => sum + acls.length, 0)
  while ((await known()) < count) await sleep(systemClock, 20)
}

function creation({ patternType: resourcePatternType, permission: permissionType, ...rest }: Acl): RequestInput<'CreateAcls'>['creations'][number] {
  return { ...rest, resourcePatternType, permissionType }
}

function asking<N extends ApiName>(api: N, version: number, body: RequestInput<N>, what: string = api): Question {
  return [`${what} ${version}`, channel => channel.request(api, body, { version })]
}

const everyRule = { resourceTypeFilter: resourceType.any, resourceNameFilter: null, patternTypeFilter: patternType.any, principalFilter: null, hostFilter: null, operation: operation.any, permissionType: permission.any }
const names = ['mine', 'other', 'nowhere']
const onPartition = <T extends object>(extra: T) => names.map(name => ({ name, partitions: [{ partitionIndex: 0, ...extra }] }))

function batch(): Buffer {
  const writer = new RecordBatchWriter()
  writer.append(Buffer.from('k'), Buffer.from('v'), 1_700_000_000_000)
  return writer.close()
}

const resources = [...names.map(resourceName => ({ resourceType: 2, resourceName })), { resourceType: 4, resourceName: '1' }]
const newTopic = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
const producer = { producerId: 9_999_999, producerEpoch: 0 }

const questions: readonly Question[] = [
  asking('Metadata', 1, { topics: null }, 'all topics'),
  asking('Metadata', 10, { topics: null, includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }, 'all topics and what may be done'),
  asking('Metadata', 12, { topics: names.map(name => ({ name })), allowAutoTopicCreation: false }, 'topics by name'),
  asking('Produce', 9, { acks: -1, timeoutMs: 5000, topicData: ['mine', 'other'].map(name => ({ name, partitionData: [{ index: 0, records: batch() }] })) }),
  asking('Fetch', 11, { maxWaitMs: 0, minBytes: 0, topics: names.map(topic => ({ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100 }] })) }),
  asking('ListOffsets', 5, { replicaId: -1, isolationLevel: 0, topics: onPartition({ timestamp: -2 }) }),
  asking('OffsetForLeaderEpoch', 4, { topics: names.map(topic => ({ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] })) }),
  asking('FindCoordinator', 4, { keyType: 0, coordinatorKeys: ['g', 'h'] }, 'coordinators of groups'),
  asking('FindCoordinator', 4, { keyType: 1, coordinatorKeys: ['t', 'u'] }, 'coordinators of transactions'),
  asking('JoinGroup', 5, { groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: 'unknown', protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }] }),
  asking('Heartbeat', 3, { groupId: 'g', generationId: 1, memberId: 'unknown' }),
  asking('SyncGroup', 3, { groupId: 'g', generationId: 1, memberId: 'unknown', assignments: [] }),
  asking('LeaveGroup', 3, { groupId: 'g', members: [{ memberId: 'unknown', groupInstanceId: null }] }),
  asking('OffsetCommit', 8, { groupId: 'g', memberId: '', topics: onPartition({ committedOffset: 1, committedMetadata: '' }) }),
  asking('OffsetFetch', 7, { groupId: 'g', topics: names.map(name => ({ name, partitionIndexes: [0] })) }),
  asking('OffsetFetch', 8, { groups: [{ groupId: 'g', topics: null }, { groupId: 'h', topics: null }] }, 'all offsets'),
  asking('ListGroups', 3, {}),
  asking('DescribeGroups', 5, { groups: ['g', 'h'], includeAuthorizedOperations: true }),
  asking('InitProducerId', 4, { transactionalId: null, transactionTimeoutMs: 1000 }, 'an idempotent producer'),
  asking('InitProducerId', 4, { transactionalId: 'u', transactionTimeoutMs: 1000 }, 'a transactional producer without a rule'),
  asking('AddPartitionsToTxn', 3, { v3AndBelowTransactionalId: 't', v3AndBelowProducerId: 9_999_999, v3AndBelowProducerEpoch: 0, v3AndBelowTopics: ['mine', 'other'].map(name => ({ name, partitions: [0] })) }),
  asking('AddOffsetsToTxn', 3, { transactionalId: 't', ...producer, groupId: 'h' }),
  asking('EndTxn', 3, { transactionalId: 'u', ...producer, committed: true }),
  asking('TxnOffsetCommit', 3, { transactionalId: 'u', groupId: 'g', ...producer, topics: onPartition({ committedOffset: 1, committedMetadata: '' }) }),
  asking('DescribeConfigs', 2, { resources: resources.map(resource => ({ ...resource, configurationKeys: ['retention.ms'] })) }),
  asking('IncrementalAlterConfigs', 1, { resources: resources.slice(0, 2).map(resource => ({ ...resource, configs: [{ name: 'retention.ms', configOperation: 0, value: '1000000000' }] })), validateOnly: true }),
  asking('CreateTopics', 7, { topics: ['new-a', 'else'].map(newTopic), validateOnly: true, timeoutMs: 5000 }),
  asking('CreatePartitions', 3, { topics: ['mine', 'other'].map(name => ({ name, count: 3, assignments: null })), timeoutMs: 5000, validateOnly: true }),
  asking('DeleteTopics', 6, { topics: [{ name: 'nowhere', topicId: ZERO_UUID }, { name: 'nobodys', topicId: ZERO_UUID }], timeoutMs: 5000 }),
  asking('DeleteRecords', 2, { topics: names.map(name => ({ name, partitions: [{ partitionIndex: 0, offset: 0 }] })), timeoutMs: 5000 }),
  asking('DeleteGroups', 2, { groupsNames: ['h', 'i'] }),
  asking('DescribeCluster', 1, { includeClusterAuthorizedOperations: true }),
  asking('DescribeAcls', 3, { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: 'User:nobody', hostFilter: null, operation: 1, permissionType: 1 }),
  asking('DescribeTransactions', 0, { transactionalIds: ['t', 'u'] }),
  asking('ListTransactions', 1, { stateFilters: [], producerIdFilters: [] }),
  asking('DescribeProducers', 0, { topics: names.map(name => ({ name, partitionIndexes: [0] })) }),
  asking('ConsumerGroupHeartbeat', 0, { groupId: 'g', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ', memberEpoch: 7, subscribedTopicNames: ['mine'] }),
  asking('ConsumerGroupHeartbeat', 0, { groupId: 'k', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ', memberEpoch: 7 }, 'a heartbeat in another group'),
  asking('ConsumerGroupDescribe', 0, { groupIds: ['k'], includeAuthorizedOperations: true }),
  asking('DescribeClientQuotas', 1, { components: [], strict: false }),
  asking('DescribeUserScramCredentials', 0, { users: [{ name: 'nobody' }] }),
  asking('ElectLeaders', 2, { electionType: 0, topicPartitions: [{ topic: 'mine', partitions: [0] }] }),
]

const differing = new Set(['throttleTimeMs', 'abortedTransactions', 'clusterId', 'controllerId', 'brokers', 'coordinatorEpoch', 'leaderEpoch', 'nodeId', 'host', 'port', 'baseOffset', 'logAppendTimeMs', 'highWatermark', 'lastStableOffset', 'logStartOffset', 'records', 'endOffset', 'producerId', 'offset', 'timestamp', 'configs', 'recordErrors', 'errorMessage', 'preferredReadReplica', 'lowWatermark', 'replicationFactor', 'lastTimestamp', 'activeProducers'])

/** Lists in one order, ids only as far as there is one. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (value instanceof Uint8Array) return value.length
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !differing.has(name)).map(([name, part]) => [name, name === 'topicId' ? part !== ZERO_UUID : plain(part)]))
}
