// Clients that say who they are, with and without TLS: ours and librdkafka's (kcat) against our broker over real sockets.

import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { connectLog, type ConnectLogOptions } from '../../../broker/client/connect-log.ts'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { systemClock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import { makeCertificates, pem } from './certificates.ts'

const certificates = makeCertificates()
afterAll(() => certificates[Symbol.dispose]())
const brokers: Broker[] = []
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close()
})

const loginSettings = {
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
  'plain.sasl.jaas.config': 'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" user_alice="wonder=land" user_bob="builder";',
  'connection.failed.authentication.delay.ms': 0,
}
const tlsSettings = { 'ssl.keystore.certificate.chain': pem(certificates.brokerCert), 'ssl.keystore.key': pem(certificates.brokerKey) }
const mutualSettings = { ...tlsSettings, 'ssl.truststore.location': certificates.ca, 'ssl.client.auth': 'required' }
const ca = pem(certificates.ca)
const client = { cert: pem(certificates.clientCert), key: pem(certificates.clientKey) }
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

async function serve(settings: NonNullable<BrokerOptions['settings']>, options: Partial<BrokerOptions> = { memory: true }): Promise<number> {
  const broker = await startBroker({ listen: '127.0.0.1:0', settings, ...options })
  brokers.push(broker)
  return broker.address!.port
}

/** Creates a topic and says which there are. */
async function use(port: number, security: ConnectLogOptions['security'] = {}): Promise<readonly string[]> {
  const log = await connectLog({ bootstrap: `127.0.0.1:${port}`, security, connectTimeoutMs: 2_000 })
  try {
    await log.admin.createTopics([{ name: 'mine', partitions: 1 }])
    return (await log.admin.listTopics()).filter(name => !name.startsWith('__'))
  } finally {
    await log.close()
  }
}

describe.each(mechanisms)('%s', mechanism => {
  const sasl = { mechanism, username: 'alice', password: 'wonder=land' }

  test('the right password lets in, over TCP and over TLS', async () => {
    expect(await use(await serve(loginSettings), { sasl })).toEqual(['mine'])
    expect(await use(await serve({ ...loginSettings, ...tlsSettings }), { sasl, tls: { ca } })).toEqual(['mine'])
  })

  test.each([['wrong password', { password: 'builder' }], ['user that is not there', { username: 'carol' }]])('a %s does not', async (_, wrong) => {
    const port = await serve(loginSettings)
    await expect(use(port, { sasl: { ...sasl, ...wrong } })).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED', retriable: false })
  })
})

describe('a broker that wants to know', () => {
  test('closes the connection of a client that asks for anything else, and answers ApiVersions', async () => {
    const port = await serve(loginSettings)
    const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock })
    await expect(channel.request('Metadata', { topics: null })).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('names its mechanisms to who asks for another, and closes', async () => {
    const port = await serve({ ...loginSettings, 'sasl.enabled.mechanisms': 'SCRAM-SHA-512' })
    const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock })
    expect(await channel.request('SaslHandshake', { mechanism: 'PLAIN' })).toMatchObject({ errorCode: 33, mechanisms: ['SCRAM-SHA-512'] })
    expect(await channel.closed).toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('begins no exchange twice', async () => {
    const port = await serve(loginSettings)
    const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock })
    expect(await channel.request('SaslHandshake', { mechanism: 'SCRAM-SHA-512' })).toMatchObject({ errorCode: 0 })
    expect(await channel.request('SaslHandshake', { mechanism: 'PLAIN' })).toMatchObject({ errorCode: 34 })
    expect(await channel.closed).toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('hears of no other user on a connection that is authenticated', async () => {
    const port = await serve(loginSettings)
    const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, sasl: { mechanism: 'PLAIN', username: 'alice', password: 'wonder=land' } })
    expect(await channel.request('SaslHandshake', { mechanism: 'PLAIN' })).toMatchObject({ errorCode: 34 })
    expect(await channel.request('SaslAuthenticate', { authBytes: Buffer.from('\0bob\0builder') })).toMatchObject({ errorCode: 34 })
    expect((await channel.request('Metadata', { topics: [] })).brokers).toHaveLength(1)
    channel.close()
  })

  test('takes tokens as they are after version 0 of the handshake', async () => {
    const port = await serve(loginSettings)
    const socket = connectSocket(port, '127.0.0.1')
    const received = new Promise<Buffer>(resolve => {
      let bytes = Buffer.alloc(0)
      socket.on('data', chunk => {
        bytes = Buffer.concat([bytes, chunk])
        const answered = bytes.length > 4 && bytes.readInt32BE(0) + 8 <= bytes.length
        if (answered) resolve(bytes)
      })
    })
    const handshake = Buffer.concat([Buffer.from([0, 17, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 5]), Buffer.from('PLAIN')])
    const token = Buffer.from('\0alice\0wonder=land')
    for (const frame of [handshake, token]) socket.write(Buffer.concat([lengthOf(frame), frame]))
    const bytes = await received
    expect(bytes.subarray(-4)).toEqual(Buffer.alloc(4))
    socket.destroy()
  })

  test('takes no large request of somebody it does not know', async () => {
    const port = await serve(loginSettings)
    const socket = connectSocket(port, '127.0.0.1')
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.resume()
    socket.write(lengthOf({ length: 524_289 }))
    await closed
  })

  test('closes the connection behind a failure', async () => {
    const port = await serve(loginSettings)
    const channel = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock })
    await channel.request('SaslHandshake', { mechanism: 'PLAIN' })
    expect(await channel.request('SaslAuthenticate', { authBytes: Buffer.from('\0alice\0no') })).toMatchObject({ errorCode: 58 })
    expect(await channel.closed).toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('knows the users that its settings name as long as they name them', async () => {
    const disk = new MemoryDisk()
    const sasl = { mechanism: 'SCRAM-SHA-512', username: 'bob', password: 'builder' } as const
    expect(await use(await serve(loginSettings, { disk }), { sasl })).toEqual(['mine'])
    await brokers.pop()!.close()
    const port = await serve({ 'sasl.enabled.mechanisms': 'SCRAM-SHA-512', 'connection.failed.authentication.delay.ms': 0 }, { disk, users: { alice: 'other' } })
    expect(await use(port, { sasl: { ...sasl, username: 'alice', password: 'other' } })).toEqual(['mine'])
    await expect(use(port, { sasl })).rejects.toMatchObject({ code: 'SASL_AUTHENTICATION_FAILED' })
  })

  test('reads its users from a file, and never shows passwords', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'millrace-users-')), 'users')
    writeFileSync(file, '# who may\n\ncarol:a:b,c \n', { mode: 0o600 })
    const sasl = { mechanism: 'PLAIN', username: 'carol', password: 'a:b,c ' } as const
    const channel = await connectTcpChannel({ host: '127.0.0.1', port: await serve({ ...loginSettings, 'millrace.users.file': file }), clock: systemClock, sasl })
    rmSync(dirname(file), { recursive: true })
    const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType: 4, resourceName: '1', configurationKeys: null }], includeSynonyms: true })
    expect(JSON.stringify(results)).not.toMatch(/builder|wonder/)
    expect(results[0]!.configs.find(({ name }) => name === 'plain.sasl.jaas.config')).toMatchObject({ isSensitive: true, value: null })
    channel.close()
  })

  test('clients of the same process need not say who they are', async () => {
    await serve(loginSettings)
    const log = await connectLog({ connect: () => brokers[0]!.connect() })
    expect(await log.admin.listTopics()).toEqual([])
    await log.close()
  })
})

describe('TLS', () => {
  test('a client refuses a broker whose certificate nobody it trusts has signed', async () => {
    await expect(use(await serve(tlsSettings), { tls: {} })).rejects.toMatchObject({ message: expect.stringMatching(/certificate|SIGNED|UNABLE/i) as string })
  })

  test('a broker that wants certificates takes clients that have one, and no others', async () => {
    const port = await serve(mutualSettings)
    expect(await use(port, { tls: { ca, ...client } })).toEqual(['mine'])
    await expect(use(port, { tls: { ca } })).rejects.toMatchObject({ name: 'MillraceError' })
  })

  test.each([['DEFAULT', 'User:CN=client'], ['RULE:^CN=(.*)$/$1/U', 'User:CLIENT']])('the certificate says who a client is (%s: %s)', async (rules, superUser) => {
    const authorizer = { 'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'ssl.principal.mapping.rules': rules }
    expect(await use(await serve({ ...mutualSettings, ...authorizer, 'super.users': superUser }), { tls: { ca, ...client } })).toEqual(['mine'])
    await expect(use(await serve({ ...mutualSettings, ...authorizer, 'super.users': 'User:else' }), { tls: { ca, ...client } })).rejects.toMatchObject({ code: 'TOPIC_AUTHORIZATION_FAILED' })
  })

  test('a certificate that no rule knows, or that nobody trusted has signed, does not let in, also where none is needed', async () => {
    const port = await serve({ ...mutualSettings, 'ssl.client.auth': 'requested', 'ssl.principal.mapping.rules': 'RULE:^CN=nobody$/nobody/' })
    expect(await use(port, { tls: { ca } })).toEqual(['mine'])
    await expect(use(port, { tls: { ca, ...client } })).rejects.toMatchObject({ name: 'MillraceError' })
    const distrustful = await serve({ ...mutualSettings, 'ssl.client.auth': 'requested', 'ssl.truststore.location': certificates.brokerCert })
    await expect(use(distrustful, { tls: { ca, ...client } })).rejects.toMatchObject({ name: 'MillraceError' })
  })

  test('clients that show certificates need somebody who is trusted to sign them', async () => {
    await expect(serve({ ...tlsSettings, 'ssl.client.auth': 'required' })).rejects.toMatchObject({ code: 'BAD_SETTING' })
  })

  test('closing ends connections that never shook hands', async () => {
    const port = await serve(tlsSettings)
    const socket = connectSocket(port, '127.0.0.1')
    await new Promise(resolve => socket.once('connect', resolve))
    expect(await use(port, { tls: { ca } })).toEqual(['mine'])
    await brokers.pop()!.close()
    socket.destroy()
  })

  test('a certificate without its key is refused at the start', async () => {
    await expect(serve({ 'ssl.keystore.certificate.chain': ca })).rejects.toMatchObject({ code: 'BAD_SETTING' })
  })
})

test('who still shakes hands has one of the places of strangers until it has', async () => {
  const port = await serve({ ...tlsSettings, 'max.connections': 2 })
  const silent = connectSocket(port, '127.0.0.1')
  await new Promise(resolve => silent.once('connect', resolve))
  await expect(connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, tls: { ca } })).rejects.toBeInstanceOf(MillraceError)
  silent.destroy()
  const channels = [await connectWhenThereIsRoom(port), await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, tls: { ca } })]
  for (const channel of channels) channel.close()
})

/** The broker may not have seen yet that somebody has gone. */
async function connectWhenThereIsRoom(port: number): Promise<Channel> {
  for (;;) {
    try {
      return await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, tls: { ca } })
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
    }
  }
}

test('one address gets so many connections', async () => {
  const port = await serve({ 'max.connections.per.ip': 1 })
  const first = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock })
  await expect(connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock })).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
  first.close()
})

function lengthOf(frame: { readonly length: number }): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(frame.length)
  return length
}

/** What kcat prints and how it ends; the broker is in this process, so it must not be waited for in one piece. */
function kcat(port: number, properties: Readonly<Record<string, string>>): Promise<{ readonly failed: boolean; readonly text: string }> {
  const set = Object.entries(properties).flatMap(([name, value]) => ['-X', `${name}=${value}`])
  return new Promise(resolve => {
    execFile('kcat', ['-b', `127.0.0.1:${port}`, ...set, '-m', '5', '-L'], { timeout: 20_000, env: { ...process.env, KCAT_CONFIG: '/dev/null' } }, (error, out, err) => {
      resolve({ failed: error !== null, text: out + err })
    })
  })
}

describe.skipIf(spawnSync('kcat', ['-V']).error !== undefined)('kcat', () => {
  const login = (mechanism: string, password: string) => ({ 'sasl.mechanisms': mechanism, 'sasl.username': 'alice', 'sasl.password': password })

  test.each(mechanisms)('logs in with %s over TLS', async mechanism => {
    const port = await serve({ ...loginSettings, ...tlsSettings })
    const answer = await kcat(port, { 'security.protocol': 'SASL_SSL', 'ssl.ca.location': certificates.ca, ...login(mechanism, 'wonder=land') })
    expect(answer).toMatchObject({ failed: false, text: expect.stringContaining('1 brokers') as string })
  })

  test('hears that its password is wrong', async () => {
    const port = await serve(loginSettings)
    const answer = await kcat(port, { 'security.protocol': 'SASL_PLAINTEXT', ...login('SCRAM-SHA-256', 'no') })
    expect(answer).toMatchObject({ failed: true, text: expect.stringContaining('invalid credentials') as string })
  })

  test('shows its certificate', async () => {
    const port = await serve(mutualSettings)
    const properties = { 'security.protocol': 'SSL', 'ssl.ca.location': certificates.ca, 'ssl.certificate.location': certificates.clientCert, 'ssl.key.location': certificates.clientKey }
    expect(await kcat(port, properties)).toMatchObject({ failed: false, text: expect.stringContaining('1 brokers') as string })
  })
})
