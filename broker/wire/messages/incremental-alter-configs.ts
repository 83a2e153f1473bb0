// IncrementalAlterConfigs: sets, deletes, appends to or subtracts from single settings (operations 0, 1, 2, 3).

export const incrementalAlterConfigs = {
  key: 44,
  minVersion: 0,
  maxVersion: 1,
  request: {
    name: 'IncrementalAlterConfigsRequest',
    versions: [0, 1],
    flexible: 1,
    fields: {
      resources: [{
        resourceType: 'int8',
        resourceName: 'string',
        configs: [{
          name: 'string',
          configOperation: 'int8',
          value: { type: 'string', nullable: 0 },
        }],
      }],
      validateOnly: 'boolean',
    },
  },
  response: {
    name: 'IncrementalAlterConfigsResponse',
    versions: [0, 1],
    flexible: 1,
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
