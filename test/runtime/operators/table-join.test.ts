// Joins of tables: each kind, step by step, over many partitions, and read by a stream.

import { expect, test } from 'vitest'
import { serdes, StreamsBuilder, type KTable } from 'millrace'
import { TopologyTestDriver } from 'millrace/testing'

const text = { key: serdes.string, value: serdes.string }
type Joined = (left: KTable<string, string>, right: KTable<string, string>) => KTable<string, string>
const pair = (left: string | null, right: string | null): string => `${left ?? '-'}${right ?? '-'}`

/** Rows that come out for: left 1, right a, left 2, left gone, right b, right gone. */
const kinds: readonly (readonly [string, Joined, readonly (string | null)[]])[] = [
  ['inner', (left, right) => left.join(right, pair), ['1a', '2a', null]],
  ['left', (left, right) => left.leftJoin(right, pair), ['1-', '1a', '2a', null]],
  ['outer', (left, right) => left.outerJoin(right, pair), ['1-', '1a', '2a', '-a', '-b', null]],
]

test.each(kinds)('%s', (_, join, expected) => {
  const builder = new StreamsBuilder()
  join(builder.table('left', text), builder.table('right', text)).toStream().to('out', text)
  using driver = new TopologyTestDriver(builder, { partitions: 4 })
  const [left, right] = [driver.input('left', text), driver.input('right', text)]
  for (const key of ['a', 'b', 'c', 'd', 'e']) {
    left.send({ key, value: '1' })
    right.send({ key, value: 'a' })
    left.send({ key, value: '2' })
    left.send({ key, value: null })
    right.send({ key, value: 'b' })
    right.send({ key, value: null })
    expect(driver.output('out', text).readAll().map(({ value }) => value)).toEqual(expected)
  }
})

test('a result that is not kept is joined anew when a stream looks it up; one that is kept is read', () => {
  const builder = new StreamsBuilder({ defaults: text })
  const [left, right] = [builder.table<string, string>('left'), builder.table<string, string>('right')]
  const stream = builder.stream<string, string>('in')
  stream.join(left.leftJoin(right, pair), (_, row) => row).to('computed')
  stream.join(left.leftJoin(right, pair, { store: 'kept' }), (_, row) => row).to('read')
  using driver = new TopologyTestDriver(builder)
  driver.input('left').send({ key: 'k', value: '1', timestamp: 5 })
  driver.input('in').send({ key: 'k', value: 'v' })
  driver.input('right').send({ key: 'k', value: 'a', timestamp: 3 })
  driver.input('in').send({ key: 'k', value: 'v' })
  expect(driver.output('computed', text).readValues()).toEqual(['1-', '1a'])
  expect(driver.output('read', text).readValues()).toEqual(['1-', '1a'])
  expect(driver.store('kept').rows()).toMatchObject([{ key: 'k', value: '1a', timestamp: 5 }])
})

test('both sides must have equally many partitions', () => {
  const builder = new StreamsBuilder({ defaults: text })
  builder.table<string, string>('left').join(builder.table<string, string>('right'), pair).toStream().to('out')
  expect(() => new TopologyTestDriver(builder, { partitions: { left: 2, right: 3 } })).toThrow(/left has 2 partitions and right has 3/)
})
