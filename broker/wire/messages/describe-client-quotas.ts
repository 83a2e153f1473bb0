// DescribeClientQuotas: the quotas of users, clients and addresses that match a filter.

export const describeClientQuotas = {
  key: 48,
  minVersion: 0,
  maxVersion: 1,
  request: {
    name: 'DescribeClientQuotasRequest',
    versions: [0, 1],
    flexible: 1,
    fields: {
      components: [{
        entityType: 'string',
        matchType: 'int8',
        match: { type: 'string', nullable: 0 },
      }],
      strict: 'boolean',
    },
  },
  response: {
    name: 'DescribeClientQuotasResponse',
    versions: [0, 1],
    flexible: 1,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0 },
      entries: {
        nullable: 0, type: [{
          entity: [{
            entityType: 'string',
            entityName: { type: 'string', nullable: 0 },
          }],
          values: [{
            key: 'string',
            value: 'float64',
          }],
        }],
      },
    },
  },
} as const
