// What the settings of a broker say of TLS: key, certificates, and whether clients show theirs.

import { createSecureContext, getCiphers, type TlsOptions } from 'node:tls'
import { MillraceError } from '../../../core/error.ts'
import { listOf } from '../../kernel/config-definition.ts'
import type { Settings } from '../../kernel/listener-config.ts'
import { readKeyStore, readTrustStore, type StoreFile } from '../../wire/key-store.ts'
import { principalMapping } from './principal-mapping.ts'
import type { TlsSetup } from './tls-door.ts'

/** How long a client may take to shake hands. */
const HANDSHAKE_TIMEOUT_MS = 10_000

/** Null: no TLS. `clientAuth`: as in `ssl.client.auth`. @throws MillraceError BAD_SETTING */
export function tlsSetup(config: Settings, clientAuth: string): TlsSetup | null {
  const file = storeFile(config, 'ssl.keystore.location', 'ssl.keystore.password')
  const store = file === null ? { cert: '', key: '' } : readKeyStore(file)
  const cert = config.text('ssl.keystore.certificate.chain') || store.cert
  const key = config.text('ssl.keystore.key') || store.key
  if (cert === '' && key === '') {
    if (clientAuth !== 'none') throw new MillraceError('BAD_SETTING', 'ssl.client.auth is set, but there is no TLS.', { hint: 'Set ssl.keystore.location, too.' })
    return null
  }
  if (cert === '' || key === '') throw new MillraceError('BAD_SETTING', 'TLS needs a certificate and its key.', { hint: 'Set ssl.keystore.certificate.chain and ssl.keystore.key, or ssl.keystore.location.' })
  const trust = storeFile(config, 'ssl.truststore.location', 'ssl.truststore.password')
  const ca = config.text('ssl.truststore.certificates') || (trust === null ? '' : readTrustStore(trust))
  // Without it Node would take a certificate that any public authority has signed.
  if (clientAuth !== 'none' && ca === '') throw new MillraceError('BAD_SETTING', 'Clients show certificates, but nobody is trusted to sign them.', { hint: 'Set ssl.truststore.location or ssl.truststore.certificates.' })
  const passphrase = config.text('ssl.key.password')
  const options = { cert, key, ...(ca === '' ? {} : { ca }), ...(passphrase === '' ? {} : { passphrase }), ...offered(config) }
  checkMaterial(options)
  return {
    options: { ...options, requestCert: clientAuth !== 'none', rejectUnauthorized: clientAuth === 'required', handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
    mapping: principalMapping(config.text('ssl.principal.mapping.rules')),
  }
}

/** Versions and ciphers. A version that has none of the ciphers is not spoken, as in Java. @throws MillraceError BAD_SETTING */
function offered(config: Settings): Pick<TlsOptions, 'minVersion' | 'maxVersion' | 'ciphers'> {
  const suites = listOf(config.text('ssl.cipher.suites')).map(suite => ({ suite, name: opensslName(suite) }))
  const known = new Set(getCiphers())
  const stranger = suites.find(({ name }) => !known.has(name.toLowerCase()))
  if (stranger !== undefined) throw new MillraceError('BAD_SETTING', `ssl.cipher.suites has ${stranger.suite}, which this Node does not know.`, { hint: 'For example TLS_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384.' })
  const versionOf = (name: string): string => (name.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2')
  const versions = listOf(config.text('ssl.enabled.protocols')).filter(version => suites.length === 0 || suites.some(({ name }) => versionOf(name) === version))
  if (versions.length === 0) throw new MillraceError('BAD_SETTING', 'ssl.enabled.protocols and ssl.cipher.suites leave no version of TLS.', { hint: 'For example ssl.enabled.protocols=TLSv1.2,TLSv1.3 and no ssl.cipher.suites.' })
  return {
    minVersion: versions.includes('TLSv1.2') ? 'TLSv1.2' : 'TLSv1.3', maxVersion: versions.includes('TLSv1.3') ? 'TLSv1.3' : 'TLSv1.2',
    ...(suites.length === 0 ? {} : { ciphers: suites.map(({ name }) => name).join(':') }),
  }
}

/** Java's TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 is OpenSSL's ECDHE-RSA-AES256-GCM-SHA384; those of TLS 1.3 are called the same. */
function opensslName(suite: string): string {
  const [, exchange, cipher] = /^TLS_(\w+)_WITH_(\w+)$/.exec(suite) ?? []
  if (exchange === undefined || cipher === undefined) return suite
  const name = cipher.replace(/^AES_(\d+)_/, 'AES$1_').replace(/_CBC_/, '_').replace(/^(CHACHA20_POLY1305)_SHA256$/, '$1')
  return `${exchange === 'RSA' ? '' : `${exchange}-`}${name}`.replaceAll('_', '-')
}

function checkMaterial(options: TlsOptions): void {
  try {
    createSecureContext(options)
  } catch (cause) {
    throw new MillraceError('BAD_SETTING', `The TLS key and certificates cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.`, { hint: 'An encrypted key needs ssl.key.password.', cause })
  }
}

function storeFile(config: Settings, setting: string, passwordSetting: string): StoreFile | null {
  const path = config.text(setting)
  return path === '' ? null : { setting, path, password: config.text(passwordSetting) || null, keyPassword: config.text('ssl.key.password') || undefined }
}
