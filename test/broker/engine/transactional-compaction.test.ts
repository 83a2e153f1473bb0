// Compaction of a log with transactions against a map: readers of committed records find what they would have found without it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FilePool } from '../../../broker/disk/file-pool.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { BrokerMeters } from '../../../broker/engine/broker-meters.ts'
import { Partition } from '../../../broker/engine/partition.ts'
import { compactOnce } from '../../../broker/engine/partition-upkeep.ts'
import { topicConfigs, topicSettings } from '../../../broker/kernel/topic-config.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { silentLogger } from '../../../core/logger.ts'
import { batchOf, recordsOf } from '../log/batches.ts'

const deleteRetentionMs = 1000
const configs: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact', 'segment.bytes': '250', 'min.cleanable.dirty.ratio': '0', 'delete.retention.ms': String(deleteRetentionMs), 'index.interval.bytes': '100',
}

type Step =
  | { readonly write: readonly [key: string, value: string | null][]; readonly producerId: number }
  | { readonly end: number; readonly isCommit: boolean }
  | { readonly compact: number; readonly maxKeyBytes?: number }
  | 'close' | 'kill'

const pair = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(fc.string({ maxLength: 20 }), { freq: 5 }))
/** Producer 0 is in no transaction. */
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ write: fc.array(pair, { minLength: 1, maxLength: 3 }), producerId: fc.nat(3) }) },
  { weight: 5, arbitrary: fc.record({ end: fc.integer({ min: 1, max: 3 }), isCommit: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ compact: fc.constantFrom(0, 600, 1500), maxKeyBytes: fc.constantFrom(150, 1e9) }) },
  { weight: 2, arbitrary: fc.constantFrom('close' as const, 'kill' as const) },
)

interface Written {
  readonly offset: number
  readonly key: string
  readonly value: string | null
  readonly producerId: number
  fate: 'open' | 'committed' | 'aborted'
}

/** The partition, and what a reader of the whole log would know. */
class World {
  disk = new MemoryDisk()
  readonly clock = new VirtualClock(10_000)
  readonly written: Written[] = []
  readonly sequences = [0, 0, 0, 0]
  partition: Partition = this.#open()

  #open(): Partition {
    const settings = topicSettings(name => configs[name] ?? topicConfigs.get(name)!.default!)
    const home = { disk: this.disk, pool: new FilePool(this.disk), buffers: new LentBuffers(0), directory: 'topic-0' }
    return new Partition({ topic: 'topic', index: 0, home, settings, flush: 'fsync', leaderEpoch: 0, clock: this.clock, logger: silentLogger, meters: new BrokerMeters() })
  }

  async run(step: Step): Promise<void> {
    if (step === 'close') await this.partition.close()
    if (step === 'kill') this.disk = this.disk.kill()
    if (typeof step === 'string') {
      this.partition = this.#open()
      await this.partition.recovered()
    } else if ('write' in step) await this.#write(step.producerId, step.write)
    else if ('end' in step) await this.#end(step.end, step.isCommit)
    else {
      this.clock.advance(step.compact)
      await compactOnce(this.partition, { maxKeyBytes: step.maxKeyBytes ?? 1e9, pause: async () => this.check() }, { clock: this.clock, logger: silentLogger, meters: new BrokerMeters() })
    }
  }

  async #write(producerId: number, pairs: readonly [key: string, value: string | null][]): Promise<void> {
    const isTransactional = producerId > 0
    const producer = isTransactional ? { producerId, producerEpoch: 0, baseSequence: this.sequences[producerId]!, transactional: true } : {}
    const batch = batchOf(pairs.map(([key, value]) => ({ key, value, timestamp: this.clock.now() })), producer)
    const offset = this.partition.append(batch, new RecordBatchHeader(batch))
    this.sequences[producerId]! += pairs.length
    for (const [index, [key, value]] of pairs.entries()) this.written.push({ offset: offset + index, key, value, producerId, fate: isTransactional ? 'open' : 'committed' })
    await this.partition.committed(offset + pairs.length)
  }

  async #end(producerId: number, isCommit: boolean): Promise<void> {
    await this.partition.committed(this.partition.appendMarker({ producerId, producerEpoch: 0, isCommit, coordinatorEpoch: 0 })! + 1)
    for (const written of this.written) if (written.producerId === producerId && written.fate === 'open') written.fate = isCommit ? 'committed' : 'aborted'
  }

  /** As fetches see it, each knowing only its own answer. */
  read(maxBytes: number): readonly { readonly offset: number; readonly key: string | null; readonly value: string | null }[] {
    const limit = this.partition.lastStableOffset
    const records = []
    for (let offset = 0; ; ) {
      const read = this.partition.read(offset, limit, maxBytes, true)
      if (read === null) return records
      records.push(...recordsOf(read.records, offset, this.partition.transactions.abortedWithin(offset, read.nextOffset)))
      offset = read.nextOffset
    }
  }

  check(): void {
    const firstOpen = Math.min(Infinity, ...this.written.filter(({ fate }) => fate === 'open').map(({ offset }) => offset))
    expect(this.partition.lastStableOffset).toBe(Math.min(firstOpen, this.partition.highWatermark))
    const stable = this.written.filter(({ offset, fate }) => offset < firstOpen && fate === 'committed')
    const expected = new Map(stable.map(({ key, value }) => [key, value]))
    for (const maxBytes of [1, 300, 1e6]) {
      const found = this.read(maxBytes)
      for (const { offset, key, value } of found) expect(stable.find(written => written.offset === offset)).toMatchObject({ key, value })
      expect(withoutTombstones(new Map(found.map(({ key, value }) => [key!, value])))).toEqual(withoutTombstones(expected))
    }
  }
}

function withoutTombstones(map: ReadonlyMap<string, string | null>): object {
  return Object.fromEntries([...map].filter(([, value]) => value !== null).sort(([a], [b]) => (a < b ? -1 : 1)))
}

test('whatever is compacted, ended, closed or killed, committed records and the last stable offset are as before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async steps => {
      const world = new World()
      for (const step of [...steps, { compact: 1500 }, 'kill' as const]) {
        await world.run(step)
        world.check()
      }
      await world.partition.close()
    }),
    { numRuns: 60 },
  )
}, 120_000)

test('aborted records go at once, markers when nothing needs them and their time is over; the producer goes on where it was', async () => {
  const world = new World()
  const batches = (): number[] => {
    const offsets: number[] = []
    world.partition.log.scan(0, header => void offsets.push(header.baseOffset))
    return offsets
  }
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) await world.run({ write: [['filler', 'x'.repeat(60)]], producerId: 0 })
  }
  await world.run({ write: [['a', 'aborted']], producerId: 1 })
  await world.run({ end: 1, isCommit: false })
  await world.run({ write: [['b', 'kept']], producerId: 2 })
  await world.run({ end: 2, isCommit: true })
  await world.run({ write: [['c', 'replaced']], producerId: 3 })
  await world.run({ end: 3, isCommit: true })
  await world.run({ write: [['c', 'last']], producerId: 0 })
  await fill()
  await world.run({ compact: 0 })
  expect(batches().slice(0, 5)).toEqual([1, 2, 3, 5, 6])
  expect(world.partition.transactions.abortedWithin(0, 100)).toEqual([])
  await fill()
  await world.run({ compact: deleteRetentionMs })
  expect(batches().slice(0, 3)).toEqual([2, 3, 6])
  await world.run('close')
  expect(world.partition.producers.check({ producerId: 1, producerEpoch: 0, baseSequence: 0, lastSequence: 0 })).toMatchObject({ kind: 'duplicate', baseOffset: 0 })
  expect(world.partition.producers.check({ producerId: 1, producerEpoch: 0, baseSequence: 1, lastSequence: 1 })).toEqual({ kind: 'append' })
  await world.partition.close()
})
