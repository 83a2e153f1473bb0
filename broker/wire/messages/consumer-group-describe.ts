// ConsumerGroupDescribe: state, members and assignments of KIP-848 consumer groups.

export const consumerGroupDescribe = {
  key: 69,
  minVersion: 0,
  maxVersion: 1,
  request: {
    name: 'ConsumerGroupDescribeRequest',
    versions: [0, 1],
    flexible: 0,
    fields: {
      groupIds: ['string'],
      includeAuthorizedOperations: 'boolean',
    },
  },
  response: {
    name: 'ConsumerGroupDescribeResponse',
    versions: [0, 1],
    flexible: 0,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      groups: [{
        errorCode: 'int16',
        errorMessage: { type: 'string', nullable: 0, default: null },
        groupId: 'string',
        groupState: 'string',
        groupEpoch: 'int32',
        assignmentEpoch: 'int32',
        assignorName: 'string',
        members: [{
          memberId: 'string',
          instanceId: { type: 'string', nullable: 0, default: null },
          rackId: { type: 'string', nullable: 0, default: null },
          memberEpoch: 'int32',
          clientId: 'string',
          clientHost: 'string',
          subscribedTopicNames: ['string'],
          subscribedTopicRegex: { type: 'string', nullable: 0, default: null },
          assignment: {
            type: {
              topicPartitions: [{
                topicId: 'uuid',
                topicName: 'string',
                partitions: ['int32'],
              }],
            },
          },
          targetAssignment: {
            type: {
              topicPartitions: [{
                topicId: 'uuid',
                topicName: 'string',
                partitions: ['int32'],
              }],
            },
          },
          memberType: { type: 'int8', since: 1, default: -1 },
        }],
        authorizedOperations: { type: 'int32', default: -2147483648 },
      }],
    },
  },
} as const
