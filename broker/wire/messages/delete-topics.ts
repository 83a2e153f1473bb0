// DeleteTopics: topics to remove, by name or id.

export const deleteTopics = {
  key: 20,
  minVersion: 1,
  maxVersion: 6,
  request: {
    name: 'DeleteTopicsRequest',
    versions: [1, 6],
    flexible: 4,
    fields: {
      topics: {
        since: 6, type: [{
          name: { type: 'string', nullable: 6, default: null },
          topicId: 'uuid',
        }],
      },
      topicNames: { type: ['string'], until: 5, ignorable: true },
      timeoutMs: 'int32',
    },
  },
  response: {
    name: 'DeleteTopicsResponse',
    versions: [1, 6],
    flexible: 4,
    fields: {
      throttleTimeMs: { type: 'int32', default: 0 },
      responses: [{
        name: { type: 'string', nullable: 6 },
        topicId: { type: 'uuid', since: 6 },
        errorCode: 'int16',
        errorMessage: { type: 'string', since: 5, nullable: 5, default: null },
      }],
    },
  },
} as const
