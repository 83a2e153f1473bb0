// Apache Kafka's own Java clients on a Millrace broker on files: every answer is the one that Apache Kafka gives.

import { describe } from 'vitest'
import { storyLaws, tellStoriesToFileBroker, type Departures } from './story-laws.ts'

// One program: a JVM starts slowly.
const lines = tellStoriesToFileBroker('ClientsStory', 'GroupsStory', 'AdminStory', 'TransactionsStory', 'StreamsStory', 'ConsumerGroupsStory')

const unsupported = { error: 'UnsupportedVersionException' } as const

/** Synonyms that come from no setting of a broker are not shown by Apache Kafka, or are settings of what Millrace does not have. */
const synonyms = (value: string, type: string, ...names: readonly string[]): readonly unknown[] => [value, 'DEFAULT_CONFIG', type, false, false, names]

const departures: Departures = {
  'describeConfigs of a topic: every setting, its value, source, type and synonyms': {
    because: 'a setting that a broker has no name for is its own synonym, and min.insync.replicas was set by nobody',
    answer: {
      'flush.ms': synonyms('9223372036854775807', 'LONG', 'flush.ms=9223372036854775807 DEFAULT_CONFIG'),
      'follower.replication.throttled.replicas': synonyms('', 'LIST', 'follower.replication.throttled.replicas= DEFAULT_CONFIG'),
      'leader.replication.throttled.replicas': synonyms('', 'LIST', 'leader.replication.throttled.replicas= DEFAULT_CONFIG'),
      'local.retention.bytes': synonyms('-2', 'LONG', 'local.retention.bytes=-2 DEFAULT_CONFIG'),
      'local.retention.ms': synonyms('-2', 'LONG', 'local.retention.ms=-2 DEFAULT_CONFIG'),
      'min.insync.replicas': synonyms('1', 'INT', 'min.insync.replicas=1 DEFAULT_CONFIG'),
      'remote.log.copy.disable': synonyms('false', 'BOOLEAN', 'remote.log.copy.disable=false DEFAULT_CONFIG'),
      'remote.log.delete.on.disable': synonyms('false', 'BOOLEAN', 'remote.log.delete.on.disable=false DEFAULT_CONFIG'),
      'remote.storage.enable': synonyms('false', 'BOOLEAN', 'remote.storage.enable=false DEFAULT_CONFIG'),
      'segment.jitter.ms': synonyms('0', 'LONG', 'segment.jitter.ms=0 DEFAULT_CONFIG'),
      'segment.ms': synonyms('604800000', 'LONG', 'log.roll.hours=168 DEFAULT_CONFIG'),
    },
  },
  'describeConfigs of a broker: what most people look for': { because: 'there are no threads to count, and connections have a bound', answer: { 'num.network.threads': 'absent', 'max.connections': ['10000', true, false, 'INT'] } },
  'settings of brokers are refused': { because: 'one that does not exist is refused too', answer: { unknown: 'InvalidConfigurationException' } },
  'describeDelegationToken': { because: 'there are no delegation tokens', answer: unsupported },
  'unregisterBroker of nobody': { because: 'there is one broker', answer: unsupported },
}

describe('producer and consumer', () => {
  storyLaws('ClientsStory', () => lines, {})
})
describe('groups that the broker assigns', () => {
  storyLaws('ConsumerGroupsStory', () => lines)
})
describe('Kafka Streams', () => {
  storyLaws('StreamsStory', () => lines)
})
describe('groups', () => {
  storyLaws('GroupsStory', () => lines)
})
describe('transactions', () => {
  storyLaws('TransactionsStory', () => lines)
})
describe('administrator', () => {
  storyLaws('AdminStory', () => lines, departures)
})
