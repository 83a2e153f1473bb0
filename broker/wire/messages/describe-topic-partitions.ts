// DescribeTopicPartitions: topics and partitions page by page, with the replicas eligible to lead.

export const describeTopicPartitions = {
  key: 75,
  minVersion: 0,
  maxVersion: 0,
  request: {
    name: 'DescribeTopicPartitionsRequest',
    versions: [0, 0],
    flexible: 0,
    fields: {
      topics: [{
        name: 'string',
      }],
      responsePartitionLimit: { type: 'int32', default: 2000 },
      cursor: {
        nullable: 0, default: null, type: {
          topicName: 'string',
          partitionIndex: 'int32',
        },
      },
    },
  },
  response: {
    name: 'DescribeTopicPartitionsResponse',
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      topics: [{
        errorCode: 'int16',
        name: { type: 'string', nullable: 0 },
        topicId: 'uuid',
        isInternal: { type: 'boolean', default: false },
        partitions: [{
          errorCode: 'int16',
          partitionIndex: 'int32',
          leaderId: 'int32',
          leaderEpoch: { type: 'int32', default: -1 },
          replicaNodes: ['int32'],
          isrNodes: ['int32'],
          eligibleLeaderReplicas: { type: ['int32'], nullable: 0, default: null },
          lastKnownElr: { type: ['int32'], nullable: 0, default: null },
          offlineReplicas: ['int32'],
        }],
        topicAuthorizedOperations: { type: 'int32', default: -2147483648 },
      }],
      nextCursor: {
        nullable: 0, default: null, type: {
          topicName: 'string',
          partitionIndex: 'int32',
        },
      },
    },
  },
} as const
