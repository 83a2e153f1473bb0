// ApiVersions: which APIs and versions a broker speaks, and which features its cluster has switched on; a connection's first exchange.

export const apiVersions = {
  key: 18,
  minVersion: 0,
  maxVersion: 4,
  request: {
    name: 'ApiVersionsRequest',
    versions: [0, 4],
    flexible: 3,
    fields: {
      clientSoftwareName: { type: 'string', since: 3, ignorable: true },
      clientSoftwareVersion: { type: 'string', since: 3, ignorable: true },
    },
  },
  response: {
    name: 'ApiVersionsResponse',
    versions: [0, 4],
    flexible: 3,
    fields: {
      errorCode: 'int16',
      apiKeys: [{
        apiKey: 'int16',
        minVersion: 'int16',
        maxVersion: 'int16',
      }],
      throttleTimeMs: { type: 'int32', since: 1, default: 0 },
      supportedFeatures: {
        since: 3, tag: 0, type: [{
          name: 'string',
          minVersion: 'int16',
          maxVersion: 'int16',
        }],
      },
      finalizedFeaturesEpoch: { type: 'int64', since: 3, default: -1, tag: 1 },
      finalizedFeatures: {
        since: 3, tag: 2, type: [{
          name: 'string',
          maxVersionLevel: 'int16',
          minVersionLevel: 'int16',
        }],
      },
      zkMigrationReady: { type: 'boolean', since: 3, default: false, tag: 3 },
    },
  },
} as const
