// Circles of imports are found, and only circles.

import { expect, test } from 'vitest'
import { circles } from '../../tools/circles.ts'

const graph = (arrows: Record<string, string[]>): ReadonlyMap<string, ReadonlySet<string>> => new Map(Object.entries(arrows).map(([from, to]) => [from, new Set(to)]))

test.each([
  [{ a: ['b'], b: ['c'], c: [] }, []],
  [{ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }, []],
  [{ a: ['a'] }, [['a', 'a']]],
  [{ a: ['b'], b: ['c'], c: ['b'] }, [['b', 'c', 'b']]],
])('%j', (arrows, found) => {
  expect(circles(graph(arrows))).toEqual(found)
})
