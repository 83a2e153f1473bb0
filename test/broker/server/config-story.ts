// Settings described and altered, and what Apache Kafka 4.3 answers, step by step: the unit tests ask our broker, test/interop asks Apache Kafka itself.

import type { RequestInput } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import type { Step } from './admin-story.ts'

const kind = { topic: 2, broker: 4, logger: 8, metrics: 16, group: 32 } as const
const node = '1'
const op = { set: 0, delete: 1, append: 2, subtract: 3 } as const

type Changes = RequestInput<'IncrementalAlterConfigs'>['resources'][number]
type Change = readonly [name: string, configOperation: number, value: string | null]
type Ask = (channel: Channel) => Promise<unknown>

function changes(resourceType: number, resourceName: string, list: readonly Change[]): Changes {
  return { resourceType, resourceName, configs: list.map(([name, configOperation, value]) => ({ name, configOperation, value })) }
}

function altering(resources: readonly Changes[], validateOnly = false): Ask {
  return async channel => (await channel.request('IncrementalAlterConfigs', { resources, validateOnly })).responses.map(({ errorCode }) => errorNameOf(errorCode))
}

/** One setting of one resource. */
function alter(resourceType: number, resourceName: string, name: string, configOperation: number, value: string | null = null, validateOnly = false): Ask {
  return altering([changes(resourceType, resourceName, [[name, configOperation, value]])], validateOnly)
}

/** The older request: what is not named is forgotten. */
function replace(resourceType: number, resourceName: string, configs: Readonly<Record<string, string | null>>, validateOnly = false): Ask {
  const resources = [{ resourceType, resourceName, configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }]
  return async channel => (await channel.request('AlterConfigs', { resources, validateOnly })).responses.map(({ errorCode }) => errorNameOf(errorCode))
}

function describe(resourceType: number, resourceName: string, configurationKeys: readonly string[] | null): Ask {
  return async channel => {
    const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType, resourceName, configurationKeys }], includeSynonyms: true, includeDocumentation: true })
    return results.map(({ errorCode, resourceType, resourceName, configs }) => [errorNameOf(errorCode), resourceType, resourceName, ...configs.map(shown).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))])
  }
}

function shown(config: { name: string; value: string | null; readOnly: boolean; configSource: number; isSensitive: boolean; configType: number; documentation: string | null; synonyms: readonly { name: string; value: string | null; source: number }[] }): readonly unknown[] {
  const { name, value, readOnly, configSource, isSensitive, configType, documentation, synonyms } = config
  return [name, value, { readOnly, configSource, isSensitive, configType, documented: documentation !== null && documentation !== '' }, ...synonyms.map(({ name, value, source }) => `${source} ${name}=${value}`)]
}

/** Asks until a text is in the answer: Apache Kafka's broker hears of a change a little later than who made it. */
function describedAs(resourceType: number, resourceName: string, configurationKeys: readonly string[], text: string): Ask {
  return async channel => {
    for (let attempts = 1000; ; attempts--) {
      const answer = await describe(resourceType, resourceName, configurationKeys)(channel)
      if (attempts === 0 || JSON.stringify(answer).includes(text)) return answer
    }
  }
}

/** The values of settings that are not the defaults. */
function own(resourceType: number, resourceName: string, sources: readonly number[]): Ask {
  return async channel => {
    const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType, resourceName, configurationKeys: null }] })
    return results[0]!.configs.filter(({ configSource }) => sources.includes(configSource)).map(({ name, value }) => `${name}=${value}`).sort()
  }
}

const topicSettings: Ask = own(kind.topic, 'settings', [1])
const facts = { readOnly: false, isSensitive: false, documented: true }

const topics: readonly Step[] = [
  ['a topic to begin with', async channel => (await channel.request('CreateTopics', { topics: [{ name: 'settings', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [{ name: 'max.message.bytes', value: '5000' }] }] })).topics[0]!.errorCode, 0],
  ['a number that is set, and one that is not', describe(kind.topic, 'settings', ['max.message.bytes', 'delete.retention.ms']), [['NONE', 2, 'settings',
    ['delete.retention.ms', '86400000', { ...facts, configSource: 5, configType: 5 }, '5 log.cleaner.delete.retention.ms=86400000'],
    ['max.message.bytes', '5000', { ...facts, configSource: 1, configType: 3 }, '1 max.message.bytes=5000', '5 message.max.bytes=1048588']]]],
  ['types: boolean, text, list, double', describe(kind.topic, 'settings', ['preallocate', 'message.timestamp.type', 'cleanup.policy', 'min.cleanable.dirty.ratio']), [['NONE', 2, 'settings',
    ['cleanup.policy', 'delete', { ...facts, configSource: 5, configType: 7 }, '5 log.cleanup.policy=delete'],
    ['message.timestamp.type', 'CreateTime', { ...facts, configSource: 5, configType: 2 }, '5 log.message.timestamp.type=CreateTime'],
    ['min.cleanable.dirty.ratio', '0.5', { ...facts, configSource: 5, configType: 6 }, '5 log.cleaner.min.cleanable.ratio=0.5'],
    ['preallocate', 'false', { ...facts, configSource: 5, configType: 1 }, '5 log.preallocate=false']]]],
  ['one that is not there', describe(kind.topic, 'settings', ['no.such']), [['NONE', 2, 'settings']]],
  ['of a topic that is not there', describe(kind.topic, 'nothing', null), [['UNKNOWN_TOPIC_OR_PARTITION', 2, 'nothing']]],
  ['of a topic that cannot be', describe(kind.topic, 'a b', null), [['INVALID_TOPIC_EXCEPTION', 2, 'a b']]],
  ['of a topic without a name', describe(kind.topic, '', null), [['INVALID_TOPIC_EXCEPTION', 2, '']]],
  ['of something unheard of', describe(77, 'x', null), [['INVALID_REQUEST', 77, 'x']]],
  ['set', alter(kind.topic, 'settings', 'retention.ms', op.set, '1000'), ['NONE']],
  ['and looked at', topicSettings, ['max.message.bytes=5000', 'retention.ms=1000']],
  ['only tried', alter(kind.topic, 'settings', 'retention.ms', op.set, '7', true), ['NONE']],
  ['only tried, and wrong', alter(kind.topic, 'settings', 'retention.ms', op.set, 'soon', true), ['INVALID_CONFIG']],
  ['deleted', alter(kind.topic, 'settings', 'max.message.bytes', op.delete), ['NONE']],
  ['deleted with a value', alter(kind.topic, 'settings', 'max.message.bytes', op.delete, '1'), ['NONE']],
  ['deleted, though unknown', alter(kind.topic, 'settings', 'no.such', op.delete), ['NONE']],
  ['set, though unknown', alter(kind.topic, 'settings', 'no.such', op.set, '1'), ['INVALID_CONFIG']],
  ['set to nothing', alter(kind.topic, 'settings', 'retention.ms', op.set, null), ['INVALID_REQUEST']],
  ['a number that is none', alter(kind.topic, 'settings', 'retention.ms', op.set, 'soon'), ['INVALID_CONFIG']],
  ['a number too small', alter(kind.topic, 'settings', 'retention.ms', op.set, '-2'), ['INVALID_CONFIG']],
  ['a number too big for its type', alter(kind.topic, 'settings', 'max.message.bytes', op.set, '2147483648'), ['INVALID_CONFIG']],
  ['a word that is none of them', alter(kind.topic, 'settings', 'compression.type', op.set, 'rar'), ['INVALID_CONFIG']],
  ['appended', alter(kind.topic, 'settings', 'cleanup.policy', op.append, 'compact'), ['NONE']],
  ['appended again', alter(kind.topic, 'settings', 'cleanup.policy', op.append, 'compact'), ['NONE']],
  ['the list', topicSettings, ['cleanup.policy=delete,compact', 'retention.ms=1000']],
  ['subtracted', alter(kind.topic, 'settings', 'cleanup.policy', op.subtract, 'delete'), ['NONE']],
  ['subtracted, what is not there', alter(kind.topic, 'settings', 'cleanup.policy', op.subtract, 'delete'), ['NONE']],
  ['the list without it', topicSettings, ['cleanup.policy=compact', 'retention.ms=1000']],
  ['appended, what cannot be', alter(kind.topic, 'settings', 'cleanup.policy', op.append, 'burn'), ['INVALID_CONFIG']],
  ['appended to a number', alter(kind.topic, 'settings', 'retention.ms', op.append, '1'), ['INVALID_CONFIG']],
  ['subtracted from a number', alter(kind.topic, 'settings', 'retention.ms', op.subtract, '1'), ['INVALID_CONFIG']],
  ['one setting twice', altering([changes(kind.topic, 'settings', [['retention.ms', op.set, '1'], ['retention.ms', op.delete, null]])]), ['INVALID_REQUEST']],
  ['one topic twice', altering([changes(kind.topic, 'settings', [['retention.ms', op.set, '1']]), changes(kind.topic, 'settings', [['flush.ms', op.set, '1']])]), ['INVALID_REQUEST', 'INVALID_REQUEST']],
  ['one good, one bad: neither', altering([changes(kind.topic, 'settings', [['flush.ms', op.set, '5'], ['retention.ms', op.set, 'soon']])]), ['INVALID_CONFIG']],
  ['of a topic that is not there', alter(kind.topic, 'nothing', 'retention.ms', op.set, '1'), ['UNKNOWN_TOPIC_OR_PARTITION']],
  ['wrong, of a topic that is not there', alter(kind.topic, 'nothing', 'retention.ms', op.set, 'soon'), ['INVALID_CONFIG']],
  ['of a topic without a name', alter(kind.topic, '', 'retention.ms', op.set, '1'), ['INVALID_REQUEST']],
  ['of a topic that cannot be', alter(kind.topic, 'a b', 'retention.ms', op.set, '1'), ['INVALID_TOPIC_EXCEPTION']],
  ['of something unheard of', alter(77, 'x', 'retention.ms', op.set, '1'), ['INVALID_REQUEST']],
  ['all is as it was', topicSettings, ['cleanup.policy=compact', 'retention.ms=1000']],
  ['replaced', replace(kind.topic, 'settings', { 'segment.ms': '600000', 'cleanup.policy': 'compact' }), ['NONE']],
  ['only tried', replace(kind.topic, 'settings', {}, true), ['NONE']],
  ['what is left', topicSettings, ['cleanup.policy=compact', 'segment.ms=600000']],
  ['replaced by nothing', replace(kind.topic, 'settings', { 'segment.ms': null }), ['INVALID_REQUEST']],
  ['replaced by what cannot be', replace(kind.topic, 'settings', { 'segment.ms': 'soon' }), ['INVALID_CONFIG']],
  ['replaced of a topic that is not there', replace(kind.topic, 'nothing', { 'segment.ms': '1' }), ['UNKNOWN_TOPIC_OR_PARTITION']],
]

const brokers: readonly Step[] = [
  ['a setting of the broker, and one that stays', describe(kind.broker, node, ['log.cleaner.delete.retention.ms', 'num.partitions']), [['NONE', 4, '1',
    ['log.cleaner.delete.retention.ms', '86400000', { ...facts, configSource: 5, configType: 5 }, '5 log.cleaner.delete.retention.ms=86400000'],
    ['num.partitions', '1', { ...facts, readOnly: true, configSource: 5, configType: 3 }, '5 num.partitions=1']]]],
  ['of all brokers: nothing is set', describe(kind.broker, '', ['log.cleaner.delete.retention.ms', 'num.partitions']), [['NONE', 4, '']]],
  ['of a broker that is not there', describe(kind.broker, '9', null), [['INVALID_REQUEST', 4, '9']]],
  ['of a broker without a number', describe(kind.broker, 'one', null), [['INVALID_REQUEST', 4, 'one']]],
  ['set for all brokers', alter(kind.broker, '', 'log.cleaner.delete.retention.ms', op.set, '1000'), ['NONE']],
  ['seen on all', describedAs(kind.broker, '', ['log.cleaner.delete.retention.ms', 'num.partitions'], '3 log'), [['NONE', 4, '',
    ['log.cleaner.delete.retention.ms', '1000', { ...facts, configSource: 3, configType: 5 }, '3 log.cleaner.delete.retention.ms=1000']]]],
  ['and on the one', describe(kind.broker, node, ['log.cleaner.delete.retention.ms']), [['NONE', 4, '1',
    ['log.cleaner.delete.retention.ms', '1000', { ...facts, configSource: 3, configType: 5 }, '3 log.cleaner.delete.retention.ms=1000', '5 log.cleaner.delete.retention.ms=86400000']]]],
  ['set for the one', alter(kind.broker, node, 'log.cleaner.delete.retention.ms', op.set, '2000'), ['NONE']],
  ['which is stronger', describedAs(kind.broker, node, ['log.cleaner.delete.retention.ms'], 'ms","2000'), [['NONE', 4, '1',
    ['log.cleaner.delete.retention.ms', '2000', { ...facts, configSource: 2, configType: 5 }, '2 log.cleaner.delete.retention.ms=2000', '3 log.cleaner.delete.retention.ms=1000', '5 log.cleaner.delete.retention.ms=86400000']]]],
  ['a topic has it', describe(kind.topic, 'settings', ['delete.retention.ms']), [['NONE', 2, 'settings',
    ['delete.retention.ms', '2000', { ...facts, configSource: 2, configType: 5 }, '2 log.cleaner.delete.retention.ms=2000', '3 log.cleaner.delete.retention.ms=1000', '5 log.cleaner.delete.retention.ms=86400000']]]],
  ['given up for the one', alter(kind.broker, node, 'log.cleaner.delete.retention.ms', op.delete), ['NONE']],
  ['and for all', alter(kind.broker, '', 'log.cleaner.delete.retention.ms', op.delete), ['NONE']],
  ['one that stays', alter(kind.broker, node, 'num.partitions', op.set, '2'), ['INVALID_REQUEST']],
  ['one that stays, for all', alter(kind.broker, '', 'num.partitions', op.set, '2'), ['INVALID_REQUEST']],
  ['a number that is none', alter(kind.broker, '', 'log.retention.ms', op.set, 'soon'), ['INVALID_REQUEST']],
  ['a list', alter(kind.broker, '', 'log.cleanup.policy', op.append, 'compact'), ['NONE']],
  ['appended to a number', alter(kind.broker, '', 'log.retention.ms', op.append, '1'), ['INVALID_CONFIG']],
  ['the list given up', alter(kind.broker, '', 'log.cleanup.policy', op.delete), ['NONE']],
  ['of a broker that is not there', alter(kind.broker, '9', 'log.retention.ms', op.set, '1'), ['INVALID_REQUEST']],
  ['replaced for all, only tried', replace(kind.broker, '', { 'min.insync.replicas': '1', 'log.cleaner.delete.retention.ms': '5' }, true), ['NONE']],
  ['replaced by what stays', replace(kind.broker, '', { 'num.partitions': '5' }), ['INVALID_REQUEST']],
]

const others: readonly Step[] = [
  ['a logger of no broker', describe(kind.logger, '', null), [['INVALID_REQUEST', 8, '']]],
  ['a logger of another broker', describe(kind.logger, '9', null), [['INVALID_REQUEST', 8, '9']]],
  ['a logger that is not there', describe(kind.logger, node, ['no.such']), [['NONE', 8, '1']]],
  ['a level for a logger that is not there', alter(kind.logger, node, 'no.such', op.set, 'DEBUG'), ['INVALID_CONFIG']],
  ['a level for a logger of another broker', alter(kind.logger, '9', 'no.such', op.set, 'DEBUG'), ['INVALID_REQUEST']],
  ['levels cannot be replaced', replace(kind.logger, node, { root: 'DEBUG' }), ['INVALID_REQUEST']],
  ['client metrics without a name', describe(kind.metrics, '', null), [['INVALID_REQUEST', 16, '']]],
  ['a setting of client metrics that is not there', alter(kind.metrics, 'm', 'no.such', op.set, '1'), ['INVALID_REQUEST']],
  ['a group without a name', describe(kind.group, '', null), [['INVALID_REQUEST', 32, '']]],
  ['a setting of a group without a name', alter(kind.group, '', 'consumer.session.timeout.ms', op.set, '50000'), ['INVALID_REQUEST']],
  ['a setting of a group that is not there', alter(kind.group, 'g', 'no.such', op.set, '1'), ['INVALID_CONFIG']],
  ['settings of a group', describe(kind.group, 'g', ['consumer.session.timeout.ms']), [['NONE', 32, 'g',
    ['consumer.session.timeout.ms', '45000', { ...facts, configSource: 5, configType: 3 }, '5 group.consumer.session.timeout.ms=45000']]]],
  ['a group has its own', altering([changes(kind.group, 'g', [['consumer.session.timeout.ms', op.set, '50000'], ['consumer.heartbeat.interval.ms', op.set, '6000']])]), ['NONE']],
  ['which are shown', describedAs(kind.group, 'g', ['consumer.session.timeout.ms'], '50000'), [['NONE', 32, 'g',
    ['consumer.session.timeout.ms', '50000', { ...facts, configSource: 8, configType: 3 }, '8 consumer.session.timeout.ms=50000', '5 group.consumer.session.timeout.ms=45000']]]],
  ['too short a session', alter(kind.group, 'g', 'consumer.session.timeout.ms', op.set, '1000'), ['INVALID_CONFIG']],
  ['too long a session', alter(kind.group, 'g', 'consumer.session.timeout.ms', op.set, '70000'), ['INVALID_CONFIG']],
  ['too rare a heartbeat', alter(kind.group, 'g', 'consumer.heartbeat.interval.ms', op.set, '20000'), ['INVALID_CONFIG']],
  ['no number', alter(kind.group, 'g', 'consumer.heartbeat.interval.ms', op.set, 'often'), ['INVALID_CONFIG']],
  ['a group that has settings is one', async channel => {
    const { configResources } = await channel.request('ListConfigResources', { resourceTypes: [kind.group] })
    return configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)
  }, ['32 g']],
  ['a group gives them up', altering([changes(kind.group, 'g', [['consumer.session.timeout.ms', op.delete, null], ['consumer.heartbeat.interval.ms', op.delete, null]])]), ['NONE']],
  ['which topics and brokers have settings', async channel => {
    const { errorCode, configResources } = await channel.request('ListConfigResources', { resourceTypes: [kind.topic, kind.broker] })
    return [errorNameOf(errorCode), configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`).sort()]
  }, ['NONE', ['2 settings', '4 1']]],
  ['which there are of all kinds', async channel => {
    const { errorCode, configResources } = await channel.request('ListConfigResources', { resourceTypes: [] })
    return [errorNameOf(errorCode), configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`).sort()]
  }, ['NONE', ['2 settings', '4 1', '8 1']]],
  ['which there are of a kind unheard of', async channel => errorNameOf((await channel.request('ListConfigResources', { resourceTypes: [77] })).errorCode), 'UNSUPPORTED_VERSION'],
]

export const configStory: readonly Step[] = [...topics, ...brokers, ...others]
