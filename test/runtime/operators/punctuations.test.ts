// Punctuations: when each is due, what is missed, and who comes first.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Punctuations } from '../../../runtime/operators/punctuations.ts'

test('a call is due at its first time, then at multiples of the interval from it; missed ones collapse', () => {
  const punctuations = new Punctuations()
  const calls: number[] = []
  punctuations.add(5, 10, time => calls.push(time))
  for (const time of [4, 5, 14, 15, 16, 48, 54, 55]) punctuations.run(time)
  expect(calls).toEqual([5, 15, 48, 55])
  expect(punctuations.nextDue).toBe(65)
})

test('one that is cancelled runs no more, even by itself', () => {
  const punctuations = new Punctuations()
  const calls: string[] = []
  const self = punctuations.add(0, 10, () => {
    calls.push('self')
    self.cancel()
  })
  const other = punctuations.add(20, 10, () => calls.push('other'))
  punctuations.run(10)
  other.cancel()
  expect(punctuations.run(100)).toBe(false)
  expect(calls).toEqual(['self'])
  expect(punctuations.nextDue).toBe(Infinity)
})

test('one may be added while others run', () => {
  const punctuations = new Punctuations()
  const calls: string[] = []
  punctuations.add(0, 100, () => {
    calls.push('first')
    if (calls.length === 1) punctuations.add(0, 100, () => calls.push('second'))
  })
  punctuations.run(0)
  expect(calls).toEqual(['first', 'second'])
})

test('of many, none runs before its time, twice at one time, or after one that is due later', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 20 })), { maxLength: 20 }), fc.array(fc.nat(30), { maxLength: 20 }), (timers, steps) => {
      const punctuations = new Punctuations()
      const due = timers.map(([first]) => first)
      let round: number[] = []
      timers.forEach(([, interval], index) => punctuations.add(due[index]!, interval, time => {
        round.push(due[index]!)
        expect(due[index]).toBeLessThanOrEqual(time)
        while (due[index]! <= time) due[index]! += interval
      }))
      let now = 0
      for (const step of steps) {
        now += step
        round = []
        punctuations.run(now)
        expect(round).toEqual([...round].sort((a, b) => a - b))
        expect(punctuations.nextDue).toBe(Math.min(Infinity, ...due))
        expect(punctuations.nextDue).toBeGreaterThan(now)
      }
    }),
  )
})
