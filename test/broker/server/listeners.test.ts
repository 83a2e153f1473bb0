// Several listeners: each tells its clients its own address, asks of them what its own settings say, and all share the broker's limits.

import { readFileSync, rmSync, writeFileSync, copyFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { connectTcpChannel } from '../../../broker/client/tcp-channel.ts'
import type { SaslLogin } from '../../../broker/client/sasl-login.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { systemClock } from '../../../core/clock.ts'
import { makeCertificates, pem } from '../security/certificates.ts'

const certificates = makeCertificates()
afterAll(() => certificates[Symbol.dispose]())
const brokers: Broker[] = []
const logged: { readonly message: string; readonly fields: unknown }[] = []
afterEach(async () => {
  logged.length = 0
  for (const broker of brokers.splice(0)) await broker.close()
})

async function serve(listen: readonly string[] | undefined, settings: NonNullable<BrokerOptions['settings']> = {}, options: Partial<BrokerOptions> = {}): Promise<Broker> {
  const say = (message: string, fields?: unknown): void => void logged.push({ message, fields })
  const broker = await startBroker({ memory: true, ...(listen === undefined ? {} : { listen }), settings, logger: { info: say, warn: say, error: say }, ...options })
  brokers.push(broker)
  return broker
}

function portOf(broker: Broker, name: string): number {
  return broker.listeners.find(listener => listener.name === name)!.address.port
}

function connect(port: number, security: { readonly sasl?: SaslLogin; readonly tls?: object } = {}): Promise<Channel> {
  return connectTcpChannel({ host: '127.0.0.1', port, clock: systemClock, ...security })
}

/** Where a client is sent by all that says where the broker is. */
async function places(channel: Channel): Promise<ReadonlySet<string>> {
  const { brokers: nodes } = await channel.request('Metadata', { topics: [] })
  const { brokers: others } = await channel.request('DescribeCluster', { includeClusterAuthorizedOperations: false })
  const { coordinators } = await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  channel.close()
  return new Set([...nodes, ...others, ...coordinators].map(({ host, port }) => `${host}:${port}`))
}

const two = ['INTERNAL://127.0.0.1:0', 'external://127.0.0.1:0']
const tls = { 'ssl.keystore.certificate.chain': pem(certificates.brokerCert), 'ssl.keystore.key': pem(certificates.brokerKey) }
const plainUsers = (users: string): string => `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`

describe('clients are told the address of the listener that they came in by', () => {
  test('that one listens on', async () => {
    const broker = await serve(two)
    expect(broker.listeners.map(({ name }) => name)).toEqual(['INTERNAL', 'EXTERNAL'])
    expect(broker.address).toEqual(broker.listeners[0]!.address)
    for (const { address, advertised } of broker.listeners) {
      expect(advertised).toEqual(address)
      expect(await places(await connect(address.port))).toEqual(new Set([`127.0.0.1:${address.port}`]))
    }
  })

  test('or the one that is advertised for it', async () => {
    const broker = await serve(two, { 'advertised.listeners': 'EXTERNAL://kafka.example.com:19092,CONTROLLER://c:1' })
    expect(await places(await connect(portOf(broker, 'EXTERNAL')))).toEqual(new Set(['kafka.example.com:19092']))
    expect(await places(await connect(portOf(broker, 'INTERNAL')))).toEqual(new Set([`127.0.0.1:${portOf(broker, 'INTERNAL')}`]))
  })
})

describe('the setting listeners', () => {
  test('says where to listen where nobody else does; those of controllers are left out, and said to be', async () => {
    const broker = await serve(undefined, { listeners: 'PLAINTEXT://:0, CONTROLLER://:0' })
    expect(broker.listeners).toMatchObject([{ name: 'PLAINTEXT', address: { host: '127.0.0.1' } }])
    expect(logged.map(({ message }) => message)).toEqual(expect.arrayContaining(['listeners left out: they are for controllers, which this broker has none of', 'a listener that names no host listens on this machine alone']))
    expect(await serve(false as never, { listeners: 'PLAINTEXT://:0' })).toMatchObject({ address: null, listeners: [] })
  })

  test.each([
    [{ listeners: 'CONTROLLER://:0' }, 'BAD_SETTING', 'leaves clients none'],
    [{ listeners: 'A://:0,B://:0', 'controller.listener.names': 'a,b' }, 'BAD_SETTING', 'leaves clients none'],
    [{ listeners: 'A://:0,127.0.0.1:0' }, 'BAD_ADDRESS', 'each has a name'],
    [{ listeners: 'A://:0,a://:0' }, 'BAD_ADDRESS', 'two listeners with the name A'],
    [{ listeners: 'A://nowhere' }, 'BAD_ADDRESS', 'is not host:port'],
    [{ listeners: 'A://:0', 'listener.security.protocol.map': 'A:TLS' }, 'BAD_SETTING', 'not NAME:PROTOCOL'],
    [{ listeners: 'SSL://:0' }, 'BAD_SETTING', 'there is no certificate'],
    [{ listeners: 'SASL_PLAINTEXT://:0' }, 'BAD_SETTING', 'no mechanism to log in by'],
    [{ listeners: 'A://:0,B://:0', 'advertised.listeners': 'C://c:1' }, 'BAD_SETTING', 'of no listener'],
    [{ listeners: 'A://:0,B://:0', 'advertised.listeners': 'c:1' }, 'BAD_SETTING', 'of no listener'],
    [{ listeners: '127.0.0.1:0', 'listener.name.a.ssl.client.auth': 'none', 'listener.name.b.ssl.client.auth': 'none' }, 'BAD_SETTING', 'without a name'],
    [{ 'listener.name.a.super.users': 'x' }, 'UNKNOWN_SETTING', 'listener.name.a.super.users'],
    [{ 'listener.name.a.ssl.client.auth': 'perhaps' }, 'BAD_SETTING', 'must be one of'],
    [{ 'max.connections.per.ip.overrides': 'localhost' }, 'BAD_SETTING', 'not ADDRESS:NUMBER'],
  ] as const)('%j is refused', async (settings, code, message) => {
    await expect(serve(undefined, { listeners: '127.0.0.1:0', ...settings })).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
  })

  test('a port that is taken closes what is open already', async () => {
    const taken = (await serve(['A://127.0.0.1:0'])).address!.port
    await expect(serve(['B://127.0.0.1:0', `C://127.0.0.1:${taken}`])).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' })
  })
})

describe('each listener asks what its own settings say', () => {
  test('one lets in whoever reaches it, another asks for a password, a third for a certificate', async () => {
    const broker = await serve(['INSIDE://127.0.0.1:0', 'USERS://127.0.0.1:0', 'MACHINES://127.0.0.1:0'], {
      'listener.security.protocol.map': 'INSIDE:PLAINTEXT,USERS:SASL_PLAINTEXT,MACHINES:SSL',
      'listener.name.users.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      'listener.name.users.plain.sasl.jaas.config': plainUsers('user_alice="a"'),
      ...Object.fromEntries(Object.entries(tls).map(([name, value]) => [`listener.name.machines.${name}`, value])),
      'listener.name.machines.ssl.client.auth': 'required',
      'listener.name.machines.ssl.truststore.location': certificates.ca,
    })
    const inside = await connect(portOf(broker, 'INSIDE'))
    expect((await inside.request('Metadata', { topics: [] })).brokers).toHaveLength(1)
    inside.close()
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256'] as const) (await connect(portOf(broker, 'USERS'), { sasl: { mechanism, username: 'alice', password: 'a' } })).close()
    await expect((await connect(portOf(broker, 'USERS'))).request('Metadata', { topics: [] })).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    const ca = pem(certificates.ca)
    const machine = await connect(portOf(broker, 'MACHINES'), { tls: { ca, cert: pem(certificates.clientCert), key: pem(certificates.clientKey) } })
    expect((await machine.request('Metadata', { topics: [] })).brokers).toHaveLength(1)
    machine.close()
    await expect(connect(portOf(broker, 'MACHINES'), { tls: { ca } })).rejects.toMatchObject({ name: 'MillraceError' })
    await expect(connect(portOf(broker, 'INSIDE'), { sasl: { mechanism: 'PLAIN', username: 'alice', password: 'a' } })).rejects.toMatchObject({ code: 'ILLEGAL_SASL_STATE' })
  })

  test.each(['PLAIN', 'SCRAM-SHA-512'] as const)('users of one listener are not those of another (%s)', async mechanism => {
    const broker = await serve(two, {
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512', 'connection.failed.authentication.delay.ms': 0,
      'plain.sasl.jaas.config': plainUsers('user_alice="shared" user_bob="shared"'),
      'listener.name.external.plain.sasl.jaas.config': plainUsers('user_alice="outside"'),
    }, { users: { root: 'root' } })
    const logIn = async (name: string, username: string, password: string): Promise<boolean> => {
      const channel = await connect(portOf(broker, name), { sasl: { mechanism, username, password } }).catch(() => null)
      channel?.close()
      return channel !== null
    }
    for (const [name, user, password, isIn] of [
      ['INTERNAL', 'alice', 'shared', true], ['INTERNAL', 'alice', 'outside', false], ['INTERNAL', 'bob', 'shared', true], ['INTERNAL', 'root', 'root', true],
      ['EXTERNAL', 'alice', 'outside', true], ['EXTERNAL', 'alice', 'shared', false], ['EXTERNAL', 'bob', 'shared', false], ['EXTERNAL', 'root', 'root', true],
    ] as const) expect([name, user, password, await logIn(name, user, password)]).toEqual([name, user, password, isIn])
  })

  test('SASL_SSL asks for certificates only where the listener itself does, as in Kafka; DescribeConfigs shows both, and no password', async () => {
    const jaas = { 'sasl.enabled.mechanisms': 'PLAIN', 'ssl.truststore.location': certificates.ca, ...tls, 'ssl.client.auth': 'required', 'listener.name.a.plain.sasl.jaas.config': plainUsers('user_u="secret"'), 'listener.name.b.plain.sasl.jaas.config': plainUsers('user_u="secret"') }
    const broker = await serve(['A://127.0.0.1:0', 'B://127.0.0.1:0'], { ...jaas, 'listener.security.protocol.map': 'A:SASL_SSL,B:SASL_SSL', 'listener.name.b.ssl.client.auth': 'required' })
    const sasl = { mechanism: 'PLAIN', username: 'u', password: 'secret' } as const
    const channel = await connect(portOf(broker, 'A'), { sasl, tls: { ca: pem(certificates.ca) } })
    await expect(connect(portOf(broker, 'B'), { sasl, tls: { ca: pem(certificates.ca) } })).rejects.toMatchObject({ name: 'MillraceError' })
    const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType: 4, resourceName: '1', configurationKeys: null }], includeSynonyms: true })
    const configs = new Map(results[0]!.configs.map(config => [config.name, config]))
    expect(configs.get('listener.name.b.ssl.client.auth')).toMatchObject({ value: 'required', readOnly: true, configSource: 4 })
    expect(configs.get('listener.name.b.plain.sasl.jaas.config')).toMatchObject({ value: null, isSensitive: true })
    expect(JSON.stringify(results)).not.toContain('secret')
    channel.close()
  })

  test('the warning of an open door is for the listener that is one', async () => {
    await serve(['IN://127.0.0.1:0', 'OUT://0.0.0.0:0', 'SAFE://0.0.0.0:0'], { 'listener.security.protocol.map': 'IN:PLAINTEXT,OUT:PLAINTEXT,SAFE:SASL_PLAINTEXT', 'sasl.enabled.mechanisms': 'SCRAM-SHA-256' })
    expect(logged.filter(({ message }) => message.startsWith('anybody who reaches')).map(({ fields }) => fields)).toMatchObject([{ listener: 'OUT', listen: '0.0.0.0' }])
  })

  test('mechanisms that no listener asks for are spoken of, and so are metrics that anybody reads', async () => {
    await serve(['PLAINTEXT://127.0.0.1:0'], { 'sasl.enabled.mechanisms': 'PLAIN' }, { metrics: '0.0.0.0:0' })
    const messages = logged.map(({ message }) => message)
    expect(messages).toContain('no listener asks its clients to log in, though there are mechanisms for that')
    expect(messages).toContain('anybody who reaches this address may read the metrics, which name topics and groups')
  })
})

describe('connections', () => {
  test('are counted for all listeners together, and for one of them', async () => {
    const broker = await serve(two, { 'max.connections': 3, 'listener.name.external.max.connections': 1 })
    const outside = await connect(portOf(broker, 'EXTERNAL'))
    await expect(connect(portOf(broker, 'EXTERNAL'))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    const inside = [await connect(portOf(broker, 'INTERNAL')), await connect(portOf(broker, 'INTERNAL'))]
    await expect(connect(portOf(broker, 'INTERNAL'))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    for (const channel of [outside, ...inside]) channel.close()
  })

  test('of an address are as many as its override says', async () => {
    const broker = await serve(two, { 'max.connections.per.ip': 0, 'max.connections.per.ip.overrides': '10.0.0.1:5, 127.0.0.1:2,[::1]:1' })
    const channels = [await connect(portOf(broker, 'EXTERNAL')), await connect(portOf(broker, 'INTERNAL'))]
    await expect(connect(portOf(broker, 'INTERNAL'))).rejects.toMatchObject({ code: 'CONNECTION_FAILED' })
    for (const channel of channels) channel.close()
  })
})

test('certificates are read again when somebody asks for it; one that cannot be read changes nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-reload-'))
  const [cert, key] = ['cert.pem', 'key.pem'].map(name => join(directory, name)) as [string, string]
  const store = join(directory, 'store.pem')
  const write = (certificate: string, keyFile: string): void => {
    copyFileSync(certificate, cert)
    copyFileSync(keyFile, key)
    writeFileSync(store, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  }
  write(certificates.brokerCert, certificates.brokerKey)
  const broker = await serve(['SSL://127.0.0.1:0', 'PLAINTEXT://127.0.0.1:0'], { 'ssl.keystore.location': store })
  const shown = (): Promise<string> => new Promise((resolve, reject) => {
    const socket = connectTls({ port: portOf(broker, 'SSL'), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
  expect(await shown()).toBe('localhost')
  write(certificates.clientCert, certificates.clientKey)
  expect(await shown()).toBe('localhost')
  broker.reloadCertificates()
  expect(await shown()).toBe('client')
  writeFileSync(store, 'nothing')
  expect(() => broker.reloadCertificates()).toThrow(expect.objectContaining({ code: 'BAD_SETTING' }) as Error)
  expect(await shown()).toBe('client')
  rmSync(directory, { recursive: true })
})
