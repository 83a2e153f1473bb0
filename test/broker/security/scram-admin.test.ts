// DescribeUserScramCredentials, AlterUserScramCredentials: users who get passwords, lose them, and log in meanwhile.

import { expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { saltedPasswordSync } from '../../../broker/wire/scram.ts'
import { systemClock } from '../../../core/clock.ts'

const settings = { 'sasl.enabled.mechanisms': 'SCRAM-SHA-256,SCRAM-SHA-512,PLAIN', 'connection.failed.authentication.delay.ms': 0 }
const sha256 = 1
const sha512 = 2
const salt = Buffer.from('1xv7k3mz9q2w8e4r6t5y0u')

function start(disk: MemoryDisk): Promise<Broker> {
  return startBroker({ disk, listen: '127.0.0.1:0', users: { root: 'root' }, settings })
}

const password = (name: string, word: string, mechanism = sha512, iterations = 4096) => ({
  name, mechanism, iterations, salt, saltedPassword: saltedPasswordSync(mechanism === sha256 ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512', word, salt, iterations),
})

async function alter(channel: Channel, upsertions: readonly ReturnType<typeof password>[], deletions: readonly { readonly name: string; readonly mechanism: number }[] = []): Promise<readonly unknown[]> {
  const { results } = await channel.request('AlterUserScramCredentials', { upsertions, deletions })
  return results.map(({ user, errorCode, errorMessage }) => (errorCode === 0 ? user : [user, errorCode, errorMessage]))
}

async function logIn(broker: Broker, mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512', username: string, word: string): Promise<boolean> {
  try {
    const channel = await connectTcpChannel({ host: '127.0.0.1', port: broker.address!.port, clock: systemClock, sasl: { mechanism, username, password: word } })
    channel.close()
    return true
  } catch {
    return false
  }
}

test('a user with a password logs in until it is taken away, also after a restart', async () => {
  const disk = new MemoryDisk()
  const first = await start(disk)
  const root = first.connect()
  expect(await alter(root, [password('alice', 'one'), password('al/i=c,e', 'two', sha256, 8192)])).toEqual(['alice', 'al/i=c,e'])
  expect(await Promise.all([logIn(first, 'SCRAM-SHA-512', 'alice', 'one'), logIn(first, 'SCRAM-SHA-256', 'alice', 'one'), logIn(first, 'PLAIN', 'alice', 'one'), logIn(first, 'SCRAM-SHA-256', 'al/i=c,e', 'two')])).toEqual([true, false, true, true])
  await first.close()
  const second = await start(disk)
  const channel = second.connect()
  const { results } = await channel.request('DescribeUserScramCredentials', { users: null })
  expect(results).toMatchObject([
    { user: 'root', credentialInfos: [{ mechanism: sha256, iterations: 4096 }, { mechanism: sha512, iterations: 4096 }] },
    { user: 'alice', credentialInfos: [{ mechanism: sha512, iterations: 4096 }] },
    { user: 'al/i=c,e', credentialInfos: [{ mechanism: sha256, iterations: 8192 }] },
  ])
  expect(await logIn(second, 'SCRAM-SHA-512', 'alice', 'one')).toBe(true)
  expect(await alter(channel, [password('alice', 'new')])).toEqual(['alice'])
  expect(await Promise.all(['one', 'new'].map(word => logIn(second, 'SCRAM-SHA-512', 'alice', word)))).toEqual([false, true])
  expect(await alter(channel, [], [{ name: 'alice', mechanism: sha512 }])).toEqual(['alice'])
  expect(await logIn(second, 'SCRAM-SHA-512', 'alice', 'new')).toBe(false)
  await second.close()
})

test('what cannot be is refused as in Apache Kafka, and then nothing of that user changes', async () => {
  const broker = await start(new MemoryDisk())
  const channel = broker.connect()
  expect(await alter(channel, [
    password('', 'x'), password('few', 'x', sha512, 4095), password('many', 'x', sha512, 16_385), password('odd', 'x', 3), password('unsalted', 'x'), password('twice', 'x'), password('twice', 'y'),
    password('half', 'x'), password('half', 'x', sha256, 1), password('root', 'x'), password('good', 'x'),
  ].map(upsertion => (upsertion.name === 'unsalted' ? { ...upsertion, salt: Buffer.alloc(0) } : upsertion)), [{ name: 'nobody', mechanism: sha256 }])).toEqual([
    ['nobody', 91, 'Attempt to delete a user credential that does not exist'],
    ['', 93, 'Username must not be empty'], ['few', 93, 'Too few iterations'], ['many', 93, 'Too many iterations'], ['odd', 33, 'Unknown SCRAM mechanism'],
    'unsalted', ['twice', 92, 'A user credential cannot be altered twice in the same request'], ['half', 93, 'Too few iterations'],
    ['root', 93, 'The settings of the broker name this user; it is changed there'], 'good',
  ])
  const { results } = await channel.request('DescribeUserScramCredentials', { users: ['good', 'half', 'good', 'root'].map(name => ({ name })) })
  expect(results.map(({ user, errorCode, errorMessage }) => [user, errorCode, errorMessage])).toEqual([
    ['good', 92, 'Cannot describe SCRAM credentials for the same user twice in a single request: good'],
    ['half', 91, 'Attempt to describe a user credential that does not exist: half'], ['root', 0, null],
  ])
  await broker.close()
})

test('of a user with both kinds, SCRAM-SHA-256 is told first, whichever was given last', async () => {
  await using broker = await start(new MemoryDisk())
  const root = broker.connect()
  for (const mechanism of [sha512, sha256, sha512]) await alter(root, [password('alice', 'word', mechanism)])
  const { results } = await root.request('DescribeUserScramCredentials', { users: [{ name: 'alice' }] })
  expect(results[0]!.credentialInfos.map(info => info.mechanism)).toEqual([sha256, sha512])
})
