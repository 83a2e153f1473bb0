// Laws of the task assignment: complete, even, the same on every leader, and sticky.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignTasks, decodeReport, encodeReport, taskName, type TaskId } from '../../runtime/assignment.ts'
import type { GroupMember } from '../../core/log-port.ts'

const tasks = fc.integer({ min: 0, max: 40 }).map(count => Array.from({ length: count }, (_, i): TaskId => ({ subtopology: i % 3, partition: Math.floor(i / 3) })))

const group = tasks.chain(all =>
  fc
    .array(fc.subarray(all.map(taskName)), { minLength: 1, maxLength: 8 })
    .map(holdings => ({ all, members: holdings.map((held, i): GroupMember => ({ memberId: `member-${i}`, topics: [], userData: encodeReport({ processId: `p${i}`, tasks: held }) })) })),
)

test('every task has exactly one member, and loads differ by one at most', () => {
  fc.assert(
    fc.property(group, ({ all, members }) => {
      const shares = assignTasks(all, members)
      expect([...shares.values()].flat().map(taskName).sort()).toEqual(all.map(taskName).sort())
      const loads = [...shares.values()].map(share => share.length)
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1)
    }),
  )
})

test('the order in which members are listed does not matter', () => {
  fc.assert(
    fc.property(group, ({ all, members }) => {
      expect(assignTasks(all, [...members].reverse())).toEqual(assignTasks(all, members))
    }),
  )
})

test('when members keep what they were given, nothing moves', () => {
  fc.assert(
    fc.property(group, ({ all, members }) => {
      const first = assignTasks(all, members)
      const settled = members.map(member => ({ ...member, userData: encodeReport({ processId: '', tasks: first.get(member.memberId)!.map(taskName) }) }))
      const second = assignTasks(all, settled)
      for (const [memberId, share] of first) expect(second.get(memberId)!.map(taskName).sort()).toEqual(share.map(taskName).sort())
    }),
  )
})

test('a member that leaves gives its tasks to the others; no other task moves further than evenness asks', () => {
  fc.assert(
    fc.property(group, ({ all, members }) => {
      fc.pre(members.length > 1)
      const before = assignTasks(all, members)
      const staying = members.slice(1).map(member => ({ ...member, userData: encodeReport({ processId: '', tasks: before.get(member.memberId)!.map(taskName) }) }))
      const after = assignTasks(all, staying)
      for (const { memberId } of staying) for (const task of before.get(memberId)!) expect(after.get(memberId)!.map(taskName)).toContain(taskName(task))
    }),
  )
})

test('a report is read back as it was written, and what is no report is an empty one', () => {
  expect(decodeReport(encodeReport({ processId: 'p', tasks: ['0_1'] }))).toEqual({ processId: 'p', tasks: ['0_1'] })
  for (const other of ['', 'nonsense', '[]', 'null', '{"version":9}']) expect(decodeReport(Buffer.from(other))).toEqual({ processId: '', tasks: [] })
})
