// DeleteGroups: empty groups to remove, with their offsets.

export const deleteGroups = {
  key: 42,
  minVersion: 0,
  maxVersion: 2,
  request: {
    name: 'DeleteGroupsRequest',
    versions: [0, 2],
    flexible: 2,
    fields: {
      groupsNames: ['string'],
    },
  },
  response: {
    name: 'DeleteGroupsResponse',
    versions: [0, 2],
    flexible: 2,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      results: [{
        groupId: 'string',
        errorCode: 'int16',
      }],
    },
  },
} as const
