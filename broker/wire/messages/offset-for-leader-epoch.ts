// OffsetForLeaderEpoch: the end of a leader epoch in a partition, by which clients find that a log was truncated.

export const offsetForLeaderEpoch = {
  key: 23,
  minVersion: 2,
  maxVersion: 4,
  request: {
    name: 'OffsetForLeaderEpochRequest',
    versions: [2, 4],
    flexible: 4,
    fields: {
      replicaId: { type: 'int32', since: 3, default: -2, ignorable: true },
      topics: [{
        topic: 'string',
        partitions: [{
          partition: 'int32',
          currentLeaderEpoch: { type: 'int32', default: -1 },
          leaderEpoch: 'int32',
        }],
      }],
    },
  },
  response: {
    name: 'OffsetForLeaderEpochResponse',
    versions: [2, 4],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      topics: [{
        topic: 'string',
        partitions: [{
          errorCode: 'int16',
          partition: 'int32',
          leaderEpoch: { type: 'int32', default: -1 },
          endOffset: { type: 'int64', default: -1 },
        }],
      }],
    },
  },
} as const
