// Stores of keys and certificates as Kafka's administrators have them: PKCS12 of openssl and keytool, and what is said of those that cannot be read.

import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { connectLog } from '../../../broker/client/connect-log.ts'
import { clientSecurity } from '../../../broker/client/client-security.ts'
import { startBroker, type Broker, type BrokerOptions } from '../../../broker/server/start-broker.ts'
import { readKeyStore, readTrustStore } from '../../../broker/wire/key-store.ts'
import { makeCertificates, pem } from './certificates.ts'

const certificates = makeCertificates()
const directory = mkdtempSync(join(tmpdir(), 'millrace-stores-'))
afterAll(() => {
  certificates[Symbol.dispose]()
  rmSync(directory, { recursive: true })
})
const brokers: Broker[] = []
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close()
})

const path = (name: string): string => join(directory, name)
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
/** The broker's key and certificate, and that of who has signed it. */
function brokerStore(name: string, ...options: string[]): string {
  openssl('pkcs12', '-export', '-in', certificates.brokerCert, '-inkey', certificates.brokerKey, '-certfile', certificates.ca, '-passout', 'pass:changeit', '-out', path(name), ...options)
  return path(name)
}

/** By keytool 17: `keytool -importcert -alias ca -file CA.pem -keystore trust.p12 -storetype PKCS12 -storepass changeit`. */
const javaTrustStore = path('trust.p12')
writeFileSync(javaTrustStore, Buffer.from('MIIC8gIBAzCCApwGCSqGSIb3DQEHAaCCAo0EggKJMIIChTCCAoEGCSqGSIb3DQEHBqCCAnIwggJuAgEAMIICZwYJKoZIhvcNAQcBMGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBSCUGv3GcgIe8EP1r5/SxqY80B/jwICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEAavhHOxVAd4jhlHJD4Z0Y2AggHwAlxPn0jBTBWhL2DSBj0MQnUIhTHXGpDdzFTlkK3v861f61JMNO6UWUeNZC0lzK21ZNDg/yOO27aYfMDYzn21FRFF1YRBe/gzvfpS03JfI9GKMOMLIgDBId42alltUZUwJbXH+a0ido+SyWUJAXg3azsXMWuYgkGvOcWjJExrey9vo4+RXORoLS4zSesJ9YLtGCjzKues2WntfHscbTHVDHer5ivAYe0V/16Yt11jhe0hiQUI6t8zvZizp5f0+yK3CTWu8QONH7LDcITmoDpfnISzVGPmyWiKJhRFNLrdinljrZYW78OR57j2mJNo9QIpMr5d2azN8ZVY9VMaFJMV7g3Zz7E8jyPU5akG4Z2JH6Z31qTH8nlXx/7kQ2NVXHUxAl4D7bNGwUZb17CRzTUeA8MJU8zcKBtktCmuEg7wOeCIjXW8kl2/hPvLCpCEKidqs2AtcKjMAlSa/DHQ41rpg0ZRoa/GV4nuE42NigdHNrnxyocztv0dvRHtrbXS3B0llpBD5oyZqdb/QcrATzYD0v+PvH0c9ebX2jc2gkV8l8Clz3+HYMl39ePsDx4r5rdzfrryOlxixdh6OcH/hSBEIfdDIchGCQaTtGu7IqLrvtxyM2DotdLdVzmgBsZCal62JQRPKw5stwzXEIwA0BYPZzBNMDEwDQYJYIZIAWUDBAIBBQAEIF/MsP+WENQcBLa7MWdSlqfN1KJMWvNDekpjxQj5eipRBBSu6jw7nJnjE3ufdpb+Pnl50wm/nwICJxA=', 'base64'))

const keyStore = (file: string, password: string | null = 'changeit') => readKeyStore({ setting: 'ssl.keystore.location', path: file, password })
const trustStore = (file: string, password: string | null = 'changeit') => readTrustStore({ setting: 'ssl.truststore.location', path: file, password })

async function serve(settings: NonNullable<BrokerOptions['settings']>): Promise<string> {
  const broker = await startBroker({ memory: true, listen: '127.0.0.1:0', settings })
  brokers.push(broker)
  return `127.0.0.1:${broker.address!.port}`
}

async function use(bootstrap: string, properties: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const log = await connectLog({ bootstrap, security: clientSecurity({ 'security.protocol': 'SSL', ...properties }), connectTimeoutMs: 2_000 })
  try {
    return await log.admin.listTopics()
  } finally {
    await log.close()
  }
}

describe('a PKCS12 store', () => {
  test.each([['as openssl makes them now', []], ['with triple DES, as older tools did', ['-certpbe', 'PBE-SHA1-3DES', '-keypbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']], ['with nothing hidden', ['-certpbe', 'NONE', '-keypbe', 'NONE']]])('gives key and chain, the owner first: %s', (_, options) => {
    const { key, cert } = keyStore(brokerStore('broker.p12', ...options))
    expect(key).toContain('-----BEGIN PRIVATE KEY-----')
    const chain = cert.split(/(?=-----BEGIN)/).map(text => new X509Certificate(text))
    expect(chain.map(({ subject }) => subject)).toEqual(['CN=localhost', 'CN=Test CA'])
  })

  test('of keytool says who is trusted', () => {
    expect(new X509Certificate(trustStore(javaTrustStore)).subject).toBe('CN=Somebody')
  })

  test('serves TLS, and is shown by clients', async () => {
    const store = brokerStore('broker.p12')
    openssl('pkcs12', '-export', '-in', certificates.clientCert, '-inkey', certificates.clientKey, '-passout', 'pass:client-secret', '-out', path('client.p12'))
    const bootstrap = await serve({ 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': store, 'ssl.keystore.password': 'changeit', 'ssl.key.password': 'changeit', 'ssl.truststore.location': certificates.ca, 'ssl.client.auth': 'required' })
    const client = { 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': path('client.p12'), 'ssl.keystore.password': 'client-secret', 'ssl.truststore.location': certificates.ca }
    expect(await use(bootstrap, client)).toEqual([])
    await expect(use(bootstrap, { 'ssl.truststore.location': certificates.ca })).rejects.toMatchObject({ name: 'MillraceError' })
  })

  test('does not make who has signed the broker a signer of clients', async () => {
    const bootstrap = await serve({ 'ssl.keystore.location': brokerStore('broker.p12'), 'ssl.keystore.password': 'changeit', 'ssl.truststore.location': javaTrustStore, 'ssl.truststore.password': 'changeit', 'ssl.client.auth': 'required' })
    await expect(use(bootstrap, { 'ssl.truststore.location': certificates.ca, 'ssl.keystore.certificate.chain': pem(certificates.clientCert), 'ssl.keystore.key': pem(certificates.clientKey) })).rejects.toMatchObject({ name: 'MillraceError' })
  })

  test('with another password says which setting has it, and never the password', () => {
    const store = brokerStore('broker.p12')
    for (const password of ['hunter2', '', null]) expect(() => keyStore(store, password)).toThrow(`ssl.keystore.location is ${store}, which cannot be read: The password of the store is another, or the store is damaged. It is set by ssl.keystore.password.`)
    expect(() => trustStore(javaTrustStore, 'hunter2')).toThrow('It is set by ssl.truststore.password.')
  })

  test('without a key is no key store, and one that trusts nobody is no trust store', () => {
    expect(() => keyStore(javaTrustStore)).toThrow('has no private key with its certificate')
    openssl('pkcs12', '-export', '-nokeys', '-in', certificates.ca, '-passout', 'pass:changeit', '-out', path('untrusted.p12'))
    expect(() => trustStore(path('untrusted.p12'))).toThrow(/no certificate that it says is trusted\. Java would find none either; keytool -importcert/)
  })

  test.skipIf(spawnSync('openssl', ['pkcs12', '-export', '-legacy', '-in', certificates.brokerCert, '-inkey', certificates.brokerKey, '-passout', 'pass:changeit', '-out', path('legacy.p12')]).status !== 0)('with RC2 says what turns it into one that can be read', () => {
    expect(() => keyStore(path('legacy.p12'))).toThrow(`keytool -importkeystore -srckeystore ${path('legacy.p12')} -srcstoretype PKCS12 -destkeystore legacy-new.p12 -deststoretype PKCS12`)
  })

  test('that is damaged, cut off or made of anything is refused in words', () => {
    const stores = [readFileSync(brokerStore('broker.p12')), readFileSync(javaTrustStore)]
    const file = path('damaged.p12')
    const refused = (bytes: Uint8Array): void => {
      writeFileSync(file, bytes)
      for (const read of [keyStore, trustStore]) {
        try {
          read(file)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_SETTING' })
        }
      }
    }
    fc.assert(fc.property(fc.constantFrom(...stores), fc.nat(), fc.nat(255), fc.boolean(), (store, at, byte, isCut) => {
      const bytes = Buffer.from(store)
      bytes[at % bytes.length] = byte
      refused(isCut ? bytes.subarray(0, at % bytes.length) : bytes)
    }), { numRuns: 60 })
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => refused(Buffer.concat([Buffer.from([0x30]), bytes]))))
  }, 60_000)
})

test.each([['JKS', 0xfeedfeed], ['JCEKS', 0xcececece]])('a %s store is refused with the command that converts it', (type, magic) => {
  const bytes = Buffer.alloc(40)
  bytes.writeUInt32BE(magic)
  writeFileSync(path('server.jks'), bytes)
  const command = `keytool -importkeystore -srckeystore ${path('server.jks')} -srcstoretype ${type} -destkeystore server-new.p12 -deststoretype PKCS12`
  for (const read of [keyStore, trustStore]) expect(() => read(path('server.jks'))).toThrow(command)
  expect(() => clientSecurity({ 'security.protocol': 'SSL', 'ssl.truststore.type': 'JKS', 'ssl.truststore.location': path('server.jks') })).toThrow(command)
})

test('what is neither is refused', () => {
  writeFileSync(path('nothing'), 'hello')
  expect(() => keyStore(path('nothing'))).toThrow('is no PEM and no PKCS12')
  expect(() => keyStore(path('not-there'))).toThrow('which cannot be read')
})
