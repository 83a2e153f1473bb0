// The law of the ordered byte map, on memory and on LevelDB.

import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ByteEntry, ByteMap, ByteRange } from '../../state/byte-map.ts'
import { prefixEnd } from '../../state/byte-map.ts'
import { openLevelByteMap } from '../../state/level-byte-map.ts'
import { MemoryByteMap } from '../../state/memory-byte-map.ts'

const everything: ByteRange = { from: Buffer.of(), to: Buffer.of(255, 255) }
let directory: string
const open: ByteMap[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-byte-map-'))
})

afterEach(async () => {
  for (const map of open.splice(0)) await map.close()
  await rm(directory, { recursive: true })
})

const media: readonly (readonly [string, () => Promise<ByteMap>])[] = [
  ['memory', async () => new MemoryByteMap()],
  ['LevelDB', () => openLevelByteMap(join(directory, 'map'))],
]

describe.each(media)('byte map: %s', (_, make) => {
  async function made(): Promise<ByteMap> {
    const map = await make()
    open.push(map)
    return map
  }

  it('agrees with a sorted model under random batches, scans and clears', async () => {
    const map = await made()
    const key = fc.uint8Array({ minLength: 1, maxLength: 4 }).map(bytes => Buffer.from(bytes.map(byte => [0, 1, 97, 127, 128, 254][byte % 6]!)))
    const write = fc.tuple(key, fc.option(fc.uint8Array({ maxLength: 40 })))
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('batch' as const), writes: fc.array(write, { maxLength: 30 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('scan' as const), from: key, to: key, descending: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), from: key, to: key, limit: fc.nat(10) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
        await map.clear(everything)
        const model = new Map<string, Buffer>()
        for (const one of steps) {
          if (one.kind === 'batch') {
            const batch = map.batch()
            for (const [at, value] of one.writes) {
              if (value === null) batch.delete(at)
              else batch.put(at, value)
              if (value === null) model.delete(at.toString('latin1'))
              else model.set(at.toString('latin1'), Buffer.from(value))
            }
            expect(batch.length).toBe(one.writes.length)
            await batch.write()
            for (const [at] of one.writes) expect(map.get(at)).toEqual(model.get(at.toString('latin1')) ?? null)
          } else {
            const within = [...model.keys()].sort().filter(at => at >= one.from.toString('latin1') && at < one.to.toString('latin1'))
            if (one.kind === 'clear') {
              await map.clear({ from: one.from, to: one.to }, one.limit)
              for (const at of within.slice(0, one.limit)) model.delete(at)
            } else {
              const range = { from: one.from, to: one.to, order: one.descending ? ('descending' as const) : ('ascending' as const) }
              const expected = (one.descending ? within.reverse() : within).map(at => [at, model.get(at)!.toString('hex')])
              expect([...map.scanSync(range)].map(shown)).toEqual(expected)
              expect((await collect(map.scan(range))).map(shown)).toEqual(expected)
            }
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('copies what it is given and takes rows of any size', async () => {
    const map = await made()
    const batch = map.batch()
    const key = Buffer.from('key')
    const value = Buffer.alloc(300_000, 7)
    batch.put(key, value)
    value.fill(0)
    key.fill(0)
    batch.put(Buffer.from('other'), Buffer.of())
    await batch.write()
    expect(map.get(Buffer.from('key'))?.equals(Buffer.alloc(300_000, 7))).toBe(true)
    expect([...map.scanSync(everything)].map(entry => [entry.key.toString(), entry.value.length])).toEqual([['key', 300_000], ['other', 0]])
  })

  it('scans 100,000 rows without waiting, both ways, while they are written, one scan within another, and ends early', async () => {
    const map = await made()
    const rows = 100_000
    const keyOf = (i: number): Buffer => Buffer.from(`row-${String(i).padStart(6, '0')}`)
    for (let from = 0; from < rows; from += 10_000) {
      const batch = map.batch()
      for (let i = from; i < from + 10_000; i++) batch.put(keyOf(i), Buffer.from(`value-${i}`))
      await batch.write()
    }
    let seen = 0
    let writing: Promise<void> = Promise.resolve()
    for (const { key, value } of map.scanSync(everything)) {
      if (!key.equals(keyOf(seen)) || value.toString() !== `value-${seen}`) throw new Error(`row ${seen} is ${key.toString()} ${value.toString()}`)
      if (seen % 25_000 === 0) {
        const batch = map.batch()
        batch.put(keyOf(seen + 500_000), Buffer.from('new'))
        batch.delete(keyOf(rows - 1))
        writing = batch.write()
      }
      if (seen % 10_000 === 0) {
        const inner = [...map.scanSync({ from: keyOf(seen), to: keyOf(seen + 3) })]
        expect(inner.map(entry => entry.key.toString())).toEqual([0, 1, 2].map(more => keyOf(seen + more).toString()))
      }
      seen++
    }
    expect(seen).toBe(rows)
    await writing
    let last = rows
    for (const { key } of map.scanSync({ from: keyOf(0), to: keyOf(rows), order: 'descending' })) {
      last--
      if (last === rows - 1) last-- // deleted above
      if (!key.equals(keyOf(last))) throw new Error(`row ${last} is ${key.toString()}`)
      if (last < 50_000) break
    }
    for (let i = 0; i < 200; i++) for (const { key } of map.scanSync({ from: keyOf(i), to: prefixEnd(Buffer.from('row')) })) if (key.equals(keyOf(i + 2))) break
    expect([...map.scanSync({ from: keyOf(600_000), to: keyOf(700_000) })]).toEqual([])
  })
})

describe('LevelDB', () => {
  it('keeps what was written, also after scans without waiting', async () => {
    const at = join(directory, 'map')
    const map = await openLevelByteMap(at)
    const batch = map.batch()
    batch.put(Buffer.from('a'), Buffer.from('1'))
    await batch.write()
    expect([...map.scanSync(everything)]).toHaveLength(1)
    await map.close()
    const again = await openLevelByteMap(at)
    open.push(again)
    expect(again.get(Buffer.from('a'))?.toString()).toBe('1')
    expect([...again.scanSync(everything)]).toHaveLength(1)
  })

  it('says who holds it', async () => {
    const at = join(directory, 'map')
    open.push(await openLevelByteMap(at))
    await expect(openLevelByteMap(at)).rejects.toMatchObject({ code: 'STATE_LOCKED', message: expect.stringContaining('this process') as string })
    const other = `const { Level } = require(${JSON.stringify(createRequire(import.meta.url).resolve('level'))})
      new Level(${JSON.stringify(at)}).open().then(() => console.log('open'), error => console.log(error.cause.code))`
    expect(execFileSync(process.execPath, ['-e', other]).toString()).toBe('LEVEL_LOCKED\n')
  })
})

function shown({ key, value }: ByteEntry): [string, string] {
  return [key.toString('latin1'), value.toString('hex')]
}

async function collect(entries: AsyncIterable<ByteEntry>): Promise<ByteEntry[]> {
  const list: ByteEntry[] = []
  for await (const entry of entries) list.push(entry)
  return list
}
