// The records of __consumer_offsets, in Apache Kafka's format: committed offsets, classic groups and consumer groups.

import type { Offset, Timestamp } from '../../core/record.ts'
import { groupMetadataRecord } from '../wire/records/classic-group.ts'
import { offsetCommitRecord } from '../wire/records/offset-commit.ts'
import { decodeRecordKey, decodeVersioned, encodeRecordKey, encodeVersioned, keyTypeOf } from '../wire/versioned.ts'
import type { GroupMetadataValue } from './classic-group.ts'
import { decodeConsumerGroupFact, encodeConsumerGroupFact } from './consumer-group-records.ts'
import type { ConsumerGroupFact } from './consumer-group.ts'
import type { GroupRecord } from './group-effects.ts'

export interface CommittedOffsetValue {
  readonly offset: Offset
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: Timestamp
}

/** A record as what it means. */
export type GroupFact =
  | { readonly kind: 'offset'; readonly groupId: string; readonly topic: string; readonly partition: number; readonly value: CommittedOffsetValue | null }
  | { readonly kind: 'group'; readonly groupId: string; readonly value: GroupMetadataValue | null }
  | ConsumerGroupFact

/** Versions that Apache Kafka 3 and 4 write and read. */
const offsetValueVersion = 3
const groupValueVersion = 3

export function encodeFact(fact: GroupFact): GroupRecord {
  if (fact.kind === 'offset') {
    const { groupId, topic, partition, value } = fact
    const key = encodeRecordKey(offsetCommitRecord, { group: groupId, topic, partition })
    return { key, value: value === null ? null : encodeVersioned(offsetCommitRecord.value, offsetValueVersion, { ...value }) }
  }
  if (fact.kind !== 'group') return encodeConsumerGroupFact(fact)
  const key = encodeRecordKey(groupMetadataRecord, { group: fact.groupId })
  return { key, value: fact.value === null ? null : encodeVersioned(groupMetadataRecord.value, groupValueVersion, fact.value) }
}

/** Null for records of kinds that are not served (yet). The bytes are not kept. */
export function decodeFact(key: Buffer, value: Buffer | null): GroupFact | null {
  const type = keyTypeOf(key)
  if (type === 0 || type === offsetCommitRecord.keyType) {
    const { group, topic, partition } = decodeRecordKey(offsetCommitRecord, key)
    return { kind: 'offset', groupId: group, topic, partition, value: value === null ? null : offsetValue(value) }
  }
  if (type !== groupMetadataRecord.keyType) return decodeConsumerGroupFact(key, value)
  const { group } = decodeRecordKey(groupMetadataRecord, key)
  return { kind: 'group', groupId: group, value: value === null ? null : groupValue(value) }
}

/** Forgets a committed offset. */
export function offsetRemoval(groupId: string, { topic, partition }: { readonly topic: string; readonly partition: number }): GroupFact {
  return { kind: 'offset', groupId, topic, partition, value: null }
}

function offsetValue(bytes: Buffer): CommittedOffsetValue {
  const { offset, leaderEpoch, metadata, commitTimestamp } = decodeVersioned(offsetCommitRecord.value, bytes)
  return { offset, leaderEpoch, metadata, commitTimestamp }
}

function groupValue(bytes: Buffer): GroupMetadataValue {
  const value = decodeVersioned(groupMetadataRecord.value, bytes)
  const members = value.members.map(member => ({ ...member, subscription: Buffer.from(member.subscription), assignment: Buffer.from(member.assignment) }))
  return { ...value, members }
}
