// ACLs: the book's decision against a specification that looks at every rule, one sentence of the documentation at a time.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AclBook, aclRecord, aclRemoval } from '../../../broker/kernel/acl-book.ts'
import { aclProblem, isAllowedBy, operation, patternType, permission, resourceType, type Acl } from '../../../broker/kernel/acl.ts'

const names = fc.constantFrom('a', 'ab', 'abc', 'b')
const operations = fc.constantFrom(operation.read, operation.write, operation.delete, operation.alter, operation.describe, operation.describeConfigs, operation.alterConfigs, operation.create)

const acls: fc.Arbitrary<Acl> = fc.record({
  resourceType: fc.constantFrom(resourceType.topic, resourceType.group),
  patternType: fc.constantFrom(patternType.literal, patternType.prefixed),
  resourceName: fc.oneof(names, fc.constant('*')),
  principal: fc.constantFrom('User:alice', 'User:bob', 'User:*'),
  host: fc.constantFrom('10.0.0.1', '*'),
  operation: fc.oneof(operations, fc.constant(operation.all)),
  permission: fc.constantFrom(permission.allow, permission.deny),
})

const questions = fc.record({
  type: fc.constantFrom(resourceType.topic, resourceType.group),
  name: names,
  principal: fc.constantFrom('User:alice', 'User:bob'),
  host: fc.constantFrom('10.0.0.1', '10.0.0.2'),
  operation: operations,
})

test('a decision is that of the specification', () => {
  fc.assert(
    fc.property(fc.array(acls, { maxLength: 12 }), questions, fc.boolean(), (rules, question, allowIfNone) => {
      expect(isAllowedBy(bookOf(rules).on(question.type, question.name), question, allowIfNone)).toBe(specified(rules, question, allowIfNone))
    }),
    { numRuns: 2000 },
  )
})

type Question = typeof questions extends fc.Arbitrary<infer T> ? T : never

function specified(rules: readonly Acl[], { type, name, principal, host, operation: asked }: Omit<Question, 'name'> & { readonly name: string }, allowIfNone: boolean): boolean {
  const onResource = rules.filter(rule => rule.resourceType === type).filter(rule =>
    rule.patternType === patternType.prefixed ? name.indexOf(rule.resourceName) === 0 : [name, '*'].includes(rule.resourceName))
  if (onResource.length === 0) return allowIfNone
  const forClient = onResource.filter(rule => ['User:*', principal].includes(rule.principal) && ['*', host].includes(rule.host))
  if (forClient.some(rule => rule.permission === permission.deny && [asked, operation.all].includes(rule.operation as never))) return false
  const enough: Readonly<Record<number, readonly number[]>> = {
    [operation.describe]: [operation.read, operation.write, operation.delete, operation.alter],
    [operation.describeConfigs]: [operation.alterConfigs],
  }
  return forClient.some(rule => rule.permission === permission.allow && [asked, operation.all, ...(enough[asked] ?? [])].includes(rule.operation))
}

test('rules that cannot be are told apart from those that can', () => {
  const good: Acl = { resourceType: resourceType.topic, patternType: patternType.literal, resourceName: 'a', principal: 'User:alice', host: '*', operation: operation.read, permission: permission.allow }
  expect(aclProblem(good)).toBeNull()
  const bad: readonly Partial<Acl>[] = [{ resourceType: 1 }, { patternType: patternType.match }, { resourceName: '' }, { principal: 'alice' }, { host: '' }, { operation: operation.any }, { permission: 1 }, { resourceType: resourceType.cluster }]
  for (const change of bad) expect(aclProblem({ ...good, ...change }), JSON.stringify(change)).not.toBeNull()
})

test('whether any resource is allowed is whether one of all that could be is', () => {
  fc.assert(
    fc.property(fc.array(acls, { maxLength: 8 }), questions, (rules, { type, ...question }) => {
      const book = bookOf(rules)
      // Names of patterns, longer ones, and one that nobody has thought of: whatever is allowed at all is allowed for one of them.
      const candidates = ['~', ...rules.flatMap(({ resourceName }) => [resourceName, `${resourceName}~`])].filter(name => name !== '*')
      const allowed = candidates.some(name => specified(rules, { type, ...question, name }, false))
      expect(book.allowsAnyOf(type, question)).toBe(allowed)
    }),
    { numRuns: 3000 },
  )
})

test('a filter finds the rules that its every part fits, and match those that touch a resource', () => {
  const filters = fc.record({
    resourceTypeFilter: fc.constantFrom(resourceType.any, resourceType.topic, resourceType.group),
    resourceNameFilter: fc.oneof(names, fc.constant('*'), fc.constant(null)),
    patternTypeFilter: fc.constantFrom(patternType.any, patternType.match, patternType.literal, patternType.prefixed),
    principalFilter: fc.constantFrom(null, 'User:alice', 'User:*'),
    hostFilter: fc.constantFrom(null, '*', '10.0.0.1'),
    operation: fc.oneof(operations, fc.constant(operation.any), fc.constant(operation.all)),
    permissionType: fc.constantFrom(permission.any, permission.allow, permission.deny),
  })
  fc.assert(
    fc.property(fc.uniqueArray(acls, { maxLength: 12, selector: rule => JSON.stringify(rule) }), filters, (rules, filter) => {
      const expected = rules.filter(rule => {
        const touches = rule.patternType === patternType.prefixed ? filter.resourceNameFilter?.startsWith(rule.resourceName) === true : [filter.resourceNameFilter, '*'].includes(rule.resourceName)
        const isNamed = filter.resourceNameFilter === null || (filter.patternTypeFilter === patternType.match ? touches : rule.resourceName === filter.resourceNameFilter)
        return isNamed
          && [1, 2, rule.patternType].includes(filter.patternTypeFilter) && [1, rule.resourceType].includes(filter.resourceTypeFilter)
          && [null, rule.principal].includes(filter.principalFilter) && [null, rule.host].includes(filter.hostFilter)
          && [1, rule.operation].includes(filter.operation) && [1, rule.permission].includes(filter.permissionType)
      })
      expect(new Set(bookOf(rules).found(filter))).toEqual(new Set(expected))
    }),
    { numRuns: 2000 },
  )
})

test('a rule that is taken away decides no more', () => {
  fc.assert(
    fc.property(fc.uniqueArray(acls, { maxLength: 10, selector: rule => JSON.stringify(rule) }), fc.nat(10), questions, (rules, count, question) => {
      const book = bookOf(rules)
      isAllowedBy(book.on(question.type, question.name), question, false)
      for (const rule of rules.slice(0, count)) {
        const { key, value } = aclRemoval(rule)
        book.replay(key, value)
      }
      expect(isAllowedBy(book.on(question.type, question.name), question, false)).toBe(specified(rules.slice(count), question, false))
    }),
    { numRuns: 1000 },
  )
})

function bookOf(rules: readonly Acl[]): AclBook {
  const book = new AclBook()
  for (const rule of rules) {
    const { key, value } = aclRecord(rule)
    book.replay(key, value)
  }
  return book
}
