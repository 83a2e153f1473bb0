// What a task's state does with its disk: what it refuses, what it mixes, what it removes, and what an interrupted restore leaves.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serdes } from '../../core/serde.ts'
import type { ByteMap } from '../../state/byte-map.ts'
import { openLevelByteMap } from '../../state/level-byte-map.ts'
import { MemoryByteMap } from '../../state/memory-byte-map.ts'
import { StateBudget } from '../../state/state-budget.ts'
import { openTaskState, openTaskStateOn } from '../../state/task-state.ts'
import type { Checkpoint } from '../../state/store.ts'
import { asKeyValue, asWindow, keyValueDescription, recordingSink, recordsOf, windowDescription } from './state-fixtures.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-state-disk-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

describe('a state on disk', () => {
  it('refuses another layout of a store, another format, another owner', async () => {
    const at = join(directory, 'state')
    const state = await openTaskState({ directory: at, stores: [keyValueDescription('a')] })
    await expect(openTaskState({ directory: at, stores: [keyValueDescription('a')] })).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    await state.close()
    await expect(openTaskState({ directory: at, stores: [keyValueDescription('a', { timestamped: false })] })).rejects.toMatchObject({ code: 'STATE_STORE_CHANGED' })
    const map = await openLevelByteMap(at)
    const batch = map.batch()
    batch.put(Buffer.from('\0\0format'), Buffer.from('99'))
    await batch.write()
    await map.close()
    await expect(openTaskState({ directory: at, stores: [keyValueDescription('a')] })).rejects.toMatchObject({ code: 'STATE_FORMAT' })
  })

  it('keeps each store to itself, also when stores come and go', async () => {
    const at = join(directory, 'state')
    const first = await openTaskState({ directory: at, stores: [keyValueDescription('a'), windowDescription('w', { sizeMs: 10, retentionMs: 100 })] })
    asKeyValue(first, 'a').put('k', 1, 1)
    asWindow(first, 'w').write(asWindow(first, 'w').row('k', 50), 2, 2)
    await commit(first, { a: 1, w: 1 })
    await first.close()
    const second = await openTaskState({ directory: at, stores: [keyValueDescription('b'), windowDescription('w', { sizeMs: 10, retentionMs: 100 })] })
    expect([...asKeyValue(second, 'b').range(null, null)]).toEqual([])
    expect([...asWindow(second, 'w').fetchAll(0, 100)].map(row => [row.key, row.start, row.value])).toEqual([['k', 50, 2]])
    expect(() => second.store('a')).toThrow(/no store "a"/)
    await second.close()
    const third = await openTaskState({ directory: at, stores: [keyValueDescription('a')] })
    expect(asKeyValue(third, 'a').get('k')).toBe(1)
    await third.close()
  })

  it('puts rows of a store without changelog on disk with every commit, those of others when it must', async () => {
    const map = new MemoryByteMap()
    const stores = [keyValueDescription('logged'), keyValueDescription('unlogged', { logged: false }), keyValueDescription('memory', { medium: 'memory' })]
    const state = await openTaskStateOn(map, { stores, budget: new StateBudget() })
    const changelog = recordingSink()
    for (const { name } of stores) asKeyValue(state, name).put('k', 1, 1)
    state.flush(changelog.sink)
    await state.commit(checkpointOf({ logged: 1, memory: 1 }))
    expect(changelog.records.map(record => record.text)).toEqual(['logged k=int64:1@1', 'memory k=int64:1@1'])
    const killed = await openTaskStateOn(map, { stores, budget: new StateBudget() })
    expect(stores.map(({ name }) => asKeyValue(killed, name).get('k'))).toEqual([null, 1, null])
    expect([...killed.checkpoint.changelogOffsets]).toEqual([])
    expect([...killed.checkpoint.clocks]).toEqual([['time', 7]])
    await state.close()
    const closed = await openTaskStateOn(map, { stores, budget: new StateBudget() })
    expect(stores.map(({ name }) => asKeyValue(closed, name).get('k'))).toEqual([1, 1, null])
    expect([...closed.checkpoint.changelogOffsets]).toEqual([['logged', 1]])
  })

  it('does not write at the end what no commit has confirmed', async () => {
    const map = new MemoryByteMap()
    const stores = [keyValueDescription('a')]
    const state = await openTaskStateOn(map, { stores, budget: new StateBudget() })
    asKeyValue(state, 'a').put('k', 1, 1)
    await commit(state, { a: 1 })
    asKeyValue(state, 'a').put('k', 2, 2)
    state.flush(() => {})
    await state.close()
    const again = await openTaskStateOn(map, { stores, budget: new StateBudget() })
    expect([asKeyValue(again, 'a').get('k'), again.checkpoint.changelogOffsets.get('a')]).toEqual([null, undefined])
  })

  it('starts over where a first restore did not come to its end', async () => {
    const map = new MemoryByteMap()
    const stores = [keyValueDescription('a')]
    const records = (from: number, to: number) => recordsOf(Array.from({ length: to - from }, (_, i) => ({ key: Buffer.from(`k${from + i}`), value: Buffer.from(serdes.int64.serialize(from + i)), timestamp: 1 })))
    const state = await openTaskStateOn(map, { stores, budget: new StateBudget(), runBytes: 200 })
    for (let i = 0; i < 50; i += 5) state.restore('a', records(i, i + 5))
    await state.restoreSettled()
    expect(await rowsOf(map)).toBeGreaterThan(30)
    const again = await openTaskStateOn(map, { stores, budget: new StateBudget(), runBytes: 200 })
    expect([...asKeyValue(again, 'a').range(null, null)]).toEqual([])
    expect(await rowsOf(map)).toBe(0)
    for (let i = 0; i < 50; i += 5) again.restore('a', records(i, i + 5))
    again.restore('a', recordsOf([{ key: Buffer.from('k0'), value: null, timestamp: 2 }]))
    await again.commitRestored(checkpointOf({ a: 51 }))
    expect([...asKeyValue(again, 'a').range(null, null)]).toHaveLength(49)
    expect(asKeyValue(again, 'a').row('new').value).toBeNull()
  })

  it('removes expired windows from disk, a bounded number with each commit', async () => {
    const map = new MemoryByteMap()
    const stores = [windowDescription('w', { sizeMs: 10, retentionMs: 100 })]
    const state = await openTaskStateOn(map, { stores, budget: new StateBudget(1) })
    const store = asWindow(state, 'w')
    for (let start = 0; start <= 1000; start += 10) {
      for (const key of ['a', 'b']) store.write(store.row(key, start), start, start)
      await commit(state, { w: start })
    }
    expect(await rowsOf(map)).toBe(2 * 10 + 10) // rows, and an entry for each start
    expect(store.approximateCount()).toBe(20)
    await state.close()
  })
})

describe('a large store', () => {
  it('ranges over 100,000 rows, most of them on disk, while it is written', async () => {
    const state = await openTaskState({ directory: join(directory, 'state'), stores: [keyValueDescription('a', { value: serdes.string })], budget: new StateBudget(2_000_000) })
    const store = asKeyValue(state, 'a')
    const keyOf = (i: number): string => `key-${String(i).padStart(6, '0')}`
    for (let i = 0; i < 100_000; i++) {
      store.put(keyOf(i), `value-${i}`, i)
      if (i % 10_000 === 9999) await commit(state, { a: i })
    }
    for (let i = 0; i < 100_000; i += 1000) store.put(keyOf(i), null, 0)
    store.put('key-0500005', 'between', 1)
    let seen = 0
    for (const row of store.range(null, null)) {
      if (seen % 1000 === 500) store.write(row, 'changed', 5)
      if (seen % 20_000 === 0) expect([...store.range(keyOf(seen + 1), keyOf(seen + 3))]).toHaveLength(3)
      seen++
    }
    expect(seen).toBe(99_901)
    expect(store.get(keyOf(501))).toBe('changed')
    expect([...store.range(keyOf(99_998), null, 'descending')].map(row => row.key)).toEqual([keyOf(99_999), keyOf(99_998)])
    expect(store.approximateCount()).toBeGreaterThan(99_000)
    await state.close()
  })
})

async function commit(state: Awaited<ReturnType<typeof openTaskState>>, offsets: Readonly<Record<string, number>>): Promise<void> {
  state.flush(() => {})
  await state.commit(checkpointOf(offsets))
}

function checkpointOf(offsets: Readonly<Record<string, number>>): Checkpoint {
  return { changelogOffsets: new Map(Object.entries(offsets)), clocks: new Map([['time', 7]]) }
}

/** Entries of all stores. */
async function rowsOf(map: ByteMap): Promise<number> {
  let rows = 0
  for await (const entry of map.scan({ from: Buffer.of(0, 1), to: Buffer.of(255, 255) })) rows += entry.key.length > 0 ? 1 : 0
  return rows
}
