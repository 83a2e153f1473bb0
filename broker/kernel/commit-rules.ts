// Who may commit offsets for a group: members of their generation or epoch, and nobody's member where there are none.

import type { ErrorName } from '../wire/error-code.ts'
import { assignmentEpoch } from './assignment-epochs.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { TopicsView } from './consumer-group-planning.ts'
import { identityProblem, type MemberIdentity } from './classic-group-requests.ts'

export interface Committer extends MemberIdentity {
  readonly groupId: string
  /** Of a consumer group's member its epoch; negative: not as a member. */
  readonly generation: number
  /** The client speaks a version of the protocol that was there before consumer groups. */
  readonly isOld?: boolean
  /** What it commits for. */
  readonly offsets: readonly { readonly topic: string; readonly partition: number }[]
}

/** Null if it may. */
export function commitRefusal(group: ClassicGroup | ConsumerGroup | undefined, committer: Committer, isTransactional: boolean, topics: TopicsView): ErrorName | null {
  const { groupId, generation, memberId, groupInstanceId } = committer
  if (groupId === '' && isTransactional) return 'INVALID_GROUP_ID'
  if (group === undefined) return generation < 0 ? null : 'ILLEGAL_GENERATION'
  if (generation < 0 && group.phase === 'Empty') return null
  // Producers of before KIP-447 do not say for which member they commit.
  if (generation < 0 && memberId === '' && groupInstanceId === null) return isTransactional ? null : 'UNKNOWN_MEMBER_ID'
  return group.type === 'classic' ? classicRefusal(group, committer, isTransactional) : consumerRefusal(group, committer, isTransactional, topics)
}

function classicRefusal(group: ClassicGroup, committer: Committer, isTransactional: boolean): ErrorName | null {
  const problem = identityProblem(group, committer)
  if (problem !== null) return problem
  if (committer.generation !== group.generation) return 'ILLEGAL_GENERATION'
  return group.phase === 'CompletingRebalance' && !isTransactional ? 'REBALANCE_IN_PROGRESS' : null
}

/** With an epoch of before a member commits for what it has had since then: it has not heard of its next one yet. */
function consumerRefusal(group: ConsumerGroup, { memberId, generation, isOld, offsets }: Committer, isTransactional: boolean, { topics }: TopicsView): ErrorName | null {
  const member = group.members.get(memberId)
  if (isOld === true && member !== undefined && member.subscription.classic === null) return 'UNSUPPORTED_VERSION'
  const problem = epochProblem(group, memberId, generation)
  if (problem === null || member === undefined) return problem
  const { memberEpoch, epochs } = member.current
  const isSince = ({ topic, partition }: Committer['offsets'][number]): boolean => assignmentEpoch(epochs, topics.get(topic)?.id ?? '', partition) <= generation
  if (generation < memberEpoch && offsets.every(isSince)) return null
  return isTransactional ? 'ILLEGAL_GENERATION' : problem
}

/** Why a member of a consumer group may not ask with an epoch; null if it may. */
export function epochProblem(group: ConsumerGroup, memberId: string, memberEpoch: number): ErrorName | null {
  const member = group.members.get(memberId)
  if (member === undefined) return 'UNKNOWN_MEMBER_ID'
  if (memberEpoch === member.current.memberEpoch) return null
  return member.subscription.classic === null ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION'
}
