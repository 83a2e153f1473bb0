// EndTxn: commits or aborts a transaction; from version 5 it also hands out the producer's next epoch.

export const endTxn = {
  key: 26,
  minVersion: 0,
  maxVersion: 5,
  request: {
    name: 'EndTxnRequest',
    versions: [0, 5],
    flexible: 3,
    fields: {
      transactionalId: 'string',
      producerId: 'int64',
      producerEpoch: 'int16',
      committed: 'boolean',
    },
  },
  response: {
    name: 'EndTxnResponse',
    versions: [0, 5],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      producerId: { type: 'int64', since: 5, default: -1 },
      producerEpoch: { type: 'int16', since: 5, default: -1 },
    },
  },
} as const
