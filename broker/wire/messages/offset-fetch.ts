// OffsetFetch: the positions that groups have committed (offset -1: none).

export const offsetFetch = {
  key: 9,
  minVersion: 1,
  maxVersion: 10,
  request: {
    name: 'OffsetFetchRequest',
    versions: [1, 10],
    flexible: 6,
    fields: {
      groupId: { type: 'string', until: 7 },
      topics: {
        until: 7, nullable: 2, type: [{
          name: 'string',
          partitionIndexes: ['int32'],
        }],
      },
      groups: {
        since: 8, type: [{
          groupId: 'string',
          memberId: { type: 'string', since: 9, nullable: 9, default: null, ignorable: true },
          memberEpoch: { type: 'int32', since: 9, default: -1, ignorable: true },
          topics: {
            nullable: 8, type: [{
              name: { type: 'string', until: 9, ignorable: true },
              topicId: { type: 'uuid', since: 10, ignorable: true },
              partitionIndexes: ['int32'],
            }],
          },
        }],
      },
      requireStable: { type: 'boolean', since: 7, default: false },
    },
  },
  response: {
    name: 'OffsetFetchResponse',
    versions: [1, 10],
    flexible: 6,
    fields: {
      throttleTimeMs: { type: 'int32', since: 3, default: 0 },
      topics: {
        until: 7, type: [{
          name: 'string',
          partitions: [{
            partitionIndex: 'int32',
            committedOffset: 'int64',
            committedLeaderEpoch: { type: 'int32', since: 5, default: -1 },
            metadata: { type: 'string', nullable: 1 },
            errorCode: 'int16',
          }],
        }],
      },
      errorCode: { type: 'int16', since: 2, until: 7, default: 0 },
      groups: {
        since: 8, type: [{
          groupId: 'string',
          topics: [{
            name: { type: 'string', until: 9 },
            topicId: { type: 'uuid', since: 10 },
            partitions: [{
              partitionIndex: 'int32',
              committedOffset: 'int64',
              committedLeaderEpoch: { type: 'int32', default: -1 },
              metadata: { type: 'string', nullable: 8 },
              errorCode: 'int16',
            }],
          }],
          errorCode: { type: 'int16', default: 0 },
        }],
      },
    },
  },
} as const
