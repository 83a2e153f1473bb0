// Groups whose members come and go with either protocol, in long random stories of disks, lapses of time and crashes: nothing is read twice, nobody is stuck, the log tells all of it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JoinAnswer, LeaveAnswer } from '../../../broker/kernel/group-effects.ts'
import { decodeFact } from '../../../broker/kernel/group-records.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { consumerProtocolSubscription } from '../../../broker/wire/records/consumer-protocol.ts'
import { encodeVersioned } from '../../../broker/wire/versioned.ts'
import { ClassicClient } from './classic-client.ts'
import { ConsumerClient } from './consumer-client.ts'
import { ConsumerGroupsHost } from './consumer-groups-host.ts'
import { expectOneHolderEach, expectPeace, expectSilence, happen, type GroupClient, type LifeEvent } from './group-life.ts'

type Event = LifeEvent | { readonly kind: 'change'; readonly client: number; readonly leaves: boolean; readonly isClassic: boolean }

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
      const clientOf = (index: number, isClassic: boolean): GroupClient => {
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
      expectPeace(host, clients, 150)
      expectItsKind(host, clients)
      expectSilence(host)
    }),
    { numRuns: process.env['MILLRACE_NIGHTLY'] === undefined ? 60 : 5000 },
  )
}, 1_200_000)

/** What members have that the group knows: one that it does not know, or that is of a generation of the past, is told so with its next word. */
function expectOneOwnerEach(host: ConsumerGroupsHost, clients: readonly GroupClient[]): void {
  expectOneHolderEach(host)
  const readers = new Map<string, string>()
  for (const client of clients) {
    if (!host.knows(client.memberId) || (client instanceof ClassicClient && host.generationOf(client.memberId) !== client.generation)) continue
    for (const place of client.owned) {
      expect(readers.get(place), `${place} is read by ${client.memberId}, and by`).toBeUndefined()
      readers.set(place, client.memberId)
    }
  }
}

/** The group is of the kind that its members are of. */
function expectItsKind(host: ConsumerGroupsHost, clients: readonly GroupClient[]): void {
  const areClassic = clients.every(client => client instanceof ClassicClient)
  expect([...host.coordinator.groups()].map(({ type }) => type)).toEqual([areClassic ? 'classic' : 'consumer'])
}

test('a classic group of two takes in one of the new protocol, loses a classic one, and is a classic one again when the new one leaves', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 4)
  const [first, second] = [new ClassicClient(host, 1, ['a'], false), new ClassicClient(host, 2, ['a'], false)]
  const modern = new ConsumerClient(host, 3, ['a'])
  const live = (...clients: readonly GroupClient[]): readonly number[] => {
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
  const live = (rounds: number, ...clients: readonly GroupClient[]): readonly number[] => {
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
  expect([live(4, waiting), waiting.state]).toEqual([[0], 'member'])
  expect(live(12, standIn, waiting)).toEqual([1, 1])
  expect([...host.coordinator.groups()].map(({ type, phase }) => `${type} ${phase}`)).toEqual(['classic Stable'])
})

test.each([
  [{ migrationPolicy: 'bidirectional' }, 'consumer', 'classic'], [{ migrationPolicy: 'upgrade' }, 'consumer', 'consumer'],
  [{ migrationPolicy: 'downgrade' }, 'GROUP_ID_NOT_FOUND', 'classic'], [{ migrationPolicy: 'disabled' }, 'GROUP_ID_NOT_FOUND', 'classic'],
  [{ maxSize: 0 }, 'GROUP_ID_NOT_FOUND', 'classic'], [{ classicMaxSize: 0 }, 'consumer', 'consumer'],
] as const)('with %j, one of the new protocol makes a classic group: %s; and is the group afterwards: %s', (settings, then, afterwards) => {
  const host = new ConsumerGroupsHost('uniform', settings)
  host.topic('a', 2)
  const [classic, modern] = [new ClassicClient(host, 1, ['a'], false), new ConsumerClient(host, 2, ['a'])]
  const live = (...clients: readonly GroupClient[]): void => {
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
  // Nothing of a classic group is left that could come back when the other one is forgotten.
  const classicRecord = host.records.filter(({ key, value }) => decodeFact(key, value)?.kind === 'group').at(-1)!
  expect(classicRecord.value === null).toBe(then === 'consumer')
  modern.leave()
  live(classic)
  expect([type(), classic.owned.size]).toEqual([afterwards, 2])
})

test.each([[true, { refused: null, errors: ['NONE', 'UNKNOWN_MEMBER_ID'] }], [false, { refused: 'COORDINATOR_NOT_AVAILABLE', errors: [] }]])('who leaves a group of the new protocol hears of it when that is durable: %s', (works, told) => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  const [modern, classic] = [new ConsumerClient(host, 2, ['a']), new ClassicClient(host, 1, ['a'], false)]
  for (let round = 0; round < 8; round++) {
    for (const client of [modern, classic]) {
      client.beat(true)
      host.disks()
      client.process()
    }
  }
  const answers: LeaveAnswer[] = []
  const leaving = [{ memberId: classic.memberId, groupInstanceId: null }, { memberId: 'nobody', groupInstanceId: null }]
  host.ask<LeaveAnswer>((token, now) => host.coordinator.leave('g', leaving, token, now), answer => answers.push(answer))
  expect(answers).toEqual([])
  host.disk(works)
  expect(answers).toEqual([told])
})

test.each([
  [{ migrationPolicy: 'disabled' }, 'INCONSISTENT_GROUP_PROTOCOL', encodeVersioned(consumerProtocolSubscription, 0, { topics: ['a'], userData: null })],
  [{ maxSize: 1 }, 'GROUP_MAX_SIZE_REACHED', encodeVersioned(consumerProtocolSubscription, 0, { topics: ['a'], userData: null })],
  [{}, 'UNKNOWN_SERVER_ERROR', Buffer.from([0, 0, 0xff])],
] as const)('a classic member that is not let into a group of the new protocol: %j, %s', (settings, told, metadata) => {
  const host = new ConsumerGroupsHost('uniform', settings)
  host.topic('a', 2)
  const modern = new ConsumerClient(host, 2, ['a'])
  modern.beat(true)
  host.disks()
  let error = ''
  host.ask<JoinAnswer>((token, now) => host.coordinator.join({
    groupId: 'g', memberId: '', groupInstanceId: null, clientId: 'c', clientHost: '/h', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }], needsKnownId: false, canSkipAssignment: true,
  }, token, now), ({ errorCode }) => (error = errorNameOf(errorCode)))
  expect(error).toBe(told)
})

test('where a classic member takes the place of the last of the new protocol, and all have what they shall have, nobody joins again', () => {
  const host = new ConsumerGroupsHost('uniform')
  host.topic('a', 2)
  const [modern, classic, standIn] = [new ConsumerClient(host, 0, ['a']), new ClassicClient(host, 1, ['a'], false), new ClassicClient(host, 0, ['a'], false)]
  for (let step = 0; step < 16; step++) {
    const client = step % 2 === 0 ? modern : classic
    client.beat(true)
    host.disks()
    client.process()
  }
  const { generation } = classic
  for (const client of [standIn, standIn, classic, standIn]) {
    client.beat(true)
    host.disks()
  }
  expect([standIn, classic].map(client => [client.state, client.generation, client.owned.size])).toEqual([['member', generation, 1], ['member', generation, 1]])
})
