// The power goes at every single operation of the disk in a broker's life, with anything left of what was not synced: nothing acknowledged is lost or altered.

import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk, type CrashOutcome } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { Power } from '../disk/power.ts'
import { batchOf, recordsOf, type ReadRecord, type TestRecord } from '../log/batches.ts'

const nightly = process.env['MILLRACE_NIGHTLY'] !== undefined
const startMs = 1_700_000_000_000

/** What was acknowledged, and what was sent and perhaps was not. */
class Facts {
  readonly plain: { readonly offset: number; readonly value: string }[] = []
  readonly sent = new Map<string, (string | null)[]>()
  readonly acknowledged = new Map<string, string | null>()
  start = 0
  committed = -1
  /** Of the topic that is deleted and made again: the last rounds that it was made in, asked to go, and gone; and how many records of each round were acknowledged. */
  readonly passing = { made: -1, asked: -1, gone: -1, acknowledged: [0, 0, 0] }
  retentionMs: string | null = null
}

const noId = '00000000-0000-0000-0000-000000000000'

function passingValue(round: number, n: number): string {
  return `${round} ${n}`.padEnd(200, '.')
}

class Life {
  readonly facts = new Facts()
  readonly clock = new VirtualClock(startMs)
  readonly power: Power
  #broker: Broker | null = null
  #channel!: Channel
  #next = 0

  constructor(power: Power) {
    this.power = power
  }

  /** Everything that a broker does to its disk, some of it more than once. */
  async run(): Promise<void> {
    await this.#start()
    await this.#ask(() => this.#createTopics())
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 6; n++) await this.#producePlain(round * 10 + n)
      for (let n = 0; n < 12; n++) await this.#produceKeyed(`k${n % 4}`, round === 2 && n % 4 === 0 ? null : `${'x'.repeat(60)} ${this.#next++}`)
      await this.#deleteRecords(round * 4)
      await this.#commit(round)
      await this.#alter(String(1_000_000_000 + round))
      await this.#remake(round)
      this.clock.advance(16_000)
      await turns(40)
      if (round === 1) {
        await this.#close()
        await this.#start()
      }
    }
    await this.#close()
  }

  /** Closing does what it can, and hears that the power is off. */
  async #close(): Promise<void> {
    try {
      await this.#broker?.close()
    } catch (error) {
      if (!this.power.isOff) throw error
    }
  }

  async #start(): Promise<void> {
    if (this.power.isOff) return
    try {
      this.#broker = await startBroker({ disk: this.power.disk, clock: this.clock, random: seededRandom(1), settings: { 'offsets.topic.num.partitions': 1, 'offsets.topic.segment.bytes': 400, 'log.segment.delete.delay.ms': 5000 } })
      this.#channel = this.#broker.connect()
    } catch (error) {
      if (!this.power.isOff) throw error
    }
  }

  /** The answer, or null where none comes: the power is off. */
  async #ask<T>(request: () => Promise<T>): Promise<T | null> {
    if (this.power.isOff) return null
    const answer = await Promise.race([request().catch(() => null), turns(60).then(() => null)])
    if (!this.power.isOff) expect(answer).not.toBeNull()
    return answer
  }

  #createTopics() {
    const topic = (name: string, configs: Record<string, string>) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: Object.entries({ 'segment.bytes': '400', 'index.interval.bytes': '100', ...configs }).map(([config, value]) => ({ name: config, value })) })
    return this.#channel.request('CreateTopics', { topics: [topic('plain', {}), topic('keyed', { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0', 'delete.retention.ms': '0' })] })
  }

  async #produce(name: string, record: TestRecord): Promise<number | null> {
    const answer = await this.#ask(() => this.#channel.request('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name, partitionData: [{ index: 0, records: batchOf([record]) }] }] }, { version: 11 }))
    const produced = answer?.responses[0]?.partitionResponses[0]
    if (!this.power.isOff) expect(produced?.errorCode).toBe(0)
    return produced?.errorCode === 0 ? produced.baseOffset : null
  }

  async #producePlain(n: number): Promise<void> {
    const offset = await this.#produce('plain', { key: null, value: `plain ${n}`.padEnd(80, '.'), timestamp: startMs + n })
    if (offset !== null) this.facts.plain.push({ offset, value: `plain ${n}`.padEnd(80, '.') })
  }

  async #produceKeyed(key: string, value: string | null): Promise<void> {
    if (this.power.isOff) return
    this.facts.sent.set(key, [...(this.facts.sent.get(key) ?? []), value])
    if ((await this.#produce('keyed', { key, value, timestamp: startMs })) !== null) this.facts.acknowledged.set(key, value)
  }

  async #deleteRecords(offset: number): Promise<void> {
    const answer = await this.#ask(() => this.#channel.request('DeleteRecords', { timeoutMs: 1000, topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, offset }] }] }))
    if (answer?.topics[0]!.partitions[0]!.errorCode === 0) this.facts.start = offset
  }

  /** Deletes a topic, where there was a round before, and makes it again at once, to be known by its partitions and by other records. */
  async #remake(round: number): Promise<void> {
    const { passing } = this.facts
    if (this.power.isOff) return
    const deleting = round === 0 ? null : this.#delete(round - 1)
    const topic = { name: 'passing', numPartitions: round + 1, replicationFactor: 1, assignments: [], configs: [{ name: 'segment.bytes', value: '400' }] }
    const made = await this.#ask(() => this.#channel.request('CreateTopics', { topics: [topic] }))
    if (made?.topics[0]!.errorCode === 0) passing.made = round
    await deleting
    for (let n = 0; n < 3; n++) {
      const value = passingValue(round, n)
      if ((await this.#produce('passing', { key: null, value, timestamp: startMs })) !== null) passing.acknowledged[round] = n + 1
    }
  }

  async #delete(round: number): Promise<void> {
    this.facts.passing.asked = round
    const answer = await this.#ask(() => this.#channel.request('DeleteTopics', { topics: [{ name: 'passing', topicId: noId }], timeoutMs: 1 }))
    if (answer?.responses[0]!.errorCode === 0) this.facts.passing.gone = round
  }

  async #commit(offset: number): Promise<void> {
    const found = await this.#ask(() => this.#channel.request('FindCoordinator', { coordinatorKeys: ['g'] }))
    if (found === null) return
    const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: 'n'.repeat(100) }]
    const answer = await this.#ask(() => this.#channel.request('OffsetCommit', { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 'plain', partitions }] }, { version: 9 }))
    if (answer?.topics[0]!.partitions[0]!.errorCode === 0) this.facts.committed = offset
  }

  async #alter(value: string): Promise<void> {
    const configs = [{ name: 'retention.ms', configOperation: 0, value }]
    const answer = await this.#ask(() => this.#channel.request('IncrementalAlterConfigs', { resources: [{ resourceType: 2, resourceName: 'plain', configs }], validateOnly: false }))
    if (answer?.responses[0]!.errorCode === 0) this.facts.retentionMs = value
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve))
}

async function readAll(channel: Channel, topic: string, from: number): Promise<readonly ReadRecord[]> {
  const found: ReadRecord[] = []
  for (let fetchOffset = from; ; fetchOffset = found.at(-1)!.offset + 1) {
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 300 }] }] }, { version: 11 })
    const { errorCode, records } = responses[0]!.partitions[0]!
    expect([topic, errorCode]).toEqual([topic, 0])
    const next = recordsOf(records!, fetchOffset)
    if (next.length === 0) return found
    found.push(...next)
  }
}

/** Starts on what is left, looks whether all is there, goes on for a while, and looks again. */
async function check(disk: MemoryDisk, facts: Facts): Promise<void> {
  const clock = new VirtualClock(startMs + 100_000)
  for (const time of ['first', 'second'] as const) {
    const broker = await startBroker({ disk, clock, random: seededRandom(2), settings: { 'offsets.topic.num.partitions': 1 } })
    const channel = broker.connect()
    if (facts.plain.length > 0) await checkPlain(channel, facts)
    if (facts.acknowledged.size > 0) await checkKeyed(channel, facts)
    await checkPassing(channel, facts)
    await checkRest(channel, facts)
    clock.advance(16_000)
    await turns(40)
    if (time === 'first' && facts.acknowledged.size > 0) await checkKeyed(channel, facts)
    await broker.close()
    expect([disk.list(''), ...disk.list('').map(directory => disk.list(directory))].flat().filter(file => /\.deleted$|-delete$/.test(file))).toEqual([])
  }
}

async function checkPlain(channel: Channel, facts: Facts): Promise<void> {
  const { topics } = await channel.request('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name: 'plain', partitions: [{ partitionIndex: 0, timestamp: -2 }] }] })
  const start = topics[0]!.partitions[0]!.offset
  expect(start).toBeGreaterThanOrEqual(facts.start)
  const found = new Map((await readAll(channel, 'plain', start)).map(({ offset, value }) => [offset, value]))
  for (const { offset, value } of facts.plain) if (offset >= start) expect(found.get(offset)).toBe(value)
}

/** Of each key the last record is there: the last acknowledged, or one sent later. */
async function checkKeyed(channel: Channel, facts: Facts): Promise<void> {
  const last = new Map((await readAll(channel, 'keyed', 0)).map(({ key, value }) => [key!, value]))
  for (const [key, value] of facts.acknowledged) {
    const sent = facts.sent.get(key)!
    expect(sent.slice(sent.lastIndexOf(value))).toContain(last.get(key) ?? null)
  }
}

/** The topic of one round, whole: nothing of another, and all that was acknowledged. */
async function checkPassing(channel: Channel, { passing: { made, asked, gone, acknowledged } }: Facts): Promise<void> {
  const { topics } = await channel.request('Metadata', { topics: [{ name: 'passing', topicId: noId }], allowAutoTopicCreation: false })
  const round = topics[0]!.partitions.length - 1
  if (round < 0) return expect(asked).toBe(made)
  expect(round).toBeGreaterThanOrEqual(made)
  expect(round).toBeGreaterThan(gone)
  const found = await readAll(channel, 'passing', 0)
  expect(found.length).toBeGreaterThanOrEqual(acknowledged[round]!)
  expect(found.map(({ offset, value }) => [offset, value])).toEqual(found.map((_, n) => [n, passingValue(round, n)]))
}

async function checkRest(channel: Channel, { committed, retentionMs }: Facts): Promise<void> {
  if (committed >= 0) {
    const { groups } = await channel.request('OffsetFetch', { groups: [{ groupId: 'g', topics: [{ name: 'plain', partitionIndexes: [0] }] }] }, { version: 9 })
    expect(groups[0]!.topics[0]!.partitions[0]!.committedOffset).toBeGreaterThanOrEqual(committed)
  }
  if (retentionMs === null) return
  const { results } = await channel.request('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 'plain', configurationKeys: ['retention.ms'] }] })
  expect(Number(results[0]!.configs[0]!.value)).toBeGreaterThanOrEqual(Number(retentionMs))
}

const outcomes: Readonly<Record<string, CrashOutcome>> = {
  'nothing unsynced is left, nor new names': ({ synced }) => ({ keep: synced }),
  'nothing unsynced is left': ({ synced }) => ({ keep: synced }),
  'all is left': ({ size }) => ({ keep: size }),
  'half is left, and zeros': ({ synced, size }) => ({ keep: synced + ((size - synced) >> 1), zeros: size - synced - ((size - synced) >> 1) }),
}

test.each(Object.entries(outcomes))('the power goes, and %s', { timeout: 600_000 }, async (name, outcome) => {
  const whole = new Life(new Power(new MemoryDisk()))
  await whole.run()
  const { operations } = whole.power
  expect(operations).toBeGreaterThan(200)
  const first = nightly ? 0 : 5
  for (let goesAt = first; goesAt < operations; goesAt += nightly ? 1 : 23) {
    const disk = new MemoryDisk()
    disk.losesNames = name.endsWith('names')
    const life = new Life(new Power(disk, goesAt))
    await life.run()
    try {
      await check(disk.crash(outcome), life.facts)
    } catch (error) {
      throw new Error(`the power went at operation ${goesAt} of ${operations}, after ${life.power.last}`, { cause: error })
    }
  }
})
