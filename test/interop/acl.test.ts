// Rules (ACLs) mean the same here and on Apache Kafka: one story, told to both; and our client logs in there.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectLog } from '../../broker/client/connect-log.ts'
import { connectTcpChannel } from '../../broker/client/tcp-channel.ts'
import type { SaslLogin } from '../../broker/client/sasl-login.ts'
import type { Channel } from '../../broker/wire/channel.ts'
import { saltedPasswordSync } from '../../broker/wire/scram.ts'
import { sleep, systemClock } from '../../core/clock.ts'
import { startApacheKafka, type ApacheKafka } from './apache-kafka.ts'
import { startFileBroker, type FileBroker } from './file-broker.ts'
import { tellAclStory, type Told } from './acl-story.ts'
import { expectSameAnswers } from './same-answers.ts'

const authorizer = { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512', 'auto.create.topics.enable': 'false' }
const users = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="root" password="root" user_root="root" user_alice="alice";'
const scramModule = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'

let apache: ApacheKafka
let ours: FileBroker
beforeAll(async () => {
  ours = await startFileBroker({ ...authorizer, 'offsets.topic.num.partitions': 4, 'transaction.state.log.num.partitions': 4, 'listener.name.plaintext.plain.sasl.jaas.config': users, 'super.users': 'User:root' })
  apache = await startApacheKafka({
    settings: {
      ...authorizer,
      'super.users': 'User:ANONYMOUS;User:root',
      'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'sasl.mechanism.inter.broker.protocol': 'PLAIN',
      'listener.name.plaintext.plain.sasl.jaas.config': users,
      'listener.name.plaintext.scram-sha-256.sasl.jaas.config': scramModule,
      'listener.name.plaintext.scram-sha-512.sasl.jaas.config': scramModule,
    },
  })
})
afterAll(async () => {
  await ours?.[Symbol.asyncDispose]()
  await apache?.[Symbol.asyncDispose]()
})

function logIn(bootstrap: string, sasl: SaslLogin): Promise<Channel> {
  const [host, port] = bootstrap.split(':') as [string, string]
  return connectTcpChannel({ host, port: Number(port), clock: systemClock, sasl })
}

const plainLogin = (username: string): SaslLogin => ({ mechanism: 'PLAIN', username, password: username })

async function story(bootstrap: string): Promise<readonly Told[]> {
  const root = await logIn(bootstrap, plainLogin('root'))
  const alice = await logIn(bootstrap, plainLogin('alice'))
  const log = await connectLog({ bootstrap, security: { sasl: plainLogin('root') } })
  await log.admin.createTopics(['mine', 'other'].map(name => ({ name, partitions: 1 })))
  await log.close()
  // Coordinators' topics and producer ids are there before somebody asks for them.
  while ((await root.request('InitProducerId', { transactionalId: null, transactionTimeoutMs: 1000 })).errorCode !== 0) await sleep(systemClock, 100)
  for (const keyType of [0, 1]) {
    const isThere = async (): Promise<boolean> => (await root.request('FindCoordinator', { keyType, coordinatorKeys: ['warm'] }, { version: 4 })).coordinators[0]!.errorCode === 0
    while (!(await isThere())) await sleep(systemClock, 100)
  }
  try {
    return await tellAclStory(root, alice)
  } finally {
    root.close()
    alice.close()
  }
}

test('every answer is that of Apache Kafka', async () => {
  const expected = await story(apache.bootstrap)
  const told = await story(ours.bootstrap)
  expectSameAnswers(told, expected)
  expect(told.length).toBeGreaterThan(500)
}, 120_000)

test.each(['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('our client logs in to Apache Kafka with %s', async mechanism => {
  const root = await logIn(apache.bootstrap, plainLogin('root'))
  const salt = Buffer.from('a salt of our own')
  const { results } = await root.request('AlterUserScramCredentials', {
    deletions: [], upsertions: [{ name: 'al,i=ce', mechanism: mechanism === 'SCRAM-SHA-256' ? 1 : 2, iterations: 4096, salt, saltedPassword: saltedPasswordSync(mechanism, 'secret', salt, 4096) }],
  })
  expect(results).toMatchObject([{ user: 'al,i=ce', errorCode: 0 }])
  const login = { mechanism, username: 'al,i=ce', password: 'secret' }
  await expect(logIn(apache.bootstrap, { ...login, password: 'no' })).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
  let channel: Channel | null = null
  // What was changed takes a moment to reach the listener there.
  for (let tries = 0; channel === null && tries < 50; tries++) channel = await logIn(apache.bootstrap, login).catch(() => null)
  expect((await channel!.request('Metadata', { topics: null })).topics).toEqual([])
  channel!.close()
  root.close()
})
