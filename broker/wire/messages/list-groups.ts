// ListGroups: the groups that a broker coordinates.

export const listGroups = {
  key: 16,
  minVersion: 0,
  maxVersion: 5,
  request: {
    name: 'ListGroupsRequest',
    versions: [0, 5],
    flexible: 3,
    fields: {
      statesFilter: { type: ['string'], since: 4 },
      typesFilter: { type: ['string'], since: 5 },
    },
  },
  response: {
    name: 'ListGroupsResponse',
    versions: [0, 5],
    flexible: 3,
    fields: {
      throttleTimeMs: { type: 'int32', since: 1, default: 0 },
      errorCode: 'int16',
      groups: [{
        groupId: 'string',
        protocolType: 'string',
        groupState: { type: 'string', since: 4 },
        groupType: { type: 'string', since: 5 },
      }],
    },
  },
} as const
