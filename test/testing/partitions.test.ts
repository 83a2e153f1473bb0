// The number of partitions changes who does the work, never the answer.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { serdes, StreamsBuilder, tumbling, type Topology } from 'millrace'
import { TopologyTestDriver } from 'millrace/testing'

const text = { key: serdes.string, value: serdes.string }

/** Counts, windows, a table regrouped and a join, each behind a repartition. */
function topology(): Topology {
  const builder = new StreamsBuilder({ defaults: text })
  const events = builder.stream('events', text)
  const byValue = events.groupBy((_, value) => value.slice(0, 1))
  byValue.count({ store: 'counts' })
  byValue.windowedBy(tumbling(10, { grace: 1_000_000 })).reduce((a, b) => (a > b ? a : b), { store: 'greatest' })
  const rows = builder.table('rows', text)
  rows.groupBy((key, value) => [value, key]).aggregate({
    initializer: () => '',
    adder: (_, key, all) => [...all.split(''), key].sort().join(''),
    subtractor: (_, key, all) => all.replace(key, ''),
    store: { name: 'holders', value: serdes.string },
  })
  events.selectKey((_, value) => value.slice(0, 1)).leftJoin(rows, (value, row) => `${value}/${row}`).groupByKey().reduce((_, last) => last, { store: 'joined' })
  return builder.build()
}

const letter = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
const input = fc.record({ topic: fc.constantFrom('events', 'rows'), key: letter, value: fc.tuple(letter, letter).map(pair => pair.join('')), advance: fc.nat(5), deletes: fc.boolean() })

test('stores hold the same, whatever the number of partitions, with and without holding updates back', () => {
  const built = topology()
  fc.assert(
    fc.property(fc.array(input, { maxLength: 60 }), fc.integer({ min: 2, max: 5 }), fc.boolean(), (inputs, partitions, holdUpdates) => {
      const drivers = [new TopologyTestDriver(built), new TopologyTestDriver(built, { partitions, holdUpdates })]
      for (const driver of drivers) {
        let timestamp = 0
        for (const { topic, key, value, advance, deletes } of inputs) {
          timestamp += advance
          driver.input(topic, text).send({ key, value: topic === 'events' ? value : deletes ? null : value.slice(0, 1), timestamp })
        }
      }
      for (const store of ['counts', 'greatest', 'holders', 'joined']) {
        const [one, many] = drivers.map(driver => driver.store(store).rows().map(({ key, value, timestamp }) => JSON.stringify([key, value, timestamp])).sort())
        expect(many).toEqual(one)
      }
    }),
    { numRuns: 60 },
  )
})
