// The records of a KIP-848 consumer group in __consumer_offsets.

/** The group and its epoch. */
export const consumerGroupMetadataRecord = {
  keyType: 3,
  key: {
    name: 'ConsumerGroupMetadataKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      groupId: 'string',
    },
  },
  value: {
    name: 'ConsumerGroupMetadataValue',
    versions: [0, 0],
    flexible: 0,
    fields: {
      epoch: 'int32',
      metadataHash: { type: 'int64', default: 0, tag: 0 },
    },
  },
} as const

/** A member and what it subscribes to. */
export const consumerGroupMemberMetadataRecord = {
  keyType: 5,
  key: {
    name: 'ConsumerGroupMemberMetadataKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      groupId: 'string',
      memberId: 'string',
    },
  },
  value: {
    name: 'ConsumerGroupMemberMetadataValue',
    versions: [0, 0],
    flexible: 0,
    fields: {
      instanceId: { type: 'string', nullable: 0 },
      rackId: { type: 'string', nullable: 0 },
      clientId: 'string',
      clientHost: 'string',
      subscribedTopicNames: ['string'],
      subscribedTopicRegex: { type: 'string', nullable: 0 },
      rebalanceTimeoutMs: { type: 'int32', default: -1 },
      serverAssignor: { type: 'string', nullable: 0 },
      classicMemberMetadata: {
        nullable: 0, default: null, tag: 0, type: {
          sessionTimeoutMs: 'int32',
          supportedProtocols: [{
            name: 'string',
            metadata: 'bytes',
          }],
        },
      },
    },
  },
} as const

/** The epoch of the assignment that the group moves to. */
export const consumerGroupTargetAssignmentMetadataRecord = {
  keyType: 6,
  key: {
    name: 'ConsumerGroupTargetAssignmentMetadataKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      groupId: 'string',
    },
  },
  value: {
    name: 'ConsumerGroupTargetAssignmentMetadataValue',
    versions: [0, 0],
    flexible: 0,
    fields: {
      assignmentEpoch: 'int32',
      assignmentTimestamp: { type: 'int64', default: 0, tag: 0 },
    },
  },
} as const

/** What a member shall have. */
export const consumerGroupTargetAssignmentMemberRecord = {
  keyType: 7,
  key: {
    name: 'ConsumerGroupTargetAssignmentMemberKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      groupId: 'string',
      memberId: 'string',
    },
  },
  value: {
    name: 'ConsumerGroupTargetAssignmentMemberValue',
    versions: [0, 0],
    flexible: 0,
    fields: {
      topicPartitions: [{
        topicId: 'uuid',
        partitions: ['int32'],
      }],
    },
  },
} as const

/** What a member has, and gives up. */
export const consumerGroupCurrentMemberAssignmentRecord = {
  keyType: 8,
  key: {
    name: 'ConsumerGroupCurrentMemberAssignmentKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      groupId: 'string',
      memberId: 'string',
    },
  },
  value: {
    name: 'ConsumerGroupCurrentMemberAssignmentValue',
    versions: [0, 0],
    flexible: 0,
    fields: {
      memberEpoch: 'int32',
      previousMemberEpoch: 'int32',
      state: 'int8',
      assignedPartitions: [{
        topicId: 'uuid',
        partitions: ['int32'],
        assignmentEpochs: { type: ['int32'], nullable: 0, tag: 0 },
      }],
      partitionsPendingRevocation: [{
        topicId: 'uuid',
        partitions: ['int32'],
        assignmentEpochs: { type: ['int32'], nullable: 0, tag: 0 },
      }],
    },
  },
} as const

/** The topics that a subscribed pattern stands for. */
export const consumerGroupRegularExpressionRecord = {
  keyType: 16,
  key: {
    name: 'ConsumerGroupRegularExpressionKey',
    versions: [0, 0],
    flexible: null,
    fields: {
      groupId: 'string',
      regularExpression: 'string',
    },
  },
  value: {
    name: 'ConsumerGroupRegularExpressionValue',
    versions: [0, 0],
    flexible: 0,
    fields: {
      topics: ['string'],
      version: 'int64',
      timestamp: 'int64',
    },
  },
} as const
