// A compacted topic, through the broker's wire, against a map: plain and transactional producers, tombstones, compaction, restarts and crashes at random.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { batchOf } from '../log/batches.ts'
import { readCommitted, TransactionalProducer } from './transactional-producer.ts'

const runs = process.env['MILLRACE_NIGHTLY'] === undefined ? 25 : 1000
const seed = process.env['MILLRACE_SEED'] === undefined ? {} : { seed: Number(process.env['MILLRACE_SEED']) }

type Step =
  | { readonly do: 'write' | 'delete'; readonly key: string }
  | { readonly do: 'write in a transaction'; readonly key: string; readonly producer: number }
  | { readonly do: 'end'; readonly producer: number; readonly commits: boolean }
  | { readonly do: 'compact' | 'restart' | 'crash' }

const key = fc.constantFrom('a', 'b', 'c', 'd')
const producer = fc.nat(2)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write in a transaction' as const), key, producer }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), producer, commits: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'crash' as const) }) },
)

interface Written {
  readonly key: string
  /** Null: a tombstone. */
  readonly value: string | null
  readonly producer: number | null
  state: 'open' | 'committed' | 'aborted'
}

class World {
  readonly clock = new VirtualClock(1_000_000)
  disk = new MemoryDisk()
  broker!: Broker
  channel!: Channel
  /** In the order of the log. */
  readonly written: Written[] = []
  #next = 0
  /** One of the older protocol, two of the newer; over whatever channel there is. */
  readonly #producers: readonly TransactionalProducer[]

  constructor() {
    const current = new Proxy({} as Channel, { get: (_, name) => (Reflect.get(this.channel, name) as (...args: unknown[]) => unknown).bind(this.channel) })
    this.#producers = [new TransactionalProducer(current, 'p0', 1), new TransactionalProducer(current, 'p1', 2), new TransactionalProducer(current, 'p2', 2)]
  }

  async start(): Promise<void> {
    const settings = { 'offsets.topic.num.partitions': 1, 'transaction.state.log.num.partitions': 1, 'transaction.state.log.segment.bytes': 1000 }
    this.broker = await startBroker({ disk: this.disk, clock: this.clock, random: seededRandom(1), settings })
    this.channel = this.broker.connect()
  }

  async begin(): Promise<void> {
    await this.start()
    const configs = { 'cleanup.policy': 'compact', 'segment.bytes': '400', 'min.cleanable.dirty.ratio': '0', 'delete.retention.ms': '0' }
    await this.channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: Object.entries(configs).map(([name, value]) => ({ name, value })) }] })
    for (const producer of this.#producers) expect(await producer.init({ timeoutMs: 900_000 })).toBe('NONE')
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'write':
      case 'delete':
        return this.#write(step.key, step.do === 'delete' ? null : `${step.key}=${this.#next++}`)
      case 'write in a transaction': {
        const value = `${step.key}=${this.#next++}`
        expect(await this.#producers[step.producer]!.send('t', [value])).toBe('NONE')
        this.written.push({ key: step.key, value, producer: step.producer, state: 'open' })
        return
      }
      case 'end':
        return this.#end(step.producer, step.commits)
      case 'compact':
        this.clock.advance(15_000)
        return turns(30)
      case 'restart':
        await this.broker.close()
        return this.start()
      case 'crash':
        this.disk = this.disk.crash()
        await turns(5)
        return this.start()
    }
  }

  async #write(key: string, value: string | null): Promise<void> {
    const records = batchOf([{ key, value, timestamp: 1000 }])
    const { responses } = await this.channel.request('Produce', { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }, { version: 11 })
    expect(responses[0]!.partitionResponses[0]!.errorCode).toBe(0)
    this.written.push({ key, value, producer: null, state: 'committed' })
  }

  async #end(producer: number, commits: boolean): Promise<void> {
    const own = this.written.filter(entry => entry.producer === producer && entry.state === 'open')
    if (own.length === 0) return
    expect(await this.#producers[producer]!.end(commits)).toBe('NONE')
    for (const entry of own) entry.state = commits ? 'committed' : 'aborted'
    await turns(5)
  }

  async check(): Promise<void> {
    await turns(5)
    const firstOpen = this.written.findIndex(({ state }) => state === 'open')
    const stable = this.written.slice(0, firstOpen < 0 ? undefined : firstOpen).filter(({ state }) => state === 'committed')
    const seen = (await readCommitted(this.channel, 't')).values.filter(value => value !== null)
    const order = stable.map(({ value }) => value)
    // What is seen was committed, in the order in which it was written, once.
    const places = seen.map(value => order.indexOf(value))
    expect(places).not.toContain(-1)
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
    const last = new Map(stable.map(({ key, value }) => [key, value]))
    for (const [key, value] of last) if (value !== null) expect(seen, `the last of ${key}`).toContain(value)
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

test('of every key the last committed value is seen, and nothing that was aborted or is open', { timeout: 1_200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async steps => {
      const world = new World()
      await world.begin()
      for (const step of steps) {
        await world.apply(step)
        await world.check()
      }
      await world.broker.close()
    }),
    { numRuns: runs, ...seed },
  )
})

test('a topic that is compacted again and again keeps no more than its keys', async () => {
  const world = new World()
  await world.begin()
  for (let round = 0; round < 10; round++) {
    for (let n = 0; n < 10; n++) await world.apply({ do: 'write', key: 'abcd'[n % 4]! })
    await world.apply({ do: 'compact' })
  }
  await world.check()
  expect((await readCommitted(world.channel, 't')).values.length).toBeLessThan(20)
  await world.broker.close()
})
