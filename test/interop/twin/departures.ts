// Where we answer otherwise than Apache Kafka on purpose, each with its reason.

import type { Ask } from './storyteller.ts'
import type { Difference } from './difference.ts'

export interface Departure {
  readonly because: string
  readonly covers: (ask: Ask, difference: Difference) => boolean
}

/** Whether some list in it names a thing more than once. */
function hasRepeats(value: unknown): boolean {
  if (Array.isArray(value)) return new Set(value.map(identity)).size < value.length || value.some(hasRepeats)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasRepeats)
}

function identity(element: unknown): unknown {
  if (typeof element !== 'object' || element === null) return element
  const { name, topic, resourceName, topicId, resourceType, index, partition, partitionIndex, groupId, memberId } = element as Readonly<Record<string, unknown>>
  const known = [name ?? topic ?? resourceName, topicId, resourceType, index ?? partition ?? partitionIndex, groupId ?? memberId]
  return JSON.stringify(known.every(part => part === undefined) ? element : known)
}

export const departures: Readonly<Record<string, Departure>> = {
  'the source of min.insync.replicas': {
    because: 'A new cluster of Apache Kafka 4.1 and later sets min.insync.replicas for all its brokers when it is formatted (ELR); ours has nothing to elect.',
    covers: ({ api }, { path, apache, ours }) => (api === 'CreateTopics' || api === 'DescribeConfigs') && path.endsWith('configSource') && apache === 3 && ours === 5,
  },
  'the synonyms of some settings of topics': {
    because: 'A few settings of topics have no setting of the broker here that stands for them; Apache Kafka has one, or none and says so.',
    covers: ({ api }, { path }) => api === 'DescribeConfigs' && /synonyms/.test(path),
  },
  'a filter of rules that is none': {
    because: 'Apache Kafka hangs up on unknown numbers in a filter of ACLs; ours says what is wrong.',
    covers: ({ api }, { apache }) => api === 'DescribeAcls' && apache === 'hung up',
  },
  'a failure of the server': {
    because: 'Apache Kafka stumbles over it and answers UNKNOWN_SERVER_ERROR; ours says what is wrong with the question, or takes it.',
    covers: (_, { path, apache, ours }) => path.endsWith('rrorCode') && apache === -1 && ours !== -1,
  },
  'a client that says it is a replica': {
    because: 'Apache Kafka looks for the replica among those of the partition; a broker of one has none, and reads for the client.',
    covers: ({ api, body }, { ours }) => api === 'Fetch' && ours !== undefined && ((body['replicaId'] as number | undefined) ?? (body['replicaState'] as { replicaId: number } | undefined)?.replicaId ?? -1) >= 0,
  },
  'asked for twice': {
    because: 'Apache Kafka keeps some questions by topic and partition, so that what is asked for twice is answered once; ours answers as often as it was asked.',
    covers: ({ body }) => hasRepeats(body),
  },
  'one broken batch': {
    because: 'Apache Kafka refuses all of a Produce request whose batch has an impossible length or magic; ours refuses that batch.',
    covers: ({ api, body }, { path, apache }) => api === 'Produce' && (path.endsWith('rrorCode') ? apache === 2 : true) && /"damage":"(magic 3|tiny length)"/.test(JSON.stringify(body)),
  },
  'records that are null': {
    because: 'Apache Kafka fails on them and never answers; ours says INVALID_RECORD.',
    covers: ({ api, body }, { apache }) => api === 'Produce' && apache === 'silent' && JSON.stringify(body).includes('"records":null'),
  },
}
