// ListOffsets: where a partition begins, ends, or reaches a time (the timestamps -1 latest, -2 earliest, -3 that of the largest timestamp).

export const listOffsets = {
  key: 2,
  minVersion: 1,
  maxVersion: 11,
  request: {
    name: 'ListOffsetsRequest',
    versions: [1, 11],
    flexible: 6,
    fields: {
      replicaId: 'int32',
      isolationLevel: { type: 'int8', since: 2 },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          currentLeaderEpoch: { type: 'int32', since: 4, default: -1, ignorable: true },
          timestamp: 'int64',
        }],
      }],
      timeoutMs: { type: 'int32', since: 10, ignorable: true },
    },
  },
  response: {
    name: 'ListOffsetsResponse',
    versions: [1, 11],
    flexible: 6,
    fields: {
      throttleTimeMs: { type: 'int32', since: 2, default: 0 },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
          timestamp: { type: 'int64', default: -1 },
          offset: { type: 'int64', default: -1 },
          leaderEpoch: { type: 'int32', since: 4, default: -1 },
        }],
      }],
    },
  },
} as const
