// Sets of partitions by the ids of their topics, as members of consumer groups have and want them.

/** Partitions by topic id. Not changed once it is made; no set in it is empty. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>

/** As messages and records have it. */
export interface PartitionsOfTopic {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export const noPartitions: TopicPartitions = new Map()

export function topicPartitions(list: readonly PartitionsOfTopic[]): TopicPartitions {
  const sets = new Map<string, Set<number>>()
  for (const { topicId, partitions } of list) {
    if (partitions.length === 0) continue
    const set = sets.get(topicId) ?? new Set<number>()
    sets.set(topicId, set)
    for (const partition of partitions) set.add(partition)
  }
  return sets
}

export function partitionList(sets: TopicPartitions): readonly PartitionsOfTopic[] {
  return Array.from(sets, ([topicId, partitions]) => ({ topicId, partitions: [...partitions].sort((a, b) => a - b) }))
}

/** Those for which `wanted` says yes. */
export function partitionsWhere(sets: TopicPartitions, wanted: (topicId: string, partition: number) => boolean): TopicPartitions {
  const found = new Map<string, ReadonlySet<number>>()
  for (const [topicId, partitions] of sets) {
    const some = new Set([...partitions].filter(partition => wanted(topicId, partition)))
    if (some.size > 0) found.set(topicId, some)
  }
  return found
}

export function hasPartition(sets: TopicPartitions, topicId: string, partition: number): boolean {
  return sets.get(topicId)?.has(partition) ?? false
}

export function withPartitions(sets: TopicPartitions, more: TopicPartitions): TopicPartitions {
  if (more.size === 0) return sets
  const all = new Map<string, ReadonlySet<number>>(sets)
  for (const [topicId, partitions] of more) all.set(topicId, new Set([...(all.get(topicId) ?? []), ...partitions]))
  return all
}

/** Whether all of `a` are in `b`. */
export function isWithin(a: TopicPartitions, b: TopicPartitions): boolean {
  for (const [topicId, partitions] of a) for (const partition of partitions) if (!hasPartition(b, topicId, partition)) return false
  return true
}

export function samePartitions(a: TopicPartitions, b: TopicPartitions): boolean {
  return partitionCount(a) === partitionCount(b) && isWithin(a, b)
}

export function partitionCount(sets: TopicPartitions): number {
  let count = 0
  for (const partitions of sets.values()) count += partitions.size
  return count
}
