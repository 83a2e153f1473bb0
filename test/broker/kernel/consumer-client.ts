// A member of a consumer group that does what Kafka's consumers do, one step at a time: for tests of the coordinator.

import { expect } from 'vitest'
import type { HeartbeatRequest } from '../../../broker/kernel/consumer-group-requests.ts'
import type { HeartbeatAnswer } from '../../../broker/kernel/group-effects.ts'
import { topicPartitions } from '../../../broker/kernel/topic-partitions.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { placesOf, type ConsumerGroupsHost } from './consumer-groups-host.ts'

export type Wanted = readonly string[] | RegExp

export class ConsumerClient {
  memberId: string
  state: 'out' | 'member' = 'out'
  /** Places that it consumes. */
  owned: ReadonlySet<string> = new Set()
  readonly errors: string[] = []
  readonly #host: ConsumerGroupsHost
  readonly #index: number
  readonly #instanceId: string | null
  #processes = 0
  #wanted: Wanted
  #epoch = 0
  /** What it was last told to have, and has not come to yet. */
  #told: ReadonlySet<string> | null = null
  /** Which request it waits for; answers to others are heard by nobody. */
  #request = 0
  #isWaiting = false
  /** What it has to say with the next request. */
  #says = { all: true, wanted: true, owned: true }

  /** The first one is a static member. */
  constructor(host: ConsumerGroupsHost, index: number, wanted: Wanted) {
    this.#host = host
    this.#index = index
    this.#instanceId = index === 0 ? 'static' : null
    this.#wanted = wanted
    this.memberId = `client${index}-0`
  }

  readonly wants = (topic: string): boolean => (this.#wanted instanceof RegExp ? new RegExp(`^(?:${this.#wanted.source})$`).test(topic) : this.#wanted.includes(topic))

  subscribe(wanted: Wanted): void {
    this.#wanted = wanted
    this.#says.wanted = true
  }

  /** Asks what it shall have; joins first. `hears`: the answer comes through. */
  beat(hears: boolean): void {
    if (this.#isWaiting) return
    const request = ++this.#request
    const isJoin = this.state === 'out'
    this.#isWaiting = hears
    const body = this.#body(isJoin)
    if (!hears) this.#says = { all: true, wanted: true, owned: true }
    this.#host.heartbeat(body, answer => {
      if (hears && request === this.#request) this.#answered(answer, isJoin)
    })
  }

  #body(isJoin: boolean): HeartbeatRequest {
    // Where it is told of more than it has come to, it asks again for everything rather than to say what is soon no longer so.
    if (this.#says.owned && this.#told !== null) this.#says.all = true
    const { all, wanted, owned } = this.#says
    const saysAll = all || isJoin
    if (saysAll) this.#told = null
    this.#says = { all: false, wanted: false, owned: false }
    return {
      groupId: 'g', memberId: this.memberId, memberEpoch: isJoin ? 0 : this.#epoch, instanceId: this.#instanceId, rackId: null, clientId: `c${this.#index}`, clientHost: '/h',
      rebalanceTimeoutMs: saysAll ? 20_000 : -1, serverAssignor: null,
      topicNames: !saysAll && !wanted ? null : this.#wanted instanceof RegExp ? [] : this.#wanted,
      topicRegex: !saysAll && !wanted ? null : this.#wanted instanceof RegExp ? this.#wanted.source : '',
      owned: isJoin ? new Map() : saysAll || owned ? topicPartitions([...this.owned].map(place => ({ topicId: place.slice(0, 36), partitions: [Number(place.slice(37))] }))) : null,
    }
  }

  #answered({ errorCode, memberEpoch, assignment }: HeartbeatAnswer, isJoin: boolean): void {
    this.#isWaiting = false
    const error = errorNameOf(errorCode)
    if (error !== 'NONE') return this.#refused(error)
    expect(memberEpoch).toBeGreaterThanOrEqual(isJoin ? 1 : this.#epoch)
    this.state = 'member'
    this.#epoch = memberEpoch
    if (isJoin) expect(assignment, 'who joins is told what it has').toBeTruthy()
    if (assignment !== null && assignment !== undefined) this.#told = new Set(placesOf(topicPartitions(assignment.topicPartitions)))
  }

  #refused(error: string): void {
    this.errors.push(error)
    this.#says = { all: true, wanted: true, owned: true }
    if (error === 'COORDINATOR_NOT_AVAILABLE') return
    expect(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND', 'FENCED_INSTANCE_ID', 'UNRELEASED_INSTANCE_ID']).toContain(error)
    if (error === 'FENCED_INSTANCE_ID') this.restart()
    else this.#abandon()
  }

  /** Gives up what it does not have any more and begins with what is new. */
  process(): void {
    if (this.#told === null) return
    this.owned = this.#told
    this.#told = null
    this.#says.owned = true
  }

  /** A static member says that it may come back. */
  leave(): void {
    if (this.state !== 'member' || this.#isWaiting) return
    this.#abandon()
    const memberEpoch = this.#instanceId === null ? -1 : -2
    this.#host.heartbeat({ ...this.#body(true), memberEpoch }, () => {})
  }

  /** A new process without a memory; answers to the old one are heard by nobody. */
  restart(): void {
    this.#abandon()
    this.memberId = `client${this.#index}-${++this.#processes}`
  }

  disconnected(): void {
    this.#isWaiting = false
    this.#request++
    this.#told = null
    this.#says = { all: true, wanted: true, owned: true }
  }

  #abandon(): void {
    this.disconnected()
    this.owned = new Set()
    this.state = 'out'
    this.#epoch = 0
  }
}
