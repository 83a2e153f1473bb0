// SaslHandshake, SaslAuthenticate: how a client says who it is.

import { errorCodeOf } from '../../wire/error-code.ts'
import type { Handler } from './handler.ts'

export const saslHandshake: Handler<'SaslHandshake'> = ({ authentication, version }, { mechanism }) => ({
  errorCode: errorCodeOf(authentication.handshake(mechanism, version) ?? 'NONE'),
  mechanisms: authentication.mechanisms,
})

export const saslAuthenticate: Handler<'SaslAuthenticate'> = async ({ authentication, broker, peer }, { authBytes }) => {
  const outcome = await authentication.authenticate(Buffer.from(authBytes))
  if (!('refused' in outcome)) return { errorCode: 0, authBytes: outcome.authBytes }
  broker.logger.warn('authentication failed', { ...(peer === 'in-process' ? {} : { host: peer.host, port: peer.port }), reason: outcome.message })
  return { errorCode: errorCodeOf(outcome.refused), errorMessage: outcome.message, authBytes: Buffer.alloc(0) }
}
