// The law of the examples, wherever their log is: each prints what a plain loop over its file finds, and run again has nothing left to do.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { millrace, parseLines, temporaryDirectory } from '../cli/command.ts'
import { quakesOf } from './earthquakes.ts'
import { delaysOf } from './flight-delays.ts'
import { countWords } from './word-count.ts'

interface Line {
  readonly topic: string
  readonly key: unknown
  readonly value: unknown
}

/** `place` gives the options that say where the log is; the examples share nothing but it. */
export function examplesAreRight(place: () => readonly string[]): void {
  test('word-count', async () => {
    const run = runner('word-count', place())
    const { lines } = await run()
    expect(sorted(table(lines, 'word-counts'))).toEqual(sorted(countWords(data('mill.txt'))))
    expect((await run()).lines).toEqual([])
  })

  test('flight-delays', async () => {
    const run = runner('flight-delays', place())
    const { lines } = await run()
    const expected = delaysOf(data('flights.ndjson'), data('airports.csv'))
    expect(sorted(table(lines, 'delays-by-airport'))).toEqual(sorted(expected.byAirport))
    expect(sorted(table(lines, 'delays-by-day'))).toEqual(sorted(expected.byDay))
    expect(sorted(table(lines, 'delays-by-hour'))).toEqual(sorted(expected.byHour))
    expect((await run()).lines).toEqual([])
  })

  test('earthquakes', async () => {
    const run = runner('earthquakes', place())
    const { lines, stderr } = await run()
    const { byStrength, dropped } = quakesOf(data('earthquakes.ndjson'))
    expect(sorted(table(lines, 'quakes-by-strength'))).toEqual(sorted(byStrength))
    expect(dropped).toBeGreaterThan(0)
    expect(stderr).toContain(`${dropped} dropped`)
    expect((await run()).lines).toEqual([])
  })
}

function runner(example: string, place: readonly string[]): () => Promise<{ readonly lines: readonly Line[]; readonly stderr: string }> {
  const directory = temporaryDirectory()
  return async () => {
    const { status, stdout, stderr } = await millrace(['run', `examples/${example}.ts`, '--data', directory, '--until-idle', ...place])
    expect(status, stderr).toBe(0)
    return { lines: parseLines<Line>(stdout), stderr }
  }
}

/** The last value of each key of a topic; windowed keys as `key@start`. */
function table(lines: readonly Line[], topic: string): ReadonlyMap<string, unknown> {
  const nameOf = (key: unknown): string => (typeof key === 'string' ? key : `${(key as { key: string }).key}@${(key as { window: { start: number } }).window.start}`)
  return new Map(lines.filter(line => line.topic === topic).map(line => [nameOf(line.key), line.value]))
}

function sorted(map: ReadonlyMap<string, unknown>): [string, unknown][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

function data(name: string): string {
  return readFileSync(new URL(`../../examples/data/${name}`, import.meta.url), 'utf8')
}
