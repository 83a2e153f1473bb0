// What was removed stays under another name for its time, is freed one after the other, and goes at once where room is wanted.

import { beforeEach, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { Trash } from '../../../broker/disk/trash.ts'

let disk: MemoryDisk
let clock: VirtualClock
let trash: Trash
let failures: string[]

beforeEach(() => {
  disk = new MemoryDisk()
  clock = new VirtualClock(0)
  failures = []
  trash = new Trash({ disk, clock, onFailure: (path, error) => failures.push(`${path}: ${error.code}`) })
  for (const name of ['a', 'b', 'c']) disk.writeFile(name, Buffer.alloc(100))
})

function discard(name: string, delayMs: number): void {
  trash.discard([{ from: name, to: `${name}.deleted` }, { from: `${name}.none`, to: `${name}.none.deleted` }], delayMs)
}

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

test('each goes after its own delay', async () => {
  discard('a', 1000)
  discard('b', 10)
  discard('c', Number.MAX_SAFE_INTEGER)
  expect([disk.list(''), trash.paths]).toEqual([['a.deleted', 'b.deleted', 'c.deleted'], ['a.deleted', 'b.deleted', 'c.deleted']])
  clock.advance(10)
  await turns()
  expect(disk.list('')).toEqual(['a.deleted', 'c.deleted'])
  clock.advance(1000)
  await turns()
  expect([disk.list(''), trash.paths]).toEqual([['c.deleted'], ['c.deleted']])
})

test('a full disk ends the waiting, for an hour', async () => {
  discard('a', 1000)
  trash.hurry()
  await turns()
  expect(disk.list('')).toEqual(['b', 'c'])
  clock.advance(3_599_999)
  discard('b', 1000)
  await turns()
  expect(disk.list('')).toEqual(['c'])
  clock.advance(1)
  discard('c', 1000)
  await turns()
  expect(disk.list('')).toEqual(['c.deleted'])
})

test('where there is no room for another name it goes on the spot', () => {
  disk.renameIfThere = () => {
    throw new MillraceError('DISK_FULL', 'There is no room to rename.')
  }
  discard('a', 1000)
  expect([disk.list(''), trash.paths]).toEqual([['b', 'c'], []])
})

test('a closing frees what waits, and takes nothing more', async () => {
  discard('a', 1000)
  await trash.close()
  discard('b', 0)
  await turns()
  expect([disk.list(''), trash.paths]).toEqual([['b.deleted', 'c'], []])
})

test('a closing leaves the rest where it takes too long', async () => {
  const erase = disk.erase.bind(disk)
  disk.erase = path => {
    clock.advance(600)
    return erase(path)
  }
  for (const name of ['a', 'b', 'c']) discard(name, 10_000)
  await trash.close()
  expect(disk.list('')).toEqual(['c.deleted'])
})

test('what cannot be freed is told, and holds up nothing', async () => {
  const erase = disk.erase.bind(disk)
  disk.erase = path => (path === 'a.deleted' ? Promise.reject(new MillraceError('DISK_FAILED', 'no')) : erase(path))
  for (const name of ['a', 'b']) discard(name, 0)
  await turns()
  expect([disk.list(''), failures]).toEqual([['a.deleted', 'c'], ['a.deleted: DISK_FAILED']])
})

test('when too many wait the oldest goes early', async () => {
  discard('a', 1e6)
  for (let n = 0; n < 10_000; n++) trash.free([`n${n}.deleted`], 1e6)
  await turns()
  expect([disk.size('a.deleted'), trash.paths.length]).toEqual([null, 10_000])
})

test('beyond what may wait its turn a path is freed on the spot, and a failure of that is told too', async () => {
  trash.free(Array.from({ length: 100_000 }, (_, i) => `waits ${i}`), 0)
  trash.free(['a'], 0)
  expect(disk.list('')).toEqual(['b', 'c'])
  disk.remove = path => {
    throw new MillraceError('DISK_FAILED', `Could not remove ${path}.`)
  }
  trash.free(['b'], 1)
  clock.advance(1)
  expect(failures).toEqual(['b: DISK_FAILED'])
})
