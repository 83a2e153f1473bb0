// All access rules of a broker: found by resource, changed by replaying records of the metadata log.

import type { Json } from '../log/checkpoint.ts'
import { concerns, covers, filterFinds, patternMatches, patternType, permission, type Acl, type AclFilter, type AclQuestion } from './acl.ts'

const prefix = 'acl/'

export class AclBook {
  readonly #acls = new Map<string, Acl>()
  /** By type and name of literal patterns, and of prefixed ones. */
  readonly #literal = new Map<string, Acl[]>()
  readonly #prefixed = new Map<string, Acl[]>()
  /** How long the names of prefixed patterns are. */
  #prefixLengths: readonly number[] = []
  /** The index is made when somebody asks. */
  #isStale = false

  get size(): number {
    return this.#acls.size
  }

  has(acl: Acl): boolean {
    return this.#acls.has(aclKey(acl))
  }

  /** The rules whose pattern matches a resource. */
  on(resourceType: number, resourceName: string): readonly Acl[] {
    if (this.#isStale) this.#index()
    const found = [...(this.#literal.get(place(resourceType, resourceName)) ?? [])]
    if (resourceName !== '*') found.push(...(this.#literal.get(place(resourceType, '*')) ?? []))
    for (const length of this.#prefixLengths) {
      if (length > resourceName.length) break
      found.push(...(this.#prefixed.get(place(resourceType, resourceName.slice(0, length))) ?? []))
    }
    return found
  }

  found(filter: AclFilter): readonly Acl[] {
    return [...this.#acls.values()].filter(acl => filterFinds(filter, acl))
  }

  /** Whether some resource of the type, though nobody may know which, is allowed. */
  allowsAnyOf(resourceType: number, question: AclQuestion): boolean {
    const ours = [...this.#acls.values()].filter(acl => acl.resourceType === resourceType && concerns(acl, question) && covers(acl, question.operation))
    const denials = ours.filter(acl => acl.permission === permission.deny)
    return ours.some(acl => acl.permission === permission.allow && !denials.some(denial => dominates(denial, acl)))
  }

  /** True if the record is about rules. */
  replay(key: string, value: Json): boolean {
    if (!key.startsWith(prefix)) return false
    if (value === null) this.#acls.delete(key)
    else this.#acls.set(key, value as unknown as Acl)
    this.#isStale = true
    return true
  }

  /** Rules are few and change seldom. */
  #index(): void {
    this.#isStale = false
    this.#literal.clear()
    this.#prefixed.clear()
    const lengths = new Set<number>()
    for (const acl of this.#acls.values()) {
      const isPrefixed = acl.patternType === patternType.prefixed
      const map = isPrefixed ? this.#prefixed : this.#literal
      const key = place(acl.resourceType, acl.resourceName)
      const list = map.get(key)
      if (list === undefined) map.set(key, [acl])
      else list.push(acl)
      if (isPrefixed) lengths.add(acl.resourceName.length)
    }
    this.#prefixLengths = [...lengths].sort((a, b) => a - b)
  }
}

export function aclRecord(acl: Acl): { readonly key: string; readonly value: Json } {
  return { key: aclKey(acl), value: { ...acl } }
}

export function aclRemoval(acl: Acl): { readonly key: string; readonly value: Json } {
  return { key: aclKey(acl), value: null }
}

function aclKey(acl: Acl): string {
  return prefix + JSON.stringify([acl.resourceType, acl.patternType, acl.resourceName, acl.principal, acl.host, acl.operation, acl.permission])
}

function place(resourceType: number, name: string): string {
  return `${resourceType}/${name}`
}

/** Whether a denial takes all that another rule gives. */
function dominates(denial: Acl, acl: Acl): boolean {
  if (denial.patternType === patternType.literal && denial.resourceName === '*') return true
  const isForAll = acl.patternType === patternType.literal && acl.resourceName === '*'
  if (denial.patternType === patternType.prefixed) return !isForAll && acl.resourceName.startsWith(denial.resourceName)
  return acl.patternType === patternType.literal && patternMatches(denial, acl.resourceName)
}
