// WriteTxnMarkers: a transaction coordinator's order to put commit or abort markers into partitions.

export const writeTxnMarkers = {
  key: 27,
  minVersion: 1,
  maxVersion: 2,
  request: {
    name: 'WriteTxnMarkersRequest',
    versions: [1, 2],
    flexible: 1,
    fields: {
      markers: [{
        producerId: 'int64',
        producerEpoch: 'int16',
        transactionResult: 'boolean',
        topics: [{
          name: 'string',
          partitionIndexes: ['int32'],
        }],
        coordinatorEpoch: 'int32',
        transactionVersion: { type: 'int8', since: 2, default: 0, ignorable: true },
      }],
    },
  },
  response: {
    name: 'WriteTxnMarkersResponse',
    versions: [1, 2],
    flexible: 1,
    fields: {
      markers: [{
        producerId: 'int64',
        topics: [{
          name: 'string',
          partitions: [{
            partitionIndex: 'int32',
            errorCode: 'int16',
          }],
        }],
      }],
    },
  },
} as const
