// How a member of a consumer group goes from what it has to what it shall have: it gives up first, then gets what others have given up.

import { assignmentEpoch, epochsOf } from './assignment-epochs.ts'
import type { CurrentAssignment } from './consumer-group.ts'
import { hasPartition, isWithin, noPartitions, partitionsWhere, withPartitions, type TopicPartitions } from './topic-partitions.ts'

export interface Goal {
  readonly epoch: number
  readonly target: TopicPartitions
  /** Whether no member has a partition. */
  readonly isFree: (topicId: string, partition: number) => boolean
  /** What the member says it has; null where it does not say. */
  readonly owned: TopicPartitions | null
}

/** The next step, or the same assignment where there is none yet. */
export function reconciled(current: CurrentAssignment, goal: Goal): CurrentAssignment {
  if (current.state === 'stable') return current.memberEpoch === goal.epoch ? current : step(current, current.memberEpoch, goal)
  if (current.state === 'unreleased') return step(current, current.memberEpoch, goal)
  return ownsAny(current.pendingRevocation, goal.owned) ? current : step(current, current.memberEpoch + 1, goal)
}

function step(current: CurrentAssignment, epoch: number, { epoch: targetEpoch, target, isFree, owned }: Goal): CurrentAssignment {
  const kept = partitionsWhere(current.assigned, (topicId, partition) => hasPartition(target, topicId, partition))
  const lost = partitionsWhere(current.assigned, (topicId, partition) => !hasPartition(target, topicId, partition))
  const since = (topicId: string, partition: number): number => assignmentEpoch(current.epochs, topicId, partition)
  if (lost.size > 0 && ownsAny(lost, owned)) {
    return { memberEpoch: epoch, previousMemberEpoch: current.memberEpoch, state: 'unrevoked', assigned: kept, pendingRevocation: lost, epochs: epochsOf([kept, lost], since) }
  }
  // What it has given up itself with this very step is its own yet, but only what it shall have counts here.
  const missing = partitionsWhere(target, (topicId, partition) => !hasPartition(kept, topicId, partition))
  const gained = partitionsWhere(missing, (topicId, partition) => isFree(topicId, partition) || hasPartition(current.pendingRevocation, topicId, partition))
  const state = isWithin(missing, gained) ? 'stable' : 'unreleased'
  if (state === current.state && targetEpoch === current.memberEpoch && gained.size === 0 && lost.size === 0) return current
  const epochs = epochsOf([kept, gained], (topicId, partition) => (hasPartition(kept, topicId, partition) ? since(topicId, partition) : targetEpoch))
  return { memberEpoch: targetEpoch, previousMemberEpoch: current.memberEpoch, state, assigned: withPartitions(kept, gained), pendingRevocation: noPartitions, epochs }
}

function ownsAny(partitions: TopicPartitions, owned: TopicPartitions | null): boolean {
  return owned === null || partitionsWhere(partitions, (topicId, partition) => hasPartition(owned, topicId, partition)).size > 0
}
