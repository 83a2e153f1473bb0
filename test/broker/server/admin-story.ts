// What an administrator asks and what Apache Kafka 4.3 answers, step by step: the unit tests ask our broker, test/interop asks Apache Kafka itself.

import type { RequestInput, ResponseOf } from '../../../broker/wire/apis.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'

export type Step = readonly [title: string, ask: (channel: Channel) => Promise<unknown>, answer: unknown]

const node = 1
const nobody = '00000000-0000-0000-0000-000000000000'
const stranger = '11111111-1111-1111-1111-111111111111'

// ─── asking ───

function byName<T extends { readonly name: string | null }>(answers: readonly T[]): readonly T[] {
  return [...answers].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
}

type NewTopic = RequestInput<'CreateTopics'>['topics'][number]

function newTopic(name: string, more: Partial<NewTopic> = {}): NewTopic {
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [], ...more }
}

async function create(channel: Channel, topics: readonly NewTopic[], validateOnly = false): Promise<ResponseOf<'CreateTopics'>['topics']> {
  return (await channel.request('CreateTopics', { topics, validateOnly, timeoutMs: 10_000 })).topics
}

function creating(topic: NewTopic, validateOnly = false): (channel: Channel) => Promise<unknown> {
  return async channel => errorNameOf((await create(channel, [topic], validateOnly))[0]!.errorCode)
}

function adding(topics: RequestInput<'CreatePartitions'>['topics'], validateOnly = false): (channel: Channel) => Promise<unknown> {
  return async channel => (await channel.request('CreatePartitions', { topics, timeoutMs: 10_000, validateOnly })).results.map(({ errorCode }) => errorNameOf(errorCode))
}

function deleting(topics: readonly { readonly name: string | null; readonly topicId?: string }[]): (channel: Channel) => Promise<unknown> {
  return async channel => {
    const { responses } = await channel.request('DeleteTopics', { topics: topics.map(({ name, topicId = nobody }) => ({ name, topicId })), timeoutMs: 10_000 })
    return byName(responses).map(({ name, errorCode }) => [name, errorNameOf(errorCode)])
  }
}

type Cursor = { readonly topicName: string; readonly partitionIndex: number }

function paging(names: readonly string[], responsePartitionLimit = 2000, cursor: Cursor | null = null): (channel: Channel) => Promise<unknown> {
  return async channel => {
    const { topics, nextCursor } = await channel.request('DescribeTopicPartitions', { topics: names.map(name => ({ name })), responsePartitionLimit, cursor })
    const shown = topics.map(({ name, errorCode, isInternal, partitions }) => [name, errorNameOf(errorCode), isInternal, partitions.map(({ partitionIndex }) => partitionIndex)])
    return [shown, nextCursor === null ? null : [nextCursor.topicName, nextCursor.partitionIndex]]
  }
}

function electing(electionType: number, topicPartitions: RequestInput<'ElectLeaders'>['topicPartitions']): (channel: Channel) => Promise<unknown> {
  return async channel => {
    const { errorCode, replicaElectionResults } = await channel.request('ElectLeaders', { electionType, topicPartitions, timeoutMs: 10_000 })
    return [errorNameOf(errorCode), ...replicaElectionResults.flatMap(({ topic, partitionResult }) => partitionResult.map(({ partitionId, errorCode }) => [topic, partitionId, errorNameOf(errorCode)]))]
  }
}

function moving(name: string, partitionIndex: number, replicas: readonly number[] | null): (channel: Channel) => Promise<unknown> {
  return async channel => {
    const { responses } = await channel.request('AlterPartitionReassignments', { topics: [{ name, partitions: [{ partitionIndex, replicas }] }] })
    return errorNameOf(responses[0]!.partitions[0]!.errorCode)
  }
}

function updating(feature: string, maxVersionLevel: number, upgradeType = 1, version = 2): (channel: Channel) => Promise<unknown> {
  return async channel => {
    const { errorCode, errorMessage, results } = await channel.request('UpdateFeatures', { featureUpdates: [{ feature, maxVersionLevel, ...(version === 0 ? {} : { upgradeType }) }], ...(version === 0 ? {} : { validateOnly: true }) }, { version })
    return [errorNameOf(errorCode), errorMessage?.replace(/^The update failed for all features since the following feature had an error: /, '') ?? null, results.map(({ feature: name, errorCode: code }) => [name, errorNameOf(code)])]
  }
}

// ─── the story ───

const creation: readonly Step[] = [
  ['a topic with the defaults', async channel => (await create(channel, [newTopic('plain')])).map(({ name, topicId, errorCode, numPartitions, replicationFactor }) => [name, topicId !== nobody, errorNameOf(errorCode), numPartitions, replicationFactor]), [['plain', true, 'NONE', 1, 1]]],
  ['again', creating(newTopic('plain')), 'TOPIC_ALREADY_EXISTS'],
  ['with settings, which the answer shows', async channel => {
    const configs = [{ name: 'max.message.bytes', value: '5000' }]
    const [topic] = await create(channel, [newTopic('set', { numPartitions: 3, configs })])
    return [topic!.numPartitions, ...byName(topic!.configs ?? []).filter(({ name }) => /^(max.message.bytes|index.interval.bytes)$/.test(name)).map(({ name, value, readOnly, configSource, isSensitive }) => [name, value, readOnly, configSource, isSensitive])]
  }, [3, ['index.interval.bytes', '4096', false, 5, false], ['max.message.bytes', '5000', false, 1, false]]],
  ['only looked at', creating(newTopic('looked-at'), true), 'NONE'],
  ['and still not there', creating(newTopic('looked-at'), true), 'NONE'],
  ['looked at, though it is there', creating(newTopic('plain'), true), 'TOPIC_ALREADY_EXISTS'],
  ['named twice', async channel => byName(await create(channel, [newTopic('twice'), newTopic('once'), newTopic('twice')])).map(({ name, errorCode }) => [name, errorNameOf(errorCode)]), [['once', 'NONE'], ['twice', 'INVALID_REQUEST']]],
  ['no partitions', creating(newTopic('x', { numPartitions: 0 })), 'INVALID_PARTITIONS'],
  ['less than the default', creating(newTopic('x', { numPartitions: -2 })), 'INVALID_PARTITIONS'],
  ['no replicas', creating(newTopic('x', { replicationFactor: 0 })), 'INVALID_REPLICATION_FACTOR'],
  ['too many replicas', creating(newTopic('x', { replicationFactor: 2 })), 'INVALID_REPLICATION_FACTOR'],
  ['neither partitions nor replicas', creating(newTopic('x', { numPartitions: 0, replicationFactor: 0 })), 'INVALID_REPLICATION_FACTOR'],
  ['no partitions and too many replicas', creating(newTopic('x', { numPartitions: 0, replicationFactor: 2 })), 'INVALID_PARTITIONS'],
  ['an empty name', creating(newTopic('')), 'INVALID_TOPIC_EXCEPTION'],
  ['a dot', creating(newTopic('.')), 'INVALID_TOPIC_EXCEPTION'],
  ['two dots', creating(newTopic('..')), 'INVALID_TOPIC_EXCEPTION'],
  ['a blank', creating(newTopic('a b')), 'INVALID_TOPIC_EXCEPTION'],
  ['a letter of another alphabet', creating(newTopic('é')), 'INVALID_TOPIC_EXCEPTION'],
  ['250 letters', creating(newTopic('x'.repeat(250))), 'INVALID_TOPIC_EXCEPTION'],
  ['249 letters', creating(newTopic('x'.repeat(249)), true), 'NONE'],
  ['a dotted name', creating(newTopic('my.dotted_name')), 'NONE'],
  ['the same with underscores', creating(newTopic('my_dotted_name')), 'INVALID_TOPIC_EXCEPTION'],
  ['the same with other dots', creating(newTopic('my_dotted.name')), 'INVALID_TOPIC_EXCEPTION'],
  ['three dots', creating(newTopic('...')), 'NONE'],
  ["the broker's own log", creating(newTopic('__cluster_metadata')), 'INVALID_REQUEST'],
  ['an unknown setting', creating(newTopic('x', { configs: [{ name: 'no.such', value: '1' }] })), 'INVALID_CONFIG'],
  ['an impossible setting', creating(newTopic('x', { configs: [{ name: 'retention.ms', value: 'soon' }] })), 'INVALID_CONFIG'],
  ['a setting without a value', creating(newTopic('x', { configs: [{ name: 'retention.ms', value: null }] })), 'INVALID_CONFIG'],
  ['a bad setting and no partitions', creating(newTopic('x', { numPartitions: 0, configs: [{ name: 'no.such', value: '1' }] })), 'INVALID_CONFIG'],
  ['settings that contradict each other', creating(newTopic('x', { configs: [{ name: 'min.compaction.lag.ms', value: '10' }, { name: 'max.compaction.lag.ms', value: '5' }] })), 'INVALID_CONFIG'],
]

const placement: readonly Step[] = [
  ['replicas placed by hand', async channel => {
    const [topic] = await create(channel, [newTopic('placed', { assignments: [{ partitionIndex: 1, brokerIds: [node] }, { partitionIndex: 0, brokerIds: [node] }] })])
    return [errorNameOf(topic!.errorCode), topic!.numPartitions, topic!.replicationFactor]
  }, ['NONE', 2, 1]],
  ['with a number of partitions', creating(newTopic('x', { numPartitions: 1, assignments: [{ partitionIndex: 0, brokerIds: [node] }] })), 'INVALID_REQUEST'],
  ['with a replication factor', creating(newTopic('x', { replicationFactor: 1, assignments: [{ partitionIndex: 0, brokerIds: [node] }] })), 'INVALID_REQUEST'],
  ['on a broker that is not there', creating(newTopic('x', { assignments: [{ partitionIndex: 0, brokerIds: [9] }] })), 'INVALID_REPLICA_ASSIGNMENT'],
  ['on one broker twice', creating(newTopic('x', { assignments: [{ partitionIndex: 0, brokerIds: [node, node] }] })), 'INVALID_REPLICA_ASSIGNMENT'],
  ['nowhere', creating(newTopic('x', { assignments: [{ partitionIndex: 0, brokerIds: [] }] })), 'INVALID_REPLICA_ASSIGNMENT'],
  ['with a gap', creating(newTopic('x', { assignments: [{ partitionIndex: 1, brokerIds: [node] }] })), 'INVALID_REPLICA_ASSIGNMENT'],
  ['with a partition twice', creating(newTopic('x', { assignments: [{ partitionIndex: 0, brokerIds: [node] }, { partitionIndex: 0, brokerIds: [node] }] })), 'INVALID_REPLICA_ASSIGNMENT'],
  ['by hand, though it is there', creating(newTopic('plain', { assignments: [{ partitionIndex: 0, brokerIds: [9] }] })), 'TOPIC_ALREADY_EXISTS'],
]

const growth: readonly Step[] = [
  ['more partitions, only looked at', adding([{ name: 'plain', count: 3, assignments: null }], true), ['NONE']],
  ['more partitions', adding([{ name: 'plain', count: 2, assignments: null }]), ['NONE']],
  ['as many', adding([{ name: 'plain', count: 2, assignments: null }]), ['INVALID_PARTITIONS']],
  ['fewer', adding([{ name: 'plain', count: 1, assignments: null }]), ['INVALID_PARTITIONS']],
  ['none', adding([{ name: 'plain', count: 0, assignments: null }]), ['INVALID_PARTITIONS']],
  ['of a topic that is not there', adding([{ name: 'nothing', count: 2, assignments: null }]), ['UNKNOWN_TOPIC_OR_PARTITION']],
  ['placed by hand', adding([{ name: 'plain', count: 3, assignments: [{ brokerIds: [node] }] }]), ['NONE']],
  ['placed, but too few', adding([{ name: 'plain', count: 5, assignments: [{ brokerIds: [node] }] }]), ['INVALID_REPLICA_ASSIGNMENT']],
  ['placed on a broker that is not there', adding([{ name: 'plain', count: 4, assignments: [{ brokerIds: [9] }] }]), ['INVALID_REPLICA_ASSIGNMENT']],
  ['placed with more replicas', adding([{ name: 'plain', count: 4, assignments: [{ brokerIds: [node, 2] }] }]), ['INVALID_REPLICA_ASSIGNMENT']],
  ['of a topic named twice', adding([{ name: 'plain', count: 4, assignments: null }, { name: 'plain', count: 5, assignments: null }]), ['INVALID_REQUEST']],
]

const pages: readonly Step[] = [
  ['all in one page', paging(['set', 'plain', 'nothing', 'a b']), [[['a b', 'INVALID_TOPIC_EXCEPTION', false, []], ['nothing', 'UNKNOWN_TOPIC_OR_PARTITION', false, []], ['plain', 'NONE', false, [0, 1, 2]], ['set', 'NONE', false, [0, 1, 2]]], null]],
  ['a page that ends in a topic', paging(['set', 'plain'], 4), [[['plain', 'NONE', false, [0, 1, 2]], ['set', 'NONE', false, [0]]], ['set', 1]]],
  ['the next page', paging(['set', 'plain'], 4, { topicName: 'set', partitionIndex: 1 }), [[['set', 'NONE', false, [1, 2]]], null]],
  ['a page that ends with a topic', paging(['set', 'plain'], 3), [[['plain', 'NONE', false, [0, 1, 2]]], ['set', 0]]],
  ['a page of nothing is one of one', paging(['set'], 0), [[['set', 'NONE', false, [0]]], ['set', 1]]],
  ['a name twice', paging(['set', 'set']), [[['set', 'NONE', false, [0, 1, 2]]], null]],
  ['a cursor behind the end', paging(['set'], 10, { topicName: 'set', partitionIndex: 7 }), [[['set', 'NONE', false, []]], null]],
  ['a cursor of another topic', paging(['set'], 10, { topicName: 'plain', partitionIndex: 0 }), [[['set', 'INVALID_REQUEST', false, []]], null]],
  ['a cursor before the start', paging(['set'], 10, { topicName: 'set', partitionIndex: -1 }), [[['set', 'INVALID_REQUEST', false, []]], null]],
  ['of all topics, from one on', paging([], 5, { topicName: 'placed', partitionIndex: 0 }), [[['placed', 'NONE', false, [0, 1]], ['plain', 'NONE', false, [0, 1, 2]]], ['set', 0]]],
]

const leadership: readonly Step[] = [
  ['a preferred leader', electing(0, [{ topic: 'plain', partitions: [0, 9] }]), ['NONE', ['plain', 0, 'ELECTION_NOT_NEEDED'], ['plain', 9, 'UNKNOWN_TOPIC_OR_PARTITION']]],
  ['an unclean one', electing(1, [{ topic: 'plain', partitions: [1] }, { topic: 'nothing', partitions: [0] }]), ['NONE', ['plain', 1, 'ELECTION_NOT_NEEDED'], ['nothing', 0, 'UNKNOWN_TOPIC_OR_PARTITION']]],
  ['of all partitions', electing(0, null), ['NONE']],
  ['replicas where they are', moving('plain', 0, [node]), 'NONE'],
  ['replicas on a broker that is not there', moving('plain', 0, [2]), 'INVALID_REPLICA_ASSIGNMENT'],
  ['no replicas', moving('plain', 0, []), 'INVALID_REPLICA_ASSIGNMENT'],
  ['an end of no move', moving('plain', 0, null), 'NO_REASSIGNMENT_IN_PROGRESS'],
  ['a partition that is not there', moving('plain', 9, [node]), 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['a topic that is not there', moving('nothing', 0, null), 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['moves under way', async channel => {
    const all = await channel.request('ListPartitionReassignments', { topics: null })
    const some = await channel.request('ListPartitionReassignments', { topics: [{ name: 'plain', partitionIndexes: [0] }, { name: 'nothing', partitionIndexes: [0] }] })
    return [all.errorCode, all.topics, some.errorCode, some.topics]
  }, [0, [], 0, []]],
  ['the quorum', async channel => {
    const { errorCode, topics, nodes } = await channel.request('DescribeQuorum', { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }] })
    const { leaderId, currentVoters, observers, highWatermark } = topics[0]!.partitions[0]!
    return [errorNameOf(errorCode), leaderId, currentVoters.map(({ replicaId, lastCaughtUpTimestamp }) => [replicaId, lastCaughtUpTimestamp > 0]), observers, highWatermark > 0, nodes.map(({ nodeId, listeners }) => [nodeId, listeners.length])]
  }, ['NONE', node, [[node, true]], [], true, [[node, 1]]]],
  ['the quorum of something else', async channel => {
    const { errorCode, topics } = await channel.request('DescribeQuorum', { topics: [{ topicName: 'plain', partitions: [{ partitionIndex: 0 }] }] })
    return [errorNameOf(errorCode), topics.map(({ topicName, partitions }) => [topicName, errorNameOf(partitions[0]!.errorCode)])]
  }, ['NONE', [['plain', 'UNKNOWN_TOPIC_OR_PARTITION']]]],
]

const invalid = (feature: string, level: number, problem: string): unknown => ['INVALID_UPDATE_VERSION', `Invalid update version ${level} for feature ${feature}. ${problem}`, []]

const features: readonly Step[] = [
  ['a feature at the level that it has', updating('transaction.version', 2), ['NONE', null, []]],
  ['as clients before 3.3 ask', updating('group.version', 1, 1, 0), ['NONE', null, [['group.version', 'NONE']]]],
  ['a level that nobody has', updating('transaction.version', 3), invalid('transaction.version', 3, 'Local controller 1 only supports versions 0-2')],
  ['a level below zero', updating('group.version', -1), invalid('group.version', -1, 'A feature version cannot be less than 0.')],
  ['down without saying so', updating('group.version', 0), invalid('group.version', 0, "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.")],
  ['a step of no kind', updating('group.version', 0, 7), invalid('group.version', 0, 'The controller does not support the given upgrade type.')],
  ['a feature that is not there', updating('nope', 1), invalid('nope', 1, 'Local controller 1 does not support this feature.')],
  ['a feature that is not there, off', updating('nope', 0, 2), invalid('nope', 0, 'Feature nope not found.')],
]

const deletion: readonly Step[] = [
  ['by name', deleting([{ name: 'once' }]), [['once', 'NONE']]],
  ['again', deleting([{ name: 'once' }]), [['once', 'UNKNOWN_TOPIC_OR_PARTITION']]],
  ['by an id that nobody has', deleting([{ name: null, topicId: stranger }]), [[null, 'UNKNOWN_TOPIC_ID']]],
  ['by neither', deleting([{ name: null }]), [[null, 'INVALID_REQUEST']]],
  ['by both', deleting([{ name: 'plain', topicId: stranger }]), [['plain', 'INVALID_REQUEST']]],
  ['named twice', deleting([{ name: 'plain' }, { name: 'plain' }]), [['plain', 'INVALID_REQUEST']]],
  ['by id', async channel => {
    const { topics } = await channel.request('Metadata', { topics: [{ name: 'plain' }], allowAutoTopicCreation: false })
    return deleting([{ name: null, topicId: topics[0]!.topicId }])(channel)
  }, [['plain', 'NONE']]],
]

export const adminStory: readonly Step[] = [...creation, ...placement, ...growth, ...pages, ...leadership, ...features, ...deletion]
