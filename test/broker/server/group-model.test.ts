// Members of a classic group, through the broker's wire, who come, go, fall silent and commit at random while the broker restarts and crashes.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom } from '../../../core/random.ts'
import { MemoryDisk } from '../../../broker/disk/memory-disk.ts'
import { startBroker, type Broker } from '../../../broker/server/start-broker.ts'
import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'

const runs = process.env['MILLRACE_NIGHTLY'] === undefined ? 40 : 2000
const seed = process.env['MILLRACE_SEED'] === undefined ? {} : { seed: Number(process.env['MILLRACE_SEED']) }
const partitions = 4

type Step =
  | { readonly do: 'go on' | 'commit' | 'leave' | 'forget all'; readonly member: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'restart' | 'crash' }

const member = fc.nat(3)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constant('go on' as const), member }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('commit' as const), member }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'forget all' as const), member }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(500, 1_000, 1_000, 3_000, 7_000, 11_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'crash' as const) }) },
)

/** What everyone together has seen. */
class World {
  readonly clock = new VirtualClock(1_000_000)
  disk = new MemoryDisk()
  broker!: Broker
  channel!: Channel
  readonly members: readonly Member[] = [new Member(this, null), new Member(this, null), new Member(this, null), new Member(this, 'static')]
  /** By generation: the one assignment that its leader gave, and who leads. */
  readonly assignments = new Map<number, string>()
  readonly leaders = new Map<number, string>()
  /** By generation and partition. */
  readonly owners = new Map<string, string>()
  readonly committed = new Map<number, number>()
  newest = 0
  /** Laws that an answer has broken. */
  readonly broken: unknown[] = []
  nextOffset = 1
  synced = 0

  async start(): Promise<void> {
    this.broker = await startBroker({ disk: this.disk, clock: this.clock, random: seededRandom(this.nextOffset), settings: { 'offsets.topic.num.partitions': 1, 'group.initial.rebalance.delay.ms': 1000 } })
    this.channel = this.broker.connect()
    // A generation that was not written down is given again, as Apache Kafka does; members in process end with their broker.
    this.newest = 0
    for (const seen of [this.assignments, this.leaders, this.owners]) seen.clear()
    await this.channel.request('FindCoordinator', { coordinatorKeys: ['g'] })
  }

  async apply(step: Step): Promise<void> {
    switch (step.do) {
      case 'advance':
        this.clock.advance(step.ms)
        break
      case 'restart':
      case 'crash':
        await this.#again(step.do)
        break
      case 'go on':
        this.members[step.member]!.goOn()
        break
      case 'commit':
        this.members[step.member]!.commit()
        break
      case 'leave':
        this.members[step.member]!.leave()
        break
      case 'forget all':
        this.members[step.member]!.forget()
    }
    await turns()
    if (this.broken.length > 0) throw this.broken[0]
  }

  async #again(how: 'restart' | 'crash'): Promise<void> {
    if (how === 'restart') await this.broker.close()
    else this.disk = this.disk.crash()
    await turns()
    for (const member of this.members) member.lost()
    await this.start()
  }

  async check(): Promise<void> {
    const { groups } = await this.channel.request('OffsetFetch', { groups: [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: Array.from({ length: partitions }, (_, index) => index) }] }] }, { version: 9 })
    for (const { partitionIndex, committedOffset } of groups[0]!.topics[0]!.partitions) expect([partitionIndex, committedOffset]).toEqual([partitionIndex, this.committed.get(partitionIndex) ?? -1])
  }
}

/** A client with the manners of Kafka's: joins, brings what the leader decides, beats, and comes again when it is told to. */
class Member {
  readonly #world: World
  readonly #instance: string | null
  #id = ''
  #generation = -1
  #phase: 'out' | 'waiting' | 'joined' | 'stable' = 'out'
  #others: readonly string[] = []
  #leads = false
  #owned: readonly number[] = []
  /** Raised when what was asked before is of no interest any more. */
  #life = 0

  constructor(world: World, instance: string | null) {
    this.#world = world
    this.#instance = instance
  }

  /** The next request of its life. */
  goOn(): void {
    if (this.#phase === 'out') this.#join()
    else if (this.#phase === 'joined') this.#sync()
    else if (this.#phase === 'stable') this.#beat()
  }

  lost(): void {
    this.#life++
    this.#phase = 'out'
    this.#owned = []
  }

  /** Falls silent, and comes again as somebody else. */
  forget(): void {
    this.lost()
    this.#id = ''
  }

  #ask<T>(request: () => Promise<T>, answered: (answer: T) => void): void {
    const life = this.#life
    const heed = (answer: T): void => {
      try {
        if (life === this.#life) answered(answer)
      } catch (error) {
        this.#world.broken.push(error)
      }
    }
    request().then(heed, () => life === this.#life && this.lost())
  }

  #join(): void {
    this.#phase = 'waiting'
    const body = { groupId: 'g', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 6_000, memberId: this.#id, groupInstanceId: this.#instance, protocolType: 'consumer', protocols: [{ name: 'range', metadata: Buffer.from('m') }] }
    this.#ask(() => this.#world.channel.request('JoinGroup', body, { version: 9 }), answer => {
      const error = errorNameOf(answer.errorCode)
      this.#phase = 'out'
      if (error === 'MEMBER_ID_REQUIRED') this.#id = answer.memberId
      else if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.#id = ''
      else if (error === 'NONE') this.#joined(answer)
      else expect(error).toBe('REBALANCE_IN_PROGRESS')
    })
  }

  #joined({ memberId, generationId, leader, members }: { readonly memberId: string; readonly generationId: number; readonly leader: string; readonly members: readonly { readonly memberId: string }[] }): void {
    const { leaders } = this.#world
    this.#id = memberId
    this.#generation = generationId
    this.#leads = leader === memberId
    this.#others = members.map(other => other.memberId)
    this.#phase = 'joined'
    expect(generationId).toBeGreaterThanOrEqual(this.#world.newest)
    this.#world.newest = generationId
    if (this.#instance === null) expect([generationId, leaders.get(generationId) ?? leader]).toEqual([generationId, leader])
    leaders.set(generationId, leader)
  }

  #sync(): void {
    const { nextOffset } = this.#world
    this.#world.nextOffset++
    this.#phase = 'waiting'
    const share = (index: number): number[] => Array.from({ length: partitions }, (_, partition) => partition).filter(partition => partition % this.#others.length === index)
    const assignments = this.#leads ? this.#others.map((memberId, index) => ({ memberId, assignment: Buffer.from(JSON.stringify({ by: nextOffset, owned: share(index) })) })) : []
    const body = { groupId: 'g', generationId: this.#generation, memberId: this.#id, groupInstanceId: this.#instance, protocolType: 'consumer', protocolName: 'range', assignments }
    this.#ask(() => this.#world.channel.request('SyncGroup', body), answer => this.#synced(errorNameOf(answer.errorCode), answer.assignment.toString()))
  }

  #synced(error: string, assignment: string): void {
    this.#phase = 'out'
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.#id = ''
    if (error !== 'NONE') return expect(['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']).toContain(error)
    this.#phase = 'stable'
    if (assignment === '') return
    const { by, owned } = JSON.parse(assignment) as { readonly by: number; readonly owned: readonly number[] }
    const { assignments, owners } = this.#world
    this.#world.synced++
    expect([this.#generation, assignments.get(this.#generation) ?? String(by)]).toEqual([this.#generation, String(by)])
    assignments.set(this.#generation, String(by))
    this.#owned = owned
    for (const partition of owned) {
      const place = `${this.#generation} ${partition}`
      if (this.#instance === null) expect([place, owners.get(place) ?? this.#id]).toEqual([place, this.#id])
      owners.set(place, this.#id)
    }
  }

  #beat(): void {
    const body = { groupId: 'g', generationId: this.#generation, memberId: this.#id, groupInstanceId: this.#instance }
    this.#ask(() => this.#world.channel.request('Heartbeat', body), ({ errorCode }) => this.#heard(errorNameOf(errorCode)))
  }

  #heard(error: string): void {
    if (error === 'NONE') return expect(this.#generation).toBe(this.#world.newest)
    this.#phase = 'out'
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.forget()
    else expect(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']).toContain(error)
  }

  /** What is answered is kept; a member of the past cannot commit. */
  commit(): void {
    if (this.#owned.length === 0) return
    const { committed, newest } = this.#world
    const offset = this.#world.nextOffset++
    const [partitionIndex] = this.#owned
    const generation = this.#generation
    const body = { groupId: 'g', generationIdOrMemberEpoch: generation, memberId: this.#id, groupInstanceId: this.#instance, topics: [{ name: 't', partitions: [{ partitionIndex: partitionIndex!, committedOffset: offset, committedMetadata: '' }] }] }
    this.#ask(() => this.#world.channel.request('OffsetCommit', body, { version: 9 }), ({ topics }) => {
      const error = errorNameOf(topics[0]!.partitions[0]!.errorCode)
      if (error !== 'NONE') return expect(['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION']).toContain(error)
      expect(generation).toBe(newest)
      committed.set(partitionIndex!, offset)
    })
  }

  leave(): void {
    if (this.#id === '' || this.#phase === 'waiting') return
    const members = [{ memberId: this.#id, groupInstanceId: this.#instance }]
    this.#ask(() => this.#world.channel.request('LeaveGroup', { groupId: 'g', members }), () => this.forget())
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 6; i++) await new Promise(resolve => setImmediate(resolve))
}

test('no partition has two owners in a generation, nobody of the past commits, and no position is lost', { timeout: 1_200_000 }, async () => {
  let assigned = 0
  let commits = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 150, size: 'max' }), async steps => {
      const world = new World()
      await world.start()
      await world.channel.request('CreateTopics', { topics: [{ name: 't', numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }] })
      // A group that has positions is not forgotten when it is empty, so that generations go on.
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }] }]
      await world.channel.request('OffsetCommit', { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics }, { version: 9 })
      world.committed.set(0, 0)
      for (const step of steps) {
        await world.apply(step)
        await world.check()
      }
      assigned += world.synced
      commits += world.committed.size
      await world.broker.close()
    }),
    { numRuns: runs, ...seed },
  )
  expect(assigned).toBeGreaterThan(runs / 2)
  expect(commits).toBeGreaterThan(runs / 10)
})
