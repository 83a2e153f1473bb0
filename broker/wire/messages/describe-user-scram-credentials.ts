// DescribeUserScramCredentials: which users have SCRAM credentials, never the credentials themselves.

export const describeUserScramCredentials = {
  key: 50,
  minVersion: 0,
  maxVersion: 0,
  request: {
    name: 'DescribeUserScramCredentialsRequest',
    versions: [0, 0],
    flexible: 0,
    fields: {
      users: {
        nullable: 0, type: [{
          name: 'string',
        }],
      },
    },
  },
  response: {
    name: 'DescribeUserScramCredentialsResponse',
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0, default: null },
      results: [{
        user: 'string',
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 0, default: null },
        credentialInfos: [{
          mechanism: 'int8',
          iterations: 'int32',
        }],
      }],
    },
  },
} as const
