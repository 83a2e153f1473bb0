// JoinGroup, SyncGroup, Heartbeat, LeaveGroup: the members' side of the classic group protocol.

import type { ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { inProcessHost } from '../../kernel/classic-group.ts'
import type { JoinAnswer, LeaveAnswer, SyncAnswer } from '../../kernel/group-effects.ts'
import type { MemberIdentity } from '../../kernel/classic-group-requests.ts'
import type { Handler, RequestContext } from './handler.ts'

export const joinGroup: Handler<'JoinGroup'> = async (context, request) => {
  const { broker, version } = context
  const { groupId, memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType, protocols } = request
  const host = broker.groupHost(groupId)
  if (host === null) return joined({ errorCode: errorCodeOf('NOT_COORDINATOR'), protocolName: null, leader: '', memberId, members: [] }, version)
  const answer = await host.ask<JoinAnswer>((token, now) => host.coordinator.join({
    groupId, memberId, groupInstanceId,
    clientId: context.clientId ?? '',
    clientHost: hostOf(context),
    sessionTimeoutMs,
    rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
    protocolType,
    protocols: protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    needsKnownId: version >= 4 && groupInstanceId === null,
    canSkipAssignment: version >= 9,
  }, token, now))
  return joined(answer, version)
}

/** A null name of a protocol is for versions that know it. */
function joined(answer: JoinAnswer, version: number): JoinAnswer {
  return version < 7 && answer.protocolName === null ? { ...answer, protocolName: '' } : answer
}

/** As Java writes an address. */
export function hostOf({ peer }: RequestContext): string {
  return peer === 'in-process' ? inProcessHost : `/${peer.host}`
}

export const syncGroup: Handler<'SyncGroup'> = ({ broker, version }, request) => {
  const { groupId, memberId, groupInstanceId, protocolType } = request
  const host = broker.groupHost(groupId)
  // From version 5 on a member says what it is about to be a part of.
  if (version >= 5 && (protocolType === null || request.protocolName === null)) return { errorCode: errorCodeOf('INCONSISTENT_GROUP_PROTOCOL'), assignment: Buffer.alloc(0) }
  if (groupId === '') return { errorCode: errorCodeOf('INVALID_GROUP_ID'), assignment: Buffer.alloc(0) }
  if (host === null) return { errorCode: errorCodeOf('NOT_COORDINATOR'), assignment: Buffer.alloc(0) }
  const assignments = request.assignments.map(({ memberId: member, assignment }) => ({ memberId: member, assignment: Buffer.from(assignment) }))
  return host.ask<SyncAnswer>((token, now) => host.coordinator.sync({
    groupId, memberId, groupInstanceId, generation: request.generationId, protocolType, protocol: request.protocolName, assignments,
  }, token, now))
}

export const heartbeat: Handler<'Heartbeat'> = ({ broker }, { groupId, generationId, memberId, groupInstanceId }) => {
  if (groupId === '') return { errorCode: errorCodeOf('INVALID_GROUP_ID') }
  const host = broker.groupHost(groupId)
  if (host === null) return { errorCode: errorCodeOf('NOT_COORDINATOR') }
  const { error, effects } = host.coordinator.heartbeat(groupId, { memberId, groupInstanceId }, generationId, host.now)
  host.perform(effects)
  return { errorCode: errorCodeOf(error) }
}

export const leaveGroup: Handler<'LeaveGroup'> = async ({ broker, version }, request): Promise<ResponseInput<'LeaveGroup'>> => {
  const { groupId } = request
  if (groupId === '') return { errorCode: errorCodeOf('INVALID_GROUP_ID') }
  const host = broker.groupHost(groupId)
  if (host === null) return { errorCode: errorCodeOf('NOT_COORDINATOR') }
  const leaving: readonly MemberIdentity[] = version >= 3 ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
  const { refused, errors } = await host.ask<LeaveAnswer>((token, now) => host.coordinator.leave(groupId, leaving, token, now))
  if (refused !== null) return { errorCode: errorCodeOf(refused) }
  if (version < 3) return { errorCode: errorCodeOf(errors[0]!) }
  return { errorCode: 0, members: leaving.map(({ memberId, groupInstanceId }, index) => ({ memberId, groupInstanceId, errorCode: errorCodeOf(errors[index]!) })) }
}
