// How far a consumer group has read, partition by partition, and how much is left.

import type { GroupDescription } from '../../broker/client/admin-groups.ts'
import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { partitionName, splitPartitionName, type TopicPartition } from '../../core/record.ts'

/** One partition that a group has read, or is to read. */
export interface Lag extends TopicPartition {
  /** Null: nothing is committed. */
  readonly offset: number | null
  /** Null: the topic is gone. */
  readonly end: number | null
  readonly lag: number | null
  readonly metadata: string
  readonly member: string | null
  readonly host: string | null
}

/** Of all partitions that it has committed or is assigned, sorted. */
export async function groupLags(admin: ClusterAdmin, { groupId, members }: GroupDescription): Promise<readonly Lag[]> {
  const committed = await admin.allCommittedOffsets(groupId)
  const owners = new Map(members.flatMap(member => member.partitions.map(({ topic, partition }) => [partitionName(topic, partition), member] as const)))
  const partitions = sorted([...new Set([...committed.keys(), ...owners.keys()])].map(splitPartitionName))
  const ends = await endsOf(admin, partitions)
  return partitions.map(({ topic, partition }) => {
    const name = partitionName(topic, partition)
    const owner = owners.get(name)
    const offset = committed.get(name)?.offset ?? null
    const end = ends.get(name) ?? null
    return { topic, partition, offset, end, lag: offset === null || end === null ? null : Math.max(0, end - offset), metadata: committed.get(name)?.metadata ?? '', member: owner?.memberId ?? null, host: owner?.clientHost ?? null }
  })
}

export function sorted(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  return [...partitions].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** Of partitions that are still there. */
async function endsOf(admin: ClusterAdmin, partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
  const topics = await admin.describeTopics([...new Set(partitions.map(({ topic }) => topic))])
  return admin.listOffsets(partitions.filter(({ topic, partition }) => partition < (topics.get(topic)?.partitions ?? 0)), 'latest')
}
