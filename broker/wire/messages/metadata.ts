// Metadata: brokers, topics and the leaders of their partitions; may create topics that are asked for by name.

export const metadata = {
  key: 3,
  minVersion: 0,
  maxVersion: 13,
  request: {
    name: 'MetadataRequest',
    versions: [0, 13],
    flexible: 9,
    fields: {
      topics: {
        nullable: 1, type: [{
          topicId: { type: 'uuid', since: 10, ignorable: true },
          name: { type: 'string', nullable: 10 },
        }],
      },
      allowAutoTopicCreation: { type: 'boolean', since: 4, default: true },
      includeClusterAuthorizedOperations: { type: 'boolean', since: 8, until: 10 },
      includeTopicAuthorizedOperations: { type: 'boolean', since: 8 },
    },
  },
  response: {
    name: 'MetadataResponse',
    versions: [0, 13],
    flexible: 9,
    fields: {
      throttleTimeMs: { type: 'int32', since: 3, default: 0 },
      brokers: [{
        nodeId: 'int32',
        host: 'string',
        port: 'int32',
        rack: { type: 'string', since: 1, nullable: 1, default: null },
      }],
      clusterId: { type: 'string', since: 2, nullable: 2, default: null },
      controllerId: { type: 'int32', since: 1, default: -1 },
      topics: [{
        errorCode: 'int16',
        name: { type: 'string', nullable: 12 },
        topicId: { type: 'uuid', since: 10 },
        isInternal: { type: 'boolean', since: 1, default: false },
        partitions: [{
          errorCode: 'int16',
          partitionIndex: 'int32',
          leaderId: 'int32',
          leaderEpoch: { type: 'int32', since: 7, default: -1 },
          replicaNodes: ['int32'],
          isrNodes: ['int32'],
          offlineReplicas: { type: ['int32'], since: 5 },
        }],
        topicAuthorizedOperations: { type: 'int32', since: 8, default: -2147483648 },
      }],
      clusterAuthorizedOperations: { type: 'int32', since: 8, until: 10, default: -2147483648 },
      errorCode: { type: 'int16', since: 13 },
    },
  },
} as const
