// Groups whose members come and go with either protocol, in long random stories of disks, lapses of time and crashes: nothing is read twice, nobody is stuck, the log tells all of it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JoinAnswer } from '../../../broker/kernel/group-effects.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { consumerProtocolSubscription } from '../../../broker/wire/records/consumer-protocol.ts'
import { encodeVersioned } from '../../../broker/wire/versioned.ts'
import { ClassicClient } from './classic-client.ts'
import { ConsumerClient } from './consumer-client.ts'
import { ConsumerGroupsHost } from './consumer-groups-host.ts'

type Client = ClassicClient | ConsumerClient

type Event =
  | { readonly kind: 'beat'; readonly client: number; readonly hears: boolean }
  | { readonly kind: 'process' | 'leave' | 'restart'; readonly client: number }
  | { readonly kind: 'change'; readonly client: number; readonly leaves: boolean; readonly isClassic: boolean }
  | { readonly kind: 'disk'; readonly works: boolean }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'compact'; readonly keep: number; readonly forgets: boolean }
  | { readonly kind: 'crash' }

const clientCount = 4
const client = fc.nat(clientCount - 1)
const mostly = fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false))

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 18, arbitrary: fc.record({ kind: fc.constant('beat' as const), client, hears: mostly }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('process' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'restart' as const), client }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), client, leaves: fc.boolean(), isClassic: fc.boolean() }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('disk' as const), works: mostly }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.constantFrom(100, 3000, 11_000, 21_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), keep: fc.nat(6), forgets: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
)

test.each([['eager', false]] as const)('members of both protocols share one group, which ends as theirs who are left (%s)', (_, isCooperative) => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 30, maxLength: 160, size: 'max' }), fc.array(fc.boolean(), { minLength: clientCount, maxLength: clientCount }), (story, kinds) => {
      const host = new ConsumerGroupsHost('uniform')
      host.topic('a', 5)
      host.topic('c', 2)
      const clientOf = (index: number, isClassic: boolean): Client => {
        const topics = index === 1 ? ['a'] : ['a', 'c']
        return isClassic ? new ClassicClient(host, index, topics, isCooperative) : new ConsumerClient(host, index, topics)
      }
      const clients = kinds.map((isClassic, index) => clientOf(index, isClassic))
      for (const event of story) {
        if (event.kind === 'change') {
          if (event.leaves) clients[event.client]!.leave()
          clients[event.client] = clientOf(event.client, event.isClassic)
        } else happen(event, host, clients)
        expectOneOwnerEach(host, clients)
      }
      expectPeace(host, clients)
      expectSilence(host)
    }),
    { numRuns: process.env['MILLRACE_NIGHTLY'] === undefined ? 60 : 5000 },
  )
}, 1_200_000)

function happen(event: Exclude<Event, { readonly kind: 'change' }>, host: ConsumerGroupsHost, clients: readonly Client[]): void {
  switch (event.kind) {
    case 'beat': return clients[event.client]!.beat(event.hears)
    case 'process': return clients[event.client]!.process()
    case 'leave': return clients[event.client]!.leave()
    case 'restart': return clients[event.client]!.restart()
    case 'disk': return host.disk(event.works)
    case 'time': return host.clock.advance(event.ms)
    case 'compact': {
      const told = host.replayedState()
      host.compact(event.keep, event.forgets)
      return expect(host.replayedState(), 'a compacted log tells the same').toEqual(told)
    }
    case 'crash': {
      host.crash()
      for (const client of clients) client.disconnected()
    }
  }
}

/** What members have that the group knows: one that it does not know, or that is of a generation of the past, is told so with its next word. */
function expectOneOwnerEach(host: ConsumerGroupsHost, clients: readonly Client[]): void {
  const holders = new Map<string, string>()
  for (const [memberId, places] of host.held()) {
    for (const place of places) {
      expect(holders.get(place), `${place} is held by ${memberId}, and by`).toBeUndefined()
      holders.set(place, memberId)
    }
  }
  const readers = new Map<string, string>()
  for (const client of clients) {
    if (!host.knows(client.memberId) || (client instanceof ClassicClient && host.generationOf(client.memberId) !== client.generation)) continue
    for (const place of client.owned) {
      expect(readers.get(place), `${place} is read by ${client.memberId}, and by`).toBeUndefined()
      readers.set(place, client.memberId)
    }
  }
}

/** Disks work, nobody dies: all end up with what they want, once each, in a group of the kind that they are of, and then nothing moves. */
function expectPeace(host: ConsumerGroupsHost, clients: readonly Client[]): void {
  for (let round = 0; round < 150; round++) {
    host.disks()
    for (const client of clients) {
      client.beat(true)
      host.disks()
      client.process()
    }
    host.clock.advance(1000)
    host.disks()
  }
  expect(clients.map(({ state }) => state)).toEqual(clients.map(() => 'member'))
  const places = [...host.topics].flatMap(([, { id, partitions }]) => Array.from({ length: partitions }, (_, index) => `${id}/${index}`))
  expect(clients.flatMap(({ owned }) => [...owned]).sort()).toEqual(places.sort())
  for (const { owned, wants } of clients) for (const place of owned) expect(wants(host.topicOf(place))).toBe(true)
  const areClassic = clients.every(client => client instanceof ClassicClient)
  expect([...host.coordinator.groups()].map(({ type, phase }) => [type, phase])).toEqual([[areClassic ? 'classic' : 'consumer', 'Stable']])
  expect(host.waiting).toBe(0)
  const length = host.records.length
  for (const client of clients) client.beat(true)
  host.disks()
  expect(host.records.length, 'members of a stable group write nothing').toBe(length)
  const now = host.state()
  expect(host.replayedState()).toEqual(now)
  for (const [keep, forgets] of [[0, true], [0, false], [5, true]] as const) {
    host.compact(keep, forgets)
    expect(host.replayedState(), 'a compacted log tells the same').toEqual(now)
  }
}

function expectSilence(host: ConsumerGroupsHost): void {
  host.clock.advance(200_000)
  host.disks()
  expect([...host.coordinator.groups()].map(({ phase }) => phase)).toEqual(['Empty'])
  expect(host.replayedState()).toEqual(host.state())
}

test('a classic group of two takes in one of the new protocol, loses a classic one, and is a classic one again when the new one leaves', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 4)
  const [first, second] = [new ClassicClient(host, 1, ['a'], false), new ClassicClient(host, 2, ['a'], false)]
  const modern = new ConsumerClient(host, 3, ['a'])
  const live = (...clients: readonly Client[]): readonly number[] => {
    for (let round = 0; round < 12; round++) {
      for (const client of clients) {
        client.beat(true)
        host.disks()
        client.process()
      }
      host.clock.advance(500)
    }
    return clients.map(({ owned }) => owned.size)
  }
  const kind = (): unknown => [...host.coordinator.groups()].map(({ type, phase }) => `${type} ${phase}`)
  expect([live(first, second), kind()]).toEqual([[2, 2], ['classic Stable']])
  expect([live(first, second, modern).reduce((sum, share) => sum + share, 0), kind()]).toEqual([4, ['consumer Stable']])
  second.leave()
  expect([live(first, modern), kind()]).toEqual([[2, 2], ['consumer Stable']])
  host.crash()
  for (const client of [first, modern]) client.disconnected()
  expect([live(first, modern), kind()]).toEqual([[2, 2], ['consumer Stable']])
  modern.leave()
  expect([live(first), kind()]).toEqual([[4], ['classic Stable']])
})

test('a classic member that waits for what the last of the new protocol had gets it when a classic one takes that one\'s place', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  const [modern, waiting, standIn] = [new ConsumerClient(host, 0, ['a']), new ClassicClient(host, 1, ['a'], false), new ClassicClient(host, 0, ['a'], false)]
  const live = (rounds: number, ...clients: readonly Client[]): readonly number[] => {
    for (let round = 0; round < rounds; round++) {
      for (const client of clients) {
        client.beat(true)
        host.disks()
        client.process()
      }
    }
    return clients.map(({ owned }) => owned.size)
  }
  expect(live(1, modern)).toEqual([2])
  expect(live(4, waiting)).toEqual([0])
  expect(live(12, standIn, waiting)).toEqual([1, 1])
  expect([...host.coordinator.groups()].map(({ type, phase }) => `${type} ${phase}`)).toEqual(['classic Stable'])
})

test.each([
  ['bidirectional', 'consumer', 'classic'], ['upgrade', 'consumer', 'consumer'], ['downgrade', 'GROUP_ID_NOT_FOUND', 'classic'], ['disabled', 'GROUP_ID_NOT_FOUND', 'classic'],
] as const)('where the policy is %s, one of the new protocol makes a classic group: %s; and is the group afterwards: %s', (migrationPolicy, then, afterwards) => {
  const host = new ConsumerGroupsHost('uniform', { migrationPolicy })
  host.topic('a', 2)
  const [classic, modern] = [new ClassicClient(host, 1, ['a'], false), new ConsumerClient(host, 2, ['a'])]
  const live = (...clients: readonly Client[]): void => {
    for (let step = 0; step < 12 * clients.length; step++) {
      clients[step % clients.length]!.beat(true)
      host.disks()
      clients[step % clients.length]!.process()
    }
  }
  const type = (): string => [...host.coordinator.groups()][0]!.type
  live(classic)
  expect(type()).toBe('classic')
  live(classic, modern)
  expect(modern.errors[0] ?? type()).toBe(then)
  modern.leave()
  live(classic)
  expect([type(), classic.owned.size]).toEqual([afterwards, 2])
})

test('where the policy is disabled, a classic member is not let into a group of the new protocol', () => {
  const host = new ConsumerGroupsHost('uniform', { migrationPolicy: 'disabled' })
  host.topic('a', 2)
  const modern = new ConsumerClient(host, 2, ['a'])
  modern.beat(true)
  host.disks()
  const metadata = encodeVersioned(consumerProtocolSubscription, 0, { topics: ['a'], userData: null })
  let told = ''
  host.ask<JoinAnswer>((token, now) => host.coordinator.join({
    groupId: 'g', memberId: '', groupInstanceId: null, clientId: 'c', clientHost: '/h', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }], needsKnownId: false, canSkipAssignment: true,
  }, token, now), ({ errorCode }) => (told = errorNameOf(errorCode)))
  expect(told).toBe('INCONSISTENT_GROUP_PROTOCOL')
})
