// CreateTopics: new topics; partitions and replication factor -1 stand for the broker's defaults.

export const createTopics = {
  key: 19,
  minVersion: 2,
  maxVersion: 7,
  request: {
    name: 'CreateTopicsRequest',
    versions: [2, 7],
    flexible: 5,
    fields: {
      topics: [{
        name: 'string',
        numPartitions: 'int32',
        replicationFactor: 'int16',
        assignments: [{
          partitionIndex: 'int32',
          brokerIds: ['int32'],
        }],
        configs: [{
          name: 'string',
          value: { type: 'string', nullable: 2 },
        }],
      }],
      timeoutMs: { type: 'int32', default: 60000 },
      validateOnly: { type: 'boolean', default: false },
    },
  },
  response: {
    name: 'CreateTopicsResponse',
    versions: [2, 7],
    flexible: 5,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      topics: [{
        name: 'string',
        topicId: { type: 'uuid', since: 7 },
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 2, default: null },
        topicConfigErrorCode: { type: 'int16', since: 5, tag: 0 },
        numPartitions: { type: 'int32', since: 5, default: -1 },
        replicationFactor: { type: 'int16', since: 5, default: -1 },
        configs: {
          since: 5, nullable: 5, type: [{
            name: 'string',
            value: { type: 'string', nullable: 5 },
            readOnly: 'boolean',
            configSource: { type: 'int8', default: -1 },
            isSensitive: 'boolean',
          }],
        },
      }],
    },
  },
} as const
