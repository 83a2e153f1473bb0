// Since when members of consumer groups have their partitions: kept in the log, begun anew where a partition is given up and comes back, or a static member leaves.

import { expect, test } from 'vitest'
import { epochsOf } from '../../../broker/kernel/assignment-epochs.ts'
import { reconciled } from '../../../broker/kernel/consumer-group-reconciliation.ts'
import { decodeConsumerGroupFact, encodeConsumerGroupFact } from '../../../broker/kernel/consumer-group-records.ts'
import { leftStatically, type CurrentAssignment } from '../../../broker/kernel/consumer-group.ts'
import { noPartitions, type TopicPartitions } from '../../../broker/kernel/topic-partitions.ts'
import { encodeVersioned } from '../../../broker/wire/versioned.ts'
import { consumerGroupCurrentMemberAssignmentRecord } from '../../../broker/wire/records/consumer-group.ts'

const topicId = '00000000-0000-4000-8000-000000000001'
const of = (...partitions: readonly number[]): TopicPartitions => (partitions.length === 0 ? noPartitions : new Map([[topicId, new Set(partitions)]]))
const epochs = ({ epochs: all }: CurrentAssignment) => Object.fromEntries(all.get(topicId) ?? [])
const goal = (epoch: number, target: TopicPartitions, owned: TopicPartitions) => ({ epoch, target, owned, isFree: () => true })
const having = (memberEpoch: number, assigned: TopicPartitions): CurrentAssignment => ({ memberEpoch, previousMemberEpoch: memberEpoch - 1, state: 'stable', assigned, pendingRevocation: noPartitions, epochs: epochsOf([assigned], () => memberEpoch) })

test('what is kept keeps its epoch, what is given up too until it is gone, what is gained begins with the new one', () => {
  const asked = reconciled(having(2, of(0, 1)), goal(5, of(1, 2), of(0, 1)))
  expect(asked.state).toBe('unrevoked')
  expect(epochs(asked)).toEqual({ 0: 2, 1: 2 })
  const moved = reconciled(asked, goal(5, of(1, 2), of(1)))
  expect(epochs(moved)).toEqual({ 1: 2, 2: 5 })
})

test('what was to be given up and is to be had again begins anew', () => {
  const asked = reconciled(having(2, of(0, 1)), goal(3, of(1), of(0, 1)))
  const back = reconciled(asked, goal(4, of(0, 1), of(1)))
  expect(epochs(back)).toEqual({ 0: 4, 1: 2 })
})

test('records keep them; a record without them means the epoch of the member', () => {
  const value = reconciled(having(2, of(0, 1, 7)), goal(5, of(7, 9), of(0, 1, 7)))
  const fact = { kind: 'current', groupId: 'g', memberId: 'a', value } as const
  const { key, value: bytes } = encodeConsumerGroupFact(fact)
  expect(decodeConsumerGroupFact(key, bytes)).toEqual(fact)
  const old = encodeVersioned(consumerGroupCurrentMemberAssignmentRecord.value, 0, {
    memberEpoch: 6, previousMemberEpoch: 5, state: 0, assignedPartitions: [{ topicId, partitions: [3], assignmentEpochs: null }], partitionsPendingRevocation: [{ topicId, partitions: [4, 5], assignmentEpochs: [1] }],
  })
  const read = decodeConsumerGroupFact(key, old)
  expect(read?.kind === 'current' && epochs(read.value!)).toEqual({ 3: 6, 4: 6, 5: 6 })
})

test('whoever comes in the place of a static member that left has had its partitions since ever', () => {
  expect(epochs(leftStatically(having(7, of(0, 3))))).toEqual({ 0: 0, 3: 0 })
})
