// What the client of one session may do: everything, or what the access rules (ACLs) of the broker give its principal.

import type { AclBook } from '../../kernel/acl-book.ts'
import { clusterName, isAllowedBy, operation, operationsOf, resourceType } from '../../kernel/acl.ts'
import type { BrokerConfig } from '../../kernel/broker-config.ts'
import type { Denial } from './denial-log.ts'

/** The only one there is; Kafka's class of that name. */
export const authorizerClass = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

export interface Access {
  /** Nothing needs to be asked. */
  readonly isUnlimited: boolean
  allows(operation: number, type: number, name: string): boolean
  /** Whether some resource of the type is allowed, though nobody says which. */
  allowsAny(operation: number, type: number): boolean
}

export const unlimited: Access = { isUnlimited: true, allows: () => true, allowsAny: () => true }

export function hasAuthorizer(config: BrokerConfig): boolean {
  return config.text('authorizer.class.name') !== ''
}

/** Rules are looked up at each question: what is changed holds at once, for connections that are open, too. */
export function accessOf(config: BrokerConfig, acls: AclBook, { principal, host, onDenied }: Client): Access {
  if (!hasAuthorizer(config) || superUsers(config).includes(principal)) return unlimited
  const allowIfNone = config.flag('allow.everyone.if.no.acl.found')
  const isAllowed = (asked: number, type: number, name: string): boolean => isAllowedBy(acls.on(type, name), { principal, host, operation: asked }, allowIfNone)
  const noted = (allowed: boolean, asked: number, type: number, resourceName: string): boolean => {
    if (!allowed) onDenied({ principal, host, operation: asked, resourceType: type, resourceName })
    return allowed
  }
  return {
    isUnlimited: false,
    allows: (asked, type, name) => noted(isAllowed(asked, type, name), asked, type, name),
    allowsAny: (asked, type) => noted(isAllowed(asked, type, nobodysName) || acls.allowsAnyOf(type, { principal, host, operation: asked }), asked, type, '*'),
  }
}

export interface Client {
  readonly principal: string
  readonly host: string
  /** Hears of each question that is answered with no. */
  readonly onDenied: (denial: Denial) => void
}

/** Rules that give this give everything of its type. */
const nobodysName = '\0'

/** Semicolons stand between them, for the name on a certificate has commas. */
function superUsers(config: BrokerConfig): readonly string[] {
  return config.text('super.users').split(';').map(name => name.trim())
}

export function allowsCluster(access: Access, asked: number): boolean {
  return access.allows(asked, resourceType.cluster, clusterName)
}

export function allowsTopic(access: Access, asked: number, name: string): boolean {
  return access.allows(asked, resourceType.topic, name)
}

export function allowsGroup(access: Access, asked: number, groupId: string): boolean {
  return access.allows(asked, resourceType.group, groupId)
}

/** As bits, numbered by operation: what a client is told that it may do. */
export function authorizedOperations(access: Access, type: number, name: string): number {
  return operationsOf(type).reduce((bits, asked) => (access.allows(asked, type, name) ? bits | 1 << asked : bits), 0)
}

/** Nothing for who may not see the cluster. */
export function clusterOperations(access: Access): number {
  return allowsCluster(access, operation.describe) ? authorizedOperations(access, resourceType.cluster, clusterName) : 0
}
