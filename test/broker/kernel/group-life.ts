// What happens in the random stories of groups, whichever protocol their members speak, and what must hold behind each event and at the end.

import { expect } from 'vitest'
import type { ClassicClient } from './classic-client.ts'
import type { ConsumerClient } from './consumer-client.ts'
import type { ConsumerGroupsHost } from './consumer-groups-host.ts'

export type GroupClient = ClassicClient | ConsumerClient

export type LifeEvent =
  | { readonly kind: 'beat'; readonly client: number; readonly hears: boolean }
  | { readonly kind: 'process' | 'leave' | 'restart'; readonly client: number }
  | { readonly kind: 'disk'; readonly works: boolean }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'compact'; readonly keep: number; readonly forgets: boolean }
  | { readonly kind: 'crash' }

export function happen(event: LifeEvent, host: ConsumerGroupsHost, clients: readonly GroupClient[]): void {
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

/** No place is held by two members, as the group sees it. Answers who holds which. */
export function expectOneHolderEach(host: ConsumerGroupsHost): ReadonlyMap<string, string> {
  const holders = new Map<string, string>()
  for (const [memberId, places] of host.held()) {
    for (const place of places) {
      expect(holders.get(place), `${place} is held by ${memberId}, and by`).toBeUndefined()
      holders.set(place, memberId)
    }
  }
  return holders
}

/** Disks work, nobody dies, for so many rounds: all end up with what they want, once each, and then nothing moves, and the log tells all of it. */
export function expectPeace(host: ConsumerGroupsHost, clients: readonly GroupClient[], rounds: number): void {
  for (let round = 0; round < rounds; round++) {
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
  expect(clients.flatMap(({ owned }) => [...owned]).sort()).toEqual(wantedPlaces(host, clients))
  for (const { owned, wants } of clients) for (const place of owned) expect(wants(host.topicOf(place))).toBe(true)
  expect(phases(host)).toEqual(['Stable'])
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

function wantedPlaces({ topics }: ConsumerGroupsHost, clients: readonly GroupClient[]): readonly string[] {
  return [...topics].filter(([name]) => clients.some(({ wants }) => wants(name))).flatMap(([, { id, partitions }]) => Array.from({ length: partitions }, (_, index) => `${id}/${index}`)).sort()
}

function phases(host: ConsumerGroupsHost): readonly string[] {
  return Array.from(host.coordinator.groups(), ({ phase }) => phase)
}

/** Nobody says anything any more: the group is empty, and known to be. */
export function expectSilence(host: ConsumerGroupsHost): void {
  host.clock.advance(200_000)
  host.disks()
  expect(phases(host)).toEqual(['Empty'])
  expect(host.replayedState()).toEqual(host.state())
}
