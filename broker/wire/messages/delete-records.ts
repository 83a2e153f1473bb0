// DeleteRecords: moves the start of partitions forward; offset -1 means to the high watermark.

export const deleteRecords = {
  key: 21,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'DeleteRecordsRequest',
    versions: [0, 2],
    flexible: 2,
    fields: {
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          offset: 'int64',
        }],
      }],
      timeoutMs: 'int32',
    },
  },
  response: {
    name: 'DeleteRecordsResponse',
    versions: [0, 2],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          lowWatermark: 'int64',
          errorCode: 'int16',
        }],
      }],
    },
  },
} as const
