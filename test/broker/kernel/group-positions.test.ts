// The positions of groups, of very many at once: what one group asks must not cost what all others are doing.

import { expect, test } from 'vitest'
import { GroupPositions } from '../../../broker/kernel/group-positions.ts'
import type { GroupFact } from '../../../broker/kernel/group-records.ts'

type Position = GroupFact & { readonly kind: 'offset'; readonly value: object }

const groups = 50_000

const at = (group: number, offset: number, commitTimestamp = 0): Position => ({ kind: 'offset', groupId: `group-${group}`, topic: 't', partition: 0, value: { offset, leaderEpoch: -1, metadata: '', commitTimestamp } })

test('fifty thousand groups are looked at, and forgotten, while the positions of fifty thousand others are on their way to the log', () => {
  const positions = new GroupPositions()
  for (let i = 0; i < groups; i++) positions.learn(at(i, i), i)
  for (let i = 0; i < groups; i++) positions.writing([at(groups + i, i)], groups + i)
  let old = 0
  for (let i = 0; i < groups; i++) {
    const { facts, isAll } = positions.expired(`group-${i}`, 1)
    if (isAll) old += facts.length
    positions.writing(positions.removalOf(`group-${i}`), 2 * groups + i)
  }
  expect(old).toBe(groups)
})

test('a position that is being written is forgotten with its group, and no longer when it is written or lost', () => {
  const positions = new GroupPositions()
  positions.writing([at(1, 5)], 1)
  positions.writing([at(1, 6), at(2, 6)], 2)
  expect(positions.removalOf('group-1').length).toBe(2)
  expect(positions.expired('group-1', 1)).toEqual({ facts: [], isAll: false })
  positions.written(1)
  expect(positions.removalOf('group-1').length).toBe(1)
  positions.written(2)
  expect(positions.removalOf('group-1')).toEqual([])
  expect(positions.removalOf('group-2')).toEqual([])
})
