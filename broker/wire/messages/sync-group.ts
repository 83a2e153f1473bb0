// SyncGroup: the leader hands in the assignment of a generation; every member takes its own share out.

export const syncGroup = {
  key: 14,
  minVersion: 0,
  maxVersion: 5,
  request: {
    name: 'SyncGroupRequest',
    versions: [0, 5],
    flexible: 4,
    fields: {
      groupId: 'string',
      generationId: 'int32',
      memberId: 'string',
      groupInstanceId: { type: 'string', since: 3, nullable: 3, default: null },
      protocolType: { type: 'string', since: 5, nullable: 5, default: null, ignorable: true },
      protocolName: { type: 'string', since: 5, nullable: 5, default: null, ignorable: true },
      assignments: [{
        memberId: 'string',
        assignment: 'bytes',
      }],
    },
  },
  response: {
    name: 'SyncGroupResponse',
    versions: [0, 5],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: 'int32', since: 1, default: 0 },
      errorCode: 'int16',
      protocolType: { type: 'string', since: 5, nullable: 5, default: null },
      protocolName: { type: 'string', since: 5, nullable: 5, default: null },
      assignment: 'bytes',
    },
  },
} as const
