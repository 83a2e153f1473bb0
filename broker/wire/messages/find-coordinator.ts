// FindCoordinator: the broker that keeps a group (key type 0) or a transactional id (1).

export const findCoordinator = {
  key: 10,
  minVersion: 0,
  maxVersion: 6,
  request: {
    name: 'FindCoordinatorRequest',
    versions: [0, 6],
    flexible: 3,
    fields: {
      key: { type: 'string', until: 3 },
      keyType: { type: 'int8', since: 1, default: 0 },
      coordinatorKeys: { type: ['string'], since: 4 },
    },
  },
  response: {
    name: 'FindCoordinatorResponse',
    versions: [0, 6],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: 'int32', since: 1, default: 0 },
      errorCode: { type: 'int16', until: 3 },
      errorMessage: { type: 'string', since: 1, until: 3, nullable: 1, default: null },
      nodeId: { type: 'int32', until: 3 },
      host: { type: 'string', until: 3 },
      port: { type: 'int32', until: 3 },
      coordinators: {
        since: 4, type: [{
          key: 'string',
          nodeId: 'int32',
          host: 'string',
          port: 'int32',
          errorCode: 'int16',
          errorMessage: { type: 'string', nullable: 4, default: null },
        }],
      },
    },
  },
} as const
