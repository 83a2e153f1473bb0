// SaslHandshake: names the SASL mechanism of a connection and opens its exchange.

export const saslHandshake = {
  key: 17,
  minVersion: 0,
  maxVersion: 1,
  request: {
    name: 'SaslHandshakeRequest',
    versions: [0, 1],
    flexible: null,
    fields: {
      mechanism: 'string',
    },
  },
  response: {
    name: 'SaslHandshakeResponse',
    versions: [0, 1],
    flexible: null,
    fields: {
      errorCode: 'int16',
      mechanisms: ['string'],
    },
  },
} as const
