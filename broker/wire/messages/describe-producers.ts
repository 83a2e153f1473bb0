// DescribeProducers: the idempotent and transactional producers that a partition remembers.

export const describeProducers = {
  key: 61,
  minVersion: 0,
  maxVersion: 0,
  request: {
    name: 'DescribeProducersRequest',
    versions: [0, 0],
    flexible: 0,
    fields: {
      topics: [{
        name: 'string',
        partitionIndexes: ['int32'],
      }],
    },
  },
  response: {
    name: 'DescribeProducersResponse',
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
          errorMessage: { type: 'string', nullable: 0, default: null },
          activeProducers: [{
            producerId: 'int64',
            producerEpoch: 'int32',
            lastSequence: { type: 'int32', default: -1 },
            lastTimestamp: { type: 'int64', default: -1 },
            coordinatorEpoch: 'int32',
            currentTxnStartOffset: { type: 'int64', default: -1 },
          }],
        }],
      }],
    },
  },
} as const
