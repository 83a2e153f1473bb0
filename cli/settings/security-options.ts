// The options of `millrace broker` that concern security, as the settings that they stand for.

import { readFileSync } from 'node:fs'
import { authorizerClass } from '../../broker/server/security/access.ts'
import { MillraceError } from '../../core/error.ts'

export interface SecurityOptions {
  /** A file of NAME:PASSWORD lines. */
  readonly users?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsCa?: string
  readonly authorizer?: boolean
  readonly superUsers?: string
}

type Settings = Readonly<Record<string, string>>

/** Options are stronger than settings, but what an option only implies is not. @throws MillraceError USAGE */
export function withSecurity(settings: Settings, { users, tlsCert, tlsKey, tlsCa, authorizer, superUsers }: SecurityOptions): Settings {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) throw new MillraceError('USAGE', '--tls-cert and --tls-key go together.')
  if (tlsCa !== undefined && tlsCert === undefined) throw new MillraceError('USAGE', '--tls-ca needs --tls-cert and --tls-key.')
  const isTls = tlsCert !== undefined || 'ssl.keystore.location' in settings || 'ssl.keystore.key' in settings
  return {
    ...(users === undefined ? {} : { 'sasl.enabled.mechanisms': isTls ? 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512' : 'SCRAM-SHA-256,SCRAM-SHA-512' }),
    ...(tlsCa === undefined ? {} : { 'ssl.client.auth': 'required' }),
    ...settings,
    ...(users === undefined ? {} : { 'millrace.users.file': users }),
    ...(tlsCert === undefined ? {} : { 'ssl.keystore.certificate.chain': text('--tls-cert', tlsCert), 'ssl.keystore.key': text('--tls-key', tlsKey!) }),
    ...(tlsCa === undefined ? {} : { 'ssl.truststore.certificates': text('--tls-ca', tlsCa) }),
    ...(authorizer === true ? { 'authorizer.class.name': authorizerClass } : {}),
    ...(superUsers === undefined ? {} : { 'super.users': superUsers }),
  }
}

function text(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new MillraceError('USAGE', `${option} ${file} cannot be read.`, { cause })
  }
}
