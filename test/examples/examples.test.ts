// Each example prints what a plain loop over its file finds; run again, it has nothing left to do.

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

const data = (name: string): string => readFileSync(new URL(`../../examples/data/${name}`, import.meta.url), 'utf8')

/** The last value of each key of a topic; windowed keys as `key@start`. */
function table(lines: readonly Line[], topic: string): ReadonlyMap<string, unknown> {
  const nameOf = (key: unknown): string => (typeof key === 'string' ? key : `${(key as { key: string }).key}@${(key as { window: { start: number } }).window.start}`)
  return new Map(lines.filter(line => line.topic === topic).map(line => [nameOf(line.key), line.value]))
}

const sorted = (map: ReadonlyMap<string, unknown>): [string, unknown][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

async function run(example: string, directory: string): Promise<{ readonly lines: readonly Line[]; readonly stderr: string }> {
  const { status, stdout, stderr } = await millrace(['run', `examples/${example}.ts`, '--data', directory, '--until-idle'])
  expect(status, stderr).toBe(0)
  return { lines: parseLines<Line>(stdout), stderr }
}

test('word-count', async () => {
  const directory = temporaryDirectory()
  const { lines } = await run('word-count', directory)
  expect(sorted(table(lines, 'word-counts'))).toEqual(sorted(countWords(data('mill.txt'))))
  expect((await run('word-count', directory)).lines).toEqual([])
})

test('flight-delays', async () => {
  const directory = temporaryDirectory()
  const { lines } = await run('flight-delays', directory)
  const expected = delaysOf(data('flights.ndjson'), data('airports.csv'))
  expect(sorted(table(lines, 'delays-by-airport'))).toEqual(sorted(expected.byAirport))
  expect(sorted(table(lines, 'delays-by-day'))).toEqual(sorted(expected.byDay))
  expect(sorted(table(lines, 'delays-by-hour'))).toEqual(sorted(expected.byHour))
  expect((await run('flight-delays', directory)).lines).toEqual([])
})

test('earthquakes', async () => {
  const directory = temporaryDirectory()
  const { lines, stderr } = await run('earthquakes', directory)
  const { byStrength, dropped } = quakesOf(data('earthquakes.ndjson'))
  expect(sorted(table(lines, 'quakes-by-strength'))).toEqual(sorted(byStrength))
  expect(dropped).toBeGreaterThan(0)
  expect(stderr).toContain(`${dropped} dropped`)
  expect((await run('earthquakes', directory)).lines).toEqual([])
})
