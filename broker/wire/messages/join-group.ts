// JoinGroup: a member enters a rebalance of a classic group and learns its id, the generation and, as leader, the members.

export const joinGroup = {
  key: 11,
  minVersion: 0,
  maxVersion: 9,
  request: {
    name: 'JoinGroupRequest',
    versions: [0, 9],
    flexible: 6,
    fields: {
      groupId: 'string',
      sessionTimeoutMs: 'int32',
      rebalanceTimeoutMs: { type: 'int32', since: 1, default: -1, ignorable: true },
      memberId: 'string',
      groupInstanceId: { type: 'string', since: 5, nullable: 5, default: null },
      protocolType: 'string',
      protocols: [{
        name: 'string',
        metadata: 'bytes',
      }],
      reason: { type: 'string', since: 8, nullable: 8, default: null, ignorable: true },
    },
  },
  response: {
    name: 'JoinGroupResponse',
    versions: [0, 9],
    flexible: 6,
    fields: {
      throttleTimeMs: { type: 'int32', since: 2, default: 0 },
      errorCode: 'int16',
      generationId: { type: 'int32', default: -1 },
      protocolType: { type: 'string', since: 7, nullable: 7, default: null },
      protocolName: { type: 'string', nullable: 7 },
      leader: 'string',
      skipAssignment: { type: 'boolean', since: 9, default: false },
      memberId: 'string',
      members: [{
        memberId: 'string',
        groupInstanceId: { type: 'string', since: 5, nullable: 5, default: null },
        metadata: 'bytes',
      }],
    },
  },
} as const
