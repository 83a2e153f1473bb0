// A task's state in memory: rows, order, retention, what a flush says and what a restore brings back.

import { describe, expect, it } from 'vitest'
import { serdes } from '../../core/serde.ts'
import { memoryTaskState } from '../../state/memory-task-state.ts'
import { keyValueDescription, recordingSink, recordsOf, windowDescription, asKeyValue, asWindow } from './state-fixtures.ts'

describe('key-value store in memory', () => {
  it('gives rows in the order of their bytes and says each change once', () => {
    const state = memoryTaskState([keyValueDescription('counts')])
    const store = asKeyValue(state, 'counts')
    for (const key of ['b', 'é', 'a', 'B', 'b']) store.write(store.row(key), ((store.get(key) as number | null) ?? 0) + 1, 7)
    expect([...store.range(null, null)].map(row => [row.key, row.value])).toEqual([['B', 1], ['a', 1], ['b', 2], ['é', 1]])
    expect([...store.range('a', 'b', 'descending')].map(row => row.key)).toEqual(['b', 'a'])
    expect([...store.range('b', 'a')]).toEqual([])
    const changelog = recordingSink()
    state.flush(changelog.sink)
    expect(changelog.records.map(record => record.text)).toEqual(['counts b=int64:2@7', 'counts é=int64:1@7', 'counts a=int64:1@7', 'counts B=int64:1@7'])
    state.flush(changelog.sink)
    expect(changelog.records).toHaveLength(4)
  })

  it('says nothing of a row that came and went within one flush, and a tombstone of one that was there', () => {
    const state = memoryTaskState([keyValueDescription('counts')])
    const store = asKeyValue(state, 'counts')
    const changelog = recordingSink()
    store.put('a', 1, 1)
    store.put('a', null, 2)
    store.put('b', 1, 3)
    state.flush(changelog.sink)
    store.put('b', null, 4)
    state.flush(changelog.sink)
    expect(changelog.records.map(record => record.text)).toEqual(['counts b=int64:1@3', 'counts b=null@4'])
    expect([...store.range(null, null)]).toEqual([])
    expect(store.row('b').timestamp).toBe(-1)
    expect(store.approximateCount()).toBe(0)
  })

  it('is the same after a restore of its changelog', () => {
    const state = memoryTaskState([keyValueDescription('counts')])
    const store = asKeyValue(state, 'counts')
    const changelog = recordingSink()
    for (let i = 0; i < 500; i++) {
      store.put(`k${(i * 7) % 50}`, i % 11 === 0 ? null : i, i)
      if (i % 50 === 0) state.flush(changelog.sink)
    }
    state.flush(changelog.sink)
    const again = memoryTaskState([keyValueDescription('counts')])
    again.restore('counts', recordsOf(changelog.records))
    const rows = (of: ReturnType<typeof asKeyValue>): unknown[] => [...of.range(null, null)].map(row => [row.key, row.value, row.timestamp])
    expect(rows(asKeyValue(again, 'counts'))).toEqual(rows(store))
    expect(asKeyValue(again, 'counts').approximateCount()).toBe(store.approximateCount())
  })
})

describe('window store in memory', () => {
  it('hides rows at and below the highest start less the retention', () => {
    const state = memoryTaskState([windowDescription('windows', { sizeMs: 10, retentionMs: 30 })])
    const store = asWindow(state, 'windows')
    for (const start of [0, 10, 20, 30, 40]) expect(store.write(store.row('k', start), start, start)).toBe(true)
    expect([...store.fetchAll(0, 100)].map(row => row.start)).toEqual([20, 30, 40])
    expect(store.row('k', 10).value).toBeNull()
    expect(store.write(store.row('k', 10), 1, 1)).toBe(false)
    expect(store.observedStart).toBe(40)
    const changelog = recordingSink()
    state.flush(changelog.sink)
    expect(changelog.records.at(-1)!.key.toString('hex')).toBe('6b000000000000002800000000')
    const again = memoryTaskState([windowDescription('windows', { sizeMs: 10, retentionMs: 30 })])
    again.restore('windows', recordsOf(changelog.records))
    expect([...asWindow(again, 'windows').fetch('k', 0, 100)].map(row => [row.start, row.value, row.timestamp])).toEqual([[20, 20, 20], [30, 30, 30], [40, 40, 40]])
  })

  it('orders by key bytes, then start', () => {
    const state = memoryTaskState([windowDescription('windows', { sizeMs: 10, retentionMs: 1000, key: serdes.string })])
    const store = asWindow(state, 'windows')
    for (const start of [20, 0, 10]) for (const key of ['b', 'a', 'aa']) store.write(store.row(key, start), 1, 0)
    expect([...store.fetchAll(0, 10)].map(row => `${String(row.key)}${row.start}`)).toEqual(['a0', 'a10', 'aa0', 'aa10', 'b0', 'b10'])
  })
})
