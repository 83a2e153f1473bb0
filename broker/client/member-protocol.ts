// What members of a classic group tell each other, as bytes: the subscription of each, and what the leader assigns.

import type { GroupMember, MemberAssignment } from '../../core/log-port.ts'
import type { TopicPartition } from '../../core/record.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../wire/records/consumer-protocol.ts'
import { decodeVersioned, encodeVersioned } from '../wire/versioned.ts'
import { groupByTopic } from './partition-groups.ts'

/** The version that says which partitions a member owns: an eager member owns none when it joins. */
const subscriptionVersion = 1
const assignmentVersion = 1

export function encodeSubscription(topics: readonly string[], userData: Uint8Array): Buffer {
  return encodeVersioned(consumerProtocolSubscription, subscriptionVersion, { topics: [...topics].sort(), userData: asBuffer(userData), ownedPartitions: [] })
}

/** @throws MillraceError MALFORMED_FRAME */
export function decodeMember(memberId: string, metadata: Buffer): GroupMember {
  const { topics, userData } = decodeVersioned(consumerProtocolSubscription, metadata)
  return { memberId, topics, userData: userData ?? nothing }
}

export function encodeAssignment({ partitions, userData }: MemberAssignment): Buffer {
  const assignedPartitions = Array.from(groupByTopic(partitions), ([topic, group]) => ({ topic, partitions: group.map(({ partition }) => partition) }))
  return encodeVersioned(consumerProtocolAssignment, assignmentVersion, { assignedPartitions, userData: asBuffer(userData) })
}

/** No bytes at all stand for no partitions. @throws MillraceError MALFORMED_FRAME */
export function decodeAssignment(bytes: Buffer): MemberAssignment {
  if (bytes.length === 0) return { partitions: [], userData: nothing }
  const { assignedPartitions, userData } = decodeVersioned(consumerProtocolAssignment, bytes)
  const partitions: TopicPartition[] = []
  for (const { topic, partitions: numbers } of assignedPartitions) for (const partition of numbers) partitions.push({ topic, partition })
  return { partitions, userData: userData ?? nothing }
}

const nothing: Buffer = Buffer.alloc(0)

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
