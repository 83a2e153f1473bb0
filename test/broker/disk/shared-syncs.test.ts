// Syncs are shared: however many ask while one is under way, one more is enough for all of them, and none is told of a sync that began before it asked.

import { expect, test } from 'vitest'
import { SharedSyncs } from '../../../broker/disk/shared-syncs.ts'

interface Begun {
  readonly path: string
  readonly end: (error?: Error) => void
}

function gated(): { readonly syncs: SharedSyncs; readonly begun: Begun[] } {
  const begun: Begun[] = []
  const syncs = new SharedSyncs(path => new Promise((resolve, reject) => begun.push({ path, end: error => (error === undefined ? resolve() : reject(error)) })))
  return { syncs, begun }
}

test('who asks while one is under way shares the next', async () => {
  const { syncs, begun } = gated()
  const told: string[] = []
  const ask = (name: string): Promise<void> => syncs.sync('a').then(() => void told.push(name))
  const all = [ask('first'), ask('second'), ask('third')]
  expect(begun).toHaveLength(1)
  begun[0]!.end()
  await all[0]
  expect(told).toEqual(['first'])
  expect(begun).toHaveLength(2)
  all.push(ask('fourth'))
  begun[1]!.end()
  await all[2]
  expect(told).toEqual(['first', 'second', 'third'])
  begun[2]!.end()
  await all[3]
  expect(begun).toHaveLength(3)
})

test('two places wait for each other no more than those who come one after the other', async () => {
  const { syncs, begun } = gated()
  const both = [syncs.sync('a'), syncs.sync('b')]
  expect(begun.map(({ path }) => path)).toEqual(['a', 'b'])
  for (const { end } of begun) end()
  await Promise.all(both)
  const again = syncs.sync('a')
  expect(begun).toHaveLength(3)
  begun[2]!.end()
  await again
})

test('one that fails fails for those who wait behind it, and for nobody who asks later', async () => {
  const { syncs, begun } = gated()
  const failing = [syncs.sync('a'), syncs.sync('a')]
  begun[0]!.end(new Error('lost a page'))
  for (const { status } of await Promise.allSettled(failing)) expect(status).toBe('rejected')
  const later = syncs.sync('a')
  begun[1]!.end()
  await later
  expect(begun).toHaveLength(2)
})
