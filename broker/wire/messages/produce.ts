// Produce: record batches for partitions, and the offsets they got.

export const produce = {
  key: 0,
  minVersion: 3,
  maxVersion: 13,
  request: {
    name: 'ProduceRequest',
    versions: [3, 13],
    flexible: 9,
    fields: {
      transactionalId: { type: 'string', nullable: 3, default: null },
      acks: 'int16',
      timeoutMs: 'int32',
      topicData: [{
        name: { type: 'string', until: 12, ignorable: true },
        topicId: { type: 'uuid', since: 13, ignorable: true },
        partitionData: [{
          index: 'int32',
          records: { type: 'records', nullable: 3 },
        }],
      }],
    },
  },
  response: {
    name: 'ProduceResponse',
    versions: [3, 13],
    flexible: 9,
    fields: {
      responses: [{
        name: { type: 'string', until: 12 },
        topicId: { type: 'uuid', since: 13 },
        partitionResponses: [{
          index: 'int32',
          errorCode: 'int16',
          baseOffset: 'int64',
          logAppendTimeMs: { type: 'int64', default: -1 },
          logStartOffset: { type: 'int64', since: 5, default: -1 },
          recordErrors: {
            since: 8, type: [{
              batchIndex: 'int32',
              batchIndexErrorMessage: { type: 'string', nullable: 8, default: null },
            }],
          },
          errorMessage: { type: 'string', since: 8, nullable: 8, default: null },
          currentLeader: {
            since: 10, tag: 0, type: {
              leaderId: { type: 'int32', default: -1 },
              leaderEpoch: { type: 'int32', default: -1 },
            },
          },
        }],
      }],
      throttleTimeMs: { type: 'int32', default: 0 },
      nodeEndpoints: {
        since: 10, tag: 0, type: [{
          nodeId: 'int32',
          host: 'string',
          port: 'int32',
          rack: { type: 'string', nullable: 10, default: null },
        }],
      },
    },
  },
} as const
