// CreatePartitions: raises the number of partitions of topics.

export const createPartitions = {
  key: 37,
  minVersion: 0,
  maxVersion: 3,
  request: {
    name: 'CreatePartitionsRequest',
    versions: [0, 3],
    flexible: 2,
    fields: {
      topics: [{
        name: 'string',
        count: 'int32',
        assignments: {
          nullable: 0, type: [{
            brokerIds: ['int32'],
          }],
        },
      }],
      timeoutMs: 'int32',
      validateOnly: 'boolean',
    },
  },
  response: {
    name: 'CreatePartitionsResponse',
    versions: [0, 3],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      results: [{
        name: 'string',
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 0, default: null },
      }],
    },
  },
} as const
