// What the log says of clients that were refused: who, what, from where and by which request; never of what was only looked at.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import { authorizerClass } from '../../../broker/server/security/access.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { VirtualClock } from '../../../core/clock.ts'

const clock = new VirtualClock(1_000_000)
let broker: Broker
let alice: Channel
let logged: { readonly level: string; readonly message: string; readonly [field: string]: unknown }[] = []
beforeEach(async () => {
  const say = (level: string) => (message: string, fields?: object): void => void logged.push({ level, message, ...fields })
  broker = await startBroker({
    memory: true, listen: '127.0.0.1:0', users: { alice: 'alice secret' }, clock, logger: { info: say('info'), warn: say('warn'), error: say('error') },
    settings: { 'sasl.enabled.mechanisms': 'PLAIN', 'authorizer.class.name': authorizerClass, 'connection.failed.authentication.delay.ms': 0, 'super.users': 'User:root' },
  })
  await broker.connect().request('CreateTopics', { topics: ['mine', 'secret'].map(name => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })) })
  await broker.connect().request('CreateAcls', { creations: [{ resourceType: 2, resourceName: 'mine', resourcePatternType: 3, principal: 'User:alice', host: '*', operation: 2, permissionType: 3 }] })
  alice = await connectTcpChannel({ host: '127.0.0.1', port: broker.address!.port, clock, sasl: { mechanism: 'PLAIN', username: 'alice', password: 'alice secret' } })
  logged = []
})
afterEach(async () => {
  alice.close()
  await broker.close()
})

const denials = () => logged.filter(({ message }) => message === 'access denied')

test('a denial is a line: principal, operation, resource, host and request', async () => {
  await alice.request('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: ['mine', 'secret'].map(name => ({ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] })) })
  expect(denials()).toEqual([{ level: 'info', message: 'access denied', principal: 'User:alice', operation: 'DESCRIBE', resource: 'TOPIC:secret', host: '127.0.0.1', request: 'ListOffsets' }])
})

test('the topic is named where the cluster would have done as well, and the cluster where it alone counts', async () => {
  await alice.request('CreateTopics', { topics: [{ name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }] })
  await alice.request('DescribeAcls', { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 })
  expect(denials().map(({ operation, resource, request }) => [operation, resource, request])).toEqual([['CREATE', 'TOPIC:new', 'CreateTopics'], ['DESCRIBE', 'CLUSTER:kafka-cluster', 'DescribeAcls']])
})

test('lists that leave out what one may not see, and operations that one asks about, are no denials', async () => {
  const { topics } = await alice.request('Metadata', { topics: null, includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }, { version: 9 })
  expect(topics.map(({ name }) => name)).toEqual(['mine'])
  await alice.request('ListGroups', {})
  await alice.request('ListTransactions', { stateFilters: [], producerIdFilters: [] })
  expect(denials()).toEqual([])
})

test('the same is said once a minute, with how often it was', async () => {
  const ask = (): Promise<unknown> => alice.request('Metadata', { topics: [{ name: 'secret' }] })
  for (let time = 0; time < 5; time++) await ask()
  expect(denials()).toHaveLength(1)
  clock.advance(60_000)
  await ask()
  expect(denials().at(-1)).toMatchObject({ resource: 'TOPIC:secret', repeated: 4 })
})

test('a failed login is a line without name or password', async () => {
  for (const sasl of [{ mechanism: 'PLAIN', username: 'alice', password: 'hunter2' }, { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'hunter2' }] as const) {
    await expect(connectTcpChannel({ host: '127.0.0.1', port: broker.address!.port, clock, sasl })).rejects.toMatchObject({ retriable: false })
  }
  expect(logged).toMatchObject([
    { level: 'warn', message: 'authentication failed', host: '127.0.0.1', mechanism: 'PLAIN', reason: expect.stringContaining('invalid credentials') as string },
    { level: 'warn', message: 'authentication failed', host: '127.0.0.1', mechanism: 'SCRAM-SHA-256', reason: 'this mechanism is not offered here' },
  ])
  expect(JSON.stringify(logged)).not.toMatch(/hunter2|secret/)
})
