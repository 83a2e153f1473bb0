// AlterConfigs: replaces all settings of a resource (superseded by IncrementalAlterConfigs).

export const alterConfigs = {
  key: 33,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'AlterConfigsRequest',
    versions: [0, 2],
    flexible: 2,
    fields: {
      resources: [{
        resourceType: 'int8',
        resourceName: 'string',
        configs: [{
          name: 'string',
          value: { type: 'string', nullable: 0 },
        }],
      }],
      validateOnly: 'boolean',
    },
  },
  response: {
    name: 'AlterConfigsResponse',
    versions: [0, 2],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      responses: [{
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 0, default: null },
        resourceType: 'int8',
        resourceName: 'string',
      }],
    },
  },
} as const
