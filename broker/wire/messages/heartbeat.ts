// Heartbeat: a member of a classic group says that it lives and hears of a rebalance.

export const heartbeat = {
  key: 12,
  minVersion: 0,
  maxVersion: 4,
  request: {
    name: 'HeartbeatRequest',
    versions: [0, 4],
    flexible: 4,
    fields: {
      groupId: 'string',
      generationId: 'int32',
      memberId: 'string',
      groupInstanceId: { type: 'string', since: 3, nullable: 3, default: null },
    },
  },
  response: {
    name: 'HeartbeatResponse',
    versions: [0, 4],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: 'int32', since: 1, default: 0 },
      errorCode: 'int16',
    },
  },
} as const
