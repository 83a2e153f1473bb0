// InitProducerId: a producer's id and epoch, for idempotence and transactions; fences older users of the transactional id.

export const initProducerId = {
  key: 22,
  minVersion: 0,
  maxVersion: 5,
  request: {
    name: 'InitProducerIdRequest',
    versions: [0, 5],
    flexible: 2,
    fields: {
      transactionalId: { type: 'string', nullable: 0 },
      transactionTimeoutMs: 'int32',
      producerId: { type: 'int64', since: 3, default: -1 },
      producerEpoch: { type: 'int16', since: 3, default: -1 },
    },
  },
  response: {
    name: 'InitProducerIdResponse',
    versions: [0, 5],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      producerId: { type: 'int64', default: -1 },
      producerEpoch: 'int16',
    },
  },
} as const
