// The record of a committed offset in __consumer_offsets.

/** Key types 0 and 1 are laid out alike. Versions as Kafka's: 3 has a leader epoch, 1 an expiry of its own. */
export const offsetCommitRecord = {
  keyType: 1,
  key: {
    name: 'OffsetCommitKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      group: 'string',
      topic: 'string',
      partition: 'int32',
    },
  },
  value: {
    name: 'OffsetCommitValue',
    versions: [0, 4],
    flexible: 4,
    fields: {
      offset: 'int64',
      leaderEpoch: { type: 'int32', since: 3, default: -1, ignorable: true },
      metadata: 'string',
      commitTimestamp: 'int64',
      expireTimestamp: { type: 'int64', since: 1, until: 1, default: -1, ignorable: true },
      topicId: { type: 'uuid', since: 4, tag: 0, ignorable: true },
    },
  },
} as const
