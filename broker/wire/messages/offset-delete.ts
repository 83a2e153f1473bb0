// OffsetDelete: committed offsets to forget, for topics that a group no longer reads.

export const offsetDelete = {
  key: 47,
  minVersion: 0,
  maxVersion: 0,
  request: {
    name: 'OffsetDeleteRequest',
    versions: [0, 0],
    flexible: null,
    fields: {
      groupId: 'string',
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
        }],
      }],
    },
  },
  response: {
    name: 'OffsetDeleteResponse',
    versions: [0, 0],
    flexible: null,
    fields: {
      errorCode: 'int16',
      throttleTimeMs: { type: 'int32', default: 0 },
      topics: [{
        name: 'string',
        partitions: [{
          partitionIndex: 'int32',
          errorCode: 'int16',
        }],
      }],
    },
  },
} as const
