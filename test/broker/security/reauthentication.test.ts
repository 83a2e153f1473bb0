// Sessions that end (KIP-368): who logs in again goes on, as the same user by the same mechanism; who does not is sent away at the next request.

import { afterEach, expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { logIn, type SaslLogin } from '../../../broker/client/sasl-login.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { VirtualClock } from '../../../core/clock.ts'

const clock = new VirtualClock(1_000_000)
const lifetimeMs = 60_000
const illegalState = 34
let broker: Broker
const logged: unknown[] = []
afterEach(async () => {
  logged.length = 0
  await broker.close()
})

async function serve(settings: Readonly<Record<string, string | number>> = { 'connections.max.reauth.ms': lifetimeMs }): Promise<void> {
  const say = (message: string, fields?: object): void => void logged.push({ message, ...fields })
  broker = await startBroker({
    memory: true, listen: 'SASL_PLAINTEXT://127.0.0.1:0', users: { alice: 'alice', bob: 'bob' }, clock, logger: { info: say, warn: say, error: say },
    settings: { 'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256', 'connection.failed.authentication.delay.ms': 0, ...settings },
  })
}

const alice: SaslLogin = { mechanism: 'PLAIN', username: 'alice', password: 'alice' }

function connect(sasl?: SaslLogin): Promise<Channel> {
  return connectTcpChannel({ host: '127.0.0.1', port: broker.address!.port, clock, ...(sasl === undefined ? {} : { sasl }) })
}

async function isServed(channel: Channel): Promise<boolean> {
  return channel.request('Metadata', { topics: [] }).then(() => true, () => false)
}

const token = (user: string, password = user) => ({ authBytes: Buffer.from(`\0${user}\0${password}`) })

test('the client is told when its session ends, and is sent away at its next request behind that', async () => {
  await serve()
  const channel = await connect()
  await channel.request('SaslHandshake', { mechanism: 'PLAIN' })
  expect(await channel.request('SaslAuthenticate', token('alice'))).toMatchObject({ errorCode: 0, sessionLifetimeMs: lifetimeMs })
  clock.advance(lifetimeMs - 1)
  expect(await isServed(channel)).toBe(true)
  clock.advance(1)
  expect(await isServed(channel)).toBe(false)
  expect(logged).toContainEqual(expect.objectContaining({ code: 'SASL_SESSION_EXPIRED' }))
})

test.each(['PLAIN', 'SCRAM-SHA-256'] as const)('who logs in again goes on, also when it is late (%s)', async mechanism => {
  await serve()
  const channel = await connect({ ...alice, mechanism })
  for (const waitMs of [lifetimeMs / 2, lifetimeMs - 1, lifetimeMs + 5]) {
    clock.advance(waitMs)
    await logIn(channel, { ...alice, mechanism })
    expect(await isServed(channel)).toBe(true)
  }
  channel.close()
})

test('the time in which a new client is to say who it is does not count for one that logs in again', async () => {
  await serve({ 'connections.max.reauth.ms': lifetimeMs, 'millrace.authentication.timeout.ms': 10_000 })
  const channel = await connect(alice)
  clock.advance(9_999)
  await channel.request('SaslHandshake', { mechanism: 'PLAIN' })
  clock.advance(1)
  expect(await channel.request('SaslAuthenticate', token('alice'))).toMatchObject({ errorCode: 0 })
  expect(await isServed(channel)).toBe(true)
  channel.close()
})

test('another user, another mechanism, a wrong password and another request end the connection', async () => {
  await serve()
  const again = async (mechanism: string): Promise<{ readonly channel: Channel; readonly errorCode: number }> => {
    const channel = await connect(alice)
    return { channel, errorCode: (await channel.request('SaslHandshake', { mechanism })).errorCode }
  }
  const other = await again('PLAIN')
  expect(await other.channel.request('SaslAuthenticate', token('bob'))).toMatchObject({ errorCode: 58, errorMessage: expect.stringContaining('User:alice') as string })
  expect(await isServed(other.channel)).toBe(false)
  const wrong = await again('PLAIN')
  expect(await wrong.channel.request('SaslAuthenticate', token('alice', 'no'))).toMatchObject({ errorCode: 58 })
  expect(await isServed(wrong.channel)).toBe(false)
  const mechanism = await again('SCRAM-SHA-256')
  expect(mechanism.errorCode).toBe(33)
  expect(await isServed(mechanism.channel)).toBe(false)
  for (const api of ['Metadata', 'ApiVersions'] as const) {
    const { channel, errorCode } = await again('PLAIN')
    expect(errorCode).toBe(0)
    await expect(api === 'Metadata' ? channel.request(api, { topics: [] }) : channel.request(api, {})).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  }
  expect(JSON.stringify(logged)).not.toContain('\\u0000')
})

test('not more than once a second; in between it hears so and is served', async () => {
  await serve()
  const channel = await connect(alice)
  await logIn(channel, alice)
  clock.advance(999)
  expect(await channel.request('SaslHandshake', { mechanism: 'PLAIN' })).toMatchObject({ errorCode: illegalState })
  expect(await isServed(channel)).toBe(true)
  clock.advance(1)
  await logIn(channel, alice)
  expect(await isServed(channel)).toBe(true)
  channel.close()
})

test('a listener and a mechanism have a time of their own; without one nobody logs in again', async () => {
  await serve({ 'connections.max.reauth.ms': 0, 'listener.name.sasl_plaintext.connections.max.reauth.ms': 5000, 'listener.name.sasl_plaintext.plain.connections.max.reauth.ms': 0 })
  const channel = await connect(alice)
  clock.advance(10 * lifetimeMs - 1)
  expect(await channel.request('SaslHandshake', { mechanism: 'PLAIN' })).toMatchObject({ errorCode: illegalState })
  expect(await isServed(channel)).toBe(true)
  channel.close()
  const scram = await connect({ ...alice, mechanism: 'SCRAM-SHA-256' })
  clock.advance(5000)
  expect(await isServed(scram)).toBe(false)
})
