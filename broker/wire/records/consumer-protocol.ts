// What members of a classic consumer group tell each other through JoinGroup and SyncGroup.

/** In JoinGroup, per assignor: the topics a member wants and what it owns. */
export const consumerProtocolSubscription = {
  name: 'ConsumerProtocolSubscription',
  versions: [0, 3],
  flexible: null,
  fields: {
    topics: ['string'],
    userData: { type: 'bytes', nullable: 0, default: null },
    ownedPartitions: {
      since: 1, ignorable: true, type: [{
        topic: 'string',
        partitions: ['int32'],
      }],
    },
    generationId: { type: 'int32', since: 2, default: -1, ignorable: true },
    rackId: { type: 'string', since: 3, nullable: 3, default: null, ignorable: true },
  },
} as const

/** In SyncGroup: the partitions a member gets. */
export const consumerProtocolAssignment = {
  name: 'ConsumerProtocolAssignment',
  versions: [0, 3],
  flexible: null,
  fields: {
    assignedPartitions: [{
      topic: 'string',
      partitions: ['int32'],
    }],
    userData: { type: 'bytes', nullable: 0, default: null },
  },
} as const
