// The log against an array: appends, rolls, reads at every offset, times, cuts, crashes at any byte, reopening.

import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FileDisk } from '../../../broker/disk/file-disk.ts'
import type { Disk } from '../../../broker/disk/disk.ts'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import type { Log } from '../../../broker/log/log.ts'
import type { LogSettings } from '../../../broker/log/segment-rolling.ts'
import { openLog, type OpenedLog } from '../../../broker/log/recovery.ts'
import { findMaxTimestamp, findTimestamp } from '../../../broker/log/time-lookup.ts'
import { batchOf, recordsOf, type ReadRecord, type TestRecord } from './batches.ts'

const settings: LogSettings = { segmentBytes: 600, segmentMs: 1000, indexIntervalBytes: 150, segmentIndexBytes: 4096 }

function open(disk: Disk, seen: number[] = []): OpenedLog {
  const home = { disk, pool: new FilePool(disk, 4), buffers: new LentBuffers(0), directory: 'topic-0' }
  return openLog(home, settings, { restore: () => {}, batch: header => seen.push(header.baseOffset) })
}

function readAll(log: Log, from = log.logStartOffset, maxBytes = 300): readonly ReadRecord[] {
  const records: ReadRecord[] = []
  for (let offset = from; ; ) {
    const read = log.read(offset, { maxBytes, limit: log.endOffset, atLeastOne: true })
    if (read === null) return records
    records.push(...recordsOf(read.records, offset))
    offset = read.nextOffset
  }
}

type Step =
  | { readonly do: 'append'; readonly records: readonly TestRecord[] }
  | { readonly do: 'roll' | 'sync' | 'checkpoint' | 'reopen' | 'lose indexes' }
  | { readonly do: 'truncate' | 'delete'; readonly at: number }

const record: fc.Arbitrary<TestRecord> = fc.record({
  key: fc.option(fc.string({ maxLength: 4 })),
  value: fc.option(fc.string({ maxLength: 40 })),
  timestamp: fc.integer({ min: 0, max: 3000 }),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), records: fc.array(record, { minLength: 1, maxLength: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('roll' as const, 'sync' as const, 'checkpoint' as const, 'reopen' as const, 'lose indexes' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('truncate' as const, 'delete' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }) },
)

interface Model {
  /** Arrays of the records of each batch. */
  batches: ReadRecord[][]
  start: number
  end: number
}

async function apply(step: Step, log: Log, model: Model): Promise<void> {
  switch (step.do) {
    case 'append': {
      const base = log.append(batchOf(step.records), 0)
      expect(base).toBe(model.end)
      model.batches.push(step.records.map((record, index) => ({ ...record, offset: base + index })))
      model.end += step.records.length
      return
    }
    case 'roll':
      return log.roll()
    case 'sync':
      return log.sync()
    case 'checkpoint': {
      const point = log.recoveryPoint()
      await log.sync()
      return log.saveCheckpoint(point, null)
    }
    case 'reopen':
    case 'lose indexes':
      // The log's owner does that.
      return
    case 'delete': {
      const offset = model.start + Math.floor((model.end - model.start) * step.at)
      log.advanceLogStart(offset)
      model.start = Math.max(model.start, offset)
      const point = log.recoveryPoint()
      await log.sync()
      return log.saveCheckpoint(point, null)
    }
    case 'truncate': {
      const offset = model.start + Math.floor((model.end - model.start) * step.at)
      const cut = model.batches.find(batch => batch.at(-1)!.offset >= offset)
      if (cut === undefined || cut[0]!.offset < model.start) return
      log.truncateTo(offset)
      model.end = cut[0]!.offset
      model.batches = model.batches.filter(batch => batch[0]!.offset < model.end)
      const point = log.recoveryPoint()
      await log.sync()
      return log.saveCheckpoint(point, null)
    }
  }
}

function check(log: Log, model: Model): void {
  expect([log.logStartOffset, log.endOffset]).toEqual([model.start, model.end])
  const all = model.batches.flat().filter(({ offset }) => offset >= model.start)
  expect(readAll(log)).toEqual(all)
  for (let offset = model.start; offset < model.end; offset++) {
    const read = log.read(offset, { maxBytes: 1, limit: log.endOffset, atLeastOne: true })
    const batch = model.batches.find(batch => batch.at(-1)!.offset >= offset)!
    expect(recordsOf(read!.records)).toEqual(batch)
  }
  for (let time = 0; time <= 3100; time += 150) {
    const first = all.find(({ timestamp }) => timestamp >= time)
    expect(findTimestamp(log, time, log.endOffset)).toEqual(first === undefined ? null : { timestamp: first.timestamp, offset: first.offset })
  }
  const largest = Math.max(-1, ...all.map(({ timestamp }) => timestamp))
  const newest = all.find(({ timestamp }) => timestamp === largest)
  const found = findMaxTimestamp(log, log.endOffset)
  if (model.start === 0) expect(found).toEqual(newest === undefined ? null : { timestamp: newest.timestamp, offset: newest.offset })
}

async function runModel(disk: Disk, steps: readonly Step[]): Promise<void> {
  let { log } = open(disk)
  const model: Model = { batches: [], start: 0, end: 0 }
  for (const step of steps) {
    await apply(step, log, model)
    if (step.do === 'reopen' || step.do === 'lose indexes') {
      log.close()
      if (step.do === 'lose indexes') for (const name of disk.list('topic-0')) if (name.endsWith('index')) disk.remove(`topic-0/${name}`)
      log = open(disk).log
    }
  }
  check(log, model)
  log.close()
  check(open(disk).log, model)
}

test('a log is an array of batches, whatever is done to it', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), steps => runModel(new MemoryDisk(), steps)), { numRuns: 200 })
})

test('the same on real files, with four of them open', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'))
  let run = 0
  try {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), steps => runModel(new FileDisk(join(directory, String(run++))), steps)), { numRuns: 25 })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a crash at any byte loses nothing that was synced and leaves no half batch', async () => {
  const crashing = fc.tuple(fc.array(step, { maxLength: 25, size: 'max' }), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(80))
  await fc.assert(
    fc.asyncProperty(crashing, async ([steps, share, zeros]) => {
      const disk = new MemoryDisk()
      const { log } = open(disk)
      const model: Model = { batches: [], start: 0, end: 0 }
      for (const step of steps) if (step.do !== 'reopen' && step.do !== 'lose indexes') await apply(step, log, model)
      const durable = log.durableOffset
      const after = disk.crash(file => {
        const keep = file.synced + Math.floor((file.size - file.synced) * share)
        return { keep, zeros: Math.min(zeros, file.size - keep) }
      })
      const seen: number[] = []
      const opened = open(after, seen)
      const { endOffset } = opened.log
      expect(endOffset).toBeGreaterThanOrEqual(durable)
      expect(opened.log.durableOffset).toBeLessThanOrEqual(endOffset)
      model.batches = model.batches.filter(batch => batch[0]!.offset < endOffset)
      model.end = endOffset
      model.start = Math.min(model.start, endOffset)
      check(opened.log, model)
      await apply({ do: 'append', records: [{ key: 'k', value: 'v', timestamp: 0 }] }, opened.log, model)
      check(opened.log, model)
      await apply({ do: 'checkpoint' }, opened.log, model)
      opened.log.close()
      const again = open(after)
      expect(again.recovered).toBe(false)
      check(again.log, model)
    }),
    { numRuns: 300 },
  )
})

test('a clean end is not read again; a tail is, and its bad end is reported', async () => {
  const disk = new MemoryDisk()
  const { log } = open(disk)
  log.append(batchOf([{ key: 'a', value: '1', timestamp: 1 }]), 0)
  const point = log.recoveryPoint()
  await log.sync()
  await log.saveCheckpoint(point, { producers: 7 })
  const seen: number[] = []
  const clean = open(disk, seen)
  expect([clean.state, clean.recovered, seen]).toEqual([{ producers: 7 }, false, []])
  clean.log.append(batchOf([{ key: 'b', value: '2', timestamp: 2 }]), 0)
  clean.log.append(batchOf([{ key: 'c', value: '3', timestamp: 3 }]), 0)
  disk.corrupt('topic-0/00000000000000000000.log', disk.size('topic-0/00000000000000000000.log')! - 1)
  const torn = open(disk, seen)
  expect(seen).toEqual([1])
  expect(torn.cut).toMatchObject({ file: 'topic-0/00000000000000000000.log', problem: expect.stringContaining('CRC-32C') as string, orphans: [] })
  expect(torn.log.endOffset).toBe(2)
})

test('a full disk refuses the append, and takes it when there is room again', () => {
  const disk = new MemoryDisk()
  const { log } = open(disk)
  log.append(batchOf([{ key: 'a', value: '1', timestamp: 1 }]), 0)
  disk.capacityBytes = disk.usedBytes + 10
  expect(() => log.append(batchOf([{ key: 'b', value: '2', timestamp: 2 }]), 0)).toThrow('no room')
  expect(readAll(log).length).toBe(1)
  disk.capacityBytes = 1e9
  expect(log.append(batchOf([{ key: 'b', value: '2', timestamp: 2 }]), 0)).toBe(1)
})

test('a sync that waits for one that fails does not say that all is well', async () => {
  const disk = new MemoryDisk()
  const { log } = open(disk)
  await log.sync()
  log.append(batchOf([{ key: 'k', value: 'v', timestamp: 1 }]), 0)
  disk.syncFailsOnce = true
  const outcomes = await Promise.allSettled([log.sync(), log.sync()])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(log.durableOffset).toBe(0)
})

test('what a start has found and could not sync is on the medium when a later start says so', async () => {
  const first = new MemoryDisk()
  const { log } = open(first)
  await log.sync()
  for (const value of ['a', 'b']) log.append(batchOf([{ key: null, value, timestamp: 0 }]), 0)
  const second = first.kill()
  second.syncFailsOnce = true
  await expect(open(second).log.sync()).rejects.toThrow('has lost what it was to sync')
  const third = second.kill()
  await open(third).log.sync()
  expect(readAll(open(third.crash()).log).map(({ value }) => value)).toEqual(['a', 'b'])
})

test('nothing is appended to a file whose end was cut, while the log is open or when it is opened', async () => {
  const disk = new MemoryDisk()
  const path = 'topic-0/00000000000000000000.log'
  const append = (log: Log): number => log.append(batchOf([{ key: null, value: 'a', timestamp: 0 }]), 0)
  const { log } = open(disk)
  append(log)
  const bytes = disk.size(path)!
  append(log)
  log.truncateTo(1)
  append(log)
  expect(disk.list('topic-0')).toContain('00000000000000000001.log')
  expect(disk.size(path)).toBe(bytes)
  const cutToNothing = disk.open('topic-0/00000000000000000001.log')
  log.truncateTo(1)
  append(log)
  expect([cutToNothing.size, disk.size('topic-0/00000000000000000001.log')]).toEqual([0, bytes])
  log.close()
  disk.corrupt('topic-0/00000000000000000001.log', bytes - 1)
  const torn = open(disk).log
  expect(torn.endOffset).toBe(1)
  expect(append(torn)).toBe(1)
  expect(disk.size(path)).toBe(bytes)
  const again = open(disk).log
  expect(readAll(again)).toHaveLength(2)
  append(again)
  disk.corrupt('topic-0/00000000000000000001.log', 2 * bytes - 1)
  append(open(disk).log)
  expect(disk.size('topic-0/00000000000000000001.log')).toBe(bytes)
  expect(disk.list('topic-0')).toContain('00000000000000000002.log')
})

test('a sync that began before the log was cut says nothing of what was appended since', async () => {
  const disk = new MemoryDisk()
  const { log } = open(disk)
  const append = (value: string): number => log.append(batchOf([{ key: null, value, timestamp: 0 }]), 0)
  append('first')
  await log.sync()
  append('second')
  let opens = (): void => {}
  disk.syncGate = new Promise(resolve => (opens = resolve))
  const syncing = log.sync()
  log.truncateTo(1)
  append('another second')
  opens()
  await syncing
  expect(log.durableOffset).toBe(1)
})

test('a checkpoint does not take the place of a later one', async () => {
  const disk = new MemoryDisk()
  const { log } = open(disk)
  const early = log.recoveryPoint()
  log.append(batchOf([{ key: null, value: 'a', timestamp: 0 }]), 0)
  const late = log.recoveryPoint()
  await log.sync()
  await log.saveCheckpoint(late, 'late')
  await log.saveCheckpoint(early, 'early')
  expect(open(disk)).toMatchObject({ state: 'late', recovered: false })
})

test('a segment that is rolled while a sync is under way is synced by the next', async () => {
  const disk = new MemoryDisk()
  const { log } = open(disk)
  const append = (): void => void log.append(batchOf([{ key: 'k', value: 'v'.repeat(100), timestamp: 1 }]), 0)
  append()
  await log.sync()
  let release = (): void => {}
  disk.syncGate = new Promise(resolve => (release = resolve))
  append()
  const first = log.sync()
  // It waits for the file now, whose segment was the active one when it began.
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  while (log.segments.length === 1) append()
  disk.syncGate = null
  release()
  await first
  await log.sync()
  expect(log.durableOffset).toBe(log.endOffset)
  const written = readAll(log)
  expect(readAll(open(disk.crash()).log)).toEqual(written)
})
