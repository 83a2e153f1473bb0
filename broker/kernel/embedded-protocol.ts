// The consumer protocol that members of classic groups embed in their requests: what they subscribe to and have, and what they are assigned.

import { MillraceError } from '../../core/error.ts'
import type { ValueOf } from '../wire/description.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../wire/records/consumer-protocol.ts'
import { decodeVersioned, encodeVersioned } from '../wire/versioned.ts'
import type { TopicsView } from './consumer-group-planning.ts'
import { partitionList, topicPartitions, type TopicPartitions } from './topic-partitions.ts'

export type EmbeddedSubscription = ValueOf<typeof consumerProtocolSubscription>

/** Null where it is none. */
export function embeddedSubscription(metadata: Buffer): EmbeddedSubscription | null {
  return orNull(() => decodeVersioned(consumerProtocolSubscription, metadata))
}

export interface EmbeddedAssignment {
  readonly partitions: TopicPartitions
  /** The assignor told the member more than its partitions. */
  readonly hasUserData: boolean
}

/** What a member was assigned of the topics that there are; no bytes stand for nothing. Null where it is no assignment. */
export function embeddedAssignment(bytes: Buffer, topics: TopicsView): EmbeddedAssignment | null {
  if (bytes.length === 0) return { partitions: new Map(), hasUserData: false }
  const assignment = orNull(() => decodeVersioned(consumerProtocolAssignment, bytes))
  return assignment === null ? null : { partitions: partitionsByName(assignment.assignedPartitions, topics), hasUserData: (assignment.userData?.length ?? 0) > 0 }
}

/** Partitions of topics by name; of topics that are not there, none. */
export function partitionsByName(named: readonly { readonly topic: string; readonly partitions: readonly number[] }[], { topics }: TopicsView): TopicPartitions {
  return topicPartitions(named.flatMap(({ topic, partitions }) => {
    const topicId = topics.get(topic)?.id
    return topicId === undefined ? [] : [{ topicId, partitions }]
  }))
}

/** An assignment in the version in which the member says what it subscribes to. */
export function assignmentFor(metadata: Buffer, assigned: TopicPartitions, topics: TopicsView): Buffer {
  const assignedPartitions = partitionList(assigned).flatMap(({ topicId, partitions }) => {
    const topic = topics.topicById(topicId)?.name
    return topic === undefined ? [] : [{ topic, partitions }]
  })
  const [first, last] = consumerProtocolAssignment.versions
  const version = metadata.length < 2 ? first : Math.min(Math.max(metadata.readInt16BE(0), first), last)
  return encodeVersioned(consumerProtocolAssignment, version, { assignedPartitions, userData: null })
}

function orNull<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof MillraceError) return null
    throw error
  }
}
