// A log on a disk that fills up and gets room again, at any moment: what was appended is there, what was refused is not, and writing resumes.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MillraceError } from '../../../core/error.ts'
import type { Disk } from '../../../broker/disk/disk.ts'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import type { Damage } from '../../../broker/log/damage.ts'
import type { Log } from '../../../broker/log/log.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { openLog } from '../../../broker/log/recovery.ts'
import type { LogSettings } from '../../../broker/log/segment-rolling.ts'
import { findTimestamp } from '../../../broker/log/time-lookup.ts'
import { refusingDisk } from '../disk/refusing-disk.ts'
import { batchOf, recordsOf } from './batches.ts'

const settings: LogSettings = { segmentBytes: 400, segmentMs: 1e9, indexIntervalBytes: 100, segmentIndexBytes: 4096 }
const damages: Damage[] = []

function open(disk: Disk): Log {
  const home = { disk, pool: new FilePool(disk, 4), buffers: new LentBuffers(0), directory: 't-0', onDamage: (damage: Damage) => damages.push(damage) }
  return openLog(home, settings, { restore: () => {}, batch: () => {} }).log
}

/** True where the disk took it. */
async function taken(action: () => unknown): Promise<boolean> {
  try {
    await action()
    return true
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'DISK_FULL') return false
    throw error
  }
}

async function checkpoint(log: Log): Promise<void> {
  const point = log.recoveryPoint()
  await log.sync()
  await log.saveCheckpoint(point, null)
}

function readAll(log: Log): readonly (string | null)[] {
  const values: (string | null)[] = []
  for (let offset = 0; ; ) {
    const read = log.read(offset, { maxBytes: 300, limit: log.endOffset, atLeastOne: true })
    if (read === null) return values
    values.push(...recordsOf(read.records, offset).map(({ value }) => value))
    offset = read.nextOffset
  }
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), bytes: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('room' as const), bytes: fc.nat(500) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('checkpoint' as const, 'read' as const, 'close' as const, 'kill' as const, 'lose indexes' as const), bytes: fc.constant(0) }) },
)

test('a full disk loses nothing that was appended, and stops nobody who reads', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      damages.length = 0
      let disk = new MemoryDisk()
      let log = open(disk)
      const values: string[] = []
      const append = (bytes: number): void => {
        const value = `${values.length}${'x'.repeat(bytes)}`
        expect(log.append(batchOf([{ key: null, value, timestamp: 1000 + values.length }]), 0)).toBe(values.length)
        values.push(value)
      }
      for (const { do: what, bytes } of steps) {
        if (what === 'append') await taken(() => append(bytes))
        else if (what === 'room') disk.capacityBytes = disk.usedBytes + bytes
        else if (what === 'checkpoint') await taken(() => checkpoint(log))
        else if (what === 'read') expect(readAll(log)).toEqual(values)
        else {
          const { capacityBytes } = disk
          if (what === 'close') await taken(() => checkpoint(log))
          log.close()
          if (what === 'kill') disk = disk.kill()
          if (what === 'lose indexes') for (const name of disk.list('t-0')) if (/index$|seal$/.test(name)) disk.remove(`t-0/${name}`)
          disk.capacityBytes = capacityBytes
          log = open(disk)
        }
      }
      disk.capacityBytes = Number.POSITIVE_INFINITY
      append(10)
      for (let again = 0; again < 2; again++) {
        expect(readAll(log)).toEqual(values)
        for (const offset of values.keys()) expect(findTimestamp(log, 1000 + offset, log.endOffset)).toEqual({ timestamp: 1000 + offset, offset })
        await checkpoint(log)
        log.close()
        log = open(disk)
      }
      expect(damages).toEqual([])
    }),
    { numRuns: 300 },
  )
})

/** How many records are left, of those of the last segment or of all. */
test.each([3, 2, 1, 0])('a log that is cut to %d records on a disk too full for another file goes on in one when there is room, and loses nothing more', async left => {
  damages.length = 0
  const memory = new MemoryDisk()
  let isFull = false
  const disk = refusingDisk(memory, ({ name, path }) => isFull && name === 'open' && memory.size(path) === null, 'DISK_FULL')
  const log = open(disk)
  const value = 'x'.repeat(80)
  const append = (log: Log): number => log.append(batchOf([{ key: null, value, timestamp: 1 }]), 0)
  for (let offset = 0; offset < 4; offset++) append(log)
  await log.sync()
  expect(memory.list('t-0').filter(name => name.endsWith('.log'))).toEqual(['00000000000000000000.log', '00000000000000000002.log'])
  isFull = true
  log.truncateTo(left)
  expect(log.endOffset).toBe(left)
  const files = memory.list('t-0').filter(name => name.endsWith('.log')).map(name => [name, memory.size(`t-0/${name}`)])
  for (let again = 0; again < 2; again++) expect(() => append(log)).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
  expect([log.endOffset, readAll(log).length]).toEqual([left, left])
  await taken(() => checkpoint(log))
  // Nothing went into the file that was cut.
  expect(memory.list('t-0').filter(name => name.endsWith('.log')).map(name => [name, memory.size(`t-0/${name}`)])).toEqual(files)
  isFull = false
  expect(append(log)).toBe(left)
  expect(memory.list('t-0').filter(name => name.endsWith('.log')).at(-1)).toBe(`${String(left).padStart(20, '0')}.log`)
  await checkpoint(log)
  expect(readAll(log)).toHaveLength(left + 1)
  expect(readAll(open(memory.crash()))).toHaveLength(left + 1)
  expect(damages).toEqual([])
})
