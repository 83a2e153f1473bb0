// Consumer groups (KIP-848) under random members, topics, lapses of time, failing disks and crashes: what the protocol promises must hold in every order.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../core/clock.ts'
import { seededRandom, type Random } from '../../../core/random.ts'
import { GroupCoordinator } from '../../../broker/kernel/group-coordinator.ts'
import type { GroupEffect, GroupTimer, HeartbeatAnswer } from '../../../broker/kernel/group-effects.ts'
import { decodeFact } from '../../../broker/kernel/group-records.ts'
import type { GroupSettings } from '../../../broker/kernel/group-requests.ts'
import { topicPartitions } from '../../../broker/kernel/topic-partitions.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'

const settings: GroupSettings = {
  initialRebalanceDelayMs: 0, minSessionTimeoutMs: 1, maxSessionTimeoutMs: 60_000, maxSize: 100, offsetsRetentionMs: 1e9,
  consumer: { sessionTimeoutMs: 1000, heartbeatIntervalMs: 100, maxSize: 100, assignor: 'uniform' },
}
const rebalanceTimeoutMs = 600
const groupId = 'g'

class Topics {
  readonly topics = new Map<string, { readonly id: string; readonly partitions: number }>()
  topicsVersion = 0
  #ids = 0

  put(name: string, partitions: number): void {
    const old = this.topics.get(name)
    this.topics.set(name, { id: old?.id ?? `00000000-0000-0000-0000-${String(++this.#ids).padStart(12, '0')}`, partitions: Math.max(partitions, old?.partitions ?? 0) })
    this.topicsVersion++
  }

  delete(name: string): void {
    this.topics.delete(name)
    this.topicsVersion++
  }
}

interface LogRecord {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A coordinator on a log in memory, which may be slow, fail, and be compacted before it is read again. */
class Host {
  readonly clock = new VirtualClock(1000)
  readonly topics = new Topics()
  readonly #random: Random
  log: LogRecord[] = []
  coordinator: GroupCoordinator
  #appends: (GroupEffect & { readonly kind: 'append' })[] = []
  readonly #asking = new Map<number, { readonly member: Member; readonly epoch: number }>()
  readonly #timers = new Map<string, () => void>()
  #token = 0
  isFailing = false

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.coordinator = new GroupCoordinator(settings, this.topics, this.#random)
  }

  heartbeat(member: Member): void {
    if (member.isAsking) return
    const token = this.#token++
    const request = member.request()
    this.#asking.set(token, { member, epoch: request.memberEpoch })
    this.#perform(this.coordinator.consumerHeartbeat(request, token, this.clock.now()))
  }

  /** What was appended becomes durable, or fails. */
  flush(): void {
    while (this.#appends.length > 0) {
      const { id, records } = this.#appends.shift()!
      if (!this.isFailing) this.log.push(...records)
      this.#perform(this.coordinator.appended(id, this.isFailing ? 'COORDINATOR_NOT_AVAILABLE' : null, this.clock.now()))
    }
  }

  /** Nobody hears of what was not durable. Some superseded records may be gone: those before a point, as compaction does it. */
  crash(compactedShare: number): void {
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#appends = []
    for (const { member } of this.#asking.values()) member.hearNothing()
    this.#asking.clear()
    const cleaned = Math.floor(this.log.length * compactedShare)
    const last = new Map(this.log.slice(0, cleaned).map(({ key }, index) => [key.toString('hex'), index]))
    this.log = this.log.filter(({ key }, index) => index >= cleaned || last.get(key.toString('hex')) === index)
    this.coordinator = this.replayed()
    this.#perform(this.coordinator.loaded(this.clock.now()))
  }

  replayed(): GroupCoordinator {
    const coordinator = new GroupCoordinator(settings, this.topics, this.#random)
    for (const { key, value } of this.log) coordinator.replay(decodeFact(key, value)!, this.clock.now())
    return coordinator
  }

  #perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'append') this.#appends.push(effect)
      else if (effect.kind === 'reply') {
        const asking = this.#asking.get(effect.token)
        this.#asking.delete(effect.token)
        asking?.member.hear(effect.answer as HeartbeatAnswer, asking.epoch)
      } else if (effect.kind === 'timer') this.#start(effect.timer, effect.delayMs)
      else this.#stop(effect.timer)
    }
  }

  #start(timer: GroupTimer, delayMs: number): void {
    this.#stop(timer)
    this.#timers.set(JSON.stringify(timer), this.clock.after(delayMs, () => {
      this.#timers.delete(JSON.stringify(timer))
      this.#perform(this.coordinator.timeUp(timer, this.clock.now()))
    }))
  }

  #stop(timer: GroupTimer): void {
    this.#timers.get(JSON.stringify(timer))?.()
    this.#timers.delete(JSON.stringify(timer))
  }
}

/** A consumer as clients implement it: it gives up at once what it is not to have, and says everything again after an error. */
class Member {
  readonly #clock: VirtualClock
  id: string
  readonly instanceId: string | null
  topics: readonly string[]
  epoch = 0
  /** `topic id/partition`. */
  owned = new Set<string>()
  isAway = false
  #saysAll = true
  /** One request at a time; a process that ended does not hear the answer to its own. */
  isAsking = false
  /** When it last asked what was answered: its session goes on from there. */
  #aliveMs: number
  #askedMs = 0
  #lives = 0
  readonly errors: string[] = []

  constructor(clock: VirtualClock, id: string, topics: readonly string[], instanceId: string | null = null) {
    this.#clock = clock
    this.id = id
    this.topics = topics
    this.instanceId = instanceId
    this.#aliveMs = clock.now()
  }

  /** What it reads: one that was not answered for a session's time has stopped by itself. */
  get reads(): ReadonlySet<string> {
    return this.isAway || this.#clock.now() - this.#aliveMs >= settings.consumer.sessionTimeoutMs ? new Set() : this.owned
  }

  subscribe(topics: readonly string[]): void {
    this.topics = topics
    this.#saysAll = true
  }

  /** Its process ends; the one that comes after it is another member. */
  restart(): void {
    this.id = `${this.id.split('#')[0]}#${++this.#lives}`
    this.#forgetAll()
  }

  request() {
    const isFull = this.#saysAll || this.epoch === 0
    this.#saysAll = false
    this.isAsking = true
    this.#askedMs = this.#clock.now()
    const owned = topicPartitions([...this.owned].map(place => ({ topicId: place.split('/')[0]!, partitions: [Number(place.split('/')[1])] })))
    return {
      groupId, memberId: this.id, memberEpoch: this.epoch, instanceId: this.instanceId, rackId: null, clientId: 'c', clientHost: '/h',
      rebalanceTimeoutMs: isFull ? rebalanceTimeoutMs : -1, topicNames: isFull ? this.topics : null, topicRegex: null, serverAssignor: null, owned,
    }
  }

  hearNothing(): void {
    this.isAsking = false
    this.#saysAll = true
  }

  hear(answer: HeartbeatAnswer, sentEpoch: number): void {
    this.isAsking = false
    if (this.isAway || this.epoch !== sentEpoch) return void (this.#saysAll = true)
    const error = errorNameOf(answer.errorCode)
    if (error !== 'NONE') {
      this.errors.push(error)
      this.#saysAll = true
      if (error !== 'COORDINATOR_NOT_AVAILABLE') this.#forgetAll()
      return
    }
    this.#aliveMs = this.#askedMs
    if (sentEpoch > answer.memberEpoch) throw new Error(`the epoch of ${this.id} went from ${sentEpoch} to ${answer.memberEpoch}`)
    this.epoch = answer.memberEpoch
    if (answer.assignment) this.owned = new Set(answer.assignment.topicPartitions.flatMap(({ topicId, partitions }) => partitions.map(partition => `${topicId}/${partition}`)))
  }

  #forgetAll(): void {
    this.epoch = 0
    this.owned = new Set()
    this.#saysAll = true
  }
}

type Step =
  | { readonly kind: 'beat' | 'leave' | 'join' | 'silence' | 'restart'; readonly who: number }
  | { readonly kind: 'subscribe'; readonly who: number; readonly topics: readonly string[] }
  | { readonly kind: 'topic'; readonly name: string; readonly partitions: number }
  | { readonly kind: 'drop'; readonly name: string }
  | { readonly kind: 'flush' }
  | { readonly kind: 'fail'; readonly isFailing: boolean }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'crash'; readonly compactedShare: number }

const names = ['a', 'b', 'c']
const memberCount = 5
const who = fc.nat(memberCount - 1)
const subscriptions = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constantFrom('beat' as const, 'join' as const), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'silence' as const, 'restart' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), who, topics: subscriptions }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('topic' as const), name: fc.constantFrom(...names), partitions: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), name: fc.constantFrom(...names) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), isFailing: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 700 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), compactedShare: fc.double({ min: 0, max: 1, noNaN: true }) }) },
)

class Story {
  readonly host: Host
  readonly members: Member[]

  constructor(seed: number) {
    this.host = new Host(seed)
    this.host.topics.put('a', 3)
    this.members = Array.from({ length: memberCount }, (_, index) => new Member(this.host.clock, `m${index}`, ['a', 'b'], index < 2 ? `i${index}` : null))
    for (const member of this.members) member.isAway = true
  }

  play(step: Step): void {
    const { host } = this
    if ('who' in step) this.#act(this.members[step.who]!, step)
    else if (step.kind === 'topic') host.topics.put(step.name, step.partitions)
    else if (step.kind === 'drop') host.topics.delete(step.name)
    else if (step.kind === 'flush') host.flush()
    else if (step.kind === 'fail') host.isFailing = step.isFailing
    else if (step.kind === 'wait') host.clock.advance(step.ms)
    else host.crash(step.compactedShare)
  }

  #act(member: Member, step: Step & { readonly who: number }): void {
    if (step.kind === 'join') member.isAway = false
    if (step.kind === 'join' || step.kind === 'beat') {
      if (!member.isAway) this.host.heartbeat(member)
    } else if (step.kind === 'subscribe') member.subscribe(step.topics)
    else if (step.kind === 'silence') member.isAway = true
    else if (step.kind === 'restart') member.restart()
    else if (!member.isAway && member.epoch > 0) {
      member.isAway = true
      const epoch = member.epoch
      member.epoch = member.instanceId === null ? -1 : -2
      this.host.heartbeat(member)
      member.epoch = epoch
      member.restart()
    }
  }

  /** No two read one partition. Who was given up, having given up nothing in time, may read until it hears of it: its commits are refused. */
  check(): void {
    const readers = new Map<string, string>()
    const known = this.host.coordinator.consumerGroup(groupId)?.members
    for (const member of this.members) {
      if (known?.has(member.id) !== true) continue
      for (const place of member.reads) {
        if (readers.has(place)) throw new Error(`${place} is read by ${readers.get(place)} and ${member.id}`)
        readers.set(place, member.id)
      }
    }
  }

  /** Everyone that is there speaks in turn, the disk works, and time goes on, for long enough. */
  settle(): void {
    this.host.isFailing = false
    for (let round = 0; round < 40; round++) {
      for (const member of this.members) if (!member.isAway) this.host.heartbeat(member)
      this.host.flush()
      this.check()
      this.host.clock.advance(100)
    }
  }

  /** The partitions of all topics that somebody wants, each once; what members read, each with its reader's wish. */
  checkSettled(): void {
    const present = this.members.filter(({ isAway }) => !isAway)
    const wanted = new Set(present.flatMap(({ topics }) => topics))
    const expected = [...this.host.topics.topics].filter(([name]) => wanted.has(name)).flatMap(([, { id, partitions }]) => Array.from({ length: partitions }, (_, index) => `${id}/${index}`))
    expect(present.flatMap(({ reads }) => [...reads]).sort()).toEqual(expected.sort())
    for (const { topics, reads } of present) {
      const ids = new Set(topics.map(name => this.host.topics.topics.get(name)?.id))
      for (const place of reads) expect(ids).toContain(place.split('/')[0])
    }
    const group = this.host.coordinator.consumerGroup(groupId)
    if (present.length > 0) expect(group?.phase).toBe('Stable')
    else expect(group?.members.size ?? 0).toBe(0)
  }
}

describe('consumer groups', () => {
  test('no partition has two readers, none is left out, and nobody waits for ever, whatever happens', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { maxLength: 120, size: 'max' }), (seed, steps) => {
        const story = new Story(seed)
        for (const one of steps) {
          story.play(one)
          story.check()
        }
        story.settle()
        story.checkSettled()
      }),
      { numRuns: process.env['MILLRACE_NIGHTLY'] === undefined ? 400 : 20_000 },
    )
  })

  test('the log, however compacted, says what the coordinator knows', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { maxLength: 80, size: 'max' }), fc.double({ min: 0, max: 1, noNaN: true }), (seed, steps, share) => {
        const story = new Story(seed)
        for (const one of steps) story.play(one)
        // What could not be written is written with what comes next.
        if (story.host.isFailing || steps.some(({ kind }) => kind === 'fail')) story.settle()
        story.host.flush()
        const before = known(story.host.coordinator)
        expect(known(story.host.replayed())).toEqual(before)
        story.host.crash(share)
        expect(known(story.host.coordinator)).toEqual(before)
      }),
      { numRuns: process.env['MILLRACE_NIGHTLY'] === undefined ? 200 : 5000 },
    )
  })
})

function known(coordinator: GroupCoordinator): unknown {
  const group = coordinator.consumerGroup(groupId)
  if (group === undefined) return null
  const sorted = <V>(map: ReadonlyMap<string, V>): readonly [string, V][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return { epoch: group.epoch, assignmentEpoch: group.assignmentEpoch, hash: group.metadataHash, members: sorted(group.members), targets: sorted(group.targets), phase: group.phase }
}
