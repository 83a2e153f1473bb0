// ListPartitionReassignments: the moves of partitions that are under way.

export const listPartitionReassignments = {
  key: 46,
  minVersion: 0,
  maxVersion: 0,
  request: {
    name: 'ListPartitionReassignmentsRequest',
    versions: [0, 0],
    flexible: 0,
    fields: {
      timeoutMs: { type: 'int32', default: 60000 },
      topics: {
        nullable: 0, default: null, type: [{
          name: 'string',
          partitionIndexes: ['int32'],
        }],
      },
    },
  },
  response: {
    name: 'ListPartitionReassignmentsResponse',
    versions: [0, 0],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0, default: null },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          replicas: ['int32'],
          addingReplicas: ['int32'],
          removingReplicas: ['int32'],
        }],
      }],
    },
  },
} as const
