// A member of the classic protocol that does what Kafka's consumers do, eager or cooperative, one step at a time: for tests of the coordinator.

import { expect } from 'vitest'
import type { JoinAnswer, SyncAnswer } from '../../../broker/kernel/group-effects.ts'
import { errorNameOf } from '../../../broker/wire/error-code.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../broker/wire/records/consumer-protocol.ts'
import { decodeVersioned, encodeVersioned } from '../../../broker/wire/versioned.ts'
import type { ConsumerGroupsHost } from './consumer-groups-host.ts'

type Said = readonly { readonly memberId: string; readonly metadata: Buffer }[]

export class ClassicClient {
  memberId = ''
  state: 'out' | 'joined' | 'member' = 'out'
  /** Places that it consumes. */
  owned: ReadonlySet<string> = new Set()
  generation = -1
  readonly #host: ConsumerGroupsHost
  readonly #index: number
  readonly #instanceId: string | null
  readonly #isCooperative: boolean
  readonly #topics: readonly string[]
  /** What the others said, of the leader. */
  #members: Said | null = null
  #request = 0
  #isWaiting = false

  /** The first one is a static member. */
  constructor(host: ConsumerGroupsHost, index: number, topics: readonly string[], isCooperative: boolean) {
    this.#host = host
    this.#index = index
    this.#instanceId = index === 0 ? 'static' : null
    this.#topics = topics
    this.#isCooperative = isCooperative
  }

  readonly wants = (topic: string): boolean => this.#topics.includes(topic)

  get #protocol(): string {
    return this.#isCooperative ? 'cooperative-sticky' : 'range'
  }

  get #identity() {
    return { memberId: this.memberId, groupInstanceId: this.#instanceId }
  }

  /** The next thing that a consumer would do. `hears`: the answer comes through. */
  beat(hears: boolean): void {
    if (this.#isWaiting) return
    if (this.state === 'out') this.#join(hears)
    else if (this.state === 'joined') this.#sync(hears)
    else this.#heartbeat()
  }

  /** Its partitions change as it hears of them. */
  process(): void {}

  #join(hears: boolean): void {
    if (!this.#isCooperative) this.owned = new Set()
    const ownedPartitions = [...this.owned].map(place => ({ topic: this.#host.topicOf(place), partitions: [Number(place.slice(37))] }))
    const metadata = encodeVersioned(consumerProtocolSubscription, 3, { topics: this.#topics, userData: null, ownedPartitions, generationId: this.generation, rackId: null })
    const answered = this.#waits(hears)
    this.#host.ask<JoinAnswer>((token, now) => this.#host.coordinator.join({
      groupId: 'g', ...this.#identity, clientId: `c${this.#index}`, clientHost: '/h', sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 20_000, protocolType: 'consumer',
      protocols: [{ name: this.#protocol, metadata }], needsKnownId: this.#instanceId === null, canSkipAssignment: true,
    }, token, now), answer => answered(() => this.#joined(answer)))
  }

  #joined(answer: JoinAnswer): void {
    const error = errorNameOf(answer.errorCode)
    if (error === 'MEMBER_ID_REQUIRED') this.memberId = answer.memberId
    if (error !== 'NONE') return this.#refused(error)
    this.memberId = answer.memberId
    this.generation = answer.generationId!
    this.#members = answer.leader === answer.memberId && answer.skipAssignment !== true ? answer.members.map(({ memberId, metadata }) => ({ memberId, metadata: Buffer.from(metadata) })) : null
    this.state = 'joined'
  }

  #sync(hears: boolean): void {
    const assignments = this.#members === null ? [] : this.#shared(this.#members)
    const answered = this.#waits(hears)
    this.#host.ask<SyncAnswer>((token, now) => this.#host.coordinator.sync({
      groupId: 'g', ...this.#identity, generation: this.generation, protocolType: 'consumer', protocol: this.#protocol, assignments,
    }, token, now), answer => answered(() => this.#synced(answer)))
  }

  #synced({ errorCode, assignment }: SyncAnswer): void {
    const error = errorNameOf(errorCode)
    if (error !== 'NONE') return this.#refused(error)
    const assigned = new Set(placesIn(this.#host, Buffer.from(assignment)))
    const revokes = [...this.owned].some(place => !assigned.has(place))
    this.owned = assigned
    // A cooperative member that gave something up joins again, so that others get it.
    this.state = revokes ? 'out' : 'member'
  }

  /** The leader shares out evenly; of cooperative members, nobody gets what another still has. */
  #shared(members: Said): readonly { readonly memberId: string; readonly assignment: Buffer }[] {
    const said = members.map(({ memberId, metadata }) => ({ memberId, ...decodeVersioned(consumerProtocolSubscription, metadata) }))
    const owners = new Map(said.flatMap(({ memberId, ownedPartitions }) => ownedPartitions.flatMap(({ topic, partitions }) => partitions.map(partition => [`${topic} ${partition}`, memberId] as const))))
    const shares = new Map(members.map(({ memberId }) => [memberId, new Map<string, number[]>()]))
    for (const [topic, { partitions }] of this.#host.topics) {
      const readers = said.filter(({ topics }) => topics.includes(topic)).map(({ memberId }) => memberId)
      for (let partition = 0; readers.length > 0 && partition < partitions; partition++) {
        const next = readers[partition % readers.length]!
        const owner = owners.get(`${topic} ${partition}`)
        const share = shares.get(next)!
        if (owner === undefined || owner === next) share.set(topic, [...(share.get(topic) ?? []), partition])
      }
    }
    return [...shares].map(([memberId, share]) => ({
      memberId, assignment: encodeVersioned(consumerProtocolAssignment, 3, { assignedPartitions: Array.from(share, ([topic, partitions]) => ({ topic, partitions })), userData: null }),
    }))
  }

  #heartbeat(): void {
    const { error, effects } = this.#host.coordinator.heartbeat('g', this.#identity, this.generation, this.#host.clock.now())
    this.#host.perform(effects)
    if (error !== 'NONE') this.#refused(error)
  }

  #refused(error: string): void {
    this.state = 'out'
    if (error === 'REBALANCE_IN_PROGRESS' || error === 'COORDINATOR_NOT_AVAILABLE' || error === 'MEMBER_ID_REQUIRED') return
    expect(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']).toContain(error)
    this.#abandon()
    if (error !== 'ILLEGAL_GENERATION') this.memberId = ''
  }

  /** A static member does not say that it goes. */
  leave(): void {
    if (this.state !== 'member' || this.#isWaiting) return
    if (this.#instanceId === null) this.#host.ask((token, now) => this.#host.coordinator.leave('g', [this.#identity], token, now), () => {})
    this.restart()
  }

  /** A new process without a memory; answers to the old one are heard by nobody. */
  restart(): void {
    this.#abandon()
    this.memberId = ''
  }

  disconnected(): void {
    this.#isWaiting = false
    this.#request++
    if (this.state === 'joined') this.state = 'out'
  }

  #abandon(): void {
    this.disconnected()
    this.owned = new Set()
    this.state = 'out'
    this.generation = -1
  }

  #waits(hears: boolean): (then: () => void) => void {
    const request = ++this.#request
    this.#isWaiting = hears
    if (!hears) this.state = 'out'
    return then => {
      if (!hears || request !== this.#request) return
      this.#isWaiting = false
      then()
    }
  }
}

function placesIn(host: ConsumerGroupsHost, assignment: Buffer): readonly string[] {
  if (assignment.length === 0) return []
  return decodeVersioned(consumerProtocolAssignment, assignment).assignedPartitions.flatMap(({ topic, partitions }) => {
    const id = host.topics.get(topic)?.id
    return id === undefined ? [] : partitions.map(partition => `${id}/${partition}`)
  })
}
