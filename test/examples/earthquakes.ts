// What the earthquakes example must print, computed in a plain loop over the file.

export interface Quakes {
  readonly quakes: number
  readonly strongest: string
  readonly mag: number
}

const WINDOW_MS = 6 * 3_600_000
const GRACE_MS = 4 * 86_400_000

/** By `2 to 3@<start of window>`, and how many came too late. */
export function quakesOf(feed: string): { readonly byStrength: ReadonlyMap<string, Quakes>; readonly dropped: number } {
  const found = new Map<string, Quakes>()
  let newest = -1
  let dropped = 0
  for (const line of feed.trim().split('\n')) {
    const { time, mag, place } = JSON.parse(line) as { time: number; mag: number | null; place: string }
    newest = Math.max(newest, time)
    const start = time - (time % WINDOW_MS)
    if (start + WINDOW_MS + GRACE_MS <= newest) {
      dropped++
      continue
    }
    const key = `${strengthOf(mag)}@${start}`
    const before = found.get(key) ?? { quakes: 0, strongest: '', mag: -10 }
    const stronger = mag !== null && mag > before.mag
    found.set(key, { quakes: before.quakes + 1, strongest: stronger ? place : before.strongest, mag: stronger ? mag : before.mag })
  }
  return { byStrength: found, dropped }
}

function strengthOf(mag: number | null): string {
  if (mag === null) return 'unknown'
  if (mag < 1) return 'below 1'
  const floor = Math.floor(mag)
  return `${floor} to ${floor + 1}`
}
