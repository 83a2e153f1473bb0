// Whatever happens on the way, a producer neither loses, doubles nor reorders a record, and a reader sees each once.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { connectLog, type LogClient } from '../../../broker/client/connect-log.ts'
import { startBroker } from '../../../broker/server/start-broker.ts'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { FaultyChannel, noFaults, type FaultRates } from './faulty-channel.ts'
import { readAll, rowsOf } from './log-under-test.ts'
import { passing } from './passing-time.ts'

const nightly = process.env['MILLRACE_NIGHTLY'] !== undefined
const runs = nightly ? 2000 : 40

const rate = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 60, max: 180 }))
const rates: fc.Arbitrary<FaultRates> = fc.record({ lost: rate, unanswered: rate, doubtful: rate, refused: rate, forgotten: rate })

interface World {
  readonly clock: VirtualClock
  /** Behind faults that are drawn as long as `rates` says so. */
  readonly faulty: LogClient
  readonly sound: LogClient
  rates: FaultRates
}

const partitions = 3

async function inWorld(seed: number, action: (world: World) => Promise<void>): Promise<void> {
  const clock = new VirtualClock(1_700_000_000_000)
  const random = seededRandom(seed)
  const given = new Set<string>()
  const broker = await startBroker({ memory: true, clock, random })
  const world = { clock, rates: noFaults } as { -readonly [K in keyof World]: World[K] }
  world.sound = await connectLog({ connect: () => broker.connect(), clock, random })
  world.faulty = await connectLog({ connect: () => new FaultyChannel(broker.connect(), random, () => world.rates, given), clock, random })
  await world.sound.admin.createTopics([{ name: 'facts', partitions }])
  try {
    await action(world)
  } finally {
    await world.faulty.close()
    await world.sound.close()
    await broker.close()
  }
}

describe('behind faults', () => {
  it('a producer neither loses, doubles nor reorders', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), rates, fc.integer({ min: 200, max: 4000 }), async (seed, rates, batchBytes) => {
        await inWorld(seed, async world => {
          const producer = await world.faulty.producer({ batchBytes, lingerMs: 2 })
          world.rates = rates
          const random = seededRandom(seed + 1)
          const written: string[][] = Array.from({ length: partitions }, () => [])
          const produce = async (): Promise<void> => {
            for (let i = 0; i < 300; i++) {
              const partition = random.uint32() % partitions
              const value = `${i} ${'x'.repeat(random.uint32() % 60)}`
              producer.appender('facts', partition).append(null, Buffer.from(value), i)
              written[partition]!.push(value)
              if (random.uint32() % 40 === 0) await new Promise<void>(resolve => world.clock.after(1, resolve))
              if (random.uint32() % 200 === 0) await producer.flush()
            }
            await producer.flush()
          }
          await passing(world.clock, produce())
          for (let partition = 0; partition < partitions; partition++) {
            const rows = await passing(world.clock, readAll(world.sound, [{ topic: 'facts', partition }]))
            expect(rows.map(row => row.value)).toEqual(written[partition])
            const { lastOffset } = producer.appender('facts', partition)
            expect(lastOffset).toBe(rows.length - 1)
          }
        })
      }),
      { numRuns: runs },
    )
  })

  it('a reader sees each record once, in order', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), rates, fc.integer({ min: 100, max: 5000 }), async (seed, rates, maxPartitionBytes) => {
        await inWorld(seed, async world => {
          const producer = await world.sound.producer({ batchBytes: 500 })
          const count = 400
          for (let i = 0; i < count; i++) producer.appender('facts', i % partitions).append(null, Buffer.from(String(i)), i)
          await passing(world.clock, producer.flush())
          const reader = world.faulty.reader({ maxPartitionBytes })
          world.rates = rates
          reader.assign(Array.from({ length: partitions }, (_, partition) => ({ topic: 'facts', partition, offset: 0 })))
          const next = [0, 0, 0]
          const read = async (): Promise<void> => {
            for (let rows = 0; rows < count; ) {
              for (const { partition, offset, value } of rowsOf(await reader.poll(10_000))) {
                expect([partition, offset, value]).toEqual([partition, next[partition], String(offset * partitions + partition)])
                next[partition]!++
                rows++
              }
            }
          }
          await passing(world.clock, read())
        })
      }),
      { numRuns: runs },
    )
  })

  it('a producer gives up after two minutes without acknowledgement', async () => {
    await inWorld(1, async world => {
      const producer = await world.faulty.producer()
      world.rates = { ...noFaults, refused: 1000 }
      producer.appender('facts', 0).append(null, Buffer.from('never'), 1)
      const start = world.clock.now()
      await expect(passing(world.clock, producer.flush())).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT', message: expect.stringMatching(/facts-0 was not acknowledged within 120 s/) })
      expect(world.clock.now() - start).toBeLessThan(125_000)
      await expect(producer.ready()).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' })
    })
  })

  it('a producer waits ten seconds for a topic to appear, then says that there is none', async () => {
    await inWorld(2, async world => {
      const producer = await world.faulty.producer()
      producer.appender('late', 0).append(null, Buffer.from('x'), 1)
      const flushed = producer.flush()
      await passing(world.clock, new Promise<void>(resolve => world.clock.after(3_000, resolve)))
      await passing(world.clock, world.sound.admin.createTopics([{ name: 'late', partitions: 1 }]))
      await passing(world.clock, flushed)
      producer.appender('nowhere', 0).append(null, Buffer.from('x'), 1)
      await expect(passing(world.clock, producer.flush())).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'There is no topic nowhere. Create it first.' })
    })
  })
})
