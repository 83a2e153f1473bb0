// What the properties of a Kafka client say of TLS and login: `security.protocol`, `sasl.*`, `ssl.*`, as in a file for `--command-config`.

import type { ConnectionOptions } from 'node:tls'
import { MillraceError } from '../../core/error.ts'
import { parseJaasConfig } from '../wire/jaas-config.ts'
import { readKeyStore, readTrustStore, type StoreFile } from '../wire/key-store.ts'
import { isScram } from '../wire/scram.ts'
import type { SaslLogin } from './sasl-login.ts'

export interface ClientSecurity {
  readonly tls?: ConnectionOptions | undefined
  readonly sasl?: SaslLogin | undefined
}

type Properties = Readonly<Record<string, string>>

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

/** Properties of other meaning are left alone. Stores are PEM or PKCS12. @throws MillraceError BAD_SETTING */
export function clientSecurity(properties: Properties): ClientSecurity {
  const protocol = (properties['security.protocol'] ?? 'PLAINTEXT').trim().toUpperCase()
  if (!protocols.includes(protocol)) throw new MillraceError('BAD_SETTING', `security.protocol is ${protocol}.`, { hint: `It is one of ${protocols.join(', ')}.` })
  return {
    ...(protocol.endsWith('SSL') ? { tls: tlsOf(properties) } : {}),
    ...(protocol.startsWith('SASL') ? { sasl: loginOf(properties) } : {}),
  }
}

/** Name and password stand in a JAAS line, or, as librdkafka has them, by themselves. */
function loginOf(properties: Properties): SaslLogin {
  const mechanism = (properties['sasl.mechanism'] ?? properties['sasl.mechanisms'] ?? '').trim()
  if (mechanism !== 'PLAIN' && !isScram(mechanism)) {
    throw new MillraceError('BAD_SETTING', mechanism === '' ? 'sasl.mechanism is not set.' : `sasl.mechanism is ${mechanism}, which is not spoken here.`, { hint: 'It is one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512.' })
  }
  const jaas = properties['sasl.jaas.config']
  const options = jaas === undefined ? null : parseJaasConfig(jaas, 'sasl.jaas.config').options
  const username = options?.get('username') ?? properties['sasl.username']
  const password = options?.get('password') ?? properties['sasl.password']
  if (username === undefined || password === undefined) throw new MillraceError('BAD_SETTING', 'There is no user name and password to log in with.', { hint: 'Set sasl.jaas.config.' })
  return { mechanism, username, password }
}

function tlsOf(properties: Properties): ConnectionOptions {
  for (const name of ['ssl.truststore.type', 'ssl.keystore.type']) {
    const type = properties[name]
    // The files say themselves which of these they are; JKS is refused with what to do.
    if (type !== undefined && !['PEM', 'PKCS12', 'JKS'].includes(type.trim().toUpperCase())) throw new MillraceError('BAD_SETTING', `${name} is ${type}; PEM and PKCS12 can be read.`, { hint: 'keytool -importkeystore turns a store into PKCS12.' })
  }
  const file = storeFile(properties, 'ssl.keystore.location', 'ssl.keystore.password')
  const store = file === null ? undefined : readKeyStore(file)
  const trust = storeFile(properties, 'ssl.truststore.location', 'ssl.truststore.password')
  const ca = properties['ssl.truststore.certificates'] ?? (trust === null ? undefined : readTrustStore(trust))
  const cert = properties['ssl.keystore.certificate.chain'] ?? store?.cert
  const key = properties['ssl.keystore.key'] ?? store?.key
  const passphrase = properties['ssl.key.password']
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    // Empty: whoever has a certificate that is trusted is taken for the broker.
    ...(properties['ssl.endpoint.identification.algorithm']?.trim() === '' ? { checkServerIdentity: () => undefined } : {}),
    minVersion: 'TLSv1.2',
  }
}

function storeFile(properties: Properties, setting: string, passwordSetting: string): StoreFile | null {
  const path = (properties[setting] ?? '').trim()
  return path === '' ? null : { setting, path, password: properties[passwordSetting] ?? null, keyPassword: properties['ssl.key.password'] }
}
