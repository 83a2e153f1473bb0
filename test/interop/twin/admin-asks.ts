// Questions of administrators: topics, partitions, settings, the cluster.

import type { Body } from './plain-answer.ts'
import { many } from './record-asks.ts'
import { topicNames, type World } from './world.ts'

const topicSettings: readonly (readonly [string, readonly (string | null)[]])[] = [
  ['cleanup.policy', ['compact', 'delete', 'compact,delete', 'delete,compact', 'nonsense', '', ' compact ', 'Compact']],
  ['compression.type', ['producer', 'gzip', 'lz4', 'snappy', 'uncompressed', 'none', 'GZIP']],
  ['message.timestamp.type', ['CreateTime', 'LogAppendTime', 'createtime']],
  ['max.message.bytes', ['200', '1000000', '100', '-1', '1e3', ' 300 ', '99999999999']],
  ['retention.ms', ['-1', '1000000000000', '-2', '+5000000000000', '0x10', '']],
  ['min.insync.replicas', ['1', '2', '0']],
  ['segment.bytes', ['1048576', '1073741824', '13', '-1']],
  ['message.timestamp.before.max.ms', ['1000', '9223372036854775807', '-1']],
  ['message.timestamp.after.max.ms', ['1000', '9223372036854775807']],
  ['unclean.leader.election.enable', ['true', 'false', 'TRUE', 'yes', null]],
  ['preallocate', ['true', 'false']],
  ['min.cleanable.dirty.ratio', ['0.5', '1', '1.5', '-0.1', 'NaN', '5e-1']],
  ['flush.messages', ['1', '0', null]],
  ['index.interval.bytes', ['4096', '-1']],
  ['local.retention.ms', ['-2', '5', '-3']],
  ['remote.storage.enable', ['true', 'false']],
  ['nonsense', ['1', '', null]],
  ['message.format.version', ['3.0']],
  ['leader.replication.throttled.replicas', ['*', '0:1', 'x', '']],
]

function setting(world: World): { readonly name: string; readonly value: string | null } {
  const [name, values] = world.pick(topicSettings)
  return { name, value: world.pick(values) }
}

export function createTopicsAsk(world: World): Body {
  return {
    timeoutMs: 10_000, validateOnly: world.chance(6),
    topics: many(world, () => world.pick(topicNames)).map(name => {
      const isAssigned = world.chance(8)
      return {
        name: world.chance(25) ? world.pick(['~a.b', '~a_b', '~é', '~', '.', '..', '', `~${'x'.repeat(242)}`, `~${'x'.repeat(243)}`]) : name,
        numPartitions: isAssigned && !world.chance(4) ? -1 : world.pick([1, 2, 3, -1, ...(world.chance(5) ? [0, -2, 100_000_000] : [])]), replicationFactor: isAssigned && !world.chance(4) ? -1 : world.pick([1, 1, -1, ...(world.chance(5) ? [0, 2, -2] : [])]),
        assignments: isAssigned ? world.pick([[[0, [1]]], [[0, [1]], [1, [1]]], [[0, [1, 1]]], [[0, [2]]], [[1, [1]]], [[0, []]], [[0, [1]], [0, [1]]], [[0, [-1]]]] as const).map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })) : [],
        configs: world.chance(2) ? many(world, () => setting(world)) : [],
      }
    }),
  }
}

export function deleteTopicsAsk(world: World): Body {
  const topics = many(world, () => world.topic())
  const byId = world.chance(3)
  return { timeoutMs: 10_000, topicNames: topics.map(({ name }) => name), topics: topics.map(({ name, idName }) => (byId ? { name: null, topicId: idName } : { name, topicId: world.chance(20) ? idName : '00000000-0000-0000-0000-000000000000' })) }
}

export function createPartitionsAsk(world: World): Body {
  return { timeoutMs: 10_000, validateOnly: world.chance(5), topics: many(world, () => world.topic()).map(topic => ({ name: topic.name, count: topic.partitions + world.pick([1, 1, 2, 0, -1, -100]), assignments: world.chance(6) ? world.pick([[], [{ brokerIds: [1] }], [{ brokerIds: [2] }], [{ brokerIds: [] }], [{ brokerIds: [1, 1] }]]) : null })) }
}

export function metadataAsk(world: World): Body {
  const topics = world.chance(6) ? null : world.chance(20) ? [] : many(world, () => world.topic()).map(topic => (world.chance(4) ? { name: null, topicId: topic.idName } : { name: topic.name, topicId: '00000000-0000-0000-0000-000000000000' }))
  return { topics, allowAutoTopicCreation: world.chance(3), includeTopicAuthorizedOperations: world.chance(5), includeClusterAuthorizedOperations: world.chance(8) }
}

export function describeTopicPartitionsAsk(world: World): Body {
  const cursor = world.chance(3) ? { topicName: world.topic().name, partitionIndex: world.pick([0, 1, -1, 5]) } : null
  return { topics: many(world, () => world.topic()).map(({ name }) => ({ name })), responsePartitionLimit: world.pick([2000, 1, 2, 0, -1]), cursor }
}

function resource(world: World): { readonly resourceType: number; readonly resourceName: string } {
  if (world.chance(8)) return world.pick([{ resourceType: 4, resourceName: '1' }, { resourceType: 4, resourceName: '' }, { resourceType: 4, resourceName: '5' }, { resourceType: 8, resourceName: '1' }, { resourceType: 8, resourceName: 'x' }, { resourceType: 32, resourceName: '~g1' }, { resourceType: 16, resourceName: '~m' }, { resourceType: 7, resourceName: '~a' }, { resourceType: 2, resourceName: '' }, { resourceType: 2, resourceName: 'a/b' }])
  return { resourceType: 2, resourceName: world.topic().name }
}

export function describeConfigsAsk(world: World): Body {
  const ofTopic = many(world, () => world.pick(topicSettings)[0])
  return { resources: many(world, () => resource(world)).map(({ resourceType, resourceName }) => ({ resourceType, resourceName, configurationKeys: resourceType === 2 ? (world.chance(6) ? null : world.chance(8) ? [] : ofTopic) : ['log.retention.ms', 'num.partitions', 'consumer.session.timeout.ms', 'nonsense'] })), includeSynonyms: world.chance(2), includeDocumentation: world.chance(10) }
}

export function alterConfigsAsk(world: World): Body {
  return { validateOnly: world.chance(5), resources: many(world, () => topicResource(world)).map(given => ({ ...given, configs: world.chance(8) ? [] : many(world, () => setting(world)) })) }
}

/** What is changed must be the story's own. */
function topicResource(world: World): { readonly resourceType: number; readonly resourceName: string } {
  const { resourceType, resourceName } = resource(world)
  return resourceType === 4 ? { resourceType: 4, resourceName: '5' } : { resourceType, resourceName }
}

export function incrementalAlterConfigsAsk(world: World): Body {
  return { validateOnly: world.chance(5), resources: many(world, () => topicResource(world)).map(given => ({ ...given, configs: world.chance(10) ? [] : many(world, () => ({ ...setting(world), configOperation: world.pick([0, 0, 0, 1, 2, 3, ...(world.chance(5) ? [4, -1] : [])]) })) })) }
}

export function describeLogDirsAsk(world: World): Body {
  return { topics: world.chance(4) ? null : many(world, () => world.topic()).map(topic => ({ topic: topic.name, partitions: many(world, () => world.partitionOf(topic)) })) }
}

export function electLeadersAsk(world: World): Body {
  return { electionType: world.pick([0, 1, ...(world.chance(5) ? [2, -1] : [])]), timeoutMs: 5000, topicPartitions: world.chance(6) ? null : many(world, () => world.topic()).map(topic => ({ topic: topic.name, partitions: many(world, () => world.partitionOf(topic)) })) }
}

export function alterReassignmentsAsk(world: World): Body {
  return { timeoutMs: 5000, allowReplicationFactorChange: !world.chance(4), topics: many(world, () => world.topic()).map(topic => ({ name: topic.name, partitions: many(world, () => world.partitionOf(topic)).map(partitionIndex => ({ partitionIndex, replicas: world.pick([null, [1], [2], [], [1, 1], [-1], [1, 2]]) })) })) }
}

export function listReassignmentsAsk(world: World): Body {
  return { timeoutMs: 5000, topics: world.chance(4) ? null : many(world, () => world.topic()).map(topic => ({ name: topic.name, partitionIndexes: many(world, () => world.partitionOf(topic)) })) }
}

export function describeClusterAsk(world: World): Body {
  return { includeClusterAuthorizedOperations: world.chance(2), endpointType: world.pick([1, 1, 1, 2, 0, 3]), includeFencedBrokers: world.chance(2) }
}

export function describeQuotasAsk(world: World): Body {
  return { components: world.chance(4) ? [] : many(world, () => ({ entityType: world.pick(['user', 'client-id', 'ip', 'nonsense', '']), matchType: world.pick([0, 1, 2, 3]), match: world.pick([null, '~u']) })), strict: world.chance(2) }
}

export function describeAclsAsk(world: World): Body {
  return { resourceTypeFilter: world.pick([1, 2, 0]), resourceNameFilter: world.pick([null, '~a']), patternTypeFilter: world.pick([1, 3, 0]), principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
}

export function listConfigResourcesAsk(world: World): Body {
  return { resourceTypes: world.chance(3) ? [] : [world.pick([2, 4, 8, 16, 32, 0, 5])] }
}

/** Of the cluster's own topic much changes all the time. */
export function describeQuorumAsk(world: World): Body {
  return { topics: many(world, () => world.topic()).map(topic => ({ topicName: topic.name, partitions: many(world, () => world.partitionOf(topic)).map(partitionIndex => ({ partitionIndex })) })) }
}
