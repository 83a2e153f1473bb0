// Idempotence against a specification: a producer that retries at random, over restarts and cuts, puts every batch into the log once and in order.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProducerState, type ProducedBatch } from '../../../broker/kernel/producer-state.ts'

const batch = (baseSequence: number, count = 1, producerEpoch = 0): ProducedBatch => ({ producerId: 5, producerEpoch, baseSequence, lastSequence: baseSequence + count - 1 })

test.each([
  ['the first batch of an unknown producer', [], batch(0), 'append'],
  ['any sequence of a producer that is unknown', [], batch(7), 'append'],
  ['the next batch', [batch(0, 3)], batch(3), 'append'],
  ['the same batch again', [batch(0, 3)], batch(0, 3), 'duplicate'],
  ['the oldest of five', [batch(0), batch(1), batch(2), batch(3), batch(4)], batch(0), 'duplicate'],
  ['one older than five', [batch(0), batch(1), batch(2), batch(3), batch(4), batch(5)], batch(0), 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['a gap', [batch(0, 3)], batch(4), 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['a part of a batch', [batch(0, 3)], batch(1, 2), 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['a batch that begins as one before and ends elsewhere', [batch(0, 3)], batch(0, 2), 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['a new epoch from 0', [batch(0, 3)], batch(0, 1, 1), 'append'],
  ['a new epoch from elsewhere', [batch(0, 3)], batch(3, 1, 1), 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
  ['an old epoch', [batch(0, 3, 2)], batch(3, 1, 1), 'INVALID_PRODUCER_EPOCH'],
  ['a sequence that wraps', [batch(2147483640, 8)], batch(0), 'append'],
  ['a batch without a producer', [batch(0)], { producerId: -1, producerEpoch: -1, baseSequence: -1, lastSequence: -1 }, 'append'],
] as const)('%s', (_, before, next, verdict) => {
  const state = new ProducerState()
  before.forEach((appended, offset) => state.replay(appended, offset, 0, 0))
  const answer = state.check(next)
  expect(answer.kind === 'refuse' ? answer.error : answer.kind).toBe(verdict)
})

type Event = { readonly send: number } | 'lose an answer' | 'restart' | 'expire others'

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ send: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 1, arbitrary: fc.constantFrom('lose an answer' as const, 'restart' as const, 'expire others' as const) },
)

test('a producer with five batches under way that sends again whatever it is unsure of', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80, size: 'max' }), events => {
      let state = new ProducerState()
      const log: number[] = []
      /** Sequences sent and not known to be acknowledged, oldest first. */
      let underWay: number[] = []
      let next = 0
      for (const event of events) {
        if (event === 'restart') {
          const restored = new ProducerState()
          restored.restore(JSON.parse(JSON.stringify(state.snapshot())) as never)
          state = restored
          continue
        }
        if (event === 'expire others') {
          state.expire(-1)
          continue
        }
        if (event === 'lose an answer') continue
        if (underWay.length < 5) underWay.push(next++)
        // One of those under way arrives, out of turn perhaps.
        const sequence = underWay[event.send % underWay.length]!
        const verdict = state.check(batch(sequence))
        if (verdict.kind === 'append') {
          expect(sequence).toBe(log.length)
          state.replay(batch(sequence), log.length, 0, 0)
          log.push(sequence)
        } else if (verdict.kind === 'duplicate') {
          expect(log[verdict.baseOffset]).toBe(sequence)
          underWay = underWay.filter(other => other !== sequence)
        } else {
          expect(sequence > log.length || sequence < log.length - 5).toBe(true)
        }
      }
      expect(log).toEqual(log.map((_, index) => index))
    }),
    { numRuns: 300 },
  )
})

test('those that were silent for too long are forgotten, whoever wrote in between', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ producerId: fc.nat(9), afterMs: fc.nat(90_000), restarts: fc.boolean() }), { maxLength: 60 }), fc.nat(2_000_000), (events, before) => {
      let state = new ProducerState()
      const seen = new Map<number, number>()
      let now = 0
      for (const [offset, { producerId, afterMs, restarts }] of events.entries()) {
        now += afterMs
        if (restarts) {
          const restored = new ProducerState()
          restored.restore(state.snapshot())
          state = restored
        }
        state.replay({ ...batch(offset), producerId }, offset, 0, now)
        seen.set(producerId, now)
      }
      state.expire(before, id => id === 3)
      const left = [...seen].filter(([id, at]) => at >= before || id === 3).map(([id]) => id)
      expect(new Set([...state.all()].map(({ producerId }) => producerId))).toEqual(new Set(left))
    }),
  )
})

test('no more than 100,000 are remembered: the one that was silent for longest is forgotten', () => {
  const state = new ProducerState()
  state.replay({ ...batch(0), producerId: 0 }, 0, 0, 0)
  state.replay({ ...batch(0), producerId: 1 }, 0, 0, 0)
  state.replay({ ...batch(1), producerId: 0 }, 1, 0, 100_000)
  for (let producerId = 2; producerId <= 100_000; producerId++) state.replay({ ...batch(0), producerId }, 0, 0, 100_000)
  expect([state.size, state.epochOf(0), state.epochOf(1)]).toEqual([100_000, 0, -1])
})
