// OffsetCommit: a group's positions, made durable.

export const offsetCommit = {
  key: 8,
  minVersion: 2,
  maxVersion: 10,
  request: {
    name: 'OffsetCommitRequest',
    versions: [2, 10],
    flexible: 8,
    fields: {
      groupId: 'string',
      generationIdOrMemberEpoch: { type: 'int32', default: -1 },
      memberId: 'string',
      groupInstanceId: { type: 'string', since: 7, nullable: 7, default: null },
      retentionTimeMs: { type: 'int64', until: 4, default: -1, ignorable: true },
      topics: [{
        name: { type: 'string', until: 9, ignorable: true },
        topicId: { type: 'uuid', since: 10, ignorable: true },
        partitions: [{
          partitionIndex: 'int32',
          committedOffset: 'int64',
          committedLeaderEpoch: { type: 'int32', since: 6, default: -1, ignorable: true },
          committedMetadata: { type: 'string', nullable: 2 },
        }],
      }],
    },
  },
  response: {
    name: 'OffsetCommitResponse',
    versions: [2, 10],
    flexible: 8,
    fields: {
      throttleTimeMs: { type: 'int32', since: 3, default: 0 },
      topics: [{
        name: { type: 'string', until: 9 },
        topicId: { type: 'uuid', since: 10 },
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
        }],
      }],
    },
  },
} as const
