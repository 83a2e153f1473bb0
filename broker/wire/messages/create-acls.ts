// CreateAcls: new access rules.

export const createAcls = {
  key: 30,
  minVersion: 1,
  maxVersion: 3,
  request: {
    name: 'CreateAclsRequest',
    versions: [1, 3],
    flexible: 2,
    fields: {
      creations: [{
        resourceType: 'int8',
        resourceName: 'string',
        resourcePatternType: { type: 'int8', default: 3 },
        principal: 'string',
        host: 'string',
        operation: 'int8',
        permissionType: 'int8',
      }],
    },
  },
  response: {
    name: 'CreateAclsResponse',
    versions: [1, 3],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      results: [{
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 1, default: null },
      }],
    },
  },
} as const
