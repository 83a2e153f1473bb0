// Fetch: record batches from partitions, waiting at the broker until there are some.

export const fetch = {
  key: 1,
  minVersion: 4,
  maxVersion: 18,
  request: {
    name: 'FetchRequest',
    versions: [4, 18],
    flexible: 12,
    fields: {
      clusterId: { type: 'string', since: 12, nullable: 12, default: null, tag: 0, ignorable: true },
      replicaId: { type: 'int32', until: 14, default: -1 },
      replicaState: {
        since: 15, tag: 1, type: {
          replicaId: { type: 'int32', default: -1 },
          replicaEpoch: { type: 'int64', default: -1 },
        },
      },
      maxWaitMs: 'int32',
      minBytes: 'int32',
      maxBytes: { type: 'int32', default: 2147483647 },
      isolationLevel: { type: 'int8', default: 0 },
      sessionId: { type: 'int32', since: 7, default: 0, ignorable: true },
      sessionEpoch: { type: 'int32', since: 7, default: -1, ignorable: true },
      topics: [{
        topic: { type: 'string', until: 12, ignorable: true },
        topicId: { type: 'uuid', since: 13, ignorable: true },
        partitions: [{
          partition: 'int32',
          currentLeaderEpoch: { type: 'int32', since: 9, default: -1, ignorable: true },
          fetchOffset: 'int64',
          lastFetchedEpoch: { type: 'int32', since: 12, default: -1 },
          logStartOffset: { type: 'int64', since: 5, default: -1, ignorable: true },
          partitionMaxBytes: 'int32',
          replicaDirectoryId: { type: 'uuid', since: 17, tag: 0, ignorable: true },
          highWatermark: { type: 'int64', since: 18, default: 9223372036854775808, tag: 1, ignorable: true },
        }],
      }],
      forgottenTopicsData: {
        since: 7, type: [{
          topic: { type: 'string', until: 12, ignorable: true },
          topicId: { type: 'uuid', since: 13, ignorable: true },
          partitions: ['int32'],
        }],
      },
      rackId: { type: 'string', since: 11, default: '', ignorable: true },
    },
  },
  response: {
    name: 'FetchResponse',
    versions: [4, 18],
    flexible: 12,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: { type: 'int16', since: 7 },
      sessionId: { type: 'int32', since: 7, default: 0 },
      responses: [{
        topic: { type: 'string', until: 12 },
        topicId: { type: 'uuid', since: 13 },
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
          highWatermark: 'int64',
          lastStableOffset: { type: 'int64', default: -1 },
          logStartOffset: { type: 'int64', since: 5, default: -1 },
          divergingEpoch: {
            since: 12, tag: 0, type: {
              epoch: { type: 'int32', default: -1 },
              endOffset: { type: 'int64', default: -1 },
            },
          },
          currentLeader: {
            since: 12, tag: 1, type: {
              leaderId: { type: 'int32', default: -1 },
              leaderEpoch: { type: 'int32', default: -1 },
            },
          },
          snapshotId: {
            since: 12, tag: 2, type: {
              endOffset: { type: 'int64', default: -1 },
              epoch: { type: 'int32', default: -1 },
            },
          },
          abortedTransactions: {
            nullable: 4, type: [{
              producerId: 'int64',
              firstOffset: 'int64',
            }],
          },
          preferredReadReplica: { type: 'int32', since: 11, default: -1 },
          records: { type: 'records', nullable: 4 },
        }],
      }],
      nodeEndpoints: {
        since: 16, tag: 0, type: [{
          nodeId: 'int32',
          host: 'string',
          port: 'int32',
          rack: { type: 'string', nullable: 16, default: null },
        }],
      },
    },
  },
} as const
