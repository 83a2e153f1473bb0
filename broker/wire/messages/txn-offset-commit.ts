// TxnOffsetCommit: a group's positions, made durable with a transaction.

export const txnOffsetCommit = {
  key: 28,
  minVersion: 0,
  maxVersion: 5,
  request: {
    name: 'TxnOffsetCommitRequest',
    versions: [0, 5],
    flexible: 3,
    fields: {
      transactionalId: 'string',
      groupId: 'string',
      producerId: 'int64',
      producerEpoch: 'int16',
      generationId: { type: 'int32', since: 3, default: -1 },
      memberId: { type: 'string', since: 3, default: '' },
      groupInstanceId: { type: 'string', since: 3, nullable: 3, default: null },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          committedOffset: 'int64',
          committedLeaderEpoch: { type: 'int32', since: 2, default: -1, ignorable: true },
          committedMetadata: { type: 'string', nullable: 0 },
        }],
      }],
    },
  },
  response: {
    name: 'TxnOffsetCommitResponse',
    versions: [0, 5],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
        }],
      }],
    },
  },
} as const
