// Keys and certificates of a listener changed while it is open, as Kafka's administrators do it: by IncrementalAlterConfigs of the broker.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, expect, test } from 'vitest'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { makeCertificates } from './certificates.ts'

const certificates = makeCertificates()
const directory = mkdtempSync(join(tmpdir(), 'millrace-dynamic-'))
afterAll(() => {
  certificates[Symbol.dispose]()
  rmSync(directory, { recursive: true })
})
let broker: Broker
afterEach(() => broker.close())

const path = (name: string): string => join(directory, name)
function pemStore(name: string, cert: string, key: string): string {
  writeFileSync(path(name), readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'))
  return path(name)
}
const first = pemStore('first.pem', certificates.brokerCert, certificates.brokerKey)
const second = path('second.p12')
execFileSync('openssl', ['pkcs12', '-export', '-in', certificates.clientCert, '-inkey', certificates.clientKey, '-passout', 'pass:changeit', '-out', second], { stdio: 'pipe' })

const disk = new MemoryDisk()
async function start(settings: Readonly<Record<string, string>> = { 'ssl.keystore.location': first }): Promise<void> {
  broker = await startBroker({ disk, listen: ['SECURE://127.0.0.1:0', 'PLAIN://127.0.0.1:0'], settings: { 'listener.security.protocol.map': 'SECURE:SSL,PLAIN:PLAINTEXT', ...settings } })
}

/** Whom the listener's certificate names, to a client that comes now. */
function shown(): Promise<string> {
  const { port } = broker.listeners.find(({ name }) => name === 'SECURE')!.address
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

/** Null: no longer set. */
async function alter(configs: Readonly<Record<string, string | null>>, resourceName = '1', validateOnly = false): Promise<string> {
  const changes = Object.entries(configs).map(([name, value]) => ({ name, configOperation: value === null ? 1 : 0, value }))
  const { responses } = await broker.connect().request('IncrementalAlterConfigs', { resources: [{ resourceType: 4, resourceName, configs: changes }], validateOnly })
  const { errorCode, errorMessage } = responses[0]!
  return errorCode === 0 ? 'NONE' : `${errorNameOf(errorCode)} ${errorMessage}`
}

const own = (name: string): string => `listener.name.secure.${name}`
const toSecond = { [own('ssl.keystore.location')]: second, [own('ssl.keystore.password')]: 'changeit', [own('ssl.keystore.type')]: 'PKCS12' }

test('another store holds for who comes from then on, and after a start; without it the one of the start holds again', async () => {
  await start()
  expect([await shown(), await alter(toSecond, '1', true), await shown()]).toEqual(['localhost', 'NONE', 'localhost'])
  expect([await alter(toSecond), await shown()]).toEqual(['NONE', 'client'])
  const { results } = await broker.connect().request('DescribeConfigs', { resources: [{ resourceType: 4, resourceName: '1', configurationKeys: Object.keys(toSecond) }], includeSynonyms: true })
  expect(results[0]!.configs).toMatchObject(Object.entries(toSecond).map(([name, value]) => ({ name, value: name.endsWith('password') ? null : value, isSensitive: name.endsWith('password'), readOnly: false, configSource: 2 })))
  await broker.close()
  await start()
  expect(await shown()).toBe('client')
  expect([await alter({ ...toSecond, ...Object.fromEntries(Object.keys(toSecond).map(name => [name, null])) }), await shown()]).toEqual(['NONE', 'localhost'])
})

test('the same store set again is read again', async () => {
  const file = path('same.pem')
  copyFileSync(first, file)
  await start({ [own('ssl.keystore.location')]: file })
  pemStore('same.pem', certificates.clientCert, certificates.clientKey)
  expect(await shown()).toBe('localhost')
  expect([await alter({ [own('ssl.keystore.location')]: file }), await shown()]).toEqual(['NONE', 'client'])
  expect(await alter({ [own('ssl.keystore.location')]: null })).toBe('NONE')
})

test('what cannot serve is refused, and all is as before', async () => {
  await start()
  writeFileSync(path('broken.pem'), '-----BEGIN CERTIFICATE-----\nnonsense\n')
  expect(await alter({ ...toSecond, [own('ssl.keystore.password')]: 'hunter2' })).toMatch(/^INVALID_REQUEST ssl\.keystore\.location is .*second\.p12, which cannot be read: The password of the store is another, or the store is damaged\. It is set by ssl\.keystore\.password\.$/)
  expect(await alter({ [own('ssl.keystore.location')]: path('broken.pem') })).toMatch(/^INVALID_REQUEST The TLS key and certificates cannot be used/)
  for (const bad of [path('not-there'), '/dev/zero', directory]) expect(await alter({ [own('ssl.keystore.location')]: bad })).toBe(`INVALID_REQUEST ssl.keystore.location is ${bad}, which cannot be read.`)
  expect(await shown()).toBe('localhost')
  expect(await alter({ 'log.retention.ms': '1000' })).toBe('NONE')
})

test.each([
  [{ 'ssl.keystore.location': second }, '1', 'These security configs can be dynamically updated only per-listener using the listener prefix: ssl.keystore.location.'],
  [toSecond, '', `Cannot update these configs at default cluster level, broker id must be specified: ${own('ssl.keystore.location')}.`],
  [{ [own('ssl.client.auth')]: 'required' }, '1', `Cannot update these configs dynamically: ${own('ssl.client.auth')}.`],
])('%j of broker %j: %s', async (configs, resourceName, message) => {
  await start()
  expect(await alter(configs, resourceName)).toBe(`INVALID_REQUEST ${message}`)
})
