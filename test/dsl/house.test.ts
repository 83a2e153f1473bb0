// The example of the README builds, and becomes the topology that it says.

import { expect, test } from 'vitest'
import { StreamsBuilder, serdes } from '../../dsl/index.ts'

test('word count becomes two subtopologies with a repartition between them', () => {
  const builder = new StreamsBuilder()
  builder.stream('sentences', { key: serdes.string, value: serdes.string })
    .flatMapValues(sentence => sentence.toLowerCase().match(/\w+/g) ?? [])
    .groupBy((_, word) => word)
    .count({ store: 'counts' })
    .toStream()
    .to('word-counts', { value: serdes.int64 })
  const topology = builder.build()

  expect(topology.nodes.map(node => [node.kind, node.name])).toEqual([
    ['source', 'sentences'],
    ['flat-map-values', 'sentences.flatMapValues'],
    ['select-key', 'sentences.flatMapValues.groupBy'],
    ['repartition-sink', 'counts-repartition-sink'],
    ['repartition-source', 'counts-repartition-source'],
    ['aggregate', 'sentences.flatMapValues.groupBy.count'],
    ['table-to-stream', 'sentences.flatMapValues.groupBy.count.toStream'],
    ['sink', 'sentences.flatMapValues.groupBy.count.toStream.to'],
  ])
  expect(topology.subtopologies.map(part => [part.sourceTopics, part.repartitionSources, part.stores])).toEqual([
    [['sentences'], [], []],
    [[], ['counts'], ['counts']],
  ])
  expect(topology.nodes.every(node => node.site?.startsWith('test/dsl/house.test.ts:'))).toBe(true)
})
