// DescribeLogDirs: the size of partitions on a broker's disks.

export const describeLogDirs = {
  key: 35,
  minVersion: 1,
  maxVersion: 5,
  request: {
    name: 'DescribeLogDirsRequest',
    versions: [1, 5],
    flexible: 2,
    fields: {
      topics: {
        nullable: 1, type: [{
          topic: 'string',
          partitions: ['int32'],
        }],
      },
    },
  },
  response: {
    name: 'DescribeLogDirsResponse',
    versions: [1, 5],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: { type: 'int16', since: 3 },
      results: [{
        errorCode: 'int16',
        logDir: 'string',
        topics: [{
          name: 'string',
          partitions: [{
            partitionIndex: 'int32',
            partitionSize: 'int64',
            offsetLag: 'int64',
            isFutureKey: 'boolean',
          }],
        }],
        totalBytes: { type: 'int64', since: 4, default: -1 },
        usableBytes: { type: 'int64', since: 4, default: -1 },
        isCordoned: { type: 'boolean', since: 5, default: false },
      }],
    },
  },
} as const
