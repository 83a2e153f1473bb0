// The record of a transactional id in __transaction_state.

/** Status: 0 empty, 1 ongoing, 2 prepare commit, 3 prepare abort, 4 complete commit, 5 complete abort, 6 dead, 7 prepare epoch fence. */
export const transactionLogRecord = {
  keyType: 0,
  key: {
    name: 'TransactionLogKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      transactionalId: 'string',
    },
  },
  value: {
    name: 'TransactionLogValue',
    versions: [0, 1],
    flexible: 1,
    fields: {
      producerId: 'int64',
      previousProducerId: { type: 'int64', since: 1, default: -1, tag: 0 },
      nextProducerId: { type: 'int64', since: 1, default: -1, tag: 1 },
      producerEpoch: 'int16',
      nextProducerEpoch: { type: 'int16', since: 1, default: -1, tag: 3 },
      transactionTimeoutMs: 'int32',
      transactionStatus: 'int8',
      transactionPartitions: {
        nullable: 0, type: [{
          topic: 'string',
          partitionIds: ['int32'],
        }],
      },
      transactionLastUpdateTimestampMs: 'int64',
      transactionStartTimestampMs: 'int64',
      clientTransactionVersion: { type: 'int16', since: 1, default: 0, tag: 2 },
    },
  },
} as const
