// DescribeQuorum: leader, voters and observers of the metadata log.

export const describeQuorum = {
  key: 55,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'DescribeQuorumRequest',
    versions: [0, 2],
    flexible: 0,
    fields: {
      topics: [{
        topicName: 'string',
        partitions: [{
          partitionIndex: 'int32',
        }],
      }],
    },
  },
  response: {
    name: 'DescribeQuorumResponse',
    versions: [0, 2],
    flexible: 0,
    fields: {
      errorCode: 'int16',
      errorMessage: { type: 'string', since: 2, nullable: 2, default: null },
      topics: [{
        topicName: 'string',
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
          errorMessage: { type: 'string', since: 2, nullable: 2, default: null },
          leaderId: 'int32',
          leaderEpoch: 'int32',
          highWatermark: 'int64',
          currentVoters: [{
            replicaId: 'int32',
            replicaDirectoryId: { type: 'uuid', since: 2 },
            logEndOffset: 'int64',
            lastFetchTimestamp: { type: 'int64', since: 1, default: -1 },
            lastCaughtUpTimestamp: { type: 'int64', since: 1, default: -1 },
          }],
          observers: [{
            replicaId: 'int32',
            replicaDirectoryId: { type: 'uuid', since: 2 },
            logEndOffset: 'int64',
            lastFetchTimestamp: { type: 'int64', since: 1, default: -1 },
            lastCaughtUpTimestamp: { type: 'int64', since: 1, default: -1 },
          }],
        }],
      }],
      nodes: {
        since: 2, type: [{
          nodeId: 'int32',
          listeners: [{
            name: 'string',
            host: 'string',
            port: 'uint16',
          }],
        }],
      },
    },
  },
} as const
