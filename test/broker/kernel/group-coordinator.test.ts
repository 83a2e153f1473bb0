// The group coordinator under random members, failing disks and lapses of time: what a group promises must hold whatever comes in which order.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JoinAnswer, SyncAnswer } from '../../../broker/kernel/group-effects.ts'
import { errorCodeOf, errorNameOf } from '../../../broker/wire/error-code.ts'
import { GroupsHost } from './groups-host.ts'

/** A client that does what Kafka's consumers do, one step at a time. */
class Client {
  readonly name: string
  readonly #host: GroupsHost
  readonly #instance: string | null
  memberId = ''
  generation = -1
  state: 'out' | 'joining' | 'joined' | 'syncing' | 'stable' = 'out'
  assignment = ''
  #members: readonly string[] | null = null

  constructor(host: GroupsHost, index: number) {
    this.name = `client${index}`
    this.#host = host
    this.#instance = index === 0 ? 'static' : null
  }

  get #identity() {
    return { memberId: this.memberId, groupInstanceId: this.#instance }
  }

  /** The next thing that a consumer would do. */
  step(seen: Seen): void {
    if (this.state === 'out') this.#join(seen)
    else if (this.state === 'joined') this.#sync(seen)
    else if (this.state === 'stable') this.#beat()
  }

  #join(seen: Seen): void {
    this.state = 'joining'
    this.#host.ask<JoinAnswer>((token, now) => this.#host.coordinator.join({
      groupId: 'g', ...this.#identity, clientId: this.name, clientHost: '/h', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(this.name) }], needsKnownId: true, canSkipAssignment: true,
    }, token, now), answer => {
      const error = errorNameOf(answer.errorCode)
      this.state = 'out'
      if (error === 'MEMBER_ID_REQUIRED') this.memberId = answer.memberId
      else if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.memberId = ''
      else if (error === 'NONE') {
        this.memberId = answer.memberId
        this.generation = answer.generationId!
        this.#members = answer.leader === answer.memberId && answer.skipAssignment !== true ? answer.members.map(({ memberId }) => memberId) : null
        this.state = 'joined'
        seen.joined(this.generation, answer.memberId, answer.leader)
      } else expect(error).toBe('REBALANCE_IN_PROGRESS')
    })
  }

  #sync(seen: Seen): void {
    this.state = 'syncing'
    const assignments = (this.#members ?? []).map(memberId => ({ memberId, assignment: Buffer.from(`${this.generation} ${memberId}`) }))
    const { generation } = this
    this.#host.ask<SyncAnswer>((token, now) => this.#host.coordinator.sync({ groupId: 'g', ...this.#identity, generation, protocolType: 'consumer', protocol: 'range', assignments }, token, now), answer => {
      const error = errorNameOf(answer.errorCode)
      this.state = error === 'NONE' ? 'stable' : 'out'
      if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.memberId = ''
      if (error !== 'NONE') return
      this.assignment = answer.assignment.toString()
      seen.assigned(generation, this.memberId, this.assignment)
    })
  }

  #beat(): void {
    const { error, effects } = this.#host.coordinator.heartbeat('g', this.#identity, this.generation, this.#host.clock.now())
    this.#host.perform(effects)
    if (error !== 'NONE') this.state = 'out'
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') this.memberId = ''
  }

  commit(offset: number, committed: (offset: number) => void): void {
    if (this.state !== 'stable') return
    this.#host.ask<number>((token, now) => this.#host.coordinator.commitOffsets({ groupId: 'g', ...this.#identity, generation: this.generation, offsets: [{ topic: 't', partition: 0, offset, leaderEpoch: -1, metadata: '' }] }, token, now), code => {
      if (code === 0) committed(offset)
    })
  }

  leave(): void {
    if (this.state !== 'stable') return
    this.#host.ask((token, now) => this.#host.coordinator.leave('g', [this.#identity], token, now), () => {})
    this.state = 'out'
    this.memberId = ''
  }

  /** A new process without a memory; its old requests are answered to nobody. */
  restart(): Client {
    const index = Number(this.name.slice(6))
    return new Client(this.#host, index)
  }
}

/** What was told to all members, and must fit together. */
class Seen {
  readonly #leaders = new Map<number, string>()
  #generation = 0

  joined(generation: number, _: string, leader: string): void {
    expect(generation).toBeGreaterThanOrEqual(this.#generation)
    this.#generation = generation
    if (leader === '') return
    // A static leader that comes back changes its id within a generation.
    if (!this.#leaders.has(generation)) this.#leaders.set(generation, leader)
  }

  assigned(generation: number, memberId: string, assignment: string): void {
    expect(generation).toBe(this.#generation)
    // A static member keeps what it had under its old id.
    if (assignment !== '' && !memberId.startsWith('static')) expect(assignment).toBe(`${generation} ${memberId}`)
  }
}

type Event =
  | { readonly kind: 'step' | 'leave' | 'restart' | 'commit'; readonly client: number }
  | { readonly kind: 'disk'; readonly works: boolean }
  | { readonly kind: 'time'; readonly ms: number }

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('step' as const), client: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'restart' as const, 'commit' as const), client: fc.nat(3) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('disk' as const), works: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(100, 3000, 11_000, 21_000) }) },
)

test.each([[0], [3000]])('members see one leader and one assignment per generation, and end up together (initial delay %i)', initialRebalanceDelayMs => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120, size: 'max' }), events => {
      const host = new GroupsHost(undefined, { initialRebalanceDelayMs })
      const seen = new Seen()
      const clients = Array.from({ length: 4 }, (_, index) => new Client(host, index))
      let nextOffset = 1
      let acknowledged = -1
      for (const event of events) {
        if (event.kind === 'step') clients[event.client]!.step(seen)
        else if (event.kind === 'leave') clients[event.client]!.leave()
        else if (event.kind === 'restart') clients[event.client] = clients[event.client]!.restart()
        else if (event.kind === 'commit') clients[event.client]!.commit(nextOffset++, offset => (acknowledged = Math.max(acknowledged, offset)))
        else if (event.kind === 'disk') host.disk(event.works)
        else if (event.kind === 'time') host.clock.advance(event.ms)
        expect(host.coordinator.positions.committed('g', 't', 0)?.offset ?? -1).toBeGreaterThanOrEqual(acknowledged)
      }
      // Peace: disks work, everyone goes on stepping, ghosts of restarted processes time out.
      for (let i = 0; i < 120; i++) {
        host.disks()
        for (const client of clients) client.step(seen)
        host.disks()
        host.clock.advance(1000)
      }
      expect(clients.map(({ state }) => state)).toEqual(['stable', 'stable', 'stable', 'stable'])
      expect(new Set(clients.map(({ generation }) => generation)).size).toBe(1)
      // A static member has what it had under the name before.
      expect(clients.map(({ assignment, memberId }) => assignment.endsWith(memberId) || (memberId.startsWith('static-') && assignment.includes(' static-')))).toEqual([true, true, true, true])
      expect(host.waiting).toBe(0)
      const copy = host.copy()
      expect(copy.describe('g')?.members.map(({ memberId, assignment }) => [memberId, assignment.toString()])).toEqual(host.coordinator.describe('g')?.members.map(({ memberId, assignment }) => [memberId, assignment.toString()]))
      expect(copy.positions.committed('g', 't', 0)).toEqual(host.coordinator.positions.committed('g', 't', 0))
      // Silence: all are given up, and nobody waits for an answer.
      host.clock.advance(200_000)
      host.disks()
      expect(host.coordinator.describe('g')).toMatchObject({ phase: 'Empty', members: [] })
      expect(host.copy().describe('g')).toMatchObject({ phase: 'Empty', members: [] })
    }),
    { numRuns: 100 },
  )
})

test('an assignment that becomes durable late is not taken for that of the next generation', () => {
  const host = new GroupsHost()
  const join = (memberId: string, answered: (answer: JoinAnswer) => void): void => host.ask<JoinAnswer>((token, now) => host.coordinator.join({
    groupId: 'g', memberId, groupInstanceId: null, clientId: 'c', clientHost: '/h', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }], needsKnownId: false, canSkipAssignment: true,
  }, token, now), answered)
  const sync = (memberId: string, generation: number, assignment: string, answered: (answer: SyncAnswer) => void): void => host.ask<SyncAnswer>((token, now) => host.coordinator.sync({
    groupId: 'g', memberId, groupInstanceId: null, generation, protocolType: null, protocol: null, assignments: [{ memberId, assignment: Buffer.from(assignment) }],
  }, token, now), answered)
  const told: string[] = []
  let a = ''
  join('', answer => (a = answer.memberId))
  sync(a, 1, 'first', answer => told.push(`${errorNameOf(answer.errorCode)} ${answer.assignment.toString()}`))
  join('', () => {})
  join(a, answer => told.push(`generation ${answer.generationId}`))
  sync(a, 2, 'second', answer => told.push(`${errorNameOf(answer.errorCode)} ${answer.assignment.toString()}`))
  expect(told).toEqual(['REBALANCE_IN_PROGRESS ', 'generation 2'])
  host.disk(true)
  expect(told.length).toBe(2)
  host.disk(true)
  expect(told[2]).toBe('NONE second')
})

test('who asks for its assignment when all others have theirs is not taken for one that never asked', () => {
  const host = new GroupsHost()
  const told: JoinAnswer[] = []
  const join = (memberId: string): void => host.ask<JoinAnswer>((token, now) => host.coordinator.join({
    groupId: 'g', memberId, groupInstanceId: null, clientId: 'c', clientHost: '/h', sessionTimeoutMs: 50_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }], needsKnownId: false, canSkipAssignment: true,
  }, token, now), answer => told.push(answer))
  const sync = (memberId: string): void => {
    host.ask<SyncAnswer>((token, now) => host.coordinator.sync({ groupId: 'g', memberId, groupInstanceId: null, generation: 2, protocolType: null, protocol: null, assignments: [] }, token, now), ({ errorCode }) => expect(errorCode).toBe(0))
    host.disks()
  }
  join('')
  const leader = told[0]!.memberId
  join('')
  join(leader)
  for (const { memberId } of told.slice(1)) if (memberId === leader) sync(memberId)
  expect(host.coordinator.describe('g')?.phase).toBe('Stable')
  for (const { memberId } of told.slice(1)) if (memberId !== leader) sync(memberId)
  host.clock.advance(21_000)
  expect(host.coordinator.describe('g')).toMatchObject({ phase: 'Stable', members: [{}, {}] })
})

test('a write that fails is answered as a coordinator that is not available, and changes nothing', () => {
  const host = new GroupsHost()
  const answers: number[] = []
  const commit = (offset: number): void => host.ask<number>((token, now) => host.coordinator.commitOffsets({ groupId: 'g', memberId: '', groupInstanceId: null, generation: -1, offsets: [{ topic: 't', partition: 0, offset, leaderEpoch: -1, metadata: '' }] }, token, now), code => answers.push(code))
  commit(1)
  host.disk(true)
  commit(2)
  host.disk(false)
  expect(answers).toEqual([0, errorCodeOf('COORDINATOR_NOT_AVAILABLE')])
  expect(host.coordinator.positions.committed('g', 't', 0)?.offset).toBe(1)
})

test('offsets of groups that nobody uses are forgotten after their time, those of others are kept', () => {
  const host = new GroupsHost(undefined, { offsetsRetentionMs: 1000 })
  const commit = (groupId: string): void => {
    host.ask<number>((token, now) => host.coordinator.commitOffsets({ groupId, memberId: '', groupInstanceId: null, generation: -1, offsets: [{ topic: 't', partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }] }, token, now), () => {})
    host.disks()
  }
  commit('old')
  host.clock.advance(900)
  commit('new')
  host.clock.advance(200)
  host.perform(host.coordinator.expire(host.clock.now()))
  host.disks()
  expect([...host.coordinator.groups()].map(({ groupId }) => groupId)).toEqual(['new'])
  expect([host.coordinator.positions.committed('old', 't', 0), host.coordinator.positions.committed('new', 't', 0)?.offset]).toEqual([undefined, 1])
  expect([...host.copy().groups()].map(({ groupId }) => groupId)).toEqual(['new'])
})

test.each(['grows old', 'goes with its topic'])('a position that is being written when the one before it %s', way => {
  const host = new GroupsHost(undefined, { offsetsRetentionMs: 1000 })
  const commit = (offset: number): void => {
    host.ask<number>((token, now) => host.coordinator.commitOffsets({ groupId: 'g', memberId: '', groupInstanceId: null, generation: -1, offsets: [{ topic: 't', partition: offset - 1, offset, leaderEpoch: -1, metadata: '' }] }, token, now), () => {})
  }
  commit(1)
  host.disks()
  host.clock.advance(2000)
  commit(2)
  const isOld = way === 'grows old'
  host.perform(isOld ? host.coordinator.expire(host.clock.now()) : host.coordinator.topicsDeleted(topic => topic === 't', host.clock.now()))
  host.disks()
  for (const { positions } of [host.coordinator, host.copy()]) expect(positions.committed('g', 't', 1)?.offset).toBe(isOld ? 2 : undefined)
})
