// A run of writes gives the last of each key in byte order; the filter of keys never forgets one.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BloomFilter } from '../../state/bloom-filter.ts'
import { SortedRun } from '../../state/sorted-run.ts'

describe('sorted run', () => {
  it('agrees with a sorted map, whatever the keys have in common', () => {
    const byte = fc.constantFrom(0, 1, 97, 255)
    const key = fc.oneof(fc.array(byte, { maxLength: 3 }), fc.array(byte, { minLength: 8, maxLength: 14 }), fc.array(fc.constant(97), { maxLength: 12 }))
    const prefix = fc.constantFrom('', 'common-', 'a much longer common prefix')
    fc.assert(
      fc.property(prefix, fc.array(fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 40 }))), { maxLength: 80 }), (common, writes) => {
        const run = new SortedRun(1 << 20)
        const model = new Map<string, string | null>()
        for (const [rest, value] of writes) {
          const bytes = Buffer.concat([Buffer.from(common), Buffer.from(rest)])
          run.add(bytes, value)
          model.set(bytes.toString('latin1'), value === null ? null : Buffer.from(value).toString('hex'))
        }
        const order = run.sorted()
        const emitted: [string, string | null][] = []
        for (let at = 0; at < order.length; ) at = run.emit(order, at, 7, (at, value) => void emitted.push([at.toString('latin1'), value === null ? null : value.toString('hex')]))
        expect(emitted).toEqual([...model].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)))
      }),
    )
  })

  it('is full when it holds its bytes', () => {
    const run = new SortedRun(1000)
    expect(run.full).toBe(false)
    run.add(Buffer.from('key'), Buffer.alloc(1000))
    expect(run.full).toBe(true)
    const taken: number[] = []
    run.emit(run.sorted(), 0, 1, (_, value) => void taken.push(value!.length))
    expect(taken).toEqual([1000])
  })
})

describe('filter of keys', () => {
  it('knows every key it was given and few others, also when it has grown', () => {
    const filter = new BloomFilter()
    const keyOf = (i: number): Buffer => Buffer.from(`key-${i}`)
    let fresh = 0
    for (let i = 0; i < 200_000; i++) if (filter.add(keyOf(i))) fresh++
    for (let i = 0; i < 200_000; i++) if (!filter.mayHold(keyOf(i))) throw new Error(`key ${i} is forgotten`)
    let wrong = 0
    for (let i = 200_000; i < 300_000; i++) if (filter.mayHold(keyOf(i))) wrong++
    expect(wrong).toBeLessThan(8_000)
    expect(fresh).toBeGreaterThan(190_000)
    expect(filter.bytes).toBeLessThan(1_000_000)
  })
})
