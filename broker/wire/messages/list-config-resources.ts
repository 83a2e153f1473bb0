// ListConfigResources: which resources have settings of their own.

export const listConfigResources = {
  key: 74,
  minVersion: 0,
  maxVersion: 1,
  request: {
    name: 'ListConfigResourcesRequest',
    versions: [0, 1],
    flexible: 0,
    fields: {
      resourceTypes: { type: ['int8'], since: 1 },
    },
  },
  response: {
    name: 'ListConfigResourcesResponse',
    versions: [0, 1],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      configResources: [{
        resourceName: 'string',
        resourceType: { type: 'int8', since: 1, default: 16 },
      }],
    },
  },
} as const
