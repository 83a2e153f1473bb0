// DescribeCluster: the brokers (or controllers) of the cluster, without topics.

export const describeCluster = {
  key: 60,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'DescribeClusterRequest',
    versions: [0, 2],
    flexible: 0,
    fields: {
      includeClusterAuthorizedOperations: 'boolean',
      endpointType: { type: 'int8', since: 1, default: 1 },
      includeFencedBrokers: { type: 'boolean', since: 2 },
    },
  },
  response: {
    name: 'DescribeClusterResponse',
    versions: [0, 2],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0, default: null },
      endpointType: { type: 'int8', since: 1, default: 1 },
      clusterId: 'string',
      controllerId: { type: 'int32', default: -1 },
      brokers: [{
        brokerId: 'int32',
        host: 'string',
        port: 'int32',
        rack: { type: 'string', nullable: 0, default: null },
        isFenced: { type: 'boolean', since: 2 },
      }],
      clusterAuthorizedOperations: { type: 'int32', default: -2147483648 },
    },
  },
} as const
