// A topology described: text as a Kafka user knows it, mermaid, and JSON that depends on nothing but the topology.

import { expect, test } from 'vitest'
import { describe } from '../../core/topology/describe.ts'
import { StreamsBuilder, keyValueStore, serdes, tumbling, type Topology } from '../../dsl/index.ts'

const text = { key: serdes.string, value: serdes.string }

function flights(): Topology {
  const builder = new StreamsBuilder()
  const named = builder.stream('flights', text)
    .selectKey((_, flight) => flight)
    .join(builder.table('airports', text), (flight, airport) => flight + airport)
    .leftJoin(builder.globalTable('regions', text), (flight, region) => flight + String(region), { on: key => key })
  named.groupByKey().windowedBy(tumbling({ hours: 1 })).count({ store: 'hourly' }).toStream().to('hourly-counts')
  named.process(() => ({ process() {} }), { stores: [keyValueStore('seen', text)], name: 'dedup' }).to(key => key, text)
  return builder.build()
}

test('text', () => {
  expect(describe(flights(), 'text')).toBe(`Topologies:
   Sub-topology: 0
    Source: flights (topics: [flights])
      --> flights.selectKey
    Processor: flights.selectKey (selectKey)
      --> flights.selectKey-repartition-sink
      <-- flights
    Sink: flights.selectKey-repartition-sink (topic: flights.selectKey-repartition)
      <-- flights.selectKey

   Sub-topology: 1
    Source: airports (topics: [airports])
      --> airports.table
    Processor: airports.table (table, stores: [airports.table])
      --> none
      <-- airports
    Source: flights.selectKey-repartition-source (topics: [flights.selectKey-repartition])
      --> flights.selectKey.join-airports
    Processor: flights.selectKey.join-airports (join, table: airports.table)
      --> flights.selectKey.join-airports.leftJoin-regions
      <-- flights.selectKey-repartition-source
    Processor: flights.selectKey.join-airports.leftJoin-regions (leftJoin, global store: regions.globalTable)
      --> flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count, dedup
      <-- flights.selectKey.join-airports
    Processor: flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count (count, stores: [hourly])
      --> flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count.toStream
      <-- flights.selectKey.join-airports.leftJoin-regions
    Processor: flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count.toStream (toStream)
      --> flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count.toStream.to
      <-- flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count
    Sink: flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count.toStream.to (topic: hourly-counts)
      <-- flights.selectKey.join-airports.leftJoin-regions.groupByKey.windowedBy-1h.count.toStream
    Processor: dedup (process, stores: [seen])
      --> flights.selectKey.join-airports.leftJoin-regions.process.to
      <-- flights.selectKey.join-airports.leftJoin-regions
    Sink: flights.selectKey.join-airports.leftJoin-regions.process.to (topic chosen for each record)
      <-- dedup

   Global table: regions.globalTable (topic: regions, store: regions.globalTable)

Stores:
   airports.table (key-value, string -> string, level)
   hourly (window of 3600000 ms kept for 3600000 ms, string -> int64, level)
   seen (key-value, string -> string, level)

Internal topics:
   flights.selectKey-repartition (string -> string)
   airports.table-changelog (string -> string)
   hourly-changelog (string -> int64)
   seen-changelog (string -> string)
`)
})

test('mermaid', () => {
  const builder = new StreamsBuilder({ defaults: text })
  builder.stream('in').groupByKey().count({ store: 'counts' }).toStream().to('out')
  expect(describe(builder.build(), 'mermaid')).toBe(`flowchart TD
  subgraph sub0["Sub-topology 0"]
    node0["<b>stream</b><br/>in"]
    node1["<b>count</b><br/>in.groupByKey.count"]
    node2["<b>toStream</b><br/>in.groupByKey.count.toStream"]
    node3["<b>to</b><br/>in.groupByKey.count.toStream.to"]
    store0[("counts")]
  end
  topic0 --> node0
  node0 --> node1
  node1 --- store0
  node1 --> node2
  node2 --> node3
  node3 --> topic1
  topic0>"in"]
  topic1>"out"]
`)
})

test('JSON holds the whole topology, without functions and lines of the script', () => {
  const json = describe(flights(), 'json')
  expect(describe(flights(), 'json')).toBe(json)
  const data = JSON.parse(json) as { subtopologies: { nodes: { name: string }[] }[] }
  expect(data.subtopologies.flatMap(part => part.nodes.map(node => node.name)).sort()).toEqual(flights().nodes.map(node => node.name).sort())
  expect(data).toMatchObject({
    subtopologies: [
      { id: 0, sourceTopics: ['flights'], nodes: [{ name: 'flights', kind: 'source', operator: 'stream', parents: [], serdes: { key: 'string', value: 'string' } }, {}, {}] },
      { id: 1, stores: ['airports.table', 'hourly', 'seen'], copartitioned: [['flights.selectKey', 'airports']] },
    ],
    repartitions: [{ name: 'flights.selectKey', partitions: null }],
    globals: [{ name: 'regions.globalTable', topic: 'regions' }],
  })
  expect(json).not.toContain('describe.test.ts')
})
