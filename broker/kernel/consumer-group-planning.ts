// What a consumer group's members subscribe to in the catalogue as it is, and who of them shall have which partition.

import { assignors, type AssignorMember } from './consumer-group-assignors.ts'
import type { ConsumerGroup, Subscription } from './consumer-group.ts'
import { noPartitions, type TopicPartitions } from './topic-partitions.ts'
import { topicPattern } from './topic-pattern.ts'

/** The catalogue, as groups see it. */
export interface TopicsView {
  readonly topics: ReadonlyMap<string, { readonly id: string; readonly partitions: number }>
  /** Another number whenever the topics are others. */
  readonly topicsVersion: number
  topicById(id: string): { readonly name: string } | undefined
}

/** Names of the topics that a pattern stands for, sorted; the broker's own are among them, none that the one who asks may not know of. Clients leave out what they do not want. */
export function topicsMatching(regex: string, { topics }: TopicsView, mayDescribe: (topic: string) => boolean): readonly string[] {
  const pattern = topicPattern(regex)
  // One that a broker wrote which knows more of them.
  if (typeof pattern === 'string') return []
  return [...topics.keys()].filter(name => pattern(name) && mayDescribe(name)).sort()
}

/** A number that changes with the subscribed topics: which there are, their ids and their partitions. 0: there are none. */
export function subscribedMetadataHash(group: ConsumerGroup, { topics }: TopicsView): number {
  const lines = [...group.subscribedTopics()].flatMap(name => {
    const topic = topics.get(name)
    return topic === undefined ? [] : [`${name}/${topic.id}/${topic.partitions}`]
  })
  return lines.length === 0 ? 0 : hash(lines.sort().join('\n'))
}

/** 53 bits, which a number holds exactly. */
function hash(text: string): number {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 4294967296 * (2097151 & low) + (high >>> 0)
}

/** What every member shall have. */
export function plannedTargets(group: ConsumerGroup, { topics }: TopicsView, defaultAssignor: string): ReadonlyMap<string, TopicPartitions> {
  const partitions = new Map<string, number>()
  const members = Array.from(group.members.values(), ({ memberId, subscription }): AssignorMember => {
    const topicIds = new Set<string>()
    for (const name of group.topicsOf(subscription)) {
      const topic = topics.get(name)
      if (topic === undefined) continue
      topicIds.add(topic.id)
      partitions.set(topic.id, topic.partitions)
    }
    return { memberId, instanceId: subscription.instanceId, topicIds, target: group.targetOf(memberId) }
  })
  const assign = assignors.get(assignorOf(group, defaultAssignor))!
  const shares = assign(members, partitions)
  return new Map(members.map(({ memberId }) => [memberId, shares.get(memberId) ?? noPartitions]))
}

/** The one that most members want. */
export function assignorOf(group: ConsumerGroup, defaultAssignor: string): string {
  const votes = new Map<string, number>()
  for (const { subscription } of group.members.values()) {
    const wanted: Subscription['serverAssignor'] = subscription.serverAssignor
    if (wanted !== null && assignors.has(wanted)) votes.set(wanted, (votes.get(wanted) ?? 0) + 1)
  }
  let best = defaultAssignor
  for (const [name, count] of votes) if (count > (votes.get(best) ?? 0)) best = name
  return best
}
