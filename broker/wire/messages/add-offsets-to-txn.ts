// AddOffsetsToTxn: says that a transaction is about to commit offsets of a group.

export const addOffsetsToTxn = {
  key: 25,
  minVersion: 0,
  maxVersion: 4,
  request: {
    name: 'AddOffsetsToTxnRequest',
    versions: [0, 4],
    flexible: 3,
    fields: {
      transactionalId: 'string',
      producerId: 'int64',
      producerEpoch: 'int16',
      groupId: 'string',
    },
  },
  response: {
    name: 'AddOffsetsToTxnResponse',
    versions: [0, 4],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
    },
  },
} as const
