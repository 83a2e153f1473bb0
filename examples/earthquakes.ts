// Earthquakes by strength and quarter day, from a feed that begins with the newest: event time runs backwards, and what is too late is dropped.

import { StreamsBuilder, serdes, tumbling } from 'millrace'
import { defineApplication } from 'millrace/runtime'

interface Earthquake {
  /** Milliseconds since 1970. */
  readonly time: number
  readonly mag: number | null
  readonly place: string
}

const builder = new StreamsBuilder()

builder
  .stream('earthquakes', { key: serdes.string, value: serdes.json<Earthquake>(), timestamp: ({ value }) => value.time })
  .groupBy((_, { mag }) => (mag === null ? 'unknown' : mag < 1 ? 'below 1' : `${Math.floor(mag)} to ${Math.floor(mag) + 1}`))
  // A window takes records until stream time, which the newest record has set, is four days past its end.
  .windowedBy(tumbling({ hours: 6 }, { grace: { days: 4 } }))
  .aggregate({
    initializer: () => ({ quakes: 0, strongest: '', mag: -10 }),
    aggregator: (_, { mag, place }, sum) => ({
      quakes: sum.quakes + 1,
      strongest: (mag ?? -10) > sum.mag ? place : sum.strongest,
      mag: Math.max(mag ?? -10, sum.mag),
    }),
    store: { name: 'quakes', value: serdes.json() },
  })
  .toStream()
  .to('quakes-by-strength', { value: serdes.json() })

export default defineApplication({
  topology: builder.build(),
  // One partition keeps the order of the feed, and with it which records are late.
  defaultPartitions: 1,
  inputs: { earthquakes: { file: 'data/earthquakes.ndjson', key: 'id', timestamp: 'time' } },
})
