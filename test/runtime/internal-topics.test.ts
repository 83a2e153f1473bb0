// How many partitions the application's own topics get: what the user says, else what they are joined with, else what feeds them.

import { expect, test } from 'vitest'
import { serdes, StreamsBuilder } from '../../dsl/index.ts'
import { partitionCounts, taskCount } from '../../runtime/internal-topics.ts'

const text = { key: serdes.string, value: serdes.string }

function grouped(builder: StreamsBuilder, topic: string, store: string): void {
  builder.stream(topic, text).groupBy((_, value) => value, text).count({ store })
}

test('a repartition topic has as many partitions as what its writers read', () => {
  const builder = new StreamsBuilder()
  grouped(builder, 'small', 'a')
  grouped(builder, 'large', 'b')
  const counts = partitionCounts(builder.build(), new Map([['small', 2], ['large', 7]]))
  expect([counts.get('a'), counts.get('b')]).toEqual([2, 7])
})

test('one behind another takes the count of the first', () => {
  const builder = new StreamsBuilder()
  builder
    .stream('in', text)
    .repartition({ name: 'first', partitions: 5, ...text })
    .selectKey((_, value) => value)
    .repartition({ name: 'second', ...text })
    .to('out', text)
  const topology = builder.build()
  const counts = partitionCounts(topology, new Map([['in', 3]]))
  expect(counts.get('second')).toBe(5)
  expect(topology.subtopologies.map(subtopology => taskCount(subtopology, counts))).toEqual([3, 5, 5])
})

test('a stream that is rekeyed for a join gets the count of the table', () => {
  const builder = new StreamsBuilder()
  const table = builder.table('rows', text)
  builder
    .stream('in', text)
    .selectKey((_, value) => value)
    .join(table, (left, right) => left + right, { name: 'joined', ...text })
    .to('out', text)
  const topology = builder.build()
  expect(partitionCounts(topology, new Map([['in', 2], ['rows', 6]])).get(topology.repartitions[0]!.name)).toBe(6)
})

test('topics that are joined as they are must have equally many', () => {
  const builder = new StreamsBuilder()
  const table = builder.table('rows', text)
  builder.stream('in', text).join(table, (left, right) => left + right).to('out', text)
  const topology = builder.build()
  expect(() => partitionCounts(topology, new Map([['in', 2], ['rows', 3]]))).toThrow(/partitions.*repartition/)
})
