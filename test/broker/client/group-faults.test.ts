// Members come, go, crash and lose their connections; no record is left out, and nobody reads what another member holds.

import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { connectLog, type LogClient } from '../../../broker/client/connect-log.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { MillraceError } from '../../../core/error.ts'
import type { GroupConsumer, GroupMember, MemberAssignment } from '../../../core/log-port.ts'
import { seededRandom, type Random } from '../../../core/random.ts'
import { FaultyChannel, noFaults, type FaultRates } from './faulty-channel.ts'
import { passing } from './passing-time.ts'

const runs = process.env['MILLRACE_NIGHTLY'] === undefined ? 15 : 500
const partitions = 5
const records = 200

interface World {
  readonly clock: VirtualClock
  readonly random: Random
  readonly sound: LogClient
  readonly connect: () => Promise<Mortal>
  rates: FaultRates
}

/** A client whose every connection can be cut for good. */
interface Mortal {
  readonly client: LogClient
  readonly kill: () => void
}

async function inWorld(seed: number, action: (world: World) => Promise<void>): Promise<void> {
  const clock = new VirtualClock(1_700_000_000_000)
  const random = seededRandom(seed)
  const given = new Set<string>()
  const broker = await startBroker({ memory: true, clock, random, settings: { 'group.initial.rebalance.delay.ms': 0 } })
  const clients: LogClient[] = []
  const sound = await connectLog({ connect: () => broker.connect(), clock, random })
  const world: World = {
    clock, random, sound, rates: noFaults,
    async connect() {
      let alive = true
      const rates = (): FaultRates => (alive ? world.rates : { ...noFaults, lost: 1000 })
      const client = await connectLog({ connect: () => new FaultyChannel(broker.connect(), random, rates, given), clock, random, connectTimeoutMs: 600_000 })
      clients.push(client)
      return { client, kill: () => (alive = false) }
    },
  }
  try {
    await action(world)
  } finally {
    world.rates = noFaults
    await passing(clock, Promise.all(clients.map(client => client.close())), 20)
    await sound.close()
    await broker.close()
  }
}

/** Who reads a partition now, by the coordinator's leave, and every offset that anybody has read. */
class Ledger {
  readonly read: Set<number>[] = Array.from({ length: partitions }, () => new Set<number>())

  get complete(): boolean {
    return this.read.every(offsets => offsets.size === records / partitions)
  }
}

const dealt = async (members: readonly GroupMember[]): Promise<ReadonlyMap<string, MemberAssignment>> => {
  const numbers = Array.from({ length: partitions }, (_, i) => i)
  return new Map(
    members.map(({ memberId }, i) => [memberId, { partitions: numbers.filter(n => n % members.length === i).map(partition => ({ topic: 'facts', partition })), userData: Buffer.alloc(0) }]),
  )
}

interface Life {
  readonly startMs: number
  readonly lengthMs: number
  /** Hanging, it polls no more, though its heart goes on beating. */
  readonly end: 'leaves' | 'hangs' | 'dies'
}

/** Joins, reads, commits now and then, and ends at its appointed time. */
async function live(world: World, ledger: Ledger, life: Life): Promise<void> {
  const { clock, random } = world
  const after = (ms: number): Promise<void> => new Promise(resolve => clock.after(ms, resolve))
  await after(life.startMs)
  const end = clock.now() + life.lengthMs
  const { client, kill } = await world.connect()
  const consumer = client.groupConsumer({
    groupId: 'readers', topics: ['facts'], protocol: 'dealt', offsetReset: () => 'earliest', userData: () => Buffer.alloc(0), assign: dealt,
    sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, heartbeatIntervalMs: 500, maxWaitMs: 200, maxPartitionBytes: 200,
  })
  const expected = new Map<number, number>()
  const commit = async (): Promise<void> => {
    const offsets = [...expected].map(([partition, offset]) => ({ topic: 'facts', partition, offset, metadata: '' }))
    await consumer.commit(offsets).catch((error: unknown) => {
      if (!(error instanceof MillraceError)) throw error
    })
  }
  const listener = {
    revoked: commit,
    async assigned({ partitions }: MemberAssignment) {
      expected.clear()
      for (const partition of partitions) expected.set(partition.partition, consumer.position(partition)!)
    },
    async lost() {},
  }
  await untilItWorks(world, () => consumer.start(listener))
  while (clock.now() < end && !ledger.complete) {
    await untilItWorks(world, () => readOnce(consumer, expected, ledger))
    if (random.uint32() % 3 === 0) await commit()
    await after(random.uint32() % 300)
  }
  if (life.end === 'leaves') await consumer.close()
  else if (life.end === 'dies') kill()
}

async function readOnce(consumer: GroupConsumer, expected: Map<number, number>, ledger: Ledger): Promise<void> {
  for (const { partition, cursor, nextOffset } of await consumer.poll(300)) {
    while (cursor.next()) {
      expect([partition, cursor.offset]).toEqual([partition, expected.get(partition)])
      expect(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd)).toBe(String(cursor.offset * partitions + partition))
      expected.set(partition, cursor.offset + 1)
      ledger.read[partition]!.add(cursor.offset)
    }
    expected.set(partition, nextOffset)
  }
}

/** A broker that fails longer than a client tries is drawn now and then; the application would start again. */
async function untilItWorks(world: World, action: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof MillraceError) || !error.retriable) throw error
      await new Promise<void>(resolve => world.clock.after(500, resolve))
    }
  }
}

const rate = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 }))
const life: fc.Arbitrary<Life> = fc.record({ startMs: fc.nat(20_000), lengthMs: fc.nat(30_000), end: fc.constantFrom('leaves', 'hangs', 'dies') })

it('no record is left out', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), rate, rate, rate, fc.array(life, { minLength: 1, maxLength: 4 }), async (seed, lost, unanswered, refused, lives) => {
      await inWorld(seed, async world => {
        const { clock, sound } = world
        await passing(clock, sound.admin.createTopics([{ name: 'facts', partitions }]), 20)
        const producer = await sound.producer({ batchBytes: 120 })
        for (let i = 0; i < records; i++) producer.appender('facts', i % partitions).append(null, Buffer.from(String(i)), i)
        await passing(clock, producer.flush(), 20)
        world.rates = { ...noFaults, lost, unanswered, refused }
        const ledger = new Ledger()
        await passing(clock, Promise.all(lives.map(life => live(world, ledger, life))), 20)
        world.rates = noFaults
        await passing(clock, live(world, ledger, { startMs: 0, lengthMs: 3_000_000, end: 'leaves' }), 20)
        expect(ledger.read.map(offsets => offsets.size)).toEqual(Array.from({ length: partitions }, () => records / partitions))
      })
    }),
    { numRuns: runs },
  )
})
