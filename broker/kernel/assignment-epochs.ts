// Since which epoch a member of a consumer group has each of its partitions: with that one and later ones it may commit for it (KIP-1251).

import { partitionList, type PartitionsOfTopic, type TopicPartitions } from './topic-partitions.ts'

/** Epochs by topic id and partition. Not changed once it is made. */
export type AssignmentEpochs = ReadonlyMap<string, ReadonlyMap<number, number>>

export const noEpochs: AssignmentEpochs = new Map()

export function epochsOf(all: readonly TopicPartitions[], epochAt: (topicId: string, partition: number) => number): AssignmentEpochs {
  const epochs = new Map<string, Map<number, number>>()
  for (const sets of all) {
    for (const [topicId, partitions] of sets) {
      const ofTopic = epochs.get(topicId) ?? new Map<number, number>()
      epochs.set(topicId, ofTopic)
      for (const partition of partitions) ofTopic.set(partition, epochAt(topicId, partition))
    }
  }
  return epochs
}

/** Infinity for a partition that the member has not. */
export function assignmentEpoch(epochs: AssignmentEpochs, topicId: string, partition: number): number {
  return epochs.get(topicId)?.get(partition) ?? Infinity
}

/** As records have it; null where a broker wrote that knew of none. */
export interface PartitionsWithEpochs extends PartitionsOfTopic {
  readonly assignmentEpochs: readonly number[] | null
}

export function partitionsWithEpochs(sets: TopicPartitions, epochs: AssignmentEpochs): readonly PartitionsWithEpochs[] {
  return partitionList(sets).map(({ topicId, partitions }) => ({ topicId, partitions, assignmentEpochs: partitions.map(partition => assignmentEpoch(epochs, topicId, partition)) }))
}

/** Where a record does not say, all partitions are of the member's own epoch. */
export function readEpochs(lists: readonly (readonly PartitionsWithEpochs[])[], memberEpoch: number): AssignmentEpochs {
  const epochs = new Map<string, Map<number, number>>()
  for (const { topicId, partitions, assignmentEpochs } of lists.flat()) {
    const ofTopic = epochs.get(topicId) ?? new Map<number, number>()
    epochs.set(topicId, ofTopic)
    const said = assignmentEpochs?.length === partitions.length ? assignmentEpochs : null
    for (const [index, partition] of partitions.entries()) ofTopic.set(partition, said?.[index] ?? Math.max(memberEpoch, 0))
  }
  return epochs
}
