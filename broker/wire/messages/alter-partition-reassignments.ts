// AlterPartitionReassignments: moves partitions to other brokers, or cancels a move.

export const alterPartitionReassignments = {
  key: 45,
  minVersion: 0,
  maxVersion: 1,
  request: {
    name: 'AlterPartitionReassignmentsRequest',
    versions: [0, 1],
    flexible: 0,
    fields: {
      timeoutMs: { type: 'int32', default: 60000 },
      allowReplicationFactorChange: { type: 'boolean', since: 1, default: true },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          replicas: { type: ['int32'], nullable: 0, default: null },
        }],
      }],
    },
  },
  response: {
    name: 'AlterPartitionReassignmentsResponse',
    versions: [0, 1],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      allowReplicationFactorChange: { type: 'boolean', since: 1, default: true },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0, default: null },
      responses: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
          errorMessage: { type: 'string', nullable: 0, default: null },
        }],
      }],
    },
  },
} as const
