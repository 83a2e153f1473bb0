// LeaveGroup: members leave a classic group.

export const leaveGroup = {
  key: 13,
  minVersion: 0,
  maxVersion: 5,
  request: {
    name: 'LeaveGroupRequest',
    versions: [0, 5],
    flexible: 4,
    fields: {
      groupId: 'string',
      memberId: { type: 'string', until: 2 },
      members: {
        since: 3, type: [{
          memberId: 'string',
          groupInstanceId: { type: 'string', nullable: 3, default: null },
          reason: { type: 'string', since: 5, nullable: 5, default: null, ignorable: true },
        }],
      },
    },
  },
  response: {
    name: 'LeaveGroupResponse',
    versions: [0, 5],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: 'int32', since: 1, default: 0 },
      errorCode: 'int16',
      members: {
        since: 3, type: [{
          memberId: 'string',
          groupInstanceId: { type: 'string', nullable: 3 },
          errorCode: 'int16',
        }],
      },
    },
  },
} as const
