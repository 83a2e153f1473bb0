// CreateAcls, DescribeAcls, DeleteAcls: the rules that say who may do what.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { aclRecord, aclRemoval } from '../../kernel/acl-book.ts'
import { aclProblem, filterProblem, type Acl } from '../../kernel/acl.ts'
import type { MetadataRecord } from '../../kernel/catalogue.ts'
import type { Refusal } from '../../kernel/topic-config.ts'
import { hasAuthorizer } from '../security/access.ts'
import type { Handler } from './handler.ts'

type Creation = RequestOf<'CreateAcls'>['creations'][number]
type AnsweredFilter = ResponseInput<'DeleteAcls'>['filterResults'][number]
type AnsweredResource = ResponseInput<'DescribeAcls'>['resources'][number]

/** As many as Apache Kafka takes in one request. */
const maxChanges = 10_000

const disabled: Refusal = { error: 'SECURITY_DISABLED', message: 'No Authorizer is configured.' }
const tooMany: Refusal = { error: 'INVALID_REQUEST', message: `A request creates or deletes at most ${maxChanges} ACLs.` }

/** What is wrong is refused, the rest is created; a rule that is there already is none to create. */
export const createAcls: Handler<'CreateAcls'> = async ({ broker }, { creations }) => {
  const refused = !hasAuthorizer(broker.config) ? disabled : creations.length > maxChanges ? tooMany : null
  if (refused !== null) return { results: creations.map(() => codeAndMessage(refused)) }
  const acls = creations.map(aclOf)
  const problems = acls.map(aclProblem)
  await broker.write(acls.filter((acl, index) => problems[index] === null && !broker.catalogue.acls.has(acl)).map(aclRecord))
  return { results: problems.map(problem => codeAndMessage(problem === null ? null : { error: 'INVALID_REQUEST', message: problem })) }
}

function aclOf({ resourceType, resourceName, resourcePatternType: patternType, principal, host, operation, permissionType: permission }: Creation): Acl {
  return { resourceType, resourceName, patternType, principal, host, operation, permission }
}

export const describeAcls: Handler<'DescribeAcls'> = ({ broker, answer }, filter) => {
  const problem = filterProblem(filter)
  const refused: Refusal | null = !hasAuthorizer(broker.config) ? disabled : problem === null ? null : { error: 'INVALID_REQUEST', message: problem }
  if (refused !== null) return { ...codeAndMessage(refused), resources: [] }
  const found = broker.catalogue.acls.found(filter)
  answer.admit(found.length)
  const resources = new Map<string, { readonly acls: AnsweredResource['acls'][number][] } & Omit<AnsweredResource, 'acls'>>()
  for (const { resourceType, resourceName, patternType, principal, host, operation, permission: permissionType } of found) {
    const key = `${resourceType}/${patternType}/${resourceName}`
    const resource = resources.get(key) ?? { resourceType, resourceName, patternType, acls: [] }
    resources.set(key, resource)
    resource.acls.push({ principal, host, operation, permissionType })
  }
  return { errorCode: 0, errorMessage: null, resources: [...resources.values()] }
}

/** A rule that several filters find is named by each of them. */
export const deleteAcls: Handler<'DeleteAcls'> = async ({ broker, answer }, { filters }) => {
  if (!hasAuthorizer(broker.config)) return { filterResults: filters.map(() => ({ ...codeAndMessage(disabled), matchingAcls: [] })) }
  const removals = new Map<string, MetadataRecord>()
  const filterResults = filters.map((filter): AnsweredFilter => {
    const problem = filterProblem(filter)
    if (problem !== null) return { ...codeAndMessage({ error: 'INVALID_REQUEST', message: problem }), matchingAcls: [] }
    const found = broker.catalogue.acls.found(filter)
    answer.admit(found.length)
    if (removals.size + found.length > maxChanges) return { ...codeAndMessage(tooMany), matchingAcls: [] }
    for (const acl of found) removals.set(aclRemoval(acl).key, aclRemoval(acl))
    return { errorCode: 0, errorMessage: null, matchingAcls: found.map(({ permission, ...acl }) => ({ errorCode: 0, errorMessage: null, ...acl, permissionType: permission })) }
  })
  await broker.write([...removals.values()])
  return { filterResults }
}

function codeAndMessage(refused: Refusal | null): { readonly errorCode: number; readonly errorMessage: string | null } {
  return { errorCode: refused === null ? 0 : errorCodeOf(refused.error), errorMessage: refused?.message ?? null }
}
