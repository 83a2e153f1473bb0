// ElectLeaders: asks for the preferred (0) or an unclean (1) leader of partitions.

export const electLeaders = {
  key: 43,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'ElectLeadersRequest',
    versions: [0, 2],
    flexible: 2,
    fields: {
      electionType: { type: 'int8', since: 1 },
      topicPartitions: {
        nullable: 0, type: [{
          topic: 'string',
          partitions: ['int32'],
        }],
      },
      timeoutMs: { type: 'int32', default: 60000 },
    },
  },
  response: {
    name: 'ElectLeadersResponse',
    versions: [0, 2],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: { type: 'int16', since: 1 },
      replicaElectionResults: [{
        topic: 'string',
        partitionResult: [{
          partitionId: 'int32',
          errorCode: 'int16',
          errorMessage: { type: 'string', nullable: 0, default: null },
        }],
      }],
    },
  },
} as const
