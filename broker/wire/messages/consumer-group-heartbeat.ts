// ConsumerGroupHeartbeat: the one exchange between a member of a KIP-848 consumer group and its coordinator: subscription up, assignment down.

export const consumerGroupHeartbeat = {
  key: 68,
  minVersion: 0,
  maxVersion: 1,
  request: {
    name: 'ConsumerGroupHeartbeatRequest',
    versions: [0, 1],
    flexible: 0,
    fields: {
      groupId: 'string',
      memberId: 'string',
      memberEpoch: 'int32',
      instanceId: { type: 'string', nullable: 0, default: null },
      rackId: { type: 'string', nullable: 0, default: null },
      rebalanceTimeoutMs: { type: 'int32', default: -1 },
      subscribedTopicNames: { type: ['string'], nullable: 0, default: null },
      subscribedTopicRegex: { type: 'string', since: 1, nullable: 1, default: null },
      serverAssignor: { type: 'string', nullable: 0, default: null },
      topicPartitions: {
        nullable: 0, default: null, type: [{
          topicId: 'uuid',
          partitions: ['int32'],
        }],
      },
    },
  },
  response: {
    name: 'ConsumerGroupHeartbeatResponse',
    versions: [0, 1],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      errorCode: 'int16',
      errorMessage: { type: 'string', nullable: 0, default: null },
      memberId: { type: 'string', nullable: 0, default: null },
      memberEpoch: 'int32',
      heartbeatIntervalMs: 'int32',
      assignment: {
        nullable: 0, default: null, type: {
          topicPartitions: [{
            topicId: 'uuid',
            partitions: ['int32'],
          }],
        },
      },
    },
  },
} as const
