// ACLs at work: what a broker with an authorizer tells and does for clients that may do everything, something, or nothing.

import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { clusterName, operation, operationsOf, patternType, permission, resourceType, type Acl } from '../../../broker/kernel/acl.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import { servedVersions } from '../../../broker/server/served-apis.ts'
import { apiOf, type ApiName, type RequestInput } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { ZERO_UUID } from '../../../broker/wire/defaults.ts'
import { errorCodeOf, errorNameOf } from '../../../broker/wire/error-code.ts'
import { RecordBatchWriter } from '../../../broker/wire/record-batch-writer.ts'
import { systemClock } from '../../../core/clock.ts'
import { arbitraryBody } from '../wire/arbitrary-message.ts'

const users = { root: 'root', alice: 'alice' }
let broker: Broker
let root: Channel
let alice: Channel

async function serve(settings: BrokerOptions['settings'] = {}): Promise<void> {
  broker = await startBroker({
    memory: true, listen: '127.0.0.1:0', users,
    settings: { 'sasl.enabled.mechanisms': 'PLAIN', 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users': 'User:root', 'connection.failed.authentication.delay.ms': 0, ...settings },
  })
  root = await as('root')
  alice = await as('alice')
  await root.request('CreateTopics', { topics: ['mine', 'other'].map(name => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })) })
}

function as(username: string): Promise<Channel> {
  return connectTcpChannel({ host: '127.0.0.1', port: broker.address!.port, clock: systemClock, sasl: { mechanism: 'PLAIN', username, password: username } })
}

beforeEach(() => serve())
afterEach(async () => {
  root.close()
  alice.close()
  await broker.close()
})

const alices: Acl = { resourceType: resourceType.topic, patternType: patternType.literal, resourceName: 'mine', principal: 'User:alice', host: '*', operation: operation.read, permission: permission.allow }

async function give(...rules: readonly Partial<Acl>[]): Promise<void> {
  const creations = rules.map(rule => ({ ...alices, ...rule })).map(({ patternType: resourcePatternType, permission: permissionType, ...rest }) => ({ ...rest, resourcePatternType, permissionType }))
  const { results } = await root.request('CreateAcls', { creations })
  expect(results.map(({ errorCode }) => errorCode)).toEqual(rules.map(() => 0))
}

const onTopic = (name: string, ...operations: readonly number[]): Partial<Acl>[] => operations.map(asked => ({ resourceName: name, operation: asked }))
const onGroup = (name: string, ...operations: readonly number[]): Partial<Acl>[] => operations.map(asked => ({ resourceType: resourceType.group, resourceName: name, operation: asked }))
const onCluster = (...operations: readonly number[]): Partial<Acl>[] => operations.map(asked => ({ resourceType: resourceType.cluster, resourceName: clusterName, operation: asked }))
const onId = (name: string, ...operations: readonly number[]): Partial<Acl>[] => operations.map(asked => ({ resourceType: resourceType.transactionalId, resourceName: name, operation: asked }))

function batch(): Buffer {
  const writer = new RecordBatchWriter()
  writer.append(Buffer.from('k'), Buffer.from('v'), 1)
  return writer.close()
}

const produceTo = (...names: readonly string[]): RequestInput<'Produce'> => ({ acks: -1, timeoutMs: 1000, topicData: names.map(name => ({ name, partitionData: [{ index: 0, records: batch() }] })) })
const fetchFrom = (...names: readonly string[]): RequestInput<'Fetch'> => ({ maxWaitMs: 0, minBytes: 1, topics: names.map(topic => ({ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] })) })
const codes = (topics: readonly { readonly errorCode: number }[]): readonly number[] => topics.map(({ errorCode }) => errorCode)

const topicRefused = errorCodeOf('TOPIC_AUTHORIZATION_FAILED')
const groupRefused = errorCodeOf('GROUP_AUTHORIZATION_FAILED')
const clusterRefused = errorCodeOf('CLUSTER_AUTHORIZATION_FAILED')
const idRefused = errorCodeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')

describe('records', () => {
  test('are written to topics that one may write to; the others are refused one by one', async () => {
    await give(...onTopic('mine', operation.write))
    const { responses } = await alice.request('Produce', produceTo('other', 'mine', 'nowhere'), { version: 9 })
    expect(Object.fromEntries(responses.map(({ name, partitionResponses }) => [name, partitionResponses[0]!.errorCode]))).toEqual({ mine: 0, other: topicRefused, nowhere: topicRefused })
    const read = await root.request('Fetch', fetchFrom('mine', 'other'), { version: 11 })
    expect(read.responses.map(({ partitions }) => partitions[0]!.records!.length > 0)).toEqual([true, false])
  })

  test('a Produce with acks 0 that is not allowed ends the connection', async () => {
    await expect(alice.request('Produce', { ...produceTo('mine'), acks: 0 }, { version: 9 }).then(() => alice.closed)).resolves.toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('are read from topics that one may read, by name and by id, and what is refused does not wait', async () => {
    await root.request('Produce', produceTo('mine', 'other'), { version: 9 })
    await give(...onTopic('mine', operation.read))
    const byName = await alice.request('Fetch', { ...fetchFrom('mine', 'other'), maxWaitMs: 60_000, minBytes: 1_000_000 }, { version: 11 })
    expect(byName.responses.map(({ topic, partitions }) => [topic, partitions[0]!.errorCode, partitions[0]!.records!.length > 0])).toEqual([['mine', 0, true], ['other', topicRefused, false]])
    const { topics } = await root.request('Metadata', { topics: [{ name: 'mine' }, { name: 'other' }] })
    const byId = await alice.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: topics.map(({ topicId }) => ({ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] })) }, { version: 13 })
    expect(byId.responses.map(({ partitions }) => partitions[0]!.errorCode)).toEqual([0, topicRefused])
  })

  test('who may write in transactions and idempotently', async () => {
    const init = async (transactionalId: string | null): Promise<number> => (await alice.request('InitProducerId', { transactionalId, transactionTimeoutMs: 1000 })).errorCode
    expect([await init(null), await init('t')]).toEqual([clusterRefused, idRefused])
    await give(...onTopic('mine', operation.write), ...onId('t', operation.write))
    await alice.request('FindCoordinator', { keyType: 1, coordinatorKeys: ['t'] })
    expect([await init(null), await init('t'), await init('u')]).toEqual([0, 0, idRefused])
    const refused = await alice.request('Produce', { ...produceTo('mine'), transactionalId: 'u' }, { version: 9 })
    expect(refused.responses[0]!.partitionResponses[0]!.errorCode).toBe(idRefused)
    const added = await alice.request('AddPartitionsToTxn', { v3AndBelowTransactionalId: 't', v3AndBelowProducerId: 0, v3AndBelowProducerEpoch: 0, v3AndBelowTopics: [{ name: 'mine', partitions: [0] }, { name: 'other', partitions: [0] }] }, { version: 3 })
    expect(added.resultsByTopicV3AndBelow.map(({ resultsByPartition }) => resultsByPartition[0]!.partitionErrorCode)).toEqual([errorCodeOf('OPERATION_NOT_ATTEMPTED'), topicRefused])
  })
})

describe('topics', () => {
  test('that one may not see are not in the list, and named they are refused whether they are there or not', async () => {
    await give(...onTopic('mine', operation.write))
    for (const version of [0, 1, 12]) {
      const all = await alice.request('Metadata', { topics: version === 0 ? [] : null }, { version })
      expect(all.topics.map(({ name }) => name)).toEqual(['mine'])
      const named = await alice.request('Metadata', { topics: ['other', 'nowhere'].map(name => ({ name })) }, { version })
      expect(named.topics.map(({ name, errorCode, partitions }) => [name, errorCode, partitions])).toEqual([['other', topicRefused, []], ['nowhere', topicRefused, []]])
    }
    const { topics } = await root.request('Metadata', { topics: null })
    expect(topics.map(({ name }) => name)).toEqual(['mine', 'other'])
    const byId = await alice.request('Metadata', { topics: topics.map(({ topicId }) => ({ name: null, topicId })) }, { version: 12 })
    expect(byId.topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([['mine', 0], [null, topicRefused]])
  })

  test('are made by asking for them only by who may make them', async () => {
    const ask = async (name: string): Promise<number> => (await alice.request('Metadata', { topics: [{ name }], allowAutoTopicCreation: true })).topics[0]!.errorCode
    await give({ resourceName: 'new', patternType: patternType.prefixed, operation: operation.describe }, { resourceName: 'new-2', operation: operation.create })
    expect([await ask('new-1'), await ask('new-2')]).toEqual([topicRefused, 0])
    await give(...onCluster(operation.create))
    expect(await ask('new-1')).toBe(0)
  })

  test('pages of them have no others', async () => {
    await give(...onTopic('other', operation.describe))
    const all = await alice.request('DescribeTopicPartitions', { topics: [] })
    expect(all).toMatchObject({ topics: [{ name: 'other', topicAuthorizedOperations: 1 << operation.describe }], nextCursor: null })
    const from = await alice.request('DescribeTopicPartitions', { topics: [], cursor: { topicName: 'mine', partitionIndex: 0 } })
    expect(from.topics.map(({ name }) => name)).toEqual(['other'])
    const named = await alice.request('DescribeTopicPartitions', { topics: [{ name: 'mine' }] })
    expect(named.topics.map(({ name, errorCode, topicId }) => [name, errorCode, topicId])).toEqual([['mine', topicRefused, ZERO_UUID]])
  })

  test('are created, grown, changed and deleted one by one as the rules say', async () => {
    const creation = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
    await give(...onTopic('a', operation.create, operation.alter), ...onTopic('mine', operation.delete, operation.alterConfigs))
    const created = await alice.request('CreateTopics', { topics: [creation('a'), creation('b')] })
    expect(created.topics.map(({ name, errorCode, topicConfigErrorCode, numPartitions, configs }) => [name, errorCode, topicConfigErrorCode, numPartitions, configs])).toEqual([['a', 0, topicRefused, -1, null], ['b', topicRefused, 0, -1, null]])
    expect(codes((await alice.request('CreatePartitions', { topics: ['a', 'mine'].map(name => ({ name, count: 2, assignments: null })), timeoutMs: 1000, validateOnly: false })).results)).toEqual([0, topicRefused])
    const shown = await alice.request('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 'mine', configurationKeys: ['retention.ms'] }, { resourceType: 2, resourceName: 'a', configurationKeys: null }, { resourceType: 4, resourceName: '1', configurationKeys: null }] })
    expect(shown.results.map(({ errorCode, configs }) => [errorCode, configs.length])).toEqual([[0, 1], [topicRefused, 0], [clusterRefused, 0]])
    const changed = await alice.request('IncrementalAlterConfigs', { resources: ['mine', 'a'].map(resourceName => ({ resourceType: 2, resourceName, configs: [{ name: 'retention.ms', configOperation: 0, value: '1' }] })), validateOnly: false })
    expect(codes(changed.responses)).toEqual([0, topicRefused])
    const { topics } = await root.request('Metadata', { topics: [{ name: 'mine' }, { name: 'other' }] })
    const deleted = await alice.request('DeleteTopics', { topics: topics.map(({ topicId }) => ({ name: null, topicId })), timeoutMs: 1000 })
    expect(deleted.responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([['mine', 0], [null, topicRefused]])
  })

  test('that are to be deleted without the right are named to who may see them, and what is wrong with the request is said to anyone', async () => {
    const { topics } = await root.request('Metadata', { topics: [{ name: 'mine' }, { name: 'other' }] })
    const [mine, other] = topics.map(({ topicId }) => topicId)
    const ask = async (...asked: readonly { readonly name?: string; readonly topicId?: string }[]) => {
      const { responses } = await alice.request('DeleteTopics', { topics: asked.map(topic => ({ name: null, topicId: ZERO_UUID, ...topic })), timeoutMs: 1000 })
      return responses.map(({ name, topicId, errorCode }) => [name, topicId, errorNameOf(errorCode)])
    }
    await give(...onTopic('mine', operation.describe), ...onTopic('nowhere', operation.describe))
    expect(await ask({ topicId: mine! }, { topicId: other! })).toEqual([['mine', mine, 'TOPIC_AUTHORIZATION_FAILED'], [null, other, 'TOPIC_AUTHORIZATION_FAILED']])
    expect(await ask({ name: 'mine' }, { name: 'other' })).toEqual([['mine', ZERO_UUID, 'TOPIC_AUTHORIZATION_FAILED'], ['other', ZERO_UUID, 'TOPIC_AUTHORIZATION_FAILED']])
    expect(await ask({ name: 'nowhere' })).toEqual([['nowhere', ZERO_UUID, 'UNKNOWN_TOPIC_OR_PARTITION']])
    expect(await ask({ name: 'nothing' })).toEqual([['nothing', ZERO_UUID, 'TOPIC_AUTHORIZATION_FAILED']])
    expect(await ask({ name: 'other' }, { name: 'other' })).toEqual([['other', ZERO_UUID, 'INVALID_REQUEST']])
    expect(await ask({ topicId: other! }, { topicId: other! })).toEqual([[null, other, 'INVALID_REQUEST']])
    expect(await ask({ name: 'other', topicId: other! })).toEqual([['other', other, 'INVALID_REQUEST']])
  })
})

describe('groups', () => {
  const commit = (...names: readonly string[]): RequestInput<'OffsetCommit'> => ({
    groupId: 'g', memberId: '', topics: names.map(name => ({ name, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] })),
  })

  test('take members that may read them', async () => {
    await root.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    const join = { groupId: 'g', sessionTimeoutMs: 10_000, memberId: '', protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.alloc(0) }] }
    const member = { groupId: 'g', memberId: 'm', generationId: 1 }
    expect([
      (await alice.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })).coordinators[0]!.errorCode,
      (await alice.request('JoinGroup', join)).errorCode,
      (await alice.request('SyncGroup', { ...member, assignments: [] })).errorCode,
      (await alice.request('Heartbeat', member)).errorCode,
      (await alice.request('LeaveGroup', { groupId: 'g', members: [] })).errorCode,
    ]).toEqual(Array(5).fill(groupRefused))
    await give(...onGroup('g', operation.read))
    expect((await alice.request('JoinGroup', join)).errorCode).toBe(errorCodeOf('MEMBER_ID_REQUIRED'))
    expect((await alice.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g', 'h'] })).coordinators.map(({ key, errorCode }) => [key, errorCode])).toEqual([['g', 0], ['h', groupRefused]])
  })

  test('keep offsets of topics that one may read, and tell those of topics that one may see', async () => {
    await root.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    const committed = async (client: Channel): Promise<readonly (readonly [string, number])[]> =>
      (await client.request('OffsetCommit', commit('mine', 'other'), { version: 8 })).topics.map(({ name, partitions }) => [name, partitions[0]!.errorCode])
    expect(await committed(alice)).toEqual([['mine', groupRefused], ['other', groupRefused]])
    await give(...onGroup('g', operation.read), ...onTopic('mine', operation.read))
    expect(await committed(alice)).toEqual([['mine', 0], ['other', topicRefused]])
    expect(await committed(root)).toEqual([['mine', 0], ['other', 0]])
    const offsets = async (version: number, names: readonly string[] | null) => {
      const topics = names?.map(name => ({ name, partitionIndexes: [0] })) ?? null
      const answer = await alice.request('OffsetFetch', version < 8 ? { groupId: 'g', topics } : { groups: [{ groupId: 'g', topics }] }, { version })
      return (version < 8 ? answer.topics : answer.groups[0]!.topics).map(({ name, partitions }) => [name, partitions[0]!.errorCode, partitions[0]!.committedOffset])
    }
    for (const version of [7, 9]) {
      expect(await offsets(version, null)).toEqual([['mine', 0, 1]])
      expect(await offsets(version, ['mine', 'other'])).toEqual([['mine', 0, 1], ['other', topicRefused, -1]])
    }
    expect((await alice.request('OffsetFetch', { groups: [{ groupId: 'h', topics: null }] }, { version: 9 })).groups).toMatchObject([{ groupId: 'h', errorCode: groupRefused, topics: [] }])
  })

  test('are listed, described and deleted as the rules say', async () => {
    for (const groupId of ['g', 'h']) {
      await root.request('FindCoordinator', { keyType: 0, coordinatorKeys: [groupId] })
      await root.request('OffsetCommit', { ...commit('mine'), groupId }, { version: 8 })
    }
    const listed = async (): Promise<readonly string[]> => (await alice.request('ListGroups', {})).groups.map(({ groupId }) => groupId).sort()
    expect(await listed()).toEqual([])
    await give(...onGroup('g', operation.describe))
    expect(await listed()).toEqual(['g'])
    expect((await alice.request('DescribeGroups', { groups: ['g', 'h'], includeAuthorizedOperations: true })).groups.map(({ errorCode, authorizedOperations }) => [errorCode, authorizedOperations])).toEqual([[0, 1 << operation.describe], [groupRefused, -2147483648]])
    expect(codes((await alice.request('DeleteGroups', { groupsNames: ['g', 'h'] })).results)).toEqual([groupRefused, groupRefused])
    await give(...onCluster(operation.describe), ...onGroup('g', operation.delete))
    expect(await listed()).toEqual(['g', 'h'])
    expect(codes((await alice.request('DeleteGroups', { groupsNames: ['g', 'h'] })).results)).toEqual([0, groupRefused])
  })
})

describe('rules', () => {
  const any = { resourceTypeFilter: resourceType.any, resourceNameFilter: null, patternTypeFilter: patternType.any, principalFilter: null, hostFilter: null, operation: operation.any, permissionType: permission.any }

  test('are created, found and deleted by who may change the cluster, and hold at once', async () => {
    expect((await alice.request('DescribeAcls', any)).errorCode).toBe(clusterRefused)
    expect(codes((await alice.request('CreateAcls', { creations: [{ ...alices, resourcePatternType: 3, permissionType: 3 }] })).results)).toEqual([clusterRefused])
    expect(codes((await alice.request('DeleteAcls', { filters: [any] })).filterResults)).toEqual([clusterRefused])
    await give(...onTopic('mine', operation.read), ...onTopic('*', operation.describe), { resourceName: 'm', patternType: patternType.prefixed, operation: operation.write })
    const touching = await root.request('DescribeAcls', { ...any, resourceTypeFilter: resourceType.topic, resourceNameFilter: 'mine', patternTypeFilter: patternType.match })
    expect(touching.resources.map(({ resourceName, patternType: type, acls }) => [resourceName, type, acls.length])).toEqual([['mine', 3, 1], ['*', 3, 1], ['m', 4, 1]])
    const see = async (): Promise<readonly (string | null)[]> => (await alice.request('Metadata', { topics: null })).topics.map(({ name }) => name)
    expect(await see()).toEqual(['mine', 'other'])
    const { filterResults } = await root.request('DeleteAcls', { filters: [{ ...any, operation: operation.describe }, { ...any, resourceNameFilter: 'nothing' }] })
    expect(filterResults.map(({ errorCode, matchingAcls }) => [errorCode, matchingAcls.map(({ resourceName }) => resourceName)])).toEqual([[0, ['*']], [0, []]])
    expect(await see()).toEqual(['mine'])
  })

  test('that cannot be are refused, the rest is created', async () => {
    const creation = { ...alices, resourcePatternType: 3, permissionType: 3 }
    const { results } = await root.request('CreateAcls', { creations: [{ ...creation, resourceType: resourceType.cluster }, creation, { ...creation, principal: 'alice' }, { ...creation, operation: 1 }] })
    expect(results.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([
      [42, 'The only valid name for the CLUSTER resource is kafka-cluster'], [0, null],
      [42, 'Could not parse principal from `alice` (no colon is present separating the principal type from the principal name)'], [42, 'Invalid operation 1'],
    ])
    expect((await root.request('DescribeAcls', { ...any, resourceTypeFilter: 0 })).errorCode).toBe(42)
  })

  test('a denial is stronger, another address is not meant', async () => {
    await give(...onTopic('mine', operation.read), { operation: operation.all, permission: permission.deny, host: '10.0.0.1' })
    expect((await alice.request('Fetch', fetchFrom('mine'), { version: 11 })).responses[0]!.partitions[0]!.errorCode).toBe(0)
    await give({ operation: operation.describe, permission: permission.deny, principal: 'User:*' })
    expect((await alice.request('Metadata', { topics: null })).topics).toEqual([])
    await give({ operation: operation.all, permission: permission.deny, host: '127.0.0.1' })
    expect((await alice.request('Fetch', fetchFrom('mine'), { version: 11 })).responses[0]!.partitions[0]!.errorCode).toBe(topicRefused)
  })

  test('who may do what is told to who asks', async () => {
    await give(...onTopic('mine', operation.read, operation.alterConfigs), ...onCluster(operation.describe, operation.create))
    const bits = (...operations: readonly number[]): number => operations.reduce((sum, asked) => sum | 1 << asked, 0)
    const { topics, clusterAuthorizedOperations } = await alice.request('Metadata', { topics: [{ name: 'mine' }], includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }, { version: 10 })
    expect(topics[0]!.topicAuthorizedOperations).toBe(bits(operation.read, operation.describe, operation.alterConfigs, operation.describeConfigs))
    expect(clusterAuthorizedOperations).toBe(bits(operation.describe, operation.create))
    expect((await root.request('DescribeCluster', { includeClusterAuthorizedOperations: true })).clusterAuthorizedOperations).toBe(bits(...operationsOf(resourceType.cluster)))
  })
})

test('with allow.everyone.if.no.acl.found a resource is open until a rule mentions it', async () => {
  await broker.close()
  await serve({ 'allow.everyone.if.no.acl.found': true })
  await give({ principal: 'User:somebody' })
  const read = await alice.request('Fetch', fetchFrom('mine', 'other'), { version: 11 })
  expect(Object.fromEntries(read.responses.map(({ topic, partitions }) => [topic, partitions[0]!.errorCode]))).toEqual({ mine: topicRefused, other: 0 })
})

test('without an authorizer there are no rules', async () => {
  await broker.close()
  await serve({ 'authorizer.class.name': '' })
  expect(await alice.request('DescribeAcls', { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 })).toMatchObject({ errorCode: 54, errorMessage: 'No Authorizer is configured.' })
  expect((await alice.request('CreateAcls', { creations: [{ ...alices, resourcePatternType: 3, permissionType: 3 }] })).results).toMatchObject([{ errorCode: 54 }])
})

/** Asked by everybody: they say nothing of what is in the log. */
const open: ReadonlySet<ApiName> = new Set<ApiName>(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate', 'DescribeCluster'])

test('whoever may do nothing learns nothing and changes nothing, whatever he asks in whatever version', async () => {
  await root.request('Produce', produceTo('mine', 'other'), { version: 9 })
  await root.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['secret-group'] })
  await root.request('OffsetCommit', { groupId: 'secret-group', memberId: '', topics: [{ name: 'mine', partitions: [{ partitionIndex: 0, committedOffset: 77, committedMetadata: 'secret' }] }] }, { version: 8 })
  const state = async (): Promise<string> => text([
    await root.request('Metadata', { topics: null }), await root.request('ListGroups', {}), await root.request('Fetch', fetchFrom('mine', 'other'), { version: 11 }),
    await root.request('DescribeConfigs', { resources: [...['mine', 'other'].map(resourceName => ({ resourceType: 2, resourceName, configurationKeys: null })), { resourceType: 4, resourceName: '1', configurationKeys: null }] }),
    await root.request('DescribeUserScramCredentials', { users: null }),
    await root.request('OffsetFetch', { groups: [{ groupId: 'secret-group', topics: null }] }, { version: 9 }),
  ])
  const before = await state()
  const { topics } = await root.request('Metadata', { topics: null })
  const hidden = topics.map(({ topicId }) => topicId)
  const asked = [...servedVersions].filter(([api]) => !open.has(api)).flatMap(([api, [min, max]]) => Array.from({ length: max - min + 1 }, (_, index) => [api, min + index] as const)).filter(([api, version]) => version >= apiOf(api).request.versions[0])
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...asked).chain(([api, version]) => arbitraryBody(apiOf(api).request, version).map(body => ({ api, version, body: named(body) }))), async ({ api, version, body }) => {
      const answer = await alice.request(api, body as never, { version }).catch(async (error: unknown) => {
        alice.close()
        alice = await as('alice')
        return { closed: String(error) }
      })
      const told = text(answer)
      for (const id of hidden) if (!text(body).includes(id)) expect(told, `${api} ${version}`).not.toContain(id)
      if (!text(body).includes('secret-group')) expect(told, `${api} ${version}`).not.toContain('secret')
    }),
    { numRuns: 600 },
  )
  expect(await state()).toBe(before)
}, 60_000)

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part))
}

/** Strings become names of what is there, so that a guess would hit. */
function named(body: unknown): unknown {
  if (typeof body === 'string') return /^[0-9a-f-]{36}$/.test(body) ? body : ['mine', 'other', 'mine', 'new'][body.length % 4]
  if (Array.isArray(body)) return body.map(named)
  if (body instanceof Uint8Array || typeof body !== 'object' || body === null) return body
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, named(value)]))
}
