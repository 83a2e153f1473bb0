// A broker's log, through its wire, against an array: produced, fetched, looked up by time, deleted, retained, restarted and crashed at random.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { batchOf, recordsOf, type ReadRecord, type TestRecord } from '../log/batches.ts'

const runs = process.env['MILLRACE_NIGHTLY'] === undefined ? 40 : 3000
const seed = process.env['MILLRACE_SEED'] === undefined ? {} : { seed: Number(process.env['MILLRACE_SEED']) }
const startMs = 1_700_000_000_000
const partitions = 2

type Step =
  | { readonly do: 'produce'; readonly partition: number; readonly records: readonly TestRecord[]; readonly codec: number }
  | { readonly do: 'produce as'; readonly partition: number; readonly producer: number; readonly what: 'next' | 'again' | 'older' | 'gap' | 'old epoch' | 'new epoch' | 'new epoch, wrong start'; readonly count: number }
  | { readonly do: 'delete records' | 'read'; readonly partition: number; readonly at: number; readonly maxBytes: number }
  | { readonly do: 'retain'; readonly retentionMs: number; readonly advanceMs: number }
  | { readonly do: 'segment size'; readonly bytes: number }
  | { readonly do: 'crash'; readonly keep: number; readonly zeros: number }
  | { readonly do: 'restart' | 'hold syncs' | 'let go' | 'fail syncs' | 'lose a sync' | 'turns' }

const partition = fc.nat(partitions - 1)
const record: fc.Arbitrary<TestRecord> = fc.record({ key: fc.option(fc.string({ maxLength: 4 })), value: fc.option(fc.string({ maxLength: 60 })), timestamp: fc.integer({ min: startMs - 100_000, max: startMs + 100_000 }) })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('produce' as const), partition, records: fc.array(record, { minLength: 1, maxLength: 5 }), codec: fc.constantFrom(0, 0, 1, 3) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('produce as' as const), partition, producer: fc.nat(1), what: fc.constantFrom('next', 'next', 'next', 'again', 'older', 'gap', 'old epoch', 'new epoch', 'new epoch, wrong start'), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'read' as const, 'delete records' as const), partition, at: fc.double({ min: 0, max: 1, noNaN: true }), maxBytes: fc.integer({ min: 1, max: 600 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retain' as const), retentionMs: fc.integer({ min: 1, max: 200_000 }), advanceMs: fc.constant(300_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('segment size' as const), bytes: fc.integer({ min: 200, max: 2000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), keep: fc.double({ min: 0, max: 1, noNaN: true }), zeros: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'hold syncs' as const, 'let go' as const, 'fail syncs' as const, 'lose a sync' as const, 'turns' as const, 'turns' as const) }) },
)

/** A batch as it was sent, with what the producer said of itself. */
interface Sent {
  readonly records: readonly ReadRecord[]
  readonly producer: Produced | null
  acknowledged: boolean
}

interface Produced {
  readonly id: number
  readonly epoch: number
  readonly sequence: number
}

interface Model {
  /** Batches in the order of the log; those not acknowledged yet at the end. */
  batches: Sent[]
  start: number
}

class World {
  readonly clock = new VirtualClock(startMs)
  disk = new MemoryDisk()
  broker!: Broker
  channel!: Channel
  readonly models: readonly Model[] = Array.from({ length: partitions }, () => ({ batches: [], start: 0 }))
  #release: () => void = () => {}
  #next = 0

  async start(): Promise<void> {
    this.broker = await startBroker({ disk: this.disk, clock: this.clock, random: seededRandom(3), settings: { 'log.cleaner.enable': 'false' } })
    this.channel = this.broker.connect()
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'produce':
        return this.#produce(step.partition, step.records.map(record => ({ ...record, value: record.value === null ? null : `${this.#next++} ${record.value}` })), null, step.codec)
      case 'produce as':
        return this.#produceAs(step)
      case 'read':
        return this.#read(step)
      case 'delete records':
        return this.#deleteRecords(step)
      case 'segment size':
        await this.#configure('segment.bytes', String(step.bytes))
        return
      case 'retain':
        return this.#retain(step)
      case 'turns':
        return turns()
      case 'hold syncs':
        this.disk.syncGate ??= new Promise(resolve => (this.#release = resolve))
        return
      case 'let go':
        return this.#letGo()
      case 'fail syncs':
        return this.#failSyncs()
      case 'lose a sync':
        return this.#loseSync()
      case 'restart':
        await this.#letGo()
        await this.broker.close()
        return this.#again(this.disk)
      case 'crash': {
        const disk = this.disk.crash(({ synced, size }) => {
          const keep = synced + Math.floor((size - synced) * step.keep)
          return { keep, zeros: Math.min(step.zeros, size - keep) }
        })
        // Nobody hears what a dead broker goes on to say.
        this.channel.close()
        this.#release()
        await turns()
        return this.#again(disk)
      }
    }
  }

  /** What is on the disk now must be all that was acknowledged, and of the rest a part from its beginning. */
  async #again(disk: MemoryDisk): Promise<void> {
    this.disk = disk
    await this.start()
    for (const [index, model] of this.models.entries()) {
      const { offset: end } = await this.listOffset(index, -1)
      const left = model.batches.filter(batch => batch.records.at(-1)!.offset < end)
      expect(model.batches.filter(({ acknowledged }, at) => acknowledged && at >= left.length)).toEqual([])
      expect(endOf(left)).toBe(end)
      model.batches = left
      for (const batch of left) batch.acknowledged = true
    }
  }

  async #letGo(): Promise<void> {
    this.disk.syncGate = null
    this.#release()
    await turns()
  }

  async #failSyncs(): Promise<void> {
    this.disk.syncFailure = new MillraceError('DISK_FAILED', 'The medium says no.')
    await this.#letGo()
    await this.#produce(0, [{ key: 'k', value: `never ${this.#next++}`, timestamp: startMs }], null, 0)
    await turns()
    this.disk.syncFailure = null
  }

  /** The sync that fails is that of a checkpoint, while a batch waits for the next one. */
  async #loseSync(): Promise<void> {
    await this.#letGo()
    this.disk.syncFailsOnce = true
    const produced = this.#produce(0, [{ key: 'k', value: `lost? ${this.#next++}`, timestamp: startMs }], null, 0)
    const offset = this.models[0]!.start
    const deleting = this.channel.request('DeleteRecords', { timeoutMs: 1000, topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset }] }] })
    await produced
    const { topics } = await deleting
    expect(['NONE', 'KAFKA_STORAGE_ERROR']).toContain(errorNameOf(topics[0]!.partitions[0]!.errorCode))
    this.disk.syncFailsOnce = false
  }

  #send(partition: number, records: readonly TestRecord[], producer: Produced | null, codec: number) {
    const fields = producer === null ? {} : { producerId: producer.id, producerEpoch: producer.epoch, baseSequence: producer.sequence }
    const batch = batchOf(records, { codec, ...fields })
    return this.channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: partition, records: batch }] }] }, { version: 11 }).then(({ responses }) => responses[0]!.partitionResponses[0]!)
  }

  /** Sends a batch that must be taken. It is in the log when this resolves, acknowledged or not. */
  async #produce(partition: number, records: readonly TestRecord[], producer: Produced | null, codec: number): Promise<void> {
    const model = this.models[partition]!
    const baseOffset = endOf(model.batches)
    const sent: Sent = { records: records.map((record, index) => ({ ...record, offset: baseOffset + index })), producer, acknowledged: false }
    model.batches.push(sent)
    void this.#send(partition, records, producer, codec).then(
      answer => {
        if (answer.errorCode !== 0) {
          // A failed sync takes back all that was not acknowledged.
          expect(errorNameOf(answer.errorCode)).toBe('KAFKA_STORAGE_ERROR')
          model.batches = model.batches.filter(other => other !== sent)
        } else {
          expect(answer.baseOffset).toBe(baseOffset)
          sent.acknowledged = true
        }
      },
      () => {
        // The broker is gone; what is left of the batch is seen when it comes again.
      },
    )
    if (this.disk.syncGate === null) await turns()
  }

  async #produceAs({ partition, producer, what, count }: Step & { readonly do: 'produce as' }): Promise<void> {
    const id = 100 + producer
    const own = this.models[partition]!.batches.filter(batch => batch.producer?.id === id)
    const last = own.at(-1)
    const epoch = last?.producer!.epoch ?? 0
    const next = last === undefined ? 0 : last.producer!.sequence + last.records.length
    const records = Array.from({ length: count }, () => ({ key: null, value: `${this.#next++}`, timestamp: startMs }))
    const ask = async (sequence: number, of: number): Promise<string> => {
      const sending = this.#send(partition, records, { id, epoch: of, sequence }, 0)
      await this.#letGo()
      return errorNameOf((await sending).errorCode)
    }
    if (what === 'next') return this.#produce(partition, records, { id, epoch, sequence: next }, 0)
    if (last === undefined) return
    if (what === 'new epoch') return this.#produce(partition, records, { id, epoch: epoch + 1, sequence: 0 }, 0)
    if (what === 'gap') return expect(await ask(next + 1, epoch)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    if (what === 'new epoch, wrong start') return expect(await ask(1, epoch + 1)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    if (what === 'old epoch') return epoch === 0 ? undefined : expect(await ask(next, epoch - 1)).toBe('INVALID_PRODUCER_EPOCH')
    const ofEpoch = own.filter(batch => batch.producer!.epoch === epoch)
    const old = what === 'again' ? ofEpoch.at(-1 - (count % Math.min(5, ofEpoch.length)))! : ofEpoch.at(-6)
    if (old === undefined) return
    const answering = this.#send(partition, old.records, old.producer, 0)
    await this.#letGo()
    const answer = await answering
    expect([errorNameOf(answer.errorCode), answer.baseOffset]).toEqual(what === 'again' ? ['NONE', old.records[0]!.offset] : ['OUT_OF_ORDER_SEQUENCE_NUMBER', -1])
  }

  async fetch(partition: number, fetchOffset: number, maxBytes: number) {
    const { responses } = await this.channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: 't', partitions: [{ partition, fetchOffset, partitionMaxBytes: maxBytes }] }] }, { version: 11 })
    return responses[0]!.partitions[0]!
  }

  async listOffset(partitionIndex: number, timestamp: number): Promise<{ readonly timestamp: number; readonly offset: number }> {
    const { topics } = await this.channel.request('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions: [{ partitionIndex, timestamp }] }] })
    const { errorCode, timestamp: at, offset } = topics[0]!.partitions[0]!
    expect(errorCode).toBe(0)
    return { timestamp: at, offset }
  }

  /** The answer is what the array holds there: whole batches, none of them too many. */
  async #read({ partition, at, maxBytes }: Step & { readonly do: 'read' | 'delete records' }): Promise<void> {
    const model = this.models[partition]!
    const acknowledged = model.batches.filter(batch => batch.acknowledged)
    const end = endOf(acknowledged)
    const from = model.start + Math.floor((end - model.start) * at)
    const answer = await this.fetch(partition, from, maxBytes)
    expect([answer.errorCode, answer.logStartOffset, answer.highWatermark]).toEqual([0, model.start, end])
    const found = recordsOf(answer.records!, from)
    expect(found).toEqual(acknowledged.flatMap(({ records }) => records).filter(({ offset }) => offset >= from).slice(0, found.length))
    expect(found.length > 0).toBe(from < end)
    for (const outside of [model.start - 1, endOf(model.batches) + 1]) expect((await this.fetch(partition, outside, 100)).errorCode).toBe(1)
  }

  async #deleteRecords({ partition, at }: Step & { readonly do: 'read' | 'delete records' }): Promise<void> {
    await this.#letGo()
    const model = this.models[partition]!
    const offset = model.start + Math.floor((endOf(model.batches) - model.start) * at)
    const { topics } = await this.channel.request('DeleteRecords', { timeoutMs: 1000, topics: [{ name: 't', partitions: [{ partitionIndex: partition, offset }] }] })
    expect(topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: offset })
    model.start = offset
  }

  async #configure(name: string, value: string): Promise<void> {
    await this.#letGo()
    const { responses } = await this.channel.request('IncrementalAlterConfigs', { resources: [{ resourceType: 2, resourceName: 't', configs: [{ name, configOperation: 0, value }] }], validateOnly: false })
    expect(responses[0]!.errorCode).toBe(0)
  }

  /** Retention takes whole segments of old records from the front: nothing young goes. */
  async #retain({ retentionMs, advanceMs }: Step & { readonly do: 'retain' }): Promise<void> {
    await this.#configure('retention.ms', String(advanceMs + retentionMs))
    this.clock.advance(advanceMs)
    await turns()
    await this.#configure('retention.ms', '-1')
    for (const [index, model] of this.models.entries()) {
      const { offset: start } = await this.listOffset(index, -2)
      const gone = model.batches.flatMap(({ records }) => records).filter(({ offset }) => offset >= model.start && offset < start)
      for (const { timestamp } of gone) expect(timestamp).toBeLessThan(this.clock.now() - retentionMs - advanceMs)
      expect(start).toBeGreaterThanOrEqual(model.start)
      model.start = start
    }
  }

  async check(): Promise<void> {
    for (const [index, model] of this.models.entries()) {
      const acknowledged = model.batches.filter(batch => batch.acknowledged)
      const all = acknowledged.flatMap(({ records }) => records).filter(({ offset }) => offset >= model.start)
      const end = endOf(acknowledged)
      expect([(await this.listOffset(index, -2)).offset, (await this.listOffset(index, -1)).offset]).toEqual([model.start, Math.max(end, model.start)])
      for (const asked of [startMs - 100_001, startMs - 50_000, startMs, startMs + 70_000, ...all.slice(0, 3).map(({ timestamp }) => timestamp)]) {
        const first = all.find(({ timestamp }) => timestamp >= asked)
        expect(await this.listOffset(index, asked), `time ${asked}`).toEqual(first === undefined ? { timestamp: -1, offset: -1 } : { timestamp: first.timestamp, offset: first.offset })
      }
      const newest = all.reduce<ReadRecord | null>((best, record) => (best === null || record.timestamp > best.timestamp ? record : best), null)
      expect(await this.listOffset(index, -3), 'largest time').toEqual(newest === null ? { timestamp: -1, offset: -1 } : { timestamp: newest.timestamp, offset: newest.offset })
    }
  }

  async finish(): Promise<void> {
    await this.#letGo()
    for (const [index, model] of this.models.entries()) {
      const found: ReadRecord[] = []
      for (let offset = model.start; ; offset = found.at(-1)!.offset + 1) {
        const records = recordsOf((await this.fetch(index, offset, 500)).records!, offset)
        if (records.length === 0) break
        found.push(...records)
      }
      expect(found).toEqual(model.batches.flatMap(({ records }) => records).filter(({ offset }) => offset >= model.start))
    }
    await this.broker.close()
  }
}

function endOf(batches: readonly Sent[]): number {
  return (batches.at(-1)?.records.at(-1)!.offset ?? -1) + 1
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
}

test('what is produced is read, found by time, deleted and kept as in an array', { timeout: 1_200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async steps => {
      const world = new World()
      await world.start()
      const configs = [{ name: 'segment.bytes', value: '500' }, { name: 'retention.ms', value: '-1' }, { name: 'index.interval.bytes', value: '200' }]
      await world.channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: partitions, replicationFactor: 1, assignments: [], configs }] })
      for (const step of steps) {
        await world.apply(step)
        await world.check()
      }
      await world.finish()
    }),
    { numRuns: runs, ...seed },
  )
})
