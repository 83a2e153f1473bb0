// The topics an application makes for itself: how many partitions each has, and the settings Kafka Streams gives them.

import { MillraceError } from '../core/error.ts'
import type { LogAdmin, NewTopic } from '../core/log-port.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import { changelogTopicName, repartitionTopicName, type Subtopology, type Topology } from '../core/topology/topology.ts'

/** How long a windowed changelog keeps rows beyond the store's retention, as Kafka's windowstore.changelog.additional.retention.ms. */
const WINDOW_CHANGELOG_EXTRA_MS = 24 * 60 * 60 * 1000

export interface InternalTopicOptions {
  readonly applicationId: string
  /** Settings for all of them, over the defaults and under a store's own. */
  readonly topicConfig: Readonly<Record<string, string>>
}

/** Number of partitions by topic: the user's by name, repartitions by unprefixed name. */
export type PartitionCounts = ReadonlyMap<string, number>

/**
 * Partition counts of the user's topics and, worked out from them, of the repartition topics: what the user said; else as many
 * as the topics it is joined with; else the most of what its writers read (Kafka Streams' rule).
 * @throws MillraceError COPARTITIONING if topics that are joined differ
 */
export function partitionCounts(topology: Topology, sources: ReadonlyMap<string, number>): PartitionCounts {
  const counts = new Map(sources)
  for (const repartition of topology.repartitions) if (repartition.partitions !== null) counts.set(repartition.name, repartition.partitions)
  for (let changed = true; changed; ) {
    changed = false
    for (const repartition of topology.repartitions) {
      if (repartition.partitions !== null) continue
      const count = joinedCount(topology, sources, repartition.name) ?? writersCount(topology, counts, repartition.name)
      if (count !== undefined && count !== counts.get(repartition.name)) {
        counts.set(repartition.name, count)
        changed = true
      }
    }
    for (const group of copartitionGroups(topology)) changed = raiseTogether(topology, group, counts) || changed
  }
  for (const group of copartitionGroups(topology)) checkGroup(group, counts)
  return counts
}

/** Tasks of a subtopology: the most partitions that any of its sources has. */
export function taskCount(subtopology: Subtopology, counts: PartitionCounts): number {
  return Math.max(0, ...[...subtopology.sourceTopics, ...subtopology.repartitionSources].map(topic => counts.get(topic) ?? 0))
}

/** Makes what is missing. @throws MillraceError INTERNAL_TOPIC if one exists with another number of partitions */
export async function createInternalTopics(topology: Topology, counts: PartitionCounts, admin: LogAdmin, options: InternalTopicOptions): Promise<void> {
  const wanted = [...repartitionTopics(topology, counts, options), ...changelogTopics(topology, counts, options)]
  if (wanted.length === 0) return
  const existing = await admin.describeTopics(wanted.map(topic => topic.name))
  for (const topic of wanted) {
    const found = existing.get(topic.name)?.partitions
    if (found === undefined || found === topic.partitions) continue
    throw new MillraceError('INTERNAL_TOPIC', `The topic ${topic.name} has ${found} partitions, and the topology needs ${topic.partitions}.`, {
      hint: 'The input was repartitioned, or the topology changed: use another application id, or delete the topic and the state directory.',
    })
  }
  const missing = wanted.filter(topic => !existing.has(topic.name))
  if (missing.length > 0) await admin.createTopics(missing)
}

function repartitionTopics(topology: Topology, counts: PartitionCounts, options: InternalTopicOptions): NewTopic[] {
  return topology.repartitions.map(repartition => ({
    name: repartitionTopicName(options.applicationId, repartition.name),
    partitions: counts.get(repartition.name)!,
    config: { 'cleanup.policy': 'delete', 'segment.bytes': '52428800', 'retention.ms': '-1', 'message.timestamp.type': 'CreateTime', ...options.topicConfig },
  }))
}

function changelogTopics(topology: Topology, counts: PartitionCounts, options: InternalTopicOptions): NewTopic[] {
  const partitions = new Map(topology.subtopologies.flatMap(subtopology => subtopology.stores.map(store => [store, taskCount(subtopology, counts)] as const)))
  return topology.stores
    .filter(store => store.logged)
    .map(store => ({
      name: changelogTopicName(options.applicationId, store.name),
      partitions: partitions.get(store.name)!,
      config: { ...changelogConfig(store), ...options.topicConfig, ...store.topicConfig },
    }))
}

function changelogConfig(store: StoreDescription): Record<string, string> {
  if (store.kind === 'key-value') return { 'cleanup.policy': 'compact', 'message.timestamp.type': 'CreateTime' }
  return { 'cleanup.policy': 'compact,delete', 'retention.ms': String(store.retentionMs + WINDOW_CHANGELOG_EXTRA_MS), 'message.timestamp.type': 'CreateTime' }
}

function copartitionGroups(topology: Topology): (readonly string[])[] {
  return topology.subtopologies.flatMap(subtopology => [...subtopology.copartitioned])
}

/** What the user's topics in the repartition's group have; they are checked for equality later. */
function joinedCount(topology: Topology, sources: ReadonlyMap<string, number>, repartition: string): number | undefined {
  const group = copartitionGroups(topology).find(names => names.includes(repartition))
  const external = group?.map(name => sources.get(name)).find(count => count !== undefined)
  const enforced = group?.map(name => topology.repartitions.find(other => other.name === name)?.partitions ?? undefined).find(count => count !== undefined)
  return external ?? enforced
}

function writersCount(topology: Topology, counts: PartitionCounts, repartition: string): number | undefined {
  const writers = topology.nodes.filter(node => node.kind === 'repartition-sink' && node.repartition === repartition).map(node => node.name)
  const writing = topology.subtopologies.filter(subtopology => writers.some(writer => subtopology.nodes.includes(writer)))
  const most = Math.max(0, ...writing.map(subtopology => taskCount(subtopology, counts)))
  return most === 0 ? undefined : most
}

/** Repartition topics of one group, none of them fixed, all get the most that any has. */
function raiseTogether(topology: Topology, group: readonly string[], counts: Map<string, number>): boolean {
  const free = topology.repartitions.filter(repartition => repartition.partitions === null && group.includes(repartition.name))
  if (free.length !== group.length) return false
  const most = Math.max(0, ...group.map(name => counts.get(name) ?? 0))
  const lower = free.filter(repartition => (counts.get(repartition.name) ?? 0) < most)
  for (const repartition of lower) counts.set(repartition.name, most)
  return lower.length > 0
}

function checkGroup(group: readonly string[], counts: PartitionCounts): void {
  const known = group.map(name => ({ name, count: counts.get(name) })).filter(topic => topic.count !== undefined)
  const other = known.find(topic => topic.count !== known[0]?.count)
  if (other === undefined || known[0] === undefined) return
  throw new MillraceError('COPARTITIONING', `${known[0].name} has ${known[0].count} partitions and ${other.name} has ${other.count}, but they are joined.`, {
    hint: 'Put a repartition() before the join, or give the topics equally many partitions.',
  })
}
