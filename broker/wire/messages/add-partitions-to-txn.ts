// AddPartitionsToTxn: partitions that a transaction is about to write to; from version 4 for brokers that check many transactions at once.

export const addPartitionsToTxn = {
  key: 24,
  minVersion: 0,
  maxVersion: 5,
  request: {
    name: 'AddPartitionsToTxnRequest',
    versions: [0, 5],
    flexible: 3,
    fields: {
      transactions: {
        since: 4, type: [{
          transactionalId: 'string',
          producerId: 'int64',
          producerEpoch: 'int16',
          verifyOnly: { type: 'boolean', default: false },
          topics: [{
            name: 'string',
            partitions: ['int32'],
          }],
        }],
      },
      v3AndBelowTransactionalId: { type: 'string', until: 3 },
      v3AndBelowProducerId: { type: 'int64', until: 3 },
      v3AndBelowProducerEpoch: { type: 'int16', until: 3 },
      v3AndBelowTopics: {
        until: 3, type: [{
          name: 'string',
          partitions: ['int32'],
        }],
      },
    },
  },
  response: {
    name: 'AddPartitionsToTxnResponse',
    versions: [0, 5],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: { type: 'int16', since: 4 },
      resultsByTransaction: {
        since: 4, type: [{
          transactionalId: 'string',
          topicResults: [{
            name: 'string',
            resultsByPartition: [{
              partitionIndex: 'int32',
              partitionErrorCode: 'int16',
            }],
          }],
        }],
      },
      resultsByTopicV3AndBelow: {
        until: 3, type: [{
          name: 'string',
          resultsByPartition: [{
            partitionIndex: 'int32',
            partitionErrorCode: 'int16',
          }],
        }],
      },
    },
  },
} as const
