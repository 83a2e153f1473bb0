// Transactions of a partition against a specification that looks at the whole log, over restarts at any place.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PartitionTransactions, type TransactionalBatch } from '../../../broker/kernel/partition-transactions.ts'

type Step = Pick<TransactionalBatch, 'producerId' | 'marker'>

const steps = fc.array(fc.record({ producerId: fc.integer({ min: 1, max: 4 }), marker: fc.constantFrom(null, null, null, 'commit' as const, 'abort' as const) }), { maxLength: 40 })

interface Whole {
  readonly producerId: number
  readonly firstOffset: number
  readonly end: number
  readonly isAborted: boolean
}

/** Each batch is one offset. */
function transactionsOf(log: readonly Step[]): readonly Whole[] {
  return log.flatMap(({ producerId, marker }, firstOffset) => {
    const before = log.slice(0, firstOffset).findLast(other => other.producerId === producerId)
    if (marker !== null || (before !== undefined && before.marker === null)) return []
    const end = log.findIndex((other, offset) => offset > firstOffset && other.producerId === producerId && other.marker !== null)
    return [{ producerId, firstOffset, end: end < 0 ? Infinity : end, isAborted: log[end]?.marker === 'abort' }]
  })
}

function replay(transactions: PartitionTransactions, log: readonly Step[], from = 0): PartitionTransactions {
  for (let baseOffset = from; baseOffset < log.length; baseOffset++) transactions.replay({ ...log[baseOffset]!, baseOffset }, 1)
  return transactions
}

test('the first unstable offset and the aborted transactions are those of the whole log', () => {
  fc.assert(fc.property(steps, fc.nat(40), fc.nat(40), fc.nat(40), (log, acknowledged, one, other) => {
    const highWatermark = Math.min(acknowledged, log.length)
    const transactions = replay(new PartitionTransactions(), log)
    transactions.acknowledged(highWatermark)
    const whole = transactionsOf(log)
    expect(transactions.firstUnstableOffset).toBe(Math.min(Infinity, ...whole.filter(({ end }) => end >= highWatermark).map(({ firstOffset }) => firstOffset)))
    const [from, to] = [Math.min(one, other), Math.max(one, other)]
    const aborted = whole.filter(({ isAborted, firstOffset, end }) => isAborted && firstOffset < to && end >= from).sort((a, b) => a.end - b.end)
    expect(transactions.abortedWithin(from, to)).toEqual(aborted.map(({ producerId, firstOffset, end }) => ({ producerId, firstOffset, lastOffset: end })))
    const records = transactions.abortedRecords()
    for (const [offset, { producerId, marker }] of log.entries()) {
      const transaction = whole.find(other => other.producerId === producerId && other.firstOffset <= offset && offset <= other.end)
      if (marker === null) expect(records.has(producerId, offset)).toBe(transaction!.isAborted)
      else expect(records.isEndedAt(offset)).toBe(transaction !== undefined && marker === 'abort')
    }
    transactions.forgetAborted(from)
    expect(transactions.abortedWithin(0, Infinity)).toEqual(whole.filter(({ isAborted, end }) => isAborted && end >= from).sort((a, b) => a.end - b.end).map(({ producerId, firstOffset, end }) => ({ producerId, firstOffset, lastOffset: end })))
  }))
})

test('a start from a snapshot, with what lies behind it read again, is as if nothing had happened', () => {
  fc.assert(fc.property(steps, fc.nat(40), (log, place) => {
    const at = Math.min(place, log.length)
    const snapshot = replay(new PartitionTransactions(), log.slice(0, at)).snapshot()
    const restored = new PartitionTransactions()
    restored.restore(JSON.parse(JSON.stringify(snapshot)) as never)
    expect(restored.snapshot()).toEqual(snapshot)
    const never = replay(new PartitionTransactions(), log)
    never.acknowledged(at)
    replay(restored, log, at)
    expect(restored.snapshot()).toEqual(never.snapshot())
    expect(restored.firstUnstableOffset).toBe(never.firstUnstableOffset)
    expect(restored.abortedWithin(0, 100)).toEqual(never.abortedWithin(0, 100))
  }))
})

test('a transaction that began before one that was aborted earlier is found with it and without it', () => {
  const log: readonly Step[] = [{ producerId: 1, marker: null }, { producerId: 2, marker: null }, { producerId: 2, marker: 'abort' }, { producerId: 1, marker: 'abort' }, { producerId: 3, marker: null }, { producerId: 3, marker: 'abort' }]
  const transactions = replay(new PartitionTransactions(), log)
  const found = (from: number, to: number): readonly number[] => transactions.abortedWithin(from, to).map(({ producerId }) => producerId)
  expect([found(0, 1), found(0, 2), found(3, 4), found(0, 5), found(4, 5), found(5, 6)]).toEqual([[1], [2, 1], [1], [2, 1, 3], [3], [3]])
})
