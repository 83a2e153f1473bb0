// The record of a classic group in __consumer_offsets: its generation and members.

/** Written after every rebalance; deleted (a tombstone) with the group. */
export const groupMetadataRecord = {
  keyType: 2,
  key: {
    name: 'GroupMetadataKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      group: 'string',
    },
  },
  value: {
    name: 'GroupMetadataValue',
    versions: [0, 4],
    flexible: 4,
    fields: {
      protocolType: 'string',
      generation: 'int32',
      protocol: { type: 'string', nullable: 0 },
      leader: { type: 'string', nullable: 0 },
      currentStateTimestamp: { type: 'int64', since: 2, default: -1, ignorable: true },
      members: [{
        memberId: 'string',
        groupInstanceId: { type: 'string', since: 3, nullable: 3, default: null, ignorable: true },
        clientId: 'string',
        clientHost: 'string',
        rebalanceTimeout: { type: 'int32', since: 1, default: -1, ignorable: true },
        sessionTimeout: 'int32',
        subscription: 'bytes',
        assignment: 'bytes',
      }],
    },
  },
} as const
