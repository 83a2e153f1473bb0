// Bodies with their version in front: records of internal topics, the consumer protocol, and versions from the future.

import { expect, test } from 'vitest'
import { groupMetadataRecord } from '../../../broker/wire/records/classic-group.ts'
import { consumerGroupMemberMetadataRecord } from '../../../broker/wire/records/consumer-group.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../broker/wire/records/consumer-protocol.ts'
import { offsetCommitRecord } from '../../../broker/wire/records/offset-commit.ts'
import { decodeRecordKey, decodeVersioned, encodeRecordKey, encodeVersioned, keyTypeOf } from '../../../broker/wire/versioned.ts'

test('a key begins with its type', () => {
  const key = encodeRecordKey(offsetCommitRecord, { group: 'g', topic: 't', partition: 7 })
  expect(key.toString('hex')).toBe('0001' + '000167' + '000174' + '00000007')
  expect(keyTypeOf(key)).toBe(1)
  expect(decodeRecordKey(offsetCommitRecord, key)).toEqual({ group: 'g', topic: 't', partition: 7 })
})

test('a value begins with its version', () => {
  const value = encodeVersioned(offsetCommitRecord.value, 3, { offset: 5, leaderEpoch: 2, metadata: 'm', commitTimestamp: 9 })
  expect(value.toString('hex')).toBe('0003' + '0000000000000005' + '00000002' + '00016d' + '0000000000000009')
  expect(decodeVersioned(offsetCommitRecord.value, value)).toMatchObject({ offset: 5, leaderEpoch: 2, metadata: 'm', commitTimestamp: 9, expireTimestamp: -1 })
})

test('a member that speaks a newer protocol is understood as far as this one goes', () => {
  const newer = Buffer.concat([encodeVersioned(consumerProtocolSubscription, 3, { topics: ['t'], generationId: 4 }), Buffer.from('what comes later')])
  newer.writeInt16BE(9, 0)
  expect(decodeVersioned(consumerProtocolSubscription, newer)).toMatchObject({ topics: ['t'], generationId: 4 })
})

test('a record of a newer broker is refused where half of it would be a lie', () => {
  const newer = encodeVersioned(groupMetadataRecord.value, 4, { protocolType: '', generation: 1, protocol: null, leader: null, members: [] })
  newer.writeInt16BE(9, 0)
  expect(() => decodeVersioned(groupMetadataRecord.value, newer, { exact: true })).toThrow('version 9')
})

test('large user data is part of the bytes', () => {
  const userData = Buffer.alloc(5_000, 7)
  const bytes = encodeVersioned(consumerProtocolAssignment, 0, { assignedPartitions: [], userData })
  expect(decodeVersioned(consumerProtocolAssignment, bytes).userData!.equals(userData)).toBe(true)
})

test('a member of the consumer protocol has no tagged field for what only classic ones tell, which Apache Kafka\'s tools could not read', () => {
  const value = encodeVersioned(consumerGroupMemberMetadataRecord.value, 0, {
    instanceId: null, rackId: null, clientId: 'c', clientHost: 'h', subscribedTopicNames: ['t'], subscribedTopicRegex: null, rebalanceTimeoutMs: 1, serverAssignor: null, classicMemberMetadata: null,
  })
  expect(value.toString('hex')).toBe('0000' + '00' + '00' + '0263' + '0268' + '020274' + '00' + '00000001' + '00' + '00')
})
