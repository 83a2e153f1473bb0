// A log whose files rot: whatever byte is hit, what lies before and behind is read, the rest is refused with its place and set aside.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MillraceError } from '../../../core/error.ts'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { compact, compactionRange } from '../../../broker/log/compaction.ts'
import type { Damage } from '../../../broker/log/damage.ts'
import type { Log } from '../../../broker/log/log.ts'
import type { LogSettings } from '../../../broker/log/segment-rolling.ts'
import { openLog, type OpenedLog } from '../../../broker/log/recovery.ts'
import { retainedFrom } from '../../../broker/log/retention.ts'
import { findTimestamp } from '../../../broker/log/time-lookup.ts'
import { batchOf, recordsOf } from './batches.ts'
import { readOn } from './read-on.ts'

const settings: LogSettings = { segmentBytes: 1500, segmentMs: 1e9, indexIntervalBytes: 200, segmentIndexBytes: 4096 }

function open(disk: MemoryDisk, damages: Damage[] = []): OpenedLog {
  const home = { disk, pool: new FilePool(disk, 4), buffers: new LentBuffers(0), directory: 't-0', onDamage: (damage: Damage) => damages.push(damage) }
  return openLog(home, settings, { restore: () => {}, batch: () => {} })
}

/** Batches of two records, `v0` to `v<2n-1>`, each at its own time. */
function fill(log: Log, batches: number): void {
  for (let offset = 0; offset < 2 * batches; offset += 2) {
    log.append(batchOf([0, 1].map(i => ({ key: null, value: `v${offset + i} ${'x'.repeat(40)}`, timestamp: offset + i }))), 0)
  }
}

/** Every offset on its own: its value's number, or null where it is refused. */
function readEach(log: Log): readonly (number | null)[] {
  return Array.from({ length: log.endOffset }, (_, offset) => {
    try {
      const read = log.read(offset, { maxBytes: 100, limit: log.endOffset, atLeastOne: true })
      const found = recordsOf(read!.records, offset)[0]!
      return found.offset === offset ? Number(/\d+/.exec(found.value!)![0]) : null
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'LOG_CORRUPT') throw error
      return null
    }
  })
}

function offsetsOf(log: Log): readonly number[] {
  return readOn(log).map(({ offset }) => offset)
}

const segmentName = '00000000000000000000'

test.each(['clean', 'unclean', 'running'] as const)('any byte may rot, found by a start that was %s', async ending => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 16 }), fc.nat(160), fc.boolean(), async (batch, within, losesIndexes) => {
      const disk = new MemoryDisk()
      const first = open(disk)
      const damages: Damage[] = []
      if (ending === 'running') {
        await first.log.sync()
        await first.log.saveCheckpoint(first.log.recoveryPoint(), null)
      }
      fill(first.log, 60)
      if (ending === 'clean') {
        const point = first.log.recoveryPoint()
        await first.log.sync()
        await first.log.saveCheckpoint(point, null)
      }
      const path = `t-0/${segmentName}.log`
      const size = disk.size(path)!
      const batches = first.log.segments[1]!.baseOffset / 2
      const hit = Math.floor((size / batches) * Math.min(batch, batches - 2)) + (within % Math.floor(size / batches))
      // Base offset and leader epoch are outside of the CRC, which is Kafka's format.
      const { log } = ending === 'running' ? open(disk, damages) : first
      if (ending !== 'running') first.log.close()
      const bytes = disk.readFile(path)!
      const start = startOfBatch(bytes, hit)
      fc.pre(hit - start >= 16 || (hit - start >= 8 && hit - start < 12))
      disk.corrupt(path, hit)
      if (losesIndexes && ending !== 'running') for (const kind of ['index', 'timeindex']) disk.remove(`t-0/${segmentName}.${kind}`)
      const after = ending === 'running' ? log : open(disk, damages).log
      expect(after.endOffset).toBe(120)
      const lost = new Set([bytes.readInt32BE(start + 4), bytes.readInt32BE(start + 4) + 1])
      const expected = Array.from({ length: 120 }, (_, offset) => offset)
      expect(offsetsOf(after)).toEqual(expected.filter(offset => !lost.has(offset)))
      expect(readEach(after)).toEqual(expected.map(offset => (lost.has(offset) ? null : offset)))
      for (const damage of damages) {
        expect(damage).toMatchObject({ file: path, position: start })
        expect(disk.readFile(damage.copy!)).toEqual(disk.readFile(path)!.subarray(damage.position, damage.end))
      }
      expect(damages.length).toBeGreaterThan(0)
      // By time, the next good record is found, and what is appended is read.
      const time = [...lost][0]!
      expect(findTimestamp(after, time, 120)?.offset).toBe(time + 2)
      after.append(batchOf([{ key: null, value: 'v120', timestamp: 120 }]), 0)
      expect(offsetsOf(after).at(-1)).toBe(120)
    }),
    { numRuns: 60 },
  )
})

function startOfBatch(bytes: Buffer, position: number): number {
  let start = 0
  while (start + 12 + bytes.readInt32BE(start + 8) <= position) start += 12 + bytes.readInt32BE(start + 8)
  return start
}

test('zeros that a crash left in the middle are no damage: what follows was never acknowledged, and is cut and set aside', async () => {
  const disk = new MemoryDisk()
  const large: LogSettings = { ...settings, segmentBytes: 1e6 }
  const home = { disk, pool: new FilePool(disk, 4), buffers: new LentBuffers(0), directory: 't-0' }
  const { log } = openLog(home, large, { restore: () => {}, batch: () => {} })
  await log.sync()
  fill(log, 100)
  log.close()
  const path = `t-0/${segmentName}.log`
  const bytes = disk.readFile(path)!
  const start = startOfBatch(bytes, 4000)
  bytes.fill(0, start, 8192)
  disk.writeFile(path, bytes)
  const opened = openLog(home, large, { restore: () => {}, batch: () => {} })
  expect(opened.cut).toMatchObject({ file: path, position: start, copy: `t-0/${segmentName}.${start}.corrupt` })
  expect(disk.readFile(opened.cut!.copy!)).toEqual(bytes.subarray(opened.cut!.position))
  expect(offsetsOf(opened.log)).toEqual(Array.from({ length: opened.log.endOffset }, (_, offset) => offset))
})

test('they are none either where the next batch begins at the end of the same page, with zeros as batches do', async () => {
  const disk = new MemoryDisk()
  const home = { disk, pool: new FilePool(disk, 4), buffers: new LentBuffers(0), directory: 't-0' }
  const large: LogSettings = { ...settings, segmentBytes: 1e6 }
  const { log } = openLog(home, large, { restore: () => {}, batch: () => {} })
  await log.sync()
  const overhead = batchOf([{ key: null, value: 'x'.repeat(1000), timestamp: 0 }]).length - 1000
  for (const bytes of [3218, 872, 500]) log.append(batchOf([{ key: null, value: 'v'.repeat(bytes - overhead), timestamp: 0 }]), 0)
  log.close()
  const path = `t-0/${segmentName}.log`
  const bytes = disk.readFile(path)!
  expect(bytes.length).toBe(4590)
  disk.writeFile(path, bytes.fill(0, 3218, 4096))
  expect(openLog(home, large, { restore: () => {}, batch: () => {} }).cut).toMatchObject({ file: path, position: 3218 })
})

/** Segments of batches with one key each, and a clean end. Answers the paths of the segments. */
async function keyed(disk: MemoryDisk): Promise<readonly string[]> {
  const { log } = open(disk)
  for (let offset = 0; offset < 80; offset++) log.append(batchOf([{ key: `k${offset % 4}`, value: `v${offset} ${'x'.repeat(40)}`, timestamp: offset }]), 0)
  const point = log.recoveryPoint()
  await log.sync()
  await log.saveCheckpoint(point, null)
  log.close()
  return log.segments.map(({ path }) => path)
}

test('compaction leaves a damaged segment as it is, and those behind it; what lies before is compacted', async () => {
  const disk = new MemoryDisk()
  const paths = await keyed(disk)
  disk.corrupt(paths[2]!, 200)
  const kept = paths.slice(2).map(path => disk.readFile(path))
  const { log } = open(disk)
  const compaction = { deleteRetentionMs: 1e9, minCompactionLagMs: 0, maxCompactionLagMs: 1e15, minCleanableDirtyRatio: 0, segmentBytes: 1500, maxKeyBytes: 1e6 }
  const pass = (): Promise<unknown> => compact(log, compactionRange(log, compaction, 80, 1000)!, compaction, 1000, async () => {})
  await expect(pass()).rejects.toMatchObject({ code: 'LOG_CORRUPT', message: expect.stringContaining(paths[2]!) as string })
  await pass()
  expect(log.segments.map(({ path }) => path)).toEqual(paths)
  expect(paths.slice(2).map(path => disk.readFile(path))).toEqual(kept)
  expect(offsetsOf(log).filter(offset => offset < log.segments[2]!.baseOffset).length).toBe(4)
})

test('old segments go by their time and size, damaged or not', async () => {
  for (const spoil of ['one batch', 'all', 'cut to nothing'] as const) {
    const disk = new MemoryDisk()
    const paths = await keyed(disk)
    const bytes = disk.readFile(paths[1]!)!
    if (spoil === 'one batch') bytes[200]! ^= 1
    disk.writeFile(paths[1]!, spoil === 'all' ? Buffer.alloc(bytes.length) : spoil === 'one batch' ? bytes : Buffer.alloc(0))
    const { log } = open(disk)
    const bases = log.segments.map(({ baseOffset }) => baseOffset)
    // Up to the time of the third segment's end.
    expect(retainedFrom(log, { retentionMs: 100, retentionBytes: -1 }, 80, bases[3]! + 100)).toBe(bases[3])
    expect(retainedFrom(log, { retentionMs: 100, retentionBytes: -1 }, 80, bases[1]! + 100)).toBe(bases[1])
    expect(retainedFrom(log, { retentionMs: -1, retentionBytes: log.bytes - log.segments[0]!.size - log.segments[1]!.size }, 80, 0)).toBe(spoil === 'cut to nothing' ? bases[1] : bases[2])
    log.advanceLogStart(bases[2]!)
    expect([disk.size(paths[0]!), disk.size(paths[1]!)]).toEqual([null, null])
    expect(offsetsOf(log)[0]).toBe(bases[2])
    log.close()
  }
})

test('a file that was complete, then cut, and is complete again misses nothing', async () => {
  const disk = new MemoryDisk()
  const { log } = open(disk)
  fill(log, 5)
  log.roll()
  log.truncateTo(6)
  const point = log.recoveryPoint()
  await log.sync()
  await log.saveCheckpoint(point, null)
  log.close()
  const damages: Damage[] = []
  expect(readEach(open(disk, damages).log)).toEqual([0, 1, 2, 3, 4, 5])
  expect(damages).toEqual([])
})
