// The user's own topics: which a topology reads and writes, and what becomes of those that do not exist yet.

import { MillraceError } from '../core/error.ts'
import type { LogAdmin } from '../core/log-port.ts'
import { repartitionTopicName, type Topology } from '../core/topology/topology.ts'

/** Of topics that an application makes for its user: they hold records of any event time, so none goes by its age. */
export const userTopicConfig: Readonly<Record<string, string>> = { 'retention.ms': '-1' }

export interface UserTopicOptions {
  readonly createSourceTopics: boolean
  /** For topics that are made; -1: the broker's default. */
  readonly defaultPartitions: number
}

/**
 * Partition counts of the topics that tasks read. Sink topics that are missing are made, source topics if the options say so.
 * @throws MillraceError MISSING_SOURCE_TOPIC
 */
export async function createUserTopics(topology: Topology, admin: LogAdmin, options: UserTopicOptions): Promise<ReadonlyMap<string, number>> {
  const sources = topology.subtopologies.flatMap(subtopology => [...subtopology.sourceTopics])
  const read = [...new Set([...sources, ...topology.globals.map(table => table.topic)])]
  const written = topology.nodes.flatMap(node => (node.kind === 'sink' && typeof node.topic === 'string' ? [node.topic] : []))
  const all = [...new Set([...read, ...written])]
  let found = await admin.describeTopics(all)
  const missing = all.filter(topic => !found.has(topic))
  const missingSource = missing.find(topic => read.includes(topic))
  if (missingSource !== undefined && !options.createSourceTopics) {
    throw new MillraceError('MISSING_SOURCE_TOPIC', `The topology reads the topic ${missingSource}, and the log has no such topic.`, {
      hint: `Create it (millrace topics create ${missingSource}), or check its name and the bootstrap servers.`,
    })
  }
  if (missing.length > 0) {
    await admin.createTopics(missing.map(name => ({ name, partitions: options.defaultPartitions, config: userTopicConfig })))
    found = await admin.describeTopics(all)
  }
  return new Map(sources.map(topic => [topic, found.get(topic)?.partitions ?? 1]))
}

/** All topics whose records tasks read, by their names in the log. */
export function subscribedTopics(topology: Topology, applicationId: string): string[] {
  const names = topology.subtopologies.flatMap(subtopology => [
    ...subtopology.sourceTopics,
    ...subtopology.repartitionSources.map(repartition => repartitionTopicName(applicationId, repartition)),
  ])
  return [...new Set(names)]
}

/** Where a topic without committed offset begins: what its source says; repartition topics at their beginning. */
export function offsetReset(topology: Topology): (topic: string) => 'earliest' | 'latest' {
  const resets = new Map(topology.nodes.flatMap(node => (node.kind === 'source' ? node.topics.map(topic => [topic, node.offsetReset] as const) : [])))
  return topic => resets.get(topic) ?? 'earliest'
}
