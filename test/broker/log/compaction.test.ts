// Compaction against a map: of every key the last record stays, whatever is compressed, deleted, interrupted or started again.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MillraceError } from '../../../core/error.ts'
import type { Disk } from '../../../broker/disk/disk.ts'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { compact, compactionRange, type CompactionSettings } from '../../../broker/log/compaction.ts'
import type { Log } from '../../../broker/log/log.ts'
import { openLog } from '../../../broker/log/recovery.ts'
import { retainedFrom } from '../../../broker/log/retention.ts'
import { slowDisk } from '../disk/slow-disk.ts'
import { batchOf, recordsOf, type ReadRecord, type TestRecord } from './batches.ts'

const logSettings = { segmentBytes: 800, segmentMs: 1e12, indexIntervalBytes: 200, segmentIndexBytes: 4096 }
const settings: CompactionSettings = { deleteRetentionMs: 1000, minCompactionLagMs: 0, maxCompactionLagMs: 1e15, minCleanableDirtyRatio: 0, segmentBytes: 800, maxKeyBytes: 1e9 }

function open(disk: Disk): Log {
  return openLog({ disk, pool: new FilePool(disk, 4), buffers: new LentBuffers(0), directory: 'topic-0' }, logSettings, { restore: () => {}, batch: () => {} }).log
}

function readAll(log: Log): readonly ReadRecord[] {
  const records: ReadRecord[] = []
  for (let offset = log.logStartOffset; ; ) {
    const read = log.read(offset, { maxBytes: 300, limit: log.endOffset, atLeastOne: true })
    if (read === null) return records
    records.push(...recordsOf(read.records, offset))
    offset = read.nextOffset
  }
}

async function checkpoint(log: Log): Promise<void> {
  const point = log.recoveryPoint()
  await log.sync()
  await log.saveCheckpoint(point, null)
}

async function pass(log: Log, now: number, more: Partial<CompactionSettings> = {}): Promise<boolean> {
  await checkpoint(log)
  const wanted = { ...settings, ...more }
  const range = compactionRange(log, wanted, log.durableOffset, now)
  if (range === null) return false
  await compact(log, range, wanted, now, async () => {})
  await checkpoint(log)
  return true
}

const record: fc.Arbitrary<TestRecord> = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'a longer key'),
  value: fc.option(fc.string({ maxLength: 30 }), { freq: 4 }),
  timestamp: fc.integer({ min: 0, max: 5000 }),
})

type Step = { readonly append: readonly TestRecord[]; readonly codec: number } | { readonly compactAt: number; readonly maxKeyBytes: number; readonly segmentBytes: number } | 'roll' | 'reopen'

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ append: fc.array(record, { minLength: 1, maxLength: 6 }), codec: fc.constantFrom(0, 0, 1, 3) }) },
  { weight: 2, arbitrary: fc.record({ compactAt: fc.constantFrom(0, 500, 1500), maxKeyBytes: fc.constantFrom(100, 200, 1e9), segmentBytes: fc.constantFrom(800, 2000) }) },
  { weight: 2, arbitrary: fc.constant('roll' as const) },
  { weight: 1, arbitrary: fc.constant('reopen' as const) },
)

/** What must hold of what is left of all that was ever appended. */
function check(left: readonly ReadRecord[], all: readonly ReadRecord[], compactedOffset: number): void {
  const original = new Map(all.map(entry => [entry.offset, entry]))
  for (const entry of left) expect(entry).toEqual(original.get(entry.offset))
  expect(left.map(({ offset }) => offset)).toEqual([...left.map(({ offset }) => offset)].sort((a, b) => a - b))
  const last = new Map(all.map(entry => [entry.key, entry]))
  for (const entry of last.values()) if (entry.value !== null) expect(left).toContainEqual(entry)
  const lastCompacted = new Map(all.filter(({ offset }) => offset < compactedOffset).map(entry => [entry.key, entry.offset]))
  for (const { key, offset } of left) if (offset < compactedOffset) expect(offset).toBe(lastCompacted.get(key))
}

/** Reading from any offset on finds what reading all finds behind it: no segment hides another. */
function checkEveryOffset(log: Log): void {
  const all = readAll(log)
  for (let offset = log.logStartOffset; offset < log.endOffset; offset++) {
    const read = log.read(offset, { maxBytes: 1, limit: log.endOffset, atLeastOne: true })
    expect(read === null ? undefined : recordsOf(read.records, offset)[0]).toEqual(all.find(entry => entry.offset >= offset))
  }
}

test('of every key the last record stays, with its offset and timestamp', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async steps => {
      const disk = new MemoryDisk()
      let log = open(disk)
      const all: ReadRecord[] = []
      for (const step of steps) {
        if (step === 'roll') log.roll()
        else if (step === 'reopen') {
          log.close()
          log = open(disk)
        } else if ('append' in step) {
          const base = log.append(batchOf(step.append, { codec: step.codec }), 0)
          all.push(...step.append.map((entry, index) => ({ ...entry, offset: base + index })))
        } else await pass(log, step.compactAt, { maxKeyBytes: step.maxKeyBytes, segmentBytes: step.segmentBytes })
        check(readAll(log), all, log.compactedOffset)
        expect(log.endOffset).toBe(all.length)
      }
      const before = readAll(log)
      log.close()
      expect(readAll(open(disk))).toEqual(before)
    }),
    { numRuns: 60 },
  )
})

/** The disk, until the n-th change of names; that one and all later calls fail. */
function failingAt(disk: MemoryDisk, nth: number): Disk {
  let count = 0
  return new Proxy<Disk>(disk, {
    get(target, name) {
      const value = Reflect.get(target, name, target) as unknown
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if ((name === 'rename' || name === 'remove') && count++ === nth) count = Number.POSITIVE_INFINITY
        if (count > 1e9) throw new MillraceError('DISK_FAILED', 'The power is off.')
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  })
}

test('a crash between any two steps of a swap loses nothing', async () => {
  let nth = 0
  for (let done = false; !done; nth++) {
    const disk = new MemoryDisk()
    const first = open(disk)
    const all: ReadRecord[] = []
    for (let i = 0; i < 60; i++) {
      const entry = { key: i % 3 === 0 ? `only ${i}` : `k${i % 7}`, value: `v${i}`, timestamp: i }
      all.push({ ...entry, offset: first.append(batchOf([entry]), 0) })
    }
    await checkpoint(first)
    first.close()
    const log = open(failingAt(disk, nth))
    try {
      done = await pass(log, 100, { segmentBytes: 2000 })
    } catch (error) {
      expect(error).toMatchObject({ code: 'DISK_FAILED' })
    }
    const again = open(disk.crash(file => ({ keep: file.size })))
    expect(again.endOffset).toBe(60)
    check(readAll(again), all, 0)
    checkEveryOffset(again)
    await pass(again, 100)
    check(readAll(again), all, again.compactedOffset)
  }
  expect(nth).toBeGreaterThan(5)
})

test('segments that are deleted while they are compacted stay deleted, at whichever moment that is', async () => {
  // The first time nothing is deleted.
  for (let at = 0, moments = 0; at <= moments; at++) {
    let log: Log | null = null
    let start = 0
    let moment = 0
    const pause = async (): Promise<void> => {
      if (++moment !== at) return
      log!.advanceLogStart(start)
      await checkpoint(log!)
    }
    log = open(slowDisk(new MemoryDisk(), path => path.includes('.cleaned'), { get isOpen() { return pause() } }))
    for (let i = 0; i < 30; i++) log.append(batchOf([{ key: `k${i % 3}`, value: 'v'.repeat(100), timestamp: 0 }]), 0)
    await checkpoint(log)
    start = log.segments[2]!.baseOffset
    await compact(log, compactionRange(log, settings, log.durableOffset, 1000)!, settings, 1000, pause)
    if (at === 0) moments = moment
    else expect([log.logStartOffset, log.segments[0]!.baseOffset]).toEqual([start, start])
    expect(readAll(log).filter(({ offset }) => offset >= 27).map(({ key }) => key)).toEqual(['k0', 'k1', 'k2'])
  }
})

test('tombstones go when their time is over, and not before', async () => {
  const log = open(new MemoryDisk())
  log.append(batchOf([{ key: 'a', value: '1', timestamp: 7 }, { key: 'a', value: null, timestamp: 8 }, { key: 'b', value: '2', timestamp: 9 }]), 0)
  log.roll()
  await pass(log, 10_000)
  expect(readAll(log)).toEqual([{ offset: 1, key: 'a', value: null, timestamp: 8 }, { offset: 2, key: 'b', value: '2', timestamp: 9 }])
  log.append(batchOf([{ key: 'c', value: '3', timestamp: 10 }]), 0)
  log.roll()
  await pass(log, 10_999)
  expect(readAll(log).map(({ offset }) => offset)).toEqual([1, 2, 3])
  log.append(batchOf([{ key: 'd', value: '4', timestamp: 10 }]), 0)
  log.roll()
  await pass(log, 11_000)
  expect(readAll(log).map(({ offset }) => offset)).toEqual([2, 3, 4])
})

test('a log is compacted when enough of it is dirty, old enough, and not dirty any more afterwards', async () => {
  const log = open(new MemoryDisk())
  const append = (timestamp: number): void => {
    log.append(batchOf([{ key: 'a', value: 'x'.repeat(100), timestamp }]), 0)
    log.roll()
  }
  append(100)
  append(200)
  expect(await pass(log, 250, { minCompactionLagMs: 200 })).toBe(false)
  expect(await pass(log, 1000, { minCompactionLagMs: 200 })).toBe(true)
  expect(await pass(log, 1000)).toBe(false)
  append(300)
  expect(await pass(log, 1000, { minCleanableDirtyRatio: 0.9 })).toBe(false)
  expect(await pass(log, 1300, { minCleanableDirtyRatio: 0.9, maxCompactionLagMs: 1000 })).toBe(true)
})

test('old and surplus segments go, the newest stays', async () => {
  const log = open(new MemoryDisk())
  for (const timestamp of [100, 200, 300]) {
    log.append(batchOf([{ key: 'a', value: 'x'.repeat(100), timestamp }]), 0)
    log.roll()
  }
  log.append(batchOf([{ key: 'a', value: 'x', timestamp: 400 }]), 0)
  await log.sync()
  const from = (retentionMs: number, retentionBytes: number, now: number): number => retainedFrom(log, { retentionMs, retentionBytes }, log.durableOffset, now)
  expect([from(-1, -1, 1000), from(150, -1, 301), from(150, -1, 451), from(150, -1, 1000)]).toEqual([0, 1, 3, 4])
  expect(retainedFrom(log, { retentionMs: 150, retentionBytes: 0 }, 2, 1000), 'what is not acknowledged stays').toBe(2)
  expect([from(-1, log.bytes - 10, 0), from(-1, 300, 0), from(-1, 0, 0)]).toEqual([0, 1, 3])
})
