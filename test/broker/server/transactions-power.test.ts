// The power goes at every single operation of the disk while transactions follow each other as fast as they can, with anything left of what was not synced:
// each is seen whole or not at all, those that were acknowledged are, and the next one's records are never taken for those of the one before.

import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk, type CrashOutcome } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import { Power } from '../disk/power.ts'
import { positionOf, readCommitted, TransactionalProducer, type TransactionVersion } from './transactional-producer.ts'

const nightly = process.env['MILLRACE_NIGHTLY'] !== undefined
const settings = { 'transaction.state.log.num.partitions': 1, 'offsets.topic.num.partitions': 1 }
const transactionCount = 5

/** In turns of the event loop what a coordinator writes together is one batch, and what is written behind an answer is under way when the next request comes. */
class TurningClock extends VirtualClock {
  override turn(): Promise<void> {
    return new Promise(resolve => setImmediate(resolve))
  }
}

interface Told {
  /** Transactions by number: all that were begun, those whose end was asked for, and those that were acknowledged. */
  begun: number
  asked: number
  committed: number
}

/** Transactions of one producer: two partitions and an offset each, every third one aborted. */
class Life {
  readonly told: Told = { begun: 0, asked: 0, committed: 0 }
  readonly #power: Power
  readonly #version: TransactionVersion
  #broker: Broker | null = null

  constructor(power: Power, version: TransactionVersion) {
    this.#power = power
    this.#version = version
  }

  async run(): Promise<void> {
    try {
      await this.#live()
      await this.#broker?.close()
    } catch (error) {
      if (!this.#power.isOff) throw error
    }
  }

  async #live(): Promise<void> {
    this.#broker = await startBroker({ disk: this.#power.disk, clock: new TurningClock(1_000), random: seededRandom(1), settings })
    const channel = this.#broker.connect()
    await this.#ask(() => channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }] }))
    await this.#ask(() => channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] }))
    const producer = new TransactionalProducer(channel, 'id', this.#version)
    await this.#ask(() => producer.init())
    for (let number = 1; number <= transactionCount; number++) await this.#transaction(producer, number)
  }

  async #transaction(producer: TransactionalProducer, number: number): Promise<void> {
    if (this.#power.isOff) return
    this.told.begun = number
    for (const partition of [0, 1]) expect(await this.#ask(() => producer.send('t', [`${number}.${partition}`], partition))).toBe('NONE')
    expect(await this.#ask(() => producer.commitOffset({ groupId: 'g', topic: 't', offset: number }))).toBe('NONE')
    const isCommit = isCommitted(number)
    if (isCommit) this.told.asked = number
    expect(await this.#ask(() => producer.end(isCommit))).toBe('NONE')
    if (isCommit) this.told.committed = number
  }

  /** @throws Error where no answer comes: the power is off */
  async #ask<T>(request: () => Promise<T>): Promise<T> {
    const answer = await Promise.race([request(), turns(200).then(() => null)])
    if (answer === null || this.#power.isOff) throw new Error(`no answer; the last operation was ${this.#power.last}`)
    return answer
  }
}

function isCommitted(number: number): boolean {
  return number % 3 !== 0
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

async function check(disk: MemoryDisk, { asked, committed }: Told, version: TransactionVersion): Promise<void> {
  const clock = new TurningClock(2_000)
  const broker = await startBroker({ disk, clock, random: seededRandom(2), settings })
  const channel = broker.connect()
  const { topics } = await channel.request('Metadata', { topics: [{ name: 't' }], allowAutoTopicCreation: false })
  if (topics[0]!.errorCode !== 0) return void (await broker.close())
  await channel.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  const next = new TransactionalProducer(channel, 'id', version)
  for (let tries = 0; (await next.init()) !== 'NONE'; tries++) {
    expect(tries, 'a new producer begins').toBeLessThan(20)
    clock.advance(100)
    await turns(5)
  }
  await turns(10)
  const expected = (partition: number, last: number): readonly string[] => Array.from({ length: last }, (_, index) => index + 1).filter(isCommitted).map(number => `${number}.${partition}`)
  const seen = await Promise.all([0, 1].map(partition => readCommitted(channel, 't', partition)))
  const last = seen[0]!.values.length === expected(0, asked).length ? asked : committed
  for (const partition of [0, 1]) {
    expect(seen[partition]!.values).toEqual(expected(partition, last))
    expect(seen[partition]!.nextOffset, 'nothing is open').toBe((await readCommitted(channel, 't', partition, 0, 0)).nextOffset)
  }
  expect(await positionOf(channel, 'g', 't')).toBe(last === 0 ? -1 : last)
  expect([await next.send('t', ['next'], 0), await next.end(true)]).toEqual(['NONE', 'NONE'])
  await turns(20)
  expect((await readCommitted(channel, 't', 0)).values).toEqual([...seen[0]!.values, 'next'])
  await broker.close()
}

const outcomes: readonly (readonly [name: string, outcome: CrashOutcome])[] = [
  ['nothing unsynced is left', ({ synced }) => ({ keep: synced })],
  ['all is left', ({ size }) => ({ keep: size })],
  ['only records are left', ({ path, synced, size }) => ({ keep: path.startsWith('t-') ? size : synced })],
  ['only what coordinators wrote is left', ({ path, synced, size }) => ({ keep: path.startsWith('__') ? size : synced })],
]

const cases = ([1, 2] as const).flatMap(version => outcomes.map(([name, outcome]) => [version, name, outcome] as const))

test.each(cases)('transactions of version %i, the power goes, and %s', { timeout: 600_000 }, async (version, _, outcome) => {
  const whole = new Power(new MemoryDisk())
  const life = new Life(whole, version)
  await life.run()
  expect(life.told.committed).toBe(transactionCount)
  for (let goesAt = nightly ? 0 : 20; goesAt < whole.operations; goesAt += nightly ? 1 : 5) {
    const disk = new MemoryDisk()
    const power = new Power(disk, goesAt)
    const cut = new Life(power, version)
    await cut.run()
    try {
      await check(disk.crash(outcome), cut.told, version)
    } catch (error) {
      throw new Error(`the power went at operation ${goesAt} of ${whole.operations}, after ${power.last}`, { cause: error })
    }
  }
})
