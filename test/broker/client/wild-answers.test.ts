// A client before a broker that answers nonsense: fields of any value, lists cut, doubled or emptied. It fails with an error of ours or goes on; it never hangs.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectLog, type LogClient } from '../../../broker/client/connect-log.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import type { ApiName, RequestInput, ResponseInput, ResponseOf } from '../../../broker/wire/apis.ts'
import { ByteReader } from '../../../broker/wire/byte-reader.ts'
import type { Channel, RequestOptions } from '../../../broker/wire/channel.ts'
import { decodeResponse, encodeResponse, readCorrelationId } from '../../../broker/wire/frame.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import { seededRandom, type Random } from '../../../core/random.ts'
import { readAll, rowsOf } from './log-under-test.ts'

const runs = process.env['MILLRACE_NIGHTLY'] === undefined ? 25 : 400
const seed = process.env['MILLRACE_SEED'] === undefined ? {} : { seed: Number(process.env['MILLRACE_SEED']) }

/** Changes one thing somewhere in an answer, now and then. */
class WildChannel implements Channel {
  readonly closed: Promise<Error | null>
  readonly #inner: Channel
  readonly #random: Random
  readonly #world: { readonly wildness: number }

  constructor(inner: Channel, random: Random, world: { readonly wildness: number }) {
    this.#inner = inner
    this.#random = random
    this.#world = world
    this.closed = inner.closed
  }

  versionOf(api: ApiName): number {
    return this.#inner.versionOf(api)
  }

  async request<N extends ApiName>(api: N, body: RequestInput<N>, options?: RequestOptions): Promise<ResponseOf<N>> {
    const answer = await this.#inner.request(api, body, options)
    if (this.#random.uint32() % 100 >= this.#world.wildness) return answer
    return overTheWire(api, options?.version ?? this.versionOf(api), this.#wild(answer) as ResponseOf<N>) ?? answer
  }

  close(): void {
    this.#inner.close()
  }

  #wild(value: unknown): unknown {
    if (Buffer.isBuffer(value)) return this.#wildBytes(value)
    if (Array.isArray(value)) return this.#wildList(value)
    if (typeof value === 'object' && value !== null) {
      const names = Object.keys(value)
      if (names.length === 0) return value
      const name = names[this.#random.uint32() % names.length]!
      return { ...value, [name]: this.#wild((value as Record<string, unknown>)[name]) }
    }
    if (typeof value === 'number') return [-1, 0, 1, -2, 3, 6, 16, 25, 27, 1000, 2 ** 31 - 1, -(2 ** 31)][this.#random.uint32() % 12]
    if (typeof value === 'string') return ['', 'nonsense', value.slice(1)][this.#random.uint32() % 3]
    return typeof value === 'boolean' ? !value : value
  }

  #wildList(list: readonly unknown[]): readonly unknown[] {
    const at = this.#random.uint32() % Math.max(1, list.length)
    const kind = this.#random.uint32() % 6
    if (kind === 0) return []
    if (kind === 1) return list.slice(0, at)
    if (kind === 2) return [...list, ...list]
    return list.map((element, index) => (index === at ? this.#wild(element) : element))
  }

  #wildBytes(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes)
    if (copy.length > 0) copy[this.#random.uint32() % copy.length]! ^= 1 << (this.#random.uint32() % 8)
    return this.#random.uint32() % 3 === 0 ? copy.subarray(0, this.#random.uint32() % (copy.length + 1)) : copy
  }
}

/** As it would arrive; null for what cannot be said in the protocol. */
function overTheWire<N extends ApiName>(api: N, version: number, answer: ResponseOf<N>): ResponseOf<N> | null {
  try {
    const frame = Buffer.concat(encodeResponse(api, version, 1, answer as unknown as ResponseInput<N>))
    const reader = new ByteReader(frame, 4)
    readCorrelationId(reader)
    return decodeResponse(api, version, reader)
  } catch {
    return null
  }
}

interface World {
  readonly clock: VirtualClock
  readonly random: Random
  wildness: number
}

/** Lets time pass until the work is done, which it must be within hours; an error must be one that a user can read. */
async function ends<T>({ clock }: World, name: string, work: Promise<T>): Promise<T | null> {
  const state = { open: true }
  const done = work.finally(() => (state.open = false))
  done.catch(() => {})
  for (let turns = 0; state.open; turns++) {
    if (turns > 4000) throw new Error(`${name} never ended`)
    await new Promise(resolve => setImmediate(resolve))
    if (state.open) clock.advance(turns < 1000 ? 20 : 2000)
  }
  try {
    return await done
  } catch (error) {
    if (error instanceof MillraceError) return null
    throw new Error(`${name} failed with what is not ours`, { cause: error })
  }
}

async function produce(world: World, client: LogClient): Promise<void> {
  const producer = await ends(world, 'producer', client.producer({ lingerMs: 1 }))
  if (producer === null) return
  const append = async (): Promise<void> => {
    for (let n = 0; n < 20; n++) producer.appender('facts', n % 2).append(null, Buffer.from(`${n}`), n)
    await producer.flush()
  }
  await ends(world, 'flush', append())
  await ends(world, 'close of the producer', producer.close())
}

async function read(world: World, client: LogClient): Promise<void> {
  const reader = client.reader({ maxPartitionBytes: 300, maxWaitMs: 100 })
  reader.assign([{ topic: 'facts', partition: 0, offset: 0 }, { topic: 'facts', partition: 1, offset: 0 }])
  const poll = async (): Promise<void> => {
    rowsOf(await reader.poll(500))
  }
  for (let n = 0; n < 8; n++) await ends(world, 'poll', poll())
  await ends(world, 'close of the reader', reader.close())
}

async function consume(world: World, client: LogClient): Promise<void> {
  const consumer = client.groupConsumer({
    groupId: 'g', topics: ['facts'], protocol: 'p', offsetReset: () => 'earliest', userData: () => Buffer.alloc(0), sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, heartbeatIntervalMs: 500, maxWaitMs: 100,
    assign: async members => new Map(members.map(({ memberId }) => [memberId, { partitions: [{ topic: 'facts', partition: 0 }], userData: Buffer.alloc(0) }])),
  })
  const listener = { revoked: async () => {}, assigned: async () => {}, lost: async () => {} }
  await ends(world, 'start of a member', consumer.start(listener))
  const poll = async (): Promise<void> => {
    rowsOf(await consumer.poll(500))
  }
  for (let n = 0; n < 4; n++) {
    await ends(world, 'poll of a member', poll())
    await ends(world, 'commit', consumer.commit([{ topic: 'facts', partition: 0, offset: n, metadata: '' }]))
  }
  await ends(world, 'close of a member', consumer.close())
}

async function administer(world: World, { admin }: LogClient): Promise<void> {
  const partitions = [{ topic: 'facts', partition: 0 }, { topic: 'facts', partition: 1 }]
  await ends(world, 'listTopics', admin.listTopics())
  await ends(world, 'describeTopics', admin.describeTopics(['facts', 'none']))
  await ends(world, 'createTopics', admin.createTopics([{ name: `t${world.random.uint32()}`, partitions: 1 }]))
  await ends(world, 'listOffsets', admin.listOffsets(partitions, 'latest'))
  await ends(world, 'committedOffsets', admin.committedOffsets('g', partitions))
  await ends(world, 'deleteRecords', admin.deleteRecords([{ ...partitions[0]!, offset: 0 }]))
}

test('nonsense in answers is an error or is survived, and when it ends all goes well', { timeout: 1_200_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 5, max: 60 }), async (draw, wildness) => {
      const world: World = { clock: new VirtualClock(1_700_000_000_000), random: seededRandom(draw), wildness: 0 }
      const { clock, random } = world
      const broker = await startBroker({ memory: true, clock, random, settings: { 'group.initial.rebalance.delay.ms': 0, 'offsets.topic.num.partitions': 1 } })
      const client = await connectLog({ connect: () => new WildChannel(broker.connect(), random, world), clock, random })
      await client.admin.createTopics([{ name: 'facts', partitions: 2 }])
      world.wildness = wildness
      for (const action of [produce, read, consume, administer]) await action(world, client)
      world.wildness = 0
      const before = (await ends(world, 'reading all', readAll(client, [{ topic: 'facts', partition: 0 }])))!.length
      const producer = (await ends(world, 'producer', client.producer()))!
      producer.appender('facts', 0).append(null, Buffer.from('at last'), 1)
      await ends(world, 'flush', producer.flush())
      const rows = await ends(world, 'reading all', readAll(client, [{ topic: 'facts', partition: 0 }]))
      expect(rows?.at(-1)?.value).toBe('at last')
      expect(rows?.length).toBe(before + 1)
      await ends(world, 'close', client.close())
      await broker.close()
    }),
    { numRuns: runs, ...seed },
  )
})
