// The life of a consumer group (KIP-848) in long random stories of members, topics, disks, lapses of time and crashes, and in short ones that chance hardly tells.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import type { HeartbeatAnswer } from '../../../broker/kernel/group-effects.ts'
import { ConsumerGroupsHost, placesOf } from './consumer-groups-host.ts'
import { compacted } from './groups-host.ts'
import { ConsumerClient } from './consumer-client.ts'
import { expectOneHolderEach, expectPeace, expectSilence, happen, type LifeEvent } from './group-life.ts'

type Event =
  | LifeEvent
  | { readonly kind: 'subscribe'; readonly client: number; readonly to: number }
  | { readonly kind: 'topic'; readonly topic: number; readonly partitions: number }

const clientCount = 4
const client = fc.nat(clientCount - 1)
const topicNames = ['a', 'ab', 'c']
const subscriptions = [['a'], ['a', 'ab'], ['c'], ['a', 'ab', 'c'], /a.*/, /.*/, ['missing']] as const

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('beat' as const), client, hears: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('process' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'restart' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), client, to: fc.nat(subscriptions.length - 1) }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('disk' as const), works: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false)) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(100, 3000, 11_000, 21_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('topic' as const), topic: fc.nat(topicNames.length - 1), partitions: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), keep: fc.nat(6), forgets: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'crash' as const }) },
)

/** Long ones: by itself fast-check makes lists of five or so, in which hardly anything crashes. */
function events(maxLength: number): fc.Arbitrary<readonly Event[]> {
  return fc.array(event, { minLength: maxLength / 5, maxLength, size: 'max' })
}

test.each(['uniform', 'range'])('no partition has two owners, every one gets one, nobody is stuck, and the log tells all of it (%s)', assignor => {
  fc.assert(
    fc.property(events(150), fc.nat(subscriptions.length - 1), (story, first) => {
      const host = new ConsumerGroupsHost(assignor)
      host.topic('a', 3)
      host.topic('c', 2)
      const clients = Array.from({ length: clientCount }, (_, index) => new ConsumerClient(host, index, subscriptions[(first + index) % subscriptions.length]!))
      for (const event of story) {
        occur(event, host, clients)
        expectOneOwnerEach(host, clients)
      }
      expectPeace(host, clients, 60)
      expectSilence(host)
    }),
    { numRuns: process.env['MILLRACE_NIGHTLY'] === undefined ? 60 : 5000 },
  )
}, 1_200_000)

function occur(event: Event, host: ConsumerGroupsHost, clients: readonly ConsumerClient[]): void {
  if (event.kind === 'subscribe') clients[event.client]!.subscribe(subscriptions[event.to]!)
  else if (event.kind === 'topic') host.topic(topicNames[event.topic]!, event.partitions)
  else happen(event, host, clients)
}

/** A client that the group does not know any more is a ghost: it is fenced with its next word, and what it has is taken from it before. */
function expectOneOwnerEach(host: ConsumerGroupsHost, clients: readonly ConsumerClient[]): void {
  const holders = expectOneHolderEach(host)
  for (const { memberId, owned } of clients) {
    if (!host.knows(memberId)) continue
    for (const place of owned) expect(holders.get(place), `${place} is consumed by ${memberId}, and the group has it with`).toBe(memberId)
  }
}

test('what was acknowledged is still known after a crash behind any append, compacted or not', () => {
  fc.assert(
    fc.property(events(80), story => {
      const host = new ConsumerGroupsHost('uniform')
      host.topic('a', 4)
      const clients = Array.from({ length: clientCount }, (_, index) => new ConsumerClient(host, index, subscriptions[index % 3]!))
      for (const event of story) if (event.kind !== 'crash' && event.kind !== 'compact') occur(event, host, clients)
      for (const end of host.ends) {
        const whole = host.replayed(host.records.slice(0, end))
        expect(host.replayed(compacted(host.records.slice(0, end), 0, true)), `the first ${end} records`).toEqual(whole)
      }
    }),
    { numRuns: 40 },
  )
}, 1_200_000)

test('a member that goes on beating and does not give up what it has to is fenced after its rebalance timeout', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  const [slow, other] = [new ConsumerClient(host, 1, ['a']), new ConsumerClient(host, 2, ['a'])]
  settle(host, slow)
  settle(host, other)
  for (let second = 0; second < 25; second++) {
    for (const client of [slow, other]) client.beat(true)
    host.disks()
    other.process()
    host.clock.advance(1000)
    host.disks()
    if (host.knows(slow.memberId)) continue
    expect(second).toBeGreaterThanOrEqual(19)
    break
  }
  settle(host, other)
  expect(other.owned.size).toBe(2)
  slow.beat(true)
  host.disks()
  expect(slow.errors.at(-1)).toBe('UNKNOWN_MEMBER_ID')
})

test('a static member that comes back within its session gets its partitions back without a new epoch', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 4)
  const [fixed, other] = [new ConsumerClient(host, 0, ['a']), new ConsumerClient(host, 1, ['a'])]
  for (let i = 0; i < 4; i++) for (const client of [fixed, other]) settle(host, client)
  const [epoch, before] = [host.group!.epoch, [...fixed.owned].sort()]
  fixed.leave()
  host.disks()
  fixed.restart()
  settle(host, fixed)
  expect([...fixed.owned].sort()).toEqual(before)
  expect(host.group!.epoch).toBe(epoch)
  // Without a farewell its place is taken until the session ends.
  const ghost = fixed.memberId
  fixed.restart()
  settle(host, fixed)
  expect(fixed.errors.at(-1)).toBe('UNRELEASED_INSTANCE_ID')
  expect(host.knows(ghost)).toBe(true)
})

test('what a member has is known though it subscribed anew later, and the log was compacted', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  const [first, second] = [new ConsumerClient(host, 1, ['a']), new ConsumerClient(host, 2, ['a'])]
  settle(host, first)
  settle(host, second)
  first.beat(true)
  host.disks()
  // It has to give something up, and changes its mind before it does: its assignment stays as it is.
  first.subscribe(['a', 'c'])
  first.beat(true)
  host.disks()
  const now = host.snapshot()
  host.compact(0, true)
  expect(host.replayed()).toEqual(now)
  host.crash()
  expect(host.snapshot()).toEqual(now)
})

test('who did not hear its new epoch goes on, unless it has what it shall not', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  host.topic('c', 2)
  const member = new ConsumerClient(host, 1, ['a'])
  settle(host, member)
  member.subscribe(['a', 'c'])
  member.beat(false)
  host.disks()
  settle(host, member)
  expect([member.errors, member.owned.size]).toEqual([[], 4])
  const [epoch, before] = [host.group!.epoch, host.group!.members.get(member.memberId)!.current.previousMemberEpoch]
  expect(before).toBeLessThan(epoch)
  let told = ''
  host.heartbeat({
    groupId: 'g', memberId: member.memberId, memberEpoch: before, instanceId: null, rackId: null, clientId: 'c1', clientHost: '/h', rebalanceTimeoutMs: -1, topicNames: null,
    topicRegex: null, serverAssignor: null, owned: new Map([['00000000-0000-4000-8000-000000000099', new Set([0])]]),
  }, answer => (told = errorNameOf(answer.errorCode)))
  expect(told).toBe('FENCED_MEMBER_EPOCH')
})

test('a member that has to give up is fenced after its rebalance timeout, counted anew from a crash', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  const [slow, other] = [new ConsumerClient(host, 1, ['a']), new ConsumerClient(host, 2, ['a'])]
  for (const client of [slow, other]) settle(host, client)
  slow.beat(true)
  host.disks()
  host.crash()
  // Its beats keep its session: only the rebalance timeout can end it.
  let seconds = 0
  for (; host.knows(slow.memberId) && seconds < 40; seconds++) {
    slow.beat(true)
    host.disks()
    host.clock.advance(1000)
    host.disks()
  }
  expect([seconds, slow.errors, slow.owned.size]).toEqual([20, [], 2])
})

test('what a failing disk did not take is written later, in an order that takes nothing from its new owner', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  const [first, second] = [new ConsumerClient(host, 1, ['a']), new ConsumerClient(host, 2, ['a'])]
  settle(host, first)
  // Nothing of this is durable: the second joins, the first gives its half up unasked, the second gets it.
  second.beat(true)
  host.disk(false)
  const [kept] = placesOf(host.group!.targetOf(first.memberId))
  const givesUp = (): void => host.heartbeat({
    groupId: 'g', memberId: first.memberId, memberEpoch: 2, instanceId: null, rackId: null, clientId: 'c1', clientHost: '/h', rebalanceTimeoutMs: -1, topicNames: null,
    topicRegex: null, serverAssignor: null, owned: new Map([[kept!.slice(0, 36), new Set([Number(kept!.slice(37))])]]),
  }, () => {})
  givesUp()
  host.disk(false)
  second.beat(true)
  host.disk(false)
  // The oldest of these facts, the second's, comes first when all are written again.
  givesUp()
  host.disks()
  expect(host.held().map(([, places]) => places.length)).toEqual([1, 1])
  expect(host.replayed()).toEqual(host.snapshot())
})

test('a pattern takes in topics that are made later', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 1)
  const member = new ConsumerClient(host, 1, /a.*/)
  settle(host, member)
  expect(member.owned.size).toBe(1)
  host.topic('ab', 2)
  host.topic('b', 2)
  settle(host, member)
  expect([...member.owned].map(place => host.topicOf(place)).toSorted()).toEqual(['a', 'ab', 'ab'])
})

test('a pattern brings no topic that the member may not know of, whoever leaves meanwhile', () => {
  const host = new ConsumerGroupsHost('uniform')
  for (const name of ['a', 'ab']) host.topic(name, 1)
  const beat = (memberId: string, memberEpoch: number, more: object = {}): HeartbeatAnswer => {
    let told: HeartbeatAnswer | null = null
    host.heartbeat({
      groupId: 'g', memberId, memberEpoch, instanceId: null, rackId: null, clientId: 'c', clientHost: '/h', rebalanceTimeoutMs: memberEpoch === 0 ? 20_000 : -1, serverAssignor: null,
      topicNames: memberEpoch === 0 ? [] : null, topicRegex: memberEpoch === 0 ? 'a.*|b' : null, owned: memberEpoch === 0 ? new Map() : null, mayDescribe: topic => topic !== 'ab', ...more,
    }, answer => (told = answer))
    host.disks()
    return told!
  }
  const names = ({ assignment }: HeartbeatAnswer): readonly string[] => (assignment?.topicPartitions ?? []).map(({ topicId }) => host.topicOf(topicId))
  const joined = beat('one', 0)
  expect(names(joined)).toEqual(['a'])
  beat('two', 0, { topicNames: [], topicRegex: 'none' })
  host.topic('b', 1)
  beat('two', -1)
  expect([...host.group!.subscribedTopics()]).toEqual(['a'])
  expect(names(beat('one', joined.memberEpoch))).toEqual(['a', 'b'])
})

function settle(host: ConsumerGroupsHost, client: ConsumerClient): void {
  client.beat(true)
  host.disks()
  client.process()
}

test.each([
  ['an empty group id', { groupId: '' }, 'INVALID_REQUEST'],
  ['a join without a rebalance timeout', { rebalanceTimeoutMs: -1 }, 'INVALID_REQUEST'],
  ['a join that owns something', { owned: new Map([['00000000-0000-4000-8000-000000000001', new Set([0])]]) }, 'INVALID_REQUEST'],
  ['a join that does not say what it has', { owned: null }, 'INVALID_REQUEST'],
  ['a join that subscribes to nothing', { topicNames: null }, 'INVALID_REQUEST'],
  ['an assignor that is not there', { serverAssignor: 'sticky' }, 'UNSUPPORTED_ASSIGNOR'],
  ['a pattern that is none', { topicRegex: '(' }, 'INVALID_REGULAR_EXPRESSION'],
  ['an epoch below all', { memberEpoch: -3 }, 'INVALID_REQUEST'],
  ['a farewell for a while of a member without a name', { memberEpoch: -2 }, 'INVALID_REQUEST'],
  ['a beat of a group that is not there', { memberEpoch: 1 }, 'GROUP_ID_NOT_FOUND'],
] as const)('%s is refused', (_, more, error) => {
  const host = new ConsumerGroupsHost('uniform')
  let told = ''
  host.heartbeat({
    groupId: 'g', memberId: 'm', memberEpoch: 0, instanceId: null, rackId: null, clientId: 'c', clientHost: '/h', rebalanceTimeoutMs: 1000, topicNames: ['a'],
    topicRegex: null, serverAssignor: null, owned: new Map(), ...more,
  }, answer => (told = errorNameOf(answer.errorCode)))
  expect(told).toBe(error)
  expect(host.records).toEqual([])
})
