// What access rules mean: whom a rule concerns, what it covers, which filter finds it, and what all rules on a resource decide. Kafka's numbers.

export const resourceType = { any: 1, topic: 2, group: 3, cluster: 4, transactionalId: 5, delegationToken: 6, user: 7 } as const
export const patternType = { any: 1, match: 2, literal: 3, prefixed: 4 } as const
export const operation = {
  any: 1, all: 2, read: 3, write: 4, create: 5, delete: 6, alter: 7, describe: 8, clusterAction: 9,
  describeConfigs: 10, alterConfigs: 11, idempotentWrite: 12, createTokens: 13, describeTokens: 14, twoPhaseCommit: 15,
} as const
export const permission = { any: 1, deny: 2, allow: 3 } as const

/** The one resource of type cluster. */
export const clusterName = 'kafka-cluster'
const anyPrincipal = 'User:*'
export const anonymous = 'User:ANONYMOUS'

export interface Acl {
  readonly resourceType: number
  /** Literal or prefixed. */
  readonly patternType: number
  /** `*` stands for all where the pattern is literal. */
  readonly resourceName: string
  /** `User:name`; `User:*` for everybody. */
  readonly principal: string
  /** An address; `*` for all. */
  readonly host: string
  readonly operation: number
  readonly permission: number
}

export interface AclQuestion {
  readonly principal: string
  readonly host: string
  readonly operation: number
}

/** What a rule that allows one of these allows, too. */
const implied: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  [operation.describe, new Set<number>([operation.read, operation.write, operation.delete, operation.alter])],
  [operation.describeConfigs, new Set<number>([operation.alterConfigs])],
])

/**
 * Decides by the rules whose pattern matches the resource, in any order: one that denies is stronger than all that allow.
 * `allowIfNone` is for a resource that no rule mentions.
 */
export function isAllowedBy(acls: readonly Acl[], question: AclQuestion, allowIfNone: boolean): boolean {
  if (acls.length === 0) return allowIfNone
  let allowed = false
  for (const acl of acls) {
    if (!concerns(acl, question) || !covers(acl, question.operation)) continue
    if (acl.permission === permission.deny) return false
    allowed = true
  }
  return allowed
}

export function concerns(acl: Acl, { principal, host }: Omit<AclQuestion, 'operation'>): boolean {
  return (acl.principal === principal || acl.principal === anyPrincipal) && (acl.host === host || acl.host === '*')
}

/** Only what is allowed is implied, never what is denied. */
export function covers(acl: Acl, asked: number): boolean {
  if (acl.operation === asked || acl.operation === operation.all) return true
  return acl.permission === permission.allow && implied.get(asked)?.has(acl.operation) === true
}

export function patternMatches(acl: Acl, resourceName: string): boolean {
  if (acl.patternType === patternType.prefixed) return resourceName.startsWith(acl.resourceName)
  return acl.resourceName === resourceName || acl.resourceName === '*'
}

export interface AclFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

export function filterFinds(filter: AclFilter, acl: Acl): boolean {
  return (filter.resourceTypeFilter === resourceType.any || filter.resourceTypeFilter === acl.resourceType)
    && filterFindsPattern(filter, acl)
    && (filter.principalFilter === null || filter.principalFilter === acl.principal)
    && (filter.hostFilter === null || filter.hostFilter === acl.host)
    && (filter.operation === operation.any || filter.operation === acl.operation)
    && (filter.permissionType === permission.any || filter.permissionType === acl.permission)
}

/** `match` finds all rules that touch the named resource; the others find rules of that very name. */
function filterFindsPattern({ patternTypeFilter, resourceNameFilter }: AclFilter, acl: Acl): boolean {
  if (patternTypeFilter !== patternType.any && patternTypeFilter !== patternType.match && patternTypeFilter !== acl.patternType) return false
  if (resourceNameFilter === null) return true
  return patternTypeFilter === patternType.match ? patternMatches(acl, resourceNameFilter) : acl.resourceName === resourceNameFilter
}

/** What is wrong with a filter, as a sentence; null if nothing. */
export function filterProblem({ resourceTypeFilter, patternTypeFilter, operation: asked, permissionType }: AclFilter): string | null {
  if (resourceTypeFilter < resourceType.any || resourceTypeFilter > resourceType.user || patternTypeFilter < patternType.any || patternTypeFilter > patternType.prefixed) return 'Unknown patternFilter.'
  return asked < operation.any || asked > operation.twoPhaseCommit || permissionType < permission.any || permissionType > permission.allow ? 'Unknown entryFilter.' : null
}

/** Why there cannot be such a rule, as a sentence; null if there can. */
export function aclProblem(acl: Acl): string | null {
  if (acl.resourceType < resourceType.topic || acl.resourceType > resourceType.user) return `Invalid resourceType ${acl.resourceType}`
  if (acl.patternType !== patternType.literal && acl.patternType !== patternType.prefixed) return `Invalid patternType ${acl.patternType}`
  if (acl.resourceName === '') return 'Resource name should not be empty'
  if (acl.resourceType === resourceType.cluster && acl.resourceName !== clusterName) return `The only valid name for the CLUSTER resource is ${clusterName}`
  if (acl.operation < operation.all || acl.operation > operation.twoPhaseCommit) return `Invalid operation ${acl.operation}`
  if (acl.permission !== permission.allow && acl.permission !== permission.deny) return `Invalid permissionType ${acl.permission}`
  if (!acl.principal.includes(':')) return `Could not parse principal from \`${acl.principal}\` (no colon is present separating the principal type from the principal name)`
  return acl.host === '' ? 'The host is empty; * stands for all.' : null
}

const { read, write, create, alter, describe, clusterAction, describeConfigs, alterConfigs, idempotentWrite, createTokens, describeTokens, twoPhaseCommit } = operation

const operationsOn: ReadonlyMap<number, readonly number[]> = new Map([
  [resourceType.topic, [read, write, create, describe, operation.delete, alter, describeConfigs, alterConfigs]],
  [resourceType.group, [read, describe, operation.delete, describeConfigs, alterConfigs]],
  [resourceType.cluster, [create, clusterAction, describeConfigs, alterConfigs, idempotentWrite, alter, describe]],
  [resourceType.transactionalId, [describe, write, twoPhaseCommit]],
  [resourceType.delegationToken, [describe]],
  [resourceType.user, [createTokens, describeTokens]],
])

/** What can be done to a resource of a type. */
export function operationsOf(type: number): readonly number[] {
  return operationsOn.get(type) ?? []
}
