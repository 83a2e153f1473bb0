// What the flights example must print, computed in plain loops over the files.

export interface Delays {
  readonly airport: string
  readonly flights: number
  readonly shareDelayed: number
  readonly meanDelay: number
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** By `ATL`, by `ATL@<start of day>`, and by `all@<start of hour>`. */
export function delaysOf(flights: string, airports: string): { readonly byAirport: ReadonlyMap<string, Delays>; readonly byDay: ReadonlyMap<string, Delays>; readonly byHour: ReadonlyMap<string, Delays> } {
  const names = airportNames(airports)
  const byAirport = new Map<string, number[]>()
  const byDay = new Map<string, number[]>()
  const byHour = new Map<string, number[]>()
  for (const line of flights.trim().split('\n')) {
    const { date, delay, origin } = JSON.parse(line) as { date: string; delay: number; origin: string }
    if (!names.has(origin)) continue
    const [year, month, day, hour] = date.split(/[/ :]/).map(Number) as [number, number, number, number]
    const midnight = daysBefore(year, month, day) * DAY_MS
    push(byAirport, origin, delay)
    push(byDay, `${origin}@${midnight}`, delay)
    push(byHour, `all@${midnight + hour * HOUR_MS}`, delay)
  }
  const nameOf = (key: string): string => names.get(key.split('@')[0]!)!
  return { byAirport: summed(byAirport, nameOf), byDay: summed(byDay, nameOf), byHour: summed(byHour, () => 'all') }
}

function airportNames(csv: string): Map<string, string> {
  const names = new Map<string, string>()
  for (const line of csv.trim().split(/\r?\n/).slice(1)) {
    const fields = [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(match => match[1] ?? match[2]!)
    names.set(fields[0]!, `${fields[1]}, ${fields[2]}`)
  }
  return names
}

/** Days from 1970 to a date of 2001. */
function daysBefore(year: number, month: number, day: number): number {
  const daysOfMonths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  if (year !== 2001) throw new Error(`the data is of 2001, not ${year}`)
  return 11_323 + daysOfMonths.slice(0, month - 1).reduce((sum, days) => sum + days, 0) + day - 1
}

function push(lists: Map<string, number[]>, key: string, delay: number): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [delay])
  else list.push(delay)
}

function summed(lists: ReadonlyMap<string, readonly number[]>, nameOf: (key: string) => string): Map<string, Delays> {
  return new Map(
    [...lists].map(([key, delays]) => [
      key,
      { airport: nameOf(key), flights: delays.length, shareDelayed: delays.filter(delay => delay >= 15).length / delays.length, meanDelay: delays.reduce((sum, delay) => sum + delay, 0) / delays.length },
    ]),
  )
}
