// A log that was closed cleanly, and then any one of its files rots: a bit flips, the end is gone, a range is zeros. What is read afterwards is right or refused.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MillraceError } from '../../../core/error.ts'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { compact, compactionRange } from '../../../broker/log/compaction.ts'
import type { Damage } from '../../../broker/log/damage.ts'
import type { Log } from '../../../broker/log/log.ts'
import type { LogSettings } from '../../../broker/log/segment-rolling.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { openLog } from '../../../broker/log/recovery.ts'
import { findTimestamp } from '../../../broker/log/time-lookup.ts'
import { batchOf, recordsOf, type ReadRecord } from './batches.ts'
import { readOn } from './read-on.ts'

const settings: LogSettings = { segmentBytes: 700, segmentMs: 1e9, indexIntervalBytes: 150, segmentIndexBytes: 4096 }
const directory = 't-0'
const runs = process.env['MILLRACE_NIGHTLY'] === undefined ? 200 : 10_000

function open(disk: MemoryDisk, damages: Damage[] = []): Log {
  const home = { disk, pool: new FilePool(disk, 4), buffers: new LentBuffers(0), directory, onDamage: (damage: Damage) => damages.push(damage) }
  return openLog(home, settings, { restore: () => {}, batch: () => {} }).log
}

async function close(log: Log): Promise<void> {
  const point = log.recoveryPoint()
  await log.sync()
  await log.saveCheckpoint(point, null)
  log.close()
}

/** A batch and where its bytes lie. */
interface Placed {
  readonly file: string
  readonly start: number
  readonly end: number
  readonly records: readonly ReadRecord[]
}

function placesOf(disk: MemoryDisk): readonly Placed[] {
  const places: Placed[] = []
  for (const name of disk.list(directory)) {
    if (!name.endsWith('.log')) continue
    const bytes = disk.readFile(`${directory}/${name}`)!
    for (let start = 0; start < bytes.length; ) {
      const end = start + 12 + bytes.readInt32BE(start + 8)
      places.push({ file: name, start, end, records: recordsOf(bytes.subarray(start, end)) })
      start = end
    }
  }
  return places
}

interface Rot {
  readonly file: number
  readonly kind: 'flip' | 'cut' | 'cut before a batch' | 'zeros'
  readonly at: number
  readonly bit: number
  readonly length: number
}

const rot: fc.Arbitrary<Rot> = fc.record({
  file: fc.nat(1000),
  kind: fc.constantFrom('flip', 'flip', 'cut', 'cut before a batch', 'zeros'),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  bit: fc.nat(7),
  length: fc.integer({ min: 1, max: 400 }),
})

/** Spoils one file. Answers its name and the positions that are not what they were. */
function spoil(disk: MemoryDisk, { file, kind, at, bit, length }: Rot, batches: readonly Placed[]): { readonly name: string; readonly changed: readonly number[] } {
  const names = disk.list(directory)
  const name = names[file % names.length]!
  const path = `${directory}/${name}`
  const before = disk.readFile(path)!
  let after = Buffer.from(before)
  let from = Math.floor(before.length * at)
  if (kind === 'cut before a batch') from = batches.findLast(batch => batch.file === name && batch.start <= from)?.start ?? from
  if (kind === 'flip' && before.length > 0) after[from]! ^= 1 << bit
  else if (kind === 'zeros') after.fill(0, from, Math.min(after.length, from + length))
  else after = after.subarray(0, from)
  disk.writeFile(path, after)
  return { name, changed: Array.from(before.keys()).filter(position => before[position] !== after[position]) }
}

/** The leader epoch of a batch may rot unseen: nothing that is read follows from it. */
function isHit(batch: Placed, name: string, changed: readonly number[]): boolean {
  return batch.file === name && changed.some(position => position >= batch.start && position < batch.end && !(position >= batch.start + 12 && position < batch.start + 16))
}

/** What each offset brings; null where it is refused. */
function readEach(log: Log): readonly (ReadRecord | null)[] {
  return Array.from({ length: log.endOffset }, (_, offset) => {
    try {
      const read = log.read(offset, { maxBytes: 1, limit: log.endOffset, atLeastOne: true })
      return recordsOf(read!.records, offset)[0]!
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'LOG_CORRUPT') throw error
      return null
    }
  })
}

const sizes = fc.array(fc.record({ records: fc.integer({ min: 1, max: 4 }), bytes: fc.nat(90), step: fc.integer({ min: -3, max: 9 }) }), { minLength: 1, maxLength: 40 })

function check(log: Log, good: readonly ReadRecord[]): void {
  expect(readOn(log)).toEqual(good)
  const byOffset = new Map(good.map(record => [record.offset, record]))
  expect(readEach(log)).toEqual(Array.from({ length: log.endOffset }, (_, offset) => byOffset.get(offset) ?? null))
  const times = good.map(({ timestamp }) => timestamp)
  for (const time of [0, ...times, ...times.map(time => time + 1)]) {
    const first = good.find(({ timestamp }) => timestamp >= time)
    expect(findTimestamp(log, time, log.endOffset)).toEqual(first === undefined ? null : { timestamp: first.timestamp, offset: first.offset })
  }
}

test('whatever rots, what is read is right; only damaged batches are refused, and that is told with file and position', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(sizes, rot, async (sizes, rot) => {
      const disk = new MemoryDisk()
      const first = open(disk)
      let timestamp = 1000
      for (const { records, bytes, step } of sizes) {
        first.append(batchOf(Array.from({ length: records }, (_, i) => ({ key: null, value: `${first.endOffset + i}${'x'.repeat(bytes)}`, timestamp: (timestamp += step) }))), 0)
      }
      const { endOffset } = first
      await close(first)
      const batches = placesOf(disk)
      const { name, changed } = spoil(disk, rot, batches)
      const hit = batches.filter(batch => isHit(batch, name, changed))
      const good = batches.filter(batch => !hit.includes(batch)).flatMap(({ records }) => records)
      const damages: Damage[] = []
      const log = open(disk, damages)
      expect(log.endOffset).toBe(endOffset)
      check(log, good)
      expect(damages.every(({ file }) => file === `${directory}/${name}`)).toBe(true)
      expect(damages.length > 0).toBe(hit.length > 0)
      if (hit.length > 0) expect(Math.min(...damages.map(({ position }) => position))).toBe(hit[0]!.start)
      // Once: who reads on hears of nothing new.
      const told = damages.length
      check(log, good)
      expect(damages.length).toBe(told)
      // What is appended gets new offsets, and another start knows no less.
      log.append(batchOf([{ key: null, value: 'new', timestamp: 100_000 }]), 0)
      const grown = [...good, { key: null, value: 'new', timestamp: 100_000, offset: endOffset }]
      check(log, grown)
      await close(log)
      check(open(disk), grown)
    }),
    { numRuns: runs },
  )
})

const compaction = { deleteRetentionMs: 1e9, minCompactionLagMs: 0, maxCompactionLagMs: 1e15, minCleanableDirtyRatio: 0, segmentBytes: 700, maxKeyBytes: 1e6 }

/** Where only the base offset of a batch has changed, and compaction has left gaps, nothing tells: no sum covers it in Kafka's format. */
function isUntold(batch: Placed, changed: readonly number[]): boolean {
  return changed.filter(position => position >= batch.start && position < batch.end).every(position => position < batch.start + 8 || (position >= batch.start + 12 && position < batch.start + 16))
}

test('the same of a log that was compacted, whose offsets have gaps', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(sizes, rot, fc.integer({ min: 2, max: 20 }), async (sizes, rot, keys) => {
      const disk = new MemoryDisk()
      const first = open(disk)
      for (const { records, bytes } of sizes) {
        first.append(batchOf(Array.from({ length: records }, (_, i) => ({ key: `k${(first.endOffset + i * 7) % keys}`, value: `${first.endOffset + i}${'x'.repeat(bytes)}`, timestamp: 1000 + first.endOffset + i }))), 0)
      }
      const point = first.recoveryPoint()
      await first.sync()
      await first.saveCheckpoint(point, null)
      const range = compactionRange(first, compaction, first.endOffset, 1e6)
      if (range !== null) await compact(first, range, compaction, 1e6, async () => {})
      const { endOffset } = first
      await close(first)
      const batches = placesOf(disk)
      const { name, changed } = spoil(disk, rot, batches)
      const hit = batches.filter(batch => isHit(batch, name, changed))
      fc.pre(!hit.some(batch => isUntold(batch, changed)))
      const good = batches.filter(batch => !hit.includes(batch)).flatMap(({ records }) => records)
      const damages: Damage[] = []
      for (let start = 0; start < 2; start++) {
        const log = open(disk, damages)
        expect(log.endOffset).toBe(endOffset)
        expect(readOn(log)).toEqual(good)
        const each = readEach(log)
        for (const batch of batches) for (const record of batch.records) expect(each[record.offset]).toEqual(hit.includes(batch) ? null : record)
        expect(damages.length > 0).toBe(hit.length > 0)
        expect(damages.every(({ file }) => file === `${directory}/${name}`)).toBe(true)
        await close(log)
      }
    }),
    { numRuns: runs },
  )
})
