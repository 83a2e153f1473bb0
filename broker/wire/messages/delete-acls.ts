// DeleteAcls: access rules to remove, by filter.

export const deleteAcls = {
  key: 31,
  minVersion: 1,
  maxVersion: 3,
  request: {
    name: 'DeleteAclsRequest',
    versions: [1, 3],
    flexible: 2,
    fields: {
      filters: [{
        resourceTypeFilter: 'int8',
        resourceNameFilter: { type: 'string', nullable: 1 },
        patternTypeFilter: { type: 'int8', default: 3 },
        principalFilter: { type: 'string', nullable: 1 },
        hostFilter: { type: 'string', nullable: 1 },
        operation: 'int8',
        permissionType: 'int8',
      }],
    },
  },
  response: {
    name: 'DeleteAclsResponse',
    versions: [1, 3],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      filterResults: [{
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 1, default: null },
        matchingAcls: [{
          errorCode: 'int16',
          errorMessage: { type: 'string', nullable: 1, default: null },
          resourceType: 'int8',
          resourceName: 'string',
          patternType: { type: 'int8', default: 3 },
          principal: 'string',
          host: 'string',
          operation: 'int8',
          permissionType: 'int8',
        }],
      }],
    },
  },
} as const
