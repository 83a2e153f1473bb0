// Partitions sorted by what requests are made of: their leader, and their topic.

import { MillraceError } from '../../core/error.ts'
import { partitionName, type TopicPartition } from '../../core/record.ts'
import type { Cluster } from './cluster.ts'

/** The partitions that each node leads. @throws MillraceError LEADER_NOT_AVAILABLE (retriable), UNKNOWN_TOPIC_OR_PARTITION */
export function groupByLeader<P extends TopicPartition>(cluster: Cluster, partitions: readonly P[]): ReadonlyMap<number, readonly P[]> {
  const groups = new Map<number, P[]>()
  for (const partition of partitions) {
    const node = cluster.leaderOf(partition.topic, partition.partition)
    if (node < 0) throw leaderless(cluster, partition)
    const group = groups.get(node)
    if (group === undefined) groups.set(node, [partition])
    else group.push(partition)
  }
  return groups
}

/** The partitions of each topic, in order. */
export function groupByTopic<P extends TopicPartition>(partitions: readonly P[]): ReadonlyMap<string, readonly P[]> {
  const topics = new Map<string, P[]>()
  for (const partition of partitions) {
    const group = topics.get(partition.topic)
    if (group === undefined) topics.set(partition.topic, [partition])
    else group.push(partition)
  }
  return topics
}

function leaderless(cluster: Cluster, { topic, partition }: TopicPartition): MillraceError {
  const partitions = cluster.knownPartitionsOf(topic) ?? 0
  if (partition < partitions) return new MillraceError('LEADER_NOT_AVAILABLE', `${partitionName(topic, partition)} has no leader.`, { retriable: true })
  const fact = partitions === 0 ? `There is no topic ${topic}.` : `The topic ${topic} has ${partitions} partitions, no partition ${partition}.`
  return new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', fact, { hint: 'Create it first.' })
}
