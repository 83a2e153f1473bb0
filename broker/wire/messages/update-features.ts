// UpdateFeatures: switches features of the protocol to a level, for the whole cluster.

export const updateFeatures = {
  key: 57,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'UpdateFeaturesRequest',
    versions: [0, 2],
    flexible: 0,
    fields: {
      timeoutMs: { type: 'int32', default: 60000 },
      featureUpdates: [{
        feature: 'string',
        maxVersionLevel: 'int16',
        allowDowngrade: { type: 'boolean', until: 0, default: false },
        upgradeType: { type: 'int8', since: 1, default: 1 },
      }],
      validateOnly: { type: 'boolean', since: 1, default: false },
    },
  },
  response: {
    name: 'UpdateFeaturesResponse',
    versions: [0, 2],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0, default: null },
      results: { until: 1, type: [{
        feature: 'string',
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 0, default: null },
      }] },
    },
  },
} as const
