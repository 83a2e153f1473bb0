// DescribeAcls: the access rules that match a filter.

export const describeAcls = {
  key: 29,
  minVersion: 1,
  maxVersion: 3,
  request: {
    name: 'DescribeAclsRequest',
    versions: [1, 3],
    flexible: 2,
    fields: {
      resourceTypeFilter: 'int8',
      resourceNameFilter: { type: 'string', nullable: 1 },
      patternTypeFilter: { type: 'int8', default: 3 },
      principalFilter: { type: 'string', nullable: 1 },
      hostFilter: { type: 'string', nullable: 1 },
      operation: 'int8',
      permissionType: 'int8',
    },
  },
  response: {
    name: 'DescribeAclsResponse',
    versions: [1, 3],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 1, default: null },
      resources: [{
        resourceType: 'int8',
        resourceName: 'string',
        patternType: { type: 'int8', default: 3 },
        acls: [{
          principal: 'string',
          host: 'string',
          operation: 'int8',
          permissionType: 'int8',
        }],
      }],
    },
  },
} as const
