// DescribeTransactions: state and partitions of transactions, by transactional id.

export const describeTransactions = {
  key: 65,
  minVersion: 0,
  maxVersion: 0,
  request: {
    name: 'DescribeTransactionsRequest',
    versions: [0, 0],
    flexible: 0,
    fields: {
      transactionalIds: ['string'],
    },
  },
  response: {
    name: 'DescribeTransactionsResponse',
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      transactionStates: [{
        errorCode: 'int16',
        transactionalId: 'string',
        transactionState: 'string',
        transactionTimeoutMs: 'int32',
        transactionStartTimeMs: 'int64',
        producerId: 'int64',
        producerEpoch: 'int16',
        topics: [{
          topic: 'string',
          partitions: ['int32'],
        }],
      }],
    },
  },
} as const
