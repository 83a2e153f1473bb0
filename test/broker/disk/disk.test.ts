// The law of a disk, on files and in memory alike; and what is particular to each: locks, faults, open files.

import fc from 'fast-check'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { FileDisk } from '../../../broker/disk/file-disk.ts'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { systemClock } from '../../../core/clock.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import type { Disk } from '../../../broker/disk/disk.ts'

const root = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0

describe.each<[string, () => Disk]>([
  ['files', () => new FileDisk(join(root, String(count++)))],
  ['memory', () => new MemoryDisk(systemClock)],
])('%s', (_, make) => {
  test('a file is an array of bytes', async () => {
    const step = fc.oneof(
      fc.record({ append: fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 3 }) }),
      fc.record({ truncate: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ read: fc.double({ min: 0, max: 1, noNaN: true }), bytes: fc.nat(5000) }),
      fc.constant('sync' as const),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
        const disk = make()
        const file = disk.open('f')
        let model = Buffer.alloc(0)
        for (const step of steps) {
          if (step === 'sync') await file.sync()
          else if ('append' in step) {
            file.append(step.append)
            model = Buffer.concat([model, ...step.append])
          } else if ('truncate' in step) {
            const size = Math.floor(model.length * step.truncate)
            file.truncate(size)
            model = model.subarray(0, size)
          } else {
            const position = Math.floor(model.length * step.read)
            const target = Buffer.alloc(step.bytes)
            const read = file.read(position, target)
            expect(target.subarray(0, read).equals(model.subarray(position, position + step.bytes))).toBe(true)
          }
          expect(file.size).toBe(model.length)
        }
        file.close()
        expect(disk.readFile('f')!.equals(model)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  test('a large file comes back whole', () => {
    const file = make().open('f')
    const bytes = Buffer.alloc(1_000_000, 'some bytes ')
    file.append([bytes.subarray(0, 300_000), bytes.subarray(300_000)])
    const read = Buffer.alloc(1_000_001)
    expect(file.read(0, read)).toBe(1_000_000)
    expect(read.subarray(0, 1_000_000).equals(bytes)).toBe(true)
    file.close()
  })

  test('names are made, listed, moved and removed', async () => {
    const disk = make()
    disk.makeDirectory('a-0')
    disk.open('a-0/x').append([Buffer.from('x')])
    disk.writeFile('a-0/y', Buffer.from('old'))
    await disk.replaceFile('a-0/y', Buffer.from('new'))
    await disk.syncDirectory('a-0')
    expect([disk.list('a-0'), disk.list(''), disk.list('none')]).toEqual([['x', 'y'], ['a-0'], []])
    expect([disk.readFile('a-0/y')?.toString(), disk.readFile('a-0/z'), disk.size('a-0/x'), disk.size('a-0/z')]).toEqual(['new', null, 1, null])
    disk.rename('a-0/x', 'a-0/y')
    disk.rename('a-0', 'b-0')
    expect([disk.list(''), disk.list('b-0'), disk.readFile('b-0/y')?.toString()]).toEqual([['b-0'], ['y'], 'x'])
    expect([disk.renameIfThere('b-0/none', 'b-0/z'), disk.renameIfThere('b-0/y', 'b-0/z'), disk.renameIfThere('b-0', 'c-0')]).toEqual([false, true, true])
    disk.writeFile('f', Buffer.from('f'))
    await disk.erase('c-0/none')
    await disk.erase('f')
    expect([disk.list(''), disk.list('c-0')]).toEqual([['c-0'], ['z']])
    disk.makeDirectory('d-0')
    disk.writeFile('d-0/x', Buffer.from('x'))
    await disk.erase('d-0')
    disk.remove('c-0/none')
    disk.remove('c-0')
    expect(disk.list('')).toEqual([])
  })

  test('a file knows when it was written', () => {
    const disk = make()
    const before = systemClock.now()
    const file = disk.open('f')
    file.append([Buffer.from('x')])
    // A file system rounds to the ticks of the kernel.
    expect(disk.modifiedAt('f')).toBeGreaterThan(before - 1000)
    disk.setModified('f', 1_700_000_000_123)
    disk.rename('f', 'g')
    expect([disk.modifiedAt('g'), disk.modifiedAt('f')]).toEqual([1_700_000_000_123, null])
    file.append([Buffer.from('y')])
    expect(disk.modifiedAt('g')).toBeGreaterThan(before - 1000)
    file.close()
  })

  test('a file that was removed is read under its new name while it is there, and never made anew', async () => {
    const disk = make()
    const file = new FilePool(disk).file('f')
    file.append([Buffer.from('x')])
    disk.rename('f', 'f.deleted')
    file.discarded('f.deleted')
    expect(file.read(0, Buffer.alloc(1))).toBe(1)
    file.close()
    disk.remove('f.deleted')
    await file.sync()
    expect(() => file.read(0, Buffer.alloc(1))).toThrow('removed')
    expect(disk.list('')).toEqual([])
  })

  test('one lock at a time', () => {
    const disk = make()
    const lock = disk.lock()
    expect(() => disk.lock()).toThrow(/in use/)
    lock.release()
    disk.lock().release()
  })

  test('a pool keeps few files open and loses nothing by it', async () => {
    const disk = make()
    const pool = new FilePool(disk, 3)
    const files = Array.from({ length: 10 }, (_, index) => pool.file(`f${index}`))
    for (let round = 0; round < 3; round++) {
      for (const [index, file] of files.entries()) file.append([Buffer.from(`${index}${round}`)])
      const syncs = files.map(file => file.sync())
      await Promise.all(syncs)
      files[0]!.read(0, Buffer.alloc(1))
      expect(pool.openFiles).toBeLessThanOrEqual(3)
    }
    for (const [index, file] of files.entries()) {
      const bytes = Buffer.alloc(6)
      file.read(0, bytes)
      expect([bytes.toString(), file.size]).toEqual([`${index}0${index}1${index}2`, 6])
      file.close()
    }
  })
})

test('the lock of a process that is gone is taken over, that of a living one is not', () => {
  const directory = join(root, 'locked')
  const disk = new FileDisk(directory)
  const file = join(directory, '.lock')
  disk.lock().release()
  writeFileSync(file, JSON.stringify({ pid: 2 ** 22 + 1, started: null, boot: null }))
  disk.lock().release()
  writeFileSync(file, JSON.stringify({ pid: process.ppid, started: '1', boot: null }))
  disk.lock().release()
  writeFileSync(file, 'torn {')
  const lock = disk.lock()
  const owner = JSON.parse(readFileSync(file, 'utf8')) as { readonly pid: number; readonly boot: string | null }
  expect(owner.pid).toBe(process.pid)
  lock.release()
  const parent = readFileSync(`/proc/${process.ppid}/stat`, 'utf8')
  writeFileSync(file, JSON.stringify({ pid: process.ppid, started: parent.slice(parent.lastIndexOf(')') + 2).split(' ')[19], boot: owner.boot }))
  expect(() => disk.lock()).toThrow(`in use by process ${process.ppid}`)
})

test.runIf(process.platform === 'linux')('the lock of a process that is dead, which nobody has noticed, is taken over', async () => {
  const directory = join(root, 'undead')
  const disk = new FileDisk(directory)
  disk.lock().release()
  // As soon as it is a `cat` it waits for its input, and never for its child.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    const pid = Number(String((await once(parent.stdout, 'data'))[0]))
    const fields = (): readonly string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    const until = async (isSo: () => boolean): Promise<void> => {
      while (!isSo()) await new Promise(resolve => setImmediate(resolve))
    }
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'cat\n')
    process.kill(pid)
    await until(() => fields()[0] === 'Z')
    writeFileSync(join(directory, '.lock'), JSON.stringify({ pid, started: fields()[19], boot: null }))
    disk.lock().release()
  } finally {
    parent.stdin.end()
    await once(parent, 'exit')
  }
})

test('a memory disk that loses names forgets in a crash what was made, moved and removed since its directory was synced', async () => {
  const start = async (): Promise<MemoryDisk> => {
    const disk = new MemoryDisk()
    disk.losesNames = true
    disk.makeDirectory('t-0')
    for (const name of ['a', 'b', 'c']) disk.writeFile(`t-0/${name}`, Buffer.from(name))
    await disk.syncDirectory('')
    await disk.syncDirectory('t-0')
    return disk
  }
  const files = await start()
  files.rename('t-0/a', 't-0/b')
  files.rename('t-0/b', 't-0/d')
  files.remove('t-0/c')
  files.open('t-0/e').close()
  expect(files.crash().list('t-0')).toEqual(['a', 'b', 'c'])
  const directories = await start()
  directories.rename('t-0', 't-0.gone')
  directories.makeDirectory('t-0')
  directories.open('t-0/e').close()
  const left = directories.crash()
  expect([left.list(''), left.list('t-0')]).toEqual([['t-0'], ['a', 'b', 'c']])
})

test('a memory disk crashes, rots and fills up as it is told', async () => {
  const disk = new MemoryDisk()
  const file = disk.open('f')
  file.append([Buffer.from('durable')])
  await file.sync()
  file.append([Buffer.from(' and not')])
  const text = (found: MemoryDisk): string | undefined => found.readFile('f')?.toString()
  disk.capacityBytes = 20
  expect(() => file.append([Buffer.from('too much')])).toThrow(/room/)
  const whole = disk.crash(({ size }) => ({ keep: size }))
  expect(() => disk.list('')).toThrow(/crashed/)
  expect(text(whole)).toBe('durable and not')
  whole.corrupt('f', 0)
  expect(text(whole)).toBe('eurable and not')
  const again = new MemoryDisk()
  const other = again.open('f')
  other.append([Buffer.from('durable')])
  await other.sync()
  other.append([Buffer.from(' lost')])
  expect(text(again.crash(({ synced }) => ({ keep: synced + 1, zeros: 2 })))).toBe('durable \0\0')
})
