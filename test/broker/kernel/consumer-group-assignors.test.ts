// The assignors of consumer groups on random members and topics: everything to one subscriber, evenly, and nothing moves without a reason.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignors, type AssignorMember } from '../../../broker/kernel/consumer-group-assignors.ts'
import { noPartitions, partitionCount, samePartitions, type TopicPartitions } from '../../../broker/kernel/topic-partitions.ts'

const topicIds = ['t0', 't1', 't2', 't3']
const partitions: fc.Arbitrary<ReadonlyMap<string, number>> = fc.tuple(...topicIds.map(() => fc.nat(7))).map(counts => new Map(topicIds.map((topicId, index) => [topicId, counts[index]!])))

function membersOf(subscription: fc.Arbitrary<readonly string[]>): fc.Arbitrary<readonly AssignorMember[]> {
  return fc.array(subscription, { maxLength: 6, size: 'max' }).map(all => all.map((topics, index) => ({ memberId: `m${index}`, instanceId: null, topicIds: new Set(topics), target: noPartitions })))
}

const anyMembers = membersOf(fc.subarray(topicIds))
const alikeMembers = membersOf(fc.constant(topicIds))

test.each([...assignors])('%s gives every partition of a topic with subscribers to one of them, and those of others to nobody', (_, assign) => {
  fc.assert(fc.property(anyMembers, partitions, (members, counts) => {
    const shares = assign(members, counts)
    const taken: string[] = []
    for (const { memberId, topicIds: wanted } of members) {
      for (const [topicId, mine] of shares.get(memberId) ?? noPartitions) {
        expect(wanted.has(topicId)).toBe(true)
        for (const partition of mine) taken.push(`${topicId}/${partition}`)
      }
    }
    const all = [...counts].filter(([topicId]) => members.some(member => member.topicIds.has(topicId))).flatMap(([topicId, count]) => Array.from({ length: count }, (__, index) => `${topicId}/${index}`))
    expect(taken.toSorted()).toEqual(all.toSorted())
  }))
})

test('uniform is even where all want the same, and what it gave stays where it is', () => {
  fc.assert(fc.property(alikeMembers, partitions, (members, counts) => {
    const assign = assignors.get('uniform')!
    const shares = assign(members, counts)
    const loads = [...shares.values()].map(partitionCount)
    if (loads.length > 0) expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
    const again = assign(members.map(member => ({ ...member, target: shares.get(member.memberId)! })), counts)
    for (const [memberId, share] of shares) expect(samePartitions(again.get(memberId)!, share)).toBe(true)
  }))
})

test('uniform moves no more than it must when a member comes', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), partitions, (count, counts) => {
    const assign = assignors.get('uniform')!
    const member = (index: number, target: TopicPartitions = noPartitions): AssignorMember => ({ memberId: `m${index}`, instanceId: null, topicIds: new Set(topicIds), target })
    const before = assign(Array.from({ length: count }, (_, index) => member(index)), counts)
    const after = assign([...Array.from({ length: count }, (_, index) => member(index, before.get(`m${index}`))), member(count)], counts)
    const kept = [...before].reduce((sum, [memberId, had]) => sum + sharedCount(had, after.get(memberId)!), 0)
    const total = [...counts.values()].reduce((sum, n) => sum + n, 0)
    expect(total - kept).toBe(partitionCount(after.get(`m${count}`)!))
  }))
})

function sharedCount(a: TopicPartitions, b: TopicPartitions): number {
  let count = 0
  for (const [topicId, partitions] of a) for (const partition of partitions) if (b.get(topicId)?.has(partition)) count++
  return count
}
