// The properties of a Kafka client: what they say of TLS and login, and what cannot be.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clientSecurity } from '../../../broker/client/client-security.ts'
import { parseJaasConfig } from '../../../broker/wire/jaas-config.ts'

const scram = { 'security.protocol': 'sasl_plaintext', 'sasl.mechanism': 'SCRAM-SHA-512' }
const line = (options: string): string => `org.apache.kafka.common.security.scram.ScramLoginModule required ${options};`

test('a login stands in a JAAS line, or by itself', () => {
  expect(clientSecurity({})).toEqual({})
  const sasl = { mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'a"b\\c d;' }
  expect(clientSecurity({ ...scram, 'sasl.jaas.config': line('username="alice" password="a\\"b\\\\c d;"') })).toEqual({ sasl })
  expect(clientSecurity({ ...scram, 'sasl.username': 'alice', 'sasl.password': sasl.password })).toEqual({ sasl })
})

test('TLS has PEM from files or as text', () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-pem-'))
  try {
    const file = join(directory, 'ca.pem')
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\n')
    const { tls, sasl } = clientSecurity({ 'security.protocol': 'SSL', 'ssl.truststore.type': 'PEM', 'ssl.truststore.location': file, 'ssl.keystore.key': 'KEY', 'ssl.keystore.certificate.chain': 'CHAIN', 'ssl.key.password': 'secret' })
    expect([tls, sasl]).toMatchObject([{ ca: '-----BEGIN CERTIFICATE-----\n', key: 'KEY', cert: 'CHAIN', passphrase: 'secret' }, undefined])
    expect(tls!.checkServerIdentity).toBeUndefined()
    expect(clientSecurity({ 'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': '' }).tls!.checkServerIdentity).toBeTypeOf('function')
    writeFileSync(file, Buffer.from([0xfe, 0xed]))
    expect(() => clientSecurity({ 'security.protocol': 'SSL', 'ssl.truststore.location': file })).toThrow('is no PEM')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test.each([
  [{ 'security.protocol': 'TLS' }, 'security.protocol is TLS'],
  [{ 'security.protocol': 'SASL_SSL' }, 'sasl.mechanism is not set'],
  [{ ...scram, 'sasl.mechanism': 'GSSAPI' }, 'sasl.mechanism is GSSAPI'],
  [scram, 'no user name and password'],
  [{ ...scram, 'sasl.jaas.config': line('username="alice"') }, 'no user name and password'],
  [{ ...scram, 'sasl.jaas.config': line('username="alice password=hunter2') }, 'sasl.jaas.config cannot be read'],
  [{ 'security.protocol': 'SSL', 'ssl.truststore.type': 'BKS' }, 'ssl.truststore.type is BKS; PEM and PKCS12 can be read'],
  [{ 'security.protocol': 'SSL', 'ssl.truststore.location': '/no/such/file' }, 'cannot be read'],
])('%j: %s', (properties: Readonly<Record<string, string>>, message) => {
  expect(() => clientSecurity(properties)).toThrow(message)
})

test('a JAAS line is read as Java reads it, and no part of it is in an error', () => {
  expect(parseJaasConfig(' a.b.C$D required\n  user_a="x"\n  user_b=y ', 'it')).toEqual({ module: 'a.b.C$D', options: new Map([['user_a', 'x'], ['user_b', 'y']]) })
  expect(parseJaasConfig('M optional;', 'it').options.size).toBe(0)
  for (const bad of ['', 'M', 'M sometimes a="hunter2";', 'M required a="hunter2', 'M required hunter2;', 'M required a="hunter2" b']) {
    expect(() => parseJaasConfig(bad, 'it'), bad).toThrow(/^it cannot be read\. It is one line: MODULE required NAME="VALUE" NAME="VALUE";$/)
  }
})
