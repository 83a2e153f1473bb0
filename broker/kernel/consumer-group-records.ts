// The records of consumer groups (KIP-848) in __consumer_offsets, in Apache Kafka's format, as the facts that they state.

import {
  consumerGroupCurrentMemberAssignmentRecord, consumerGroupMemberMetadataRecord, consumerGroupMetadataRecord, consumerGroupRegularExpressionRecord,
  consumerGroupTargetAssignmentMemberRecord, consumerGroupTargetAssignmentMetadataRecord,
} from '../wire/records/consumer-group.ts'
import { decodeRecordKey, decodeVersioned, encodeRecordKey, encodeVersioned, keyTypeOf, type CoordinatorRecord } from '../wire/versioned.ts'
import type { InputOf } from '../wire/description.ts'
import type { ConsumerGroupFact, CurrentAssignment, MemberState, Subscription } from './consumer-group.ts'
import type { GroupRecord } from './group-effects.ts'
import { partitionsWithEpochs, readEpochs } from './assignment-epochs.ts'
import { partitionList, topicPartitions } from './topic-partitions.ts'

const stateCodes: Readonly<Record<MemberState, number>> = { stable: 0, unrevoked: 1, unreleased: 2 }
const states: readonly MemberState[] = ['stable', 'unrevoked', 'unreleased']

export function encodeConsumerGroupFact(fact: ConsumerGroupFact): GroupRecord {
  const { groupId } = fact
  switch (fact.kind) {
    case 'group-epoch': return record(consumerGroupMetadataRecord, { groupId }, fact.value)
    case 'target-epoch':
      return record(consumerGroupTargetAssignmentMetadataRecord, { groupId }, fact.value && { assignmentEpoch: fact.value.epoch, assignmentTimestamp: fact.value.timestamp })
    case 'subscription': return record(consumerGroupMemberMetadataRecord, { groupId, memberId: fact.memberId }, fact.value && subscriptionValue(fact.value))
    case 'target':
      return record(consumerGroupTargetAssignmentMemberRecord, { groupId, memberId: fact.memberId }, fact.value && { topicPartitions: partitionList(fact.value) })
    case 'current': return record(consumerGroupCurrentMemberAssignmentRecord, { groupId, memberId: fact.memberId }, fact.value && currentValue(fact.value))
    case 'regex': return record(consumerGroupRegularExpressionRecord, { groupId, regularExpression: fact.regex }, fact.value)
  }
}

function record<const R extends CoordinatorRecord>(kind: R, key: InputOf<R['key']>, value: InputOf<R['value']> | null): GroupRecord {
  return { key: encodeRecordKey(kind, key), value: value === null ? null : encodeVersioned(kind.value, 0, value) }
}

function subscriptionValue({ topicNames, topicRegex, classic, ...others }: Subscription) {
  const classicMemberMetadata = classic && { sessionTimeoutMs: classic.sessionTimeoutMs, supportedProtocols: classic.protocols }
  return { ...others, subscribedTopicNames: topicNames, subscribedTopicRegex: topicRegex, classicMemberMetadata }
}

function currentValue({ memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation, epochs }: CurrentAssignment) {
  return { memberEpoch, previousMemberEpoch, state: stateCodes[state], assignedPartitions: partitionsWithEpochs(assigned, epochs), partitionsPendingRevocation: partitionsWithEpochs(pendingRevocation, epochs) }
}

/** Null for records of other kinds. The bytes are not kept. */
export function decodeConsumerGroupFact(key: Buffer, value: Buffer | null): ConsumerGroupFact | null {
  switch (keyTypeOf(key)) {
    case consumerGroupMetadataRecord.keyType: {
      const { groupId } = decodeRecordKey(consumerGroupMetadataRecord, key)
      return { kind: 'group-epoch', groupId, value: value && decodeVersioned(consumerGroupMetadataRecord.value, value) }
    }
    case consumerGroupTargetAssignmentMetadataRecord.keyType: {
      const { groupId } = decodeRecordKey(consumerGroupTargetAssignmentMetadataRecord, key)
      const body = value && decodeVersioned(consumerGroupTargetAssignmentMetadataRecord.value, value)
      return { kind: 'target-epoch', groupId, value: body && { epoch: body.assignmentEpoch, timestamp: body.assignmentTimestamp } }
    }
    case consumerGroupMemberMetadataRecord.keyType:
      return { kind: 'subscription', ...decodeRecordKey(consumerGroupMemberMetadataRecord, key), value: value && subscriptionOf(value) }
    case consumerGroupTargetAssignmentMemberRecord.keyType: {
      const body = value && decodeVersioned(consumerGroupTargetAssignmentMemberRecord.value, value)
      return { kind: 'target', ...decodeRecordKey(consumerGroupTargetAssignmentMemberRecord, key), value: body && topicPartitions(body.topicPartitions) }
    }
    case consumerGroupCurrentMemberAssignmentRecord.keyType:
      return { kind: 'current', ...decodeRecordKey(consumerGroupCurrentMemberAssignmentRecord, key), value: value && currentOf(value) }
    case consumerGroupRegularExpressionRecord.keyType: {
      const { groupId, regularExpression } = decodeRecordKey(consumerGroupRegularExpressionRecord, key)
      return { kind: 'regex', groupId, regex: regularExpression, value: value && decodeVersioned(consumerGroupRegularExpressionRecord.value, value) }
    }
    default: return null
  }
}

function subscriptionOf(bytes: Buffer): Subscription {
  const { subscribedTopicNames, subscribedTopicRegex, classicMemberMetadata: said, ...others } = decodeVersioned(consumerGroupMemberMetadataRecord.value, bytes)
  const classic = said && { sessionTimeoutMs: said.sessionTimeoutMs, protocols: said.supportedProtocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })) }
  return { ...others, topicNames: subscribedTopicNames, topicRegex: subscribedTopicRegex, classic }
}

function currentOf(bytes: Buffer): CurrentAssignment {
  const { memberEpoch, previousMemberEpoch, state, assignedPartitions, partitionsPendingRevocation } = decodeVersioned(consumerGroupCurrentMemberAssignmentRecord.value, bytes)
  return {
    memberEpoch, previousMemberEpoch, state: states[state] ?? 'stable',
    assigned: topicPartitions(assignedPartitions), pendingRevocation: topicPartitions(partitionsPendingRevocation),
    epochs: readEpochs([assignedPartitions, partitionsPendingRevocation], memberEpoch),
  }
}
