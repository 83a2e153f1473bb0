// ListTransactions: the transactional ids that a broker coordinates.

export const listTransactions = {
  key: 66,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'ListTransactionsRequest',
    versions: [0, 2],
    flexible: 0,
    fields: {
      stateFilters: ['string'],
      producerIdFilters: ['int64'],
      durationFilter: { type: 'int64', since: 1, default: -1 },
      transactionalIdPattern: { type: 'string', since: 2, nullable: 2, default: null },
    },
  },
  response: {
    name: 'ListTransactionsResponse',
    versions: [0, 2],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      unknownStateFilters: ['string'],
      transactionStates: [{
        transactionalId: 'string',
        producerId: 'int64',
        transactionState: 'string',
      }],
    },
  },
} as const
