// Groups that change their protocol, step by step: which timers go with it, and who is refused for the protocol that he speaks.

import { expect, test } from 'vitest'
import type { HeartbeatAnswer, JoinAnswer, SyncAnswer } from '../../../broker/kernel/group-effects.ts'
import type { JoinRequest, SyncRequest } from '../../../broker/kernel/classic-group-requests.ts'
import type { HeartbeatRequest } from '../../../broker/kernel/consumer-group-requests.ts'
import { assignmentFor } from '../../../broker/kernel/embedded-protocol.ts'
import { topicPartitions } from '../../../broker/kernel/topic-partitions.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { consumerProtocolSubscription } from '../../../broker/wire/records/consumer-protocol.ts'
import { encodeVersioned } from '../../../broker/wire/versioned.ts'
import { ConsumerGroupsHost } from './consumer-groups-host.ts'

/** Asks as anyone may; answers are there when the disk has what they depend on. */
class Room {
  readonly host = new ConsumerGroupsHost('uniform', { sessionTimeoutMs: 60_000 })

  constructor() {
    this.host.topic('a', 2)
  }

  #ask<A>(request: (token: number, now: number) => ReturnType<ConsumerGroupsHost['coordinator']['join']>): A {
    const answers: A[] = []
    this.host.ask<A>(request, answer => answers.push(answer))
    this.host.disks()
    expect(answers).toHaveLength(1)
    return answers[0]!
  }

  beat(memberId: string, memberEpoch: number, more: Partial<HeartbeatRequest> = {}): HeartbeatAnswer {
    const first = memberEpoch === 0 ? { rebalanceTimeoutMs: 20_000, topicNames: ['a'], owned: new Map() } : { rebalanceTimeoutMs: -1, topicNames: null, owned: null }
    const request = { groupId: 'g', memberId, memberEpoch, instanceId: null, rackId: null, clientId: 'c', clientHost: '/h', topicRegex: null, serverAssignor: null, ...first, ...more }
    return this.#ask((token, now) => this.host.coordinator.consumerHeartbeat(request, token, now))
  }

  join(memberId: string, more: Partial<JoinRequest> = {}): JoinAnswer {
    const request = {
      groupId: 'g', memberId, groupInstanceId: null, clientId: 'c', clientHost: '/h', sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription() }], needsKnownId: false, canSkipAssignment: true, ...more,
    }
    return this.#ask((token, now) => this.host.coordinator.join(request, token, now))
  }

  sync(memberId: string, generation: number, more: Partial<SyncRequest> = {}): string {
    const request = { groupId: 'g', memberId, groupInstanceId: null, generation, protocolType: 'consumer', protocol: 'range', assignments: [{ memberId, assignment: Buffer.alloc(0) }], ...more }
    return errorNameOf(this.#ask<SyncAnswer>((token, now) => this.host.coordinator.sync(request, token, now)).errorCode)
  }

  classicBeat(memberId: string, generation: number): string {
    const { error, effects } = this.host.coordinator.heartbeat('g', { memberId, groupInstanceId: null }, generation, this.host.clock.now())
    this.host.perform(effects)
    return error
  }

  commit(memberId: string, generation: number, isOld: boolean): string {
    const request = { groupId: 'g', memberId, groupInstanceId: null, generation, isOld, offsets: [{ topic: 'a', partition: 0, offset: 1, leaderEpoch: -1, metadata: '' }] }
    return errorNameOf(this.#ask<number>((token, now) => this.host.coordinator.commitOffsets(request, token, now)))
  }

  get kinds(): readonly string[] {
    return [...this.host.coordinator.groups()].map(({ type }) => type)
  }
}

/** What a member says of itself that has all of topic a. */
function subscription(owned: readonly number[] = []): Buffer {
  return encodeVersioned(consumerProtocolSubscription, 1, { topics: ['a'], userData: null, ownedPartitions: owned.length === 0 ? [] : [{ topic: 'a', partitions: owned }] })
}

test('a member that had to give something up in time has no such time any more when it goes on with the classic protocol', () => {
  const room = new Room()
  const { memberEpoch } = room.beat('first', 0)
  room.beat('second', 0)
  const all = topicPartitions([{ topicId: room.host.topics.get('a')!.id, partitions: [0, 1] }])
  expect(room.beat('first', memberEpoch, { owned: all }).assignment!.topicPartitions[0]!.partitions).toHaveLength(1)
  // Still reading what it is to give up, it comes back as a classic member by its own id.
  room.host.clock.advance(10_000)
  const joined = room.join('first', { rebalanceTimeoutMs: 60_000, protocols: [{ name: 'range', metadata: subscription([0, 1]) }] })
  expect([errorNameOf(joined.errorCode), joined.memberId]).toEqual(['NONE', 'first'])
  expect(room.host.group!.members.get('first')!.current.state).toBe('unrevoked')
  room.host.clock.advance(11_000)
  expect(room.host.knows('first')).toBe(true)
})

test('a member that was to join again by some time has joined when its group has been a classic one since', () => {
  const room = new Room()
  room.beat('modern', 0)
  const { memberId, generationId } = room.join('')
  expect(room.sync(memberId, generationId!)).toBe('NONE')
  room.beat('other', 0)
  expect(room.classicBeat(memberId, generationId!)).toBe('REBALANCE_IN_PROGRESS')
  for (const gone of ['modern', 'other']) room.beat(gone, -1)
  expect(room.kinds).toEqual(['classic'])
  const { generationId: next } = room.join(memberId)
  expect(room.sync(memberId, next!)).toBe('NONE')
  room.beat('another', 0)
  expect(room.kinds).toEqual(['consumer'])
  room.host.clock.advance(21_000)
  expect(room.host.knows(memberId)).toBe(true)
})

test('who is a member by the new protocol does not commit in a version from before it; a classic member of the same group does', () => {
  const room = new Room()
  const { memberEpoch } = room.beat('modern', 0)
  const { memberId, generationId } = room.join('')
  expect(room.commit('modern', memberEpoch, true)).toBe('UNSUPPORTED_VERSION')
  expect(room.commit('modern', memberEpoch, false)).toBe('NONE')
  expect(room.commit(memberId, generationId!, true)).toBe('NONE')
})

test('members that are no consumers are let into no consumer group, whatever their bytes look like', () => {
  const room = new Room()
  room.beat('modern', 0)
  expect(errorNameOf(room.join('', { protocolType: 'connect' }).errorCode)).toBe('INCONSISTENT_GROUP_PROTOCOL')
  const { memberId, generationId } = room.join('')
  expect(room.sync(memberId, generationId!, { protocolType: 'connect' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(room.sync(memberId, generationId!, { protocol: 'roundrobin' })).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(room.sync(memberId, generationId!)).toBe('NONE')
})

test('nor does a group of such members become a consumer group', () => {
  const room = new Room()
  const { memberId, generationId } = room.join('', { protocolType: 'connect' })
  expect(room.sync(memberId, generationId!, { protocolType: 'connect' })).toBe('NONE')
  const { errorCode, errorMessage } = room.beat('modern', 0)
  expect([errorNameOf(errorCode), errorMessage]).toEqual(['GROUP_ID_NOT_FOUND', expect.stringContaining('no consumers')])
  expect(room.kinds).toEqual(['classic'])
})

test('what a classic member is assigned costs nothing for topics that it is not', () => {
  const asked: string[] = []
  const topics = { topics: new Map([['a', { id: 'A', partitions: 1 }], ['b', { id: 'B', partitions: 1 }]]), topicsVersion: 0, topicById: (id: string) => (asked.push(id), { name: id.toLowerCase() }) }
  topics.topics[Symbol.iterator] = () => expect.unreachable('all topics are looked at')
  expect(assignmentFor(Buffer.alloc(0), topicPartitions([{ topicId: 'B', partitions: [0] }]), topics).toString('latin1')).toContain('b')
  expect(asked).toEqual(['B'])
})
