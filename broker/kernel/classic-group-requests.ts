// What members of the classic protocol ask, whether it fits their group, and what they are answered.

import { errorCodeOf, type ErrorName } from '../wire/error-code.ts'
import type { ClassicGroup, Member, Protocol } from './classic-group.ts'
import type { JoinAnswer, SyncAnswer } from './group-effects.ts'

export interface JoinRequest {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  /** A new member gets its id first and comes back with it (from version 4 of JoinGroup on). */
  readonly needsKnownId: boolean
  /** A leader that comes back for its place can be told not to assign (from version 9 on). */
  readonly canSkipAssignment: boolean
}

export interface SyncRequest {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generation: number
  /** Null where the client's version does not say. */
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Whether the one who speaks is the member that it says it is; null if so. */
export function identityProblem(group: ClassicGroup, { memberId, groupInstanceId }: MemberIdentity): ErrorName | null {
  if (groupInstanceId !== null) {
    const member = group.memberOfInstance(groupInstanceId)
    if (member === undefined) return 'UNKNOWN_MEMBER_ID'
    return member.memberId === memberId ? null : 'FENCED_INSTANCE_ID'
  }
  return group.members.has(memberId) ? null : 'UNKNOWN_MEMBER_ID'
}

export function syncRefusal(group: ClassicGroup, request: SyncRequest): ErrorName | null {
  const problem = identityProblem(group, request)
  if (problem !== null) return problem
  if (request.generation !== group.generation) return 'ILLEGAL_GENERATION'
  if (request.protocolType !== null && request.protocolType !== group.protocolType) return 'INCONSISTENT_GROUP_PROTOCOL'
  if (request.protocol !== null && request.protocol !== group.protocol) return 'INCONSISTENT_GROUP_PROTOCOL'
  if (group.phase === 'PreparingRebalance') return 'REBALANCE_IN_PROGRESS'
  return group.phase === 'Empty' ? 'UNKNOWN_MEMBER_ID' : null
}

export function joinAnswer(group: ClassicGroup, { memberId }: Member): JoinAnswer {
  const members = group.leader !== memberId ? [] : [...group.members.values()].map(member => ({
    memberId: member.memberId, groupInstanceId: member.groupInstanceId, metadata: group.metadataOf(member),
  }))
  return {
    errorCode: 0, generationId: group.generation, protocolType: group.protocolType, protocolName: group.protocol, leader: group.leader ?? '', memberId, members,
  }
}

export function joinFailure(error: ErrorName, memberId: string): JoinAnswer {
  return { errorCode: errorCodeOf(error), generationId: -1, protocolType: null, protocolName: null, leader: '', memberId, members: [] }
}

export function syncAnswer(group: ClassicGroup, member: Member): SyncAnswer {
  return { errorCode: 0, protocolType: group.protocolType, protocolName: group.protocol, assignment: member.assignment }
}

export function syncFailure(error: ErrorName): SyncAnswer {
  return { errorCode: errorCodeOf(error), protocolType: null, protocolName: null, assignment: Buffer.alloc(0) }
}
