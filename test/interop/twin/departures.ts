// Where we answer otherwise than Apache Kafka on purpose, each with its reason.

import type { Ask } from './storyteller.ts'
import type { Difference } from './difference.ts'

export interface Departure {
  readonly because: string
  readonly covers: (ask: Ask, difference: Difference) => boolean
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
  'records that are null': {
    because: 'Apache Kafka fails on them and never answers; ours says INVALID_RECORD.',
    covers: ({ api, body }, { apache }) => api === 'Produce' && apache === 'silent' && JSON.stringify(body).includes('"records":null'),
  },
}
