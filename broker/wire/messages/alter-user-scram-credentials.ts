// AlterUserScramCredentials: sets or deletes users' SCRAM credentials.

export const alterUserScramCredentials = {
  key: 51,
  minVersion: 0,
  maxVersion: 0,
  request: {
    name: 'AlterUserScramCredentialsRequest',
    versions: [0, 0],
    flexible: 0,
    fields: {
      deletions: [{
        name: 'string',
        mechanism: 'int8',
      }],
      upsertions: [{
        name: 'string',
        mechanism: 'int8',
        iterations: 'int32',
        salt: 'bytes',
        saltedPassword: 'bytes',
      }],
    },
  },
  response: {
    name: 'AlterUserScramCredentialsResponse',
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      results: [{
        user: 'string',
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 0, default: null },
      }],
    },
  },
} as const
