// ACLs: the book's decision against a specification that looks at every rule, one sentence of the documentation at a time.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AclBook, aclRecord } from '../../../broker/kernel/acl-book.ts'
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
      const book = new AclBook()
      for (const rule of rules) {
        const { key, value } = aclRecord(rule)
        book.replay(key, value)
      }
      expect(isAllowedBy(book.on(question.type, question.name), question, allowIfNone)).toBe(specified(rules, question, allowIfNone))
    }),
    { numRuns: 2000 },
  )
})

type Question = typeof questions extends fc.Arbitrary<infer T> ? T : never

function specified(rules: readonly Acl[], { type, name, principal, host, operation: asked }: Question, allowIfNone: boolean): boolean {
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
