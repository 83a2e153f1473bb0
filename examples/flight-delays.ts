// Which airports and which hours send flights off late: flights joined with their airports, counted by airport, day and hour.

import { StreamsBuilder, serdes, tumbling } from 'millrace'
import { defineApplication } from 'millrace/runtime'

interface Flight {
  readonly date: string
  /** Minutes; negative is early. */
  readonly delay: number
}

interface Airport {
  readonly name: string
  readonly city: string
}

interface Delays {
  readonly airport: string
  readonly flights: number
  /** Flights 15 minutes late or more, which is when the US Department of Transportation calls a flight delayed. */
  readonly delayed: number
  readonly minutes: number
}

const sums = {
  initializer: (): Delays => ({ airport: '', flights: 0, delayed: 0, minutes: 0 }),
  aggregator: (_key: string, { airport, delay }: { airport: string; delay: number }, sum: Delays): Delays => ({
    airport,
    flights: sum.flights + 1,
    delayed: sum.delayed + (delay >= 15 ? 1 : 0),
    minutes: sum.minutes + delay,
  }),
}
const report = ({ airport, flights, delayed, minutes }: Delays) => ({ airport, flights, shareDelayed: delayed / flights, meanDelay: minutes / flights })

// Tasks replay history each at its own pace, and what they send on by hour meets again: the grace is as long as the history.
const grace = { days: 92 }
const json = serdes.json<Delays>()

const builder = new StreamsBuilder()
const airports = builder.table('airports', { key: serdes.string, value: serdes.json<Airport>() })
const delays = builder
  .stream('flights', { key: serdes.string, value: serdes.json<Flight>() })
  .join(airports, (flight, { name, city }) => ({ airport: `${name}, ${city}`, delay: flight.delay }))

delays.groupByKey()
  .aggregate({ ...sums, store: { name: 'by-airport', value: json } })
  .toStream()
  .mapValues(report)
  .to('delays-by-airport', { value: serdes.json() })

delays.groupByKey()
  .windowedBy(tumbling({ days: 1 }, { grace }))
  .aggregate({ ...sums, store: { name: 'by-day', value: json } })
  .toStream()
  .mapValues(report)
  .to('delays-by-day', { value: serdes.json() })

delays.mapValues(({ delay }) => ({ airport: 'all', delay }))
  .groupBy(() => 'all', { value: serdes.json() })
  .windowedBy(tumbling({ hours: 1 }, { grace }))
  .aggregate({ ...sums, store: { name: 'by-hour', value: json } })
  .toStream()
  .mapValues(report)
  .to('delays-by-hour', { value: serdes.json() })

export default defineApplication({
  topology: builder.build(),
  inputs: {
    airports: { file: 'data/airports.csv', key: 'iata', at: 0 },
    flights: { file: 'data/flights.ndjson', key: 'origin', timestamp: 'date' },
  },
})
