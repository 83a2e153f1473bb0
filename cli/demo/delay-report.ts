// Gathers the results of the flights example as they come, and lays them out: the busiest airports, the worst hours and days.

import { toDate } from 'date-fns/toDate'
import type { OutputTarget } from '../output/output-target.ts'
import { grouped, textTable, type Column } from '../terminal/text-table.ts'

interface Report {
  readonly airport: string
  readonly flights: number
  readonly shareDelayed: number
  readonly meanDelay: number
}

const AIRPORTS = 15
const WORST = 5
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export class DelayReport {
  readonly byAirport: TableTarget<string> = new TableTarget()
  readonly byHour: TableTarget<{ readonly window: { readonly start: number } }> = new TableTarget()

  lines(bold: (text: string) => string): string[] {
    const airports = [...this.byAirport.rows.values()].map(({ value }) => value).sort((a, b) => b.flights - a.flights || (a.airport < b.airport ? -1 : 1))
    const hours = [...this.byHour.rows.values()].map(({ key, value }) => ({ start: key.window.start, value }))
    const flights = airports.reduce((sum, airport) => sum + airport.flights, 0)
    const hoursOfDay = summed(hours, start => `${String((start % DAY_MS) / HOUR_MS).padStart(2, '0')}:00`)
    const days = summed(hours, start => toDate(start).toISOString().slice(0, 10))
    return [
      bold(`Departures of ${grouped(flights)} flights from ${airports.length} airports, busiest first (delayed: 15 minutes or more)`),
      ...table('airport', airports.slice(0, AIRPORTS).map(report => [report.airport, report])),
      '',
      bold('The worst hours of the day'),
      ...table('from', worst(hoursOfDay)),
      '',
      bold('The worst days'),
      ...table('date', worst(days)),
    ]
  }
}

/** Keeps the last value of every key. */
class TableTarget<K> implements OutputTarget {
  readonly rows: Map<string, { readonly key: K; readonly value: Report }> = new Map()
  readonly bytes = 0
  readonly closed = false

  write(text: string): Promise<void> {
    for (const line of text.split('\n')) {
      if (line === '') continue
      const { key, value } = JSON.parse(line) as { key: K; value: Report }
      this.rows.set(JSON.stringify(key), { key, value })
    }
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** Windows put together by a name of their start, each counted by its flights. */
function summed(hours: readonly { readonly start: number; readonly value: Report }[], nameOf: (start: number) => string): [string, Report][] {
  const sums = new Map<string, Report>()
  for (const { start, value } of hours) {
    const name = nameOf(start)
    const sum = sums.get(name) ?? { airport: name, flights: 0, shareDelayed: 0, meanDelay: 0 }
    const flights = sum.flights + value.flights
    const mean = (before: number, now: number): number => (before * sum.flights + now * value.flights) / flights
    sums.set(name, { airport: name, flights, shareDelayed: mean(sum.shareDelayed, value.shareDelayed), meanDelay: mean(sum.meanDelay, value.meanDelay) })
  }
  return [...sums]
}

/** Of those with enough flights to mean something. */
function worst(rows: readonly [string, Report][]): [string, Report][] {
  const most = Math.max(...rows.map(([, { flights }]) => flights))
  return rows
    .filter(([, { flights }]) => flights >= most / 10)
    .sort(([, a], [, b]) => b.meanDelay - a.meanDelay)
    .slice(0, WORST)
}

function table(first: string, rows: readonly (readonly [string, Report])[]): string[] {
  const columns: Column[] = [{ title: first }, { title: 'flights', right: true }, { title: 'delayed', right: true }, { title: 'mean delay', right: true }]
  const cells = rows.map(([name, { flights, shareDelayed, meanDelay }]) => [name, grouped(flights), `${Math.round(shareDelayed * 100)} %`, `${meanDelay.toFixed(1)} min`])
  return textTable(columns, cells).map(line => `  ${line}`)
}
