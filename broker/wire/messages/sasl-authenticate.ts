// SaslAuthenticate: one step of a SASL exchange.

export const saslAuthenticate = {
  key: 36,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'SaslAuthenticateRequest',
    versions: [0, 2],
    flexible: 2,
    fields: {
      authBytes: 'bytes',
    },
  },
  response: {
    name: 'SaslAuthenticateResponse',
    versions: [0, 2],
    flexible: 2,
    fields: {
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0, default: null },
      authBytes: 'bytes',
      sessionLifetimeMs: { type: 'int64', since: 1, default: 0 },
    },
  },
} as const
