// SaslHandshake, SaslAuthenticate: how a client says who it is.

import { errorCodeOf } from '../../wire/error-code.ts'
import type { Handler, RequestContext } from './handler.ts'

export const saslHandshake: Handler<'SaslHandshake'> = (context, { mechanism }) => {
  const { authentication, version } = context
  const refused = authentication.handshake(mechanism, version)
  // The name is the client's: a long one is cut.
  if (refused !== null) logFailure(context, refused === 'UNSUPPORTED_SASL_MECHANISM' ? 'this mechanism is not offered here' : 'the handshake comes at the wrong time', mechanism.slice(0, 40))
  return { errorCode: errorCodeOf(refused ?? 'NONE'), mechanisms: authentication.mechanisms }
}

export const saslAuthenticate: Handler<'SaslAuthenticate'> = async (context, { authBytes }) => {
  const { authentication } = context
  const outcome = await authentication.authenticate(Buffer.from(authBytes))
  if (!('refused' in outcome)) return { errorCode: 0, authBytes: outcome.authBytes, sessionLifetimeMs: outcome.sessionLifetimeMs }
  logFailure(context, outcome.message, authentication.mechanism)
  return { errorCode: errorCodeOf(outcome.refused), errorMessage: outcome.message, authBytes: Buffer.alloc(0) }
}

/** Never with a name or a password: people type one in the place of the other. */
function logFailure({ broker, peer }: RequestContext, reason: string, mechanism: string): void {
  broker.logger.warn('authentication failed', { ...(peer === 'in-process' ? {} : { host: peer.host, port: peer.port }), mechanism, reason })
}
