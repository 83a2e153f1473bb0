// What somebody who has no business here may try before he has said who he is: guess names, take memory, take time, speak another protocol.

import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import { CredentialBook, credentialRecord } from '../../../broker/kernel/credential-book.ts'
import { authorizerClass } from '../../../broker/server/security/access.ts'
import { maxStrangerBytes, StrangerMemory } from '../../../broker/server/security/stranger-memory.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { encodeRequest } from '../../../broker/wire/frame.ts'
import { systemClock } from '../../../core/clock.ts'
import { makeCertificates, pem } from './certificates.ts'

const certificates = makeCertificates()
afterAll(() => certificates[Symbol.dispose]())
const brokers: Broker[] = []
const sockets: Socket[] = []
let logged: { readonly message: string; readonly [field: string]: unknown }[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const broker of brokers.splice(0)) await broker.close()
  logged = []
})

const logins = { 'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512', 'connection.failed.authentication.delay.ms': 0 }
const tls = { 'ssl.keystore.certificate.chain': pem(certificates.brokerCert), 'ssl.keystore.key': pem(certificates.brokerKey), 'ssl.truststore.location': certificates.ca }

async function serve(settings: NonNullable<BrokerOptions['settings']>, options: Partial<BrokerOptions> = { memory: true }): Promise<number> {
  const say = (message: string, fields?: object): void => void logged.push({ message, ...fields })
  const broker = await startBroker({ listen: '127.0.0.1:0', users: { alice: 'wonderland', bob: 'builder' }, logger: { info: say, warn: say, error: say }, settings, ...options })
  brokers.push(broker)
  return broker.address!.port
}

const open = (port: number): Promise<Channel> => connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock })

async function begun(port: number, mechanism: string): Promise<Channel> {
  const channel = await open(port)
  await channel.request('SaslHandshake', { mechanism })
  return channel
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate()
}

describe('who guesses', () => {
  const plain = ['bob\0alice\0wonderland', '\0alice\0', '\0\0wonderland', '\0alice\0wonderland\0', '\0alice\0wonder\0land', 'alice\0wonderland', '\0carol\0wonderland', '\0alice\0Wonderland', '\0alice\n\0wonderland', '']
  const scram = ['n,,n=alice,r=', 'n,,n=,r=abc', 'n,,r=abc', 'n,,n=alice', 'p=tls-unique,,n=alice,r=abc', 'x,,n=alice,r=abc', 'n,a=bob,n=alice,r=abc', 'n,,m=ext,n=alice,r=abc', 'n,,n=al=ice,r=abc', 'n,,n=alice,r=abc,tokenauth=true', `n,,n=${'a'.repeat(5000)},r=abc`, `n,,n=alice,r=${'a'.repeat(5000)}`, '']

  test.each([...plain.map(token => ['PLAIN', token] as const), ...scram.map(token => ['SCRAM-SHA-256', token] as const)])('gets the same answer in %s, whatever is wrong: %j', async (mechanism, token) => {
    const channel = await begun(await serve(logins), mechanism)
    const answer = await channel.request('SaslAuthenticate', { authBytes: Buffer.from(token) })
    expect(answer).toMatchObject({ errorCode: 58, errorMessage: `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}` })
    expect(answer.authBytes).toHaveLength(0)
    expect(await channel.closed).toMatchObject({ code: 'CONNECTION_FAILED' })
  })

  test('sees a salt of its own for each name, the same each time, and a nonce that never comes again', async () => {
    const port = await serve(logins)
    const ask = async (name: string): Promise<readonly string[]> => {
      const channel = await begun(port, 'SCRAM-SHA-512')
      const { authBytes } = await channel.request('SaslAuthenticate', { authBytes: Buffer.from(`n,,n=${name},r=abc`) })
      channel.close()
      return Buffer.from(authBytes).toString().split(',')
    }
    const answers = [await ask('alice'), await ask('nobody'), await ask('nobody'), await ask('noone')]
    expect(new Set(answers.map(([nonce]) => nonce)).size).toBe(4)
    expect(answers.map(([, , iterations]) => iterations)).toEqual(Array(4).fill('i=4096'))
    const salts = answers.map(([, salt]) => salt!)
    expect(salts[1]).toBe(salts[2])
    expect(new Set(salts).size).toBe(3)
    expect(new Set(salts.map(salt => salt.length)).size).toBe(1)
  })

  test('sees names that are not there shaped as all of those that are, not as one of them', () => {
    const book = new CredentialBook()
    for (const { key, value } of book.start(Buffer.from('a secret'))) book.replay(key, value)
    const give = (user: string, iterations: number): void => {
      const { key, value } = credentialRecord(user, 'SCRAM-SHA-256', Buffer.alloc(20), iterations, Buffer.alloc(32))
      book.replay(key, value)
    }
    give('slow', 16_384)
    give('fast', 4096)
    const shapes = Array.from({ length: 64 }, (_, index) => book.pretended(`nobody-${index}`, 'SCRAM-SHA-256'))
    expect(new Set(shapes.map(({ iterations }) => iterations))).toEqual(new Set([4096, 16_384]))
    expect(shapes.every(({ salt }) => salt.length === 20)).toBe(true)
    give('other', 4096)
    expect(Array.from({ length: 64 }, (_, index) => book.pretended(`nobody-${index}`, 'SCRAM-SHA-256'))).toEqual(shapes)
  })

  test('and has gone costs no work', async () => {
    const book = new CredentialBook()
    await book.fix('alice', 'wonderland')
    expect(await book.isPassword('alice', 'wonderland', '', () => false)).toBe(false)
    expect(await book.isPassword('alice', 'wonderland')).toBe(true)
  })
})

describe('who takes memory', () => {
  test('is sent away before others are kept waiting, by those who are known and by those who log in', async () => {
    const port = await serve(logins)
    const known = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, sasl: { mechanism: 'PLAIN', username: 'alice', password: 'wonderland' } })
    const size = 524_000
    const closed: boolean[] = []
    for (let index = 0; index < Math.ceil(maxStrangerBytes / size) + 6; index++) {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {}).on('close', () => (closed[index] = true)).resume()
      const length = Buffer.alloc(4)
      length.writeInt32BE(size)
      socket.write(Buffer.concat([length, Buffer.alloc(size - 1)]))
    }
    await until(() => closed.some(Boolean))
    expect(logged.find(({ message }) => message === 'connection closed')).toMatchObject({ code: 'REQUEST_MEMORY_FULL' })
    expect((await known.request('Metadata', { topics: [] })).brokers).toHaveLength(1)
    const other = await connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, sasl: { mechanism: 'SCRAM-SHA-256', username: 'bob', password: 'builder' } })
    const held = brokers[0]!.metrics().find(({ name }) => name === 'millrace_requests_held_bytes')
    expect([...held!.samples][0]!.value).toBeLessThanOrEqual(maxStrangerBytes)
    for (const channel of [known, other]) channel.close()
  })

  test('is the one who takes most, and its share is free then', () => {
    const memory = new StrangerMemory(100)
    const gone: string[] = []
    const [small, large, last] = ['small', 'large', 'last'].map(name => memory.share(() => void gone.push(name)))
    small!.hold(10)
    large!.hold(60)
    last!.hold(30)
    expect(gone).toEqual([])
    small!.hold(11)
    expect([gone, memory.bytes]).toEqual([['large'], 41])
    large!.release()
    small!.release()
    last!.release()
    expect(memory.bytes).toBe(0)
  })
})

describe('who speaks another protocol', () => {
  test('is told apart in the log, and others are served', async () => {
    const port = await serve({})
    for (const [bytes, reason] of [[Buffer.from([0x16, 3, 1, 2, 0, 1]), 'The client speaks TLS, and this listener does not.'], [Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'The client speaks HTTP; this is the Kafka protocol.']] as const) {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => {}).resume().write(bytes)
      await new Promise(resolve => socket.once('close', resolve))
      expect(logged.at(-1)).toMatchObject({ message: 'connection closed', code: 'MALFORMED_FRAME', reason })
    }
    const channel = await open(port)
    expect((await channel.request('Metadata', { topics: [] })).brokers).toHaveLength(1)
    channel.close()
  })

  test.each([['a request of Kafka', Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])], ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')], ['noise', Buffer.alloc(100, 0xa5)]])('to a listener with TLS does no harm: %s', async (_, bytes) => {
    const port = await serve(tls)
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => {}).resume().write(bytes)
    await new Promise(resolve => socket.once('close', resolve))
    expect(logged.at(-1)).toMatchObject({ message: 'connection refused: no TLS', reason: 'the client does not speak TLS (security.protocol SSL or SASL_SSL)' })
  })

  test.each([
    [{ 'ssl.enabled.protocols': 'TLSv1.3' }, 'TLSv1.2', undefined, null],
    [{ 'ssl.enabled.protocols': 'TLSv1.3' }, 'TLSv1.3', undefined, 'TLSv1.3'],
    [{ 'ssl.enabled.protocols': 'TLSv1.2' }, 'TLSv1.3', undefined, null],
    [{ 'ssl.cipher.suites': 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384' }, 'TLSv1.2', 'ECDHE-RSA-AES256-GCM-SHA384', 'TLSv1.2'],
    [{ 'ssl.cipher.suites': 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,ECDHE-RSA-AES128-GCM-SHA256' }, 'TLSv1.2', 'ECDHE-RSA-AES256-GCM-SHA384', null],
    [{ 'ssl.cipher.suites': 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384' }, 'TLSv1.3', undefined, null],
    [{ 'ssl.cipher.suites': 'TLS_AES_256_GCM_SHA384' }, 'TLSv1.3', undefined, 'TLSv1.3'],
  ] as const)('that the settings do not allow is refused: %j, %s %s', async (settings, version, suites, spoken) => {
    const port = await serve({ ...tls, ...settings })
    const answer = await new Promise<string | null>(resolve => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: pem(certificates.ca), minVersion: version, maxVersion: version, ...(suites === undefined ? {} : { ciphers: suites }) }, () => resolve(socket.getProtocol()))
      sockets.push(socket)
      socket.once('error', () => resolve(null))
    })
    expect(answer).toBe(spoken)
  })

  test.each(['TLS_NULL_WITH_NOTHING', 'TLS_RSA_WITH_RC4_128_SHA', 'DEFAULT'])('the cipher %s is none', async suite => {
    await expect(serve({ ...tls, 'ssl.cipher.suites': suite })).rejects.toMatchObject({ code: 'BAD_SETTING' })
  })

  test('or an old TLS is refused', async () => {
    const port = await serve(tls)
    const failed = new Promise<Error>(resolve => connectTls({ port, host: '127.0.0.1', ca: pem(certificates.ca), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }).once('error', resolve))
    expect((await failed).message).toMatch(/alert|version|protocol/i)
  })
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)('who comes again with a session of %s is who he was', async version => {
  const port = await serve({ ...tls, 'ssl.client.auth': 'required', 'authorizer.class.name': authorizerClass, 'super.users': 'User:CN=client' })
  const ask = Buffer.concat(encodeRequest('DescribeAcls', 1, { correlationId: 1, clientId: null }, { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }))
  const visit = async (session?: Buffer): Promise<{ readonly session: Buffer; readonly isReused: boolean; readonly errorCode: number }> => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: pem(certificates.ca), cert: pem(certificates.clientCert), key: pem(certificates.clientKey), minVersion: version, maxVersion: version, ...(session === undefined ? {} : { session }) })
    sockets.push(socket)
    const fresh = new Promise<Buffer>(resolve => socket.once('session', resolve))
    const answer = new Promise<Buffer>((resolve, reject) => socket.once('data', resolve).once('error', reject))
    socket.write(ask)
    const errorCode = (await answer).readInt16BE(12)
    return { session: session ?? (await fresh), isReused: socket.isSessionReused(), errorCode }
  }
  const first = await visit()
  expect(first).toMatchObject({ isReused: false, errorCode: 0 })
  expect(await visit(first.session)).toMatchObject({ isReused: true, errorCode: 0 })
})

test('what users log in with lies where nobody else on the machine may look', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-private-'))
  await serve(logins, { dataDirectory: directory })
  expect((statSync(join(directory, '__cluster_metadata-0')).mode & 0o777).toString(8)).toBe('700')
  await brokers.pop()!.close()
  rmSync(directory, { recursive: true })
})

test.each(['plain.sasl.jaas.config', 'ssl.keystore.key', 'ssl.keystore.certificate.chain', 'ssl.truststore.certificates', 'ssl.key.password'])('a wrong %s is not repeated by the error', async name => {
  const settings = { ...tls, ...logins, 'ssl.client.auth': 'required', [name]: 'hunter2 is no such thing' }
  const error = await serve(settings).then(() => null, (thrown: Error) => thrown)
  const told = [error?.message, (error as { hint?: string } | null)?.hint, String(error?.cause), ...logged.map(line => JSON.stringify(line))].join(' ')
  expect(told).not.toContain('hunter2')
})
