// What the settings of a broker say of TLS: key, certificates, and whether clients show theirs.

import { createSecureContext, type TlsOptions } from 'node:tls'
import { MillraceError } from '../../../core/error.ts'
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
  const options = { cert, key, ...(ca === '' ? {} : { ca }), ...(passphrase === '' ? {} : { passphrase }), minVersion: 'TLSv1.2' } as const
  checkMaterial(options)
  return {
    options: { ...options, requestCert: clientAuth !== 'none', rejectUnauthorized: clientAuth === 'required', handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
    mapping: principalMapping(config.text('ssl.principal.mapping.rules')),
  }
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
