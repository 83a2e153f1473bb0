// DescribeGroups: state and members of classic groups.

export const describeGroups = {
  key: 15,
  minVersion: 0,
  maxVersion: 6,
  request: {
    name: 'DescribeGroupsRequest',
    versions: [0, 6],
    flexible: 5,
    fields: {
      groups: ['string'],
      includeAuthorizedOperations: { type: 'boolean', since: 3 },
    },
  },
  response: {
    name: 'DescribeGroupsResponse',
    versions: [0, 6],
    flexible: 5,
    fields: {
      throttleTimeMs: { type: 'int32', since: 1, default: 0 },
      groups: [{
        errorCode: 'int16',
        errorMessage: { type: 'string', since: 6, nullable: 6, default: null },
        groupId: 'string',
        groupState: 'string',
        protocolType: 'string',
        protocolData: 'string',
        members: [{
          memberId: 'string',
          groupInstanceId: { type: 'string', since: 4, nullable: 4, default: null },
          clientId: 'string',
          clientHost: 'string',
          memberMetadata: 'bytes',
          memberAssignment: 'bytes',
        }],
        authorizedOperations: { type: 'int32', since: 3, default: -2147483648 },
      }],
    },
  },
} as const
