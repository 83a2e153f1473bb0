// Asks the leaders of partitions where these begin, end, or have their first record at or after a time.

import type { MillraceError } from '../../core/error.ts'
import type { Isolation } from '../../core/log-port.ts'
import { partitionName, type Offset, type Timestamp, type TopicPartition } from '../../core/record.ts'
import { kafkaError } from '../wire/error-code.ts'
import type { Cluster } from './cluster.ts'
import { groupByLeader, groupByTopic } from './partition-groups.ts'

export type OffsetTarget = 'earliest' | 'latest' | { readonly timestamp: Timestamp }

export interface ListOffsetsOptions {
  /** Reading committed, the latest offset is the last stable one. */
  readonly isolation?: Isolation
  readonly deadlineMs?: number
}

/** Keys are `partitionName`s. -1 where no record is that late. @throws MillraceError */
export async function listOffsets(cluster: Cluster, partitions: readonly TopicPartition[], at: OffsetTarget, options: ListOffsetsOptions = {}): Promise<Map<string, Offset>> {
  const found = new Map<string, Offset>()
  if (partitions.length === 0) return found
  await cluster.retrying(async attempt => {
    const missing = partitions.filter(({ topic, partition }) => !found.has(partitionName(topic, partition)))
    if (attempt > 0 || missing.some(({ topic, partition }) => cluster.leaderOf(topic, partition) < 0)) await cluster.refresh(missing.map(({ topic }) => topic))
    const asked = [...groupByLeader(cluster, missing)].map(([node, group]) => askLeader(cluster, node, group, at, options, found))
    // All of them, so that one leader's failure does not undo what others said.
    const failed = (await Promise.allSettled(asked)).find(result => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }, options.deadlineMs ?? 30_000)
  return found
}

async function askLeader(cluster: Cluster, node: number, group: readonly TopicPartition[], at: OffsetTarget, options: ListOffsetsOptions, found: Map<string, Offset>): Promise<void> {
  const timestamp = at === 'earliest' ? -2 : at === 'latest' ? -1 : at.timestamp
  const topics = Array.from(groupByTopic(group), ([name, partitions]) => ({ name, partitions: partitions.map(({ partition }) => ({ partitionIndex: partition, timestamp })) }))
  const isolationLevel = options.isolation === 'read_committed' ? 1 : 0
  const channel = await cluster.channelTo(node)
  const answer = await channel.request('ListOffsets', { replicaId: -1, isolationLevel, topics }, { version: Math.min(channel.versionOf('ListOffsets'), 9) })
  let failure: MillraceError | null = null
  for (const { name, partitions } of answer.topics) {
    for (const { partitionIndex, errorCode, offset } of partitions) {
      if (errorCode === 0) found.set(partitionName(name, partitionIndex), offset)
      else failure = kafkaError(errorCode, `offsets of ${partitionName(name, partitionIndex)}`)
    }
  }
  if (failure !== null) throw failure
}
