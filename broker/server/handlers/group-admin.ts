// ListGroups, DescribeGroups, DeleteGroups: groups as admin tools see them.

import { errorCodeOf } from '../../wire/error-code.ts'
import type { ResponseInput } from '../../wire/apis.ts'
import { resourceType } from '../../kernel/acl.ts'
import { authorizedOperations } from '../security/access.ts'
import type { Handler } from './handler.ts'

type DescribedGroup = ResponseInput<'DescribeGroups'>['groups'][number]

export const listGroups: Handler<'ListGroups'> = ({ broker }, { statesFilter, typesFilter }) => {
  const states = new Set(statesFilter.map(state => state.toLowerCase()))
  const types = new Set(typesFilter.map(type => type.toLowerCase()))
  const groups = broker.groupHosts().flatMap(host => [...host.coordinator.groups()])
    .filter(({ phase, type }) => (states.size === 0 || states.has(phase.toLowerCase())) && (types.size === 0 || types.has(type)))
    .map(({ groupId, protocolType, phase, type }) => ({ groupId, protocolType: protocolType ?? '', groupState: phase, groupType: type }))
  return { errorCode: 0, groups }
}

export const describeGroups: Handler<'DescribeGroups'> = ({ broker, version, answer, access }, request) => ({
  groups: request.groups.map((groupId): DescribedGroup => {
    const host = broker.groupHost(groupId)
    const none = { groupId, groupState: '', protocolType: '', protocolData: '', members: [] }
    if (host === null) return { ...none, errorCode: errorCodeOf('NOT_COORDINATOR') }
    const group = host.coordinator.describe(groupId)
    const reason = host.coordinator.consumerGroup(groupId) === undefined ? 'not found' : 'is not a classic group'
    if (group === null && version >= 6) return { ...none, groupState: 'Dead', errorCode: errorCodeOf('GROUP_ID_NOT_FOUND'), errorMessage: `Group ${groupId} ${reason}.` }
    const operations = request.includeAuthorizedOperations ? { authorizedOperations: authorizedOperations(access, resourceType.group, groupId) } : {}
    if (group === null) return { ...none, groupState: 'Dead', errorCode: 0, ...operations }
    answer.admit(group.members.length)
    const members = group.members.map(member => ({
      memberId: member.memberId, groupInstanceId: member.groupInstanceId, clientId: member.clientId, clientHost: member.clientHost,
      memberMetadata: member.metadata, memberAssignment: member.assignment,
    }))
    return { errorCode: 0, groupId, groupState: group.phase, protocolType: group.protocolType, protocolData: group.protocol, members, ...operations }
  }),
})

export const deleteGroups: Handler<'DeleteGroups'> = async ({ broker }, request) => {
  const results = [...new Set(request.groupsNames)].map(async groupId => {
    const host = broker.groupHost(groupId)
    if (host === null) return { groupId, errorCode: errorCodeOf('NOT_COORDINATOR') }
    return { groupId, errorCode: await host.ask<number>((token, now) => host.coordinator.deleteGroup(groupId, token, now)) }
  })
  return { results: await Promise.all(results) }
}
