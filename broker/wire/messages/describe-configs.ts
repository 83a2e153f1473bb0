// DescribeConfigs: the settings of topics, brokers and groups, with their sources.

export const describeConfigs = {
  key: 32,
  minVersion: 1,
  maxVersion: 4,
  request: {
    name: 'DescribeConfigsRequest',
    versions: [1, 4],
    flexible: 4,
    fields: {
      resources: [{
        resourceType: 'int8',
        resourceName: 'string',
        configurationKeys: { type: ['string'], nullable: 1 },
      }],
      includeSynonyms: { type: 'boolean', default: false },
      includeDocumentation: { type: 'boolean', since: 3, default: false },
    },
  },
  response: {
    name: 'DescribeConfigsResponse',
    versions: [1, 4],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      results: [{
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 1, default: null },
        resourceType: 'int8',
        resourceName: 'string',
        configs: [{
          name: 'string',
          value: { type: 'string', nullable: 1 },
          readOnly: 'boolean',
          configSource: { type: 'int8', default: -1 },
          isSensitive: 'boolean',
          synonyms: [{
            name: 'string',
            value: { type: 'string', nullable: 1 },
            source: 'int8',
          }],
          configType: { type: 'int8', since: 3, default: 0 },
          documentation: { type: 'string', since: 3, nullable: 1 },
        }],
      }],
    },
  },
} as const
