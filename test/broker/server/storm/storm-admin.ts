// Those who administer in a storm: groups commit positions, records are deleted, topics come and go, settings change.

import { errorNameOf } from '../../../../broker/wire/error-code.ts'
import { batchOf, recordsOf } from '../../log/batches.ts'
import type { Actor, World } from './storm-world.ts'

/** A consumer without a group protocol that commits larger and larger positions. */
export class StormCommitter implements Actor {
  readonly #world: World
  readonly #groupId: string
  #isBusy = false
  #sent = 0
  #acknowledged = -1

  constructor(world: World, groupId: string) {
    this.#world = world
    this.#groupId = groupId
  }

  act(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    const committedOffset = ++this.#sent
    const topics = [{ name: 'plain', partitions: [{ partitionIndex: 1, committedOffset, committedMetadata: 'm'.repeat(this.#world.below(200)) }] }]
    this.#world.ask('OffsetCommit', { groupId: this.#groupId, generationIdOrMemberEpoch: -1, memberId: '', topics }, 8, answer => {
      this.#isBusy = false
      const error = errorNameOf(answer.topics[0]!.partitions[0]!.errorCode)
      this.#world.count(`commit: ${error}`)
      if (error === 'NONE') this.#acknowledged = committedOffset
      else if (error !== 'COORDINATOR_NOT_AVAILABLE') throw new Error(`${this.#groupId}: a commit was refused: ${error}`)
    })
  }

  reborn(): void {
    this.#isBusy = false
  }

  async check(): Promise<void> {
    const { groups } = await this.#world.demand('OffsetFetch', { groups: [{ groupId: this.#groupId, topics: [{ name: 'plain', partitionIndexes: [1] }] }] }, 9)
    const { committedOffset } = groups[0]!.topics[0]!.partitions[0]!
    if (committedOffset < this.#acknowledged || committedOffset > this.#sent) throw new Error(`${this.#groupId}: it has committed ${this.#acknowledged} of ${this.#sent}, and is at ${committedOffset}`)
    this.#acknowledged = Math.max(this.#acknowledged, committedOffset)
  }
}

/** Deletes records, and raises a setting. */
export class StormAdmin implements Actor {
  readonly #world: World
  #isBusy = false
  #deleted = [0, 0]
  #sent = 0
  #acknowledged = 0

  constructor(world: World) {
    this.#world = world
  }

  act(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    if (this.#world.below(2) === 0) this.#deleteRecords(this.#world.below(2))
    else this.#alter()
  }

  #deleteRecords(partitionIndex: number): void {
    const ledger = this.#world.ledger('plain', partitionIndex)
    const offset = this.#world.below(4) === 0 ? ledger.highest : ledger.startedAt + this.#world.below(1 + Math.floor((ledger.highest - ledger.startedAt) / 2))
    ledger.mayStartAt = Math.max(ledger.mayStartAt, offset)
    this.#world.ask('DeleteRecords', { timeoutMs: 1000, topics: [{ name: 'plain', partitions: [{ partitionIndex, offset }] }] }, 2, ({ topics }) => {
      this.#isBusy = false
      const { errorCode } = topics[0]!.partitions[0]!
      this.#world.count(`delete records: ${errorNameOf(errorCode)}`)
      if (errorCode === 0) this.#deleted[partitionIndex] = Math.max(this.#deleted[partitionIndex]!, offset)
    })
  }

  #alter(): void {
    const number = ++this.#sent
    const configs = [{ name: 'max.message.bytes', configOperation: 0, value: String(1_000_000 + number) }]
    this.#world.ask('IncrementalAlterConfigs', { resources: [{ resourceType: 2, resourceName: 'plain', configs }], validateOnly: false }, 1, ({ responses }) => {
      this.#isBusy = false
      if (responses[0]!.errorCode === 0) this.#acknowledged = number
    })
  }

  reborn(): void {
    this.#isBusy = false
  }

  async check(): Promise<void> {
    for (const partition of [0, 1]) {
      const { topics } = await this.#world.demand('ListOffsets', { replicaId: -1, isolationLevel: 0, topics: [{ name: 'plain', partitions: [{ partitionIndex: partition, timestamp: -2 }] }] }, 7)
      const { offset } = topics[0]!.partitions[0]!
      if (offset < this.#deleted[partition]!) throw new Error(`plain-${partition}: records below ${this.#deleted[partition]} were deleted, and it begins at ${offset}`)
    }
    const { results } = await this.#world.demand('DescribeConfigs', { resources: [{ resourceType: 2, resourceName: 'plain', configurationKeys: ['max.message.bytes'] }] }, 4)
    const number = Math.max(0, Number(results[0]!.configs[0]!.value) - 1_000_000)
    if (number !== 48_588 && (number < this.#acknowledged || number > this.#sent)) throw new Error(`plain: a setting was raised to ${this.#acknowledged} of ${this.#sent}, and is ${number}`)
    if (number === 48_588 && this.#acknowledged > 0) throw new Error(`plain: a setting was raised to ${this.#acknowledged}, and has its default`)
  }
}

type TopicState = 'absent' | 'creating' | 'present' | 'deleting'

/** Makes a topic, writes to it, deletes it, and makes it again: what was in one is never in the next. */
export class StormTopic implements Actor {
  readonly #world: World
  readonly #name: string
  #state: TopicState = 'absent'
  #incarnation = 0
  #isBusy = false
  #count = 0
  #acknowledged: string[] = []
  /** The broker's life in which a deletion was not acknowledged. */
  #failedIn = -1

  constructor(world: World, name: string) {
    this.#world = world
    this.#name = name
  }

  act(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    if (this.#state === 'absent' || this.#state === 'creating') this.#create()
    else if (this.#state === 'deleting' || this.#world.below(6) === 0) this.#delete()
    else this.#write()
  }

  #create(): void {
    // One that nobody knows to be there is the same incarnation.
    if (this.#state === 'absent') this.#incarnation++
    this.#state = 'creating'
    const configs = [{ name: 'segment.bytes', value: String(this.#world.segmentBytes) }]
    this.#world.ask('CreateTopics', { topics: [{ name: this.#name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }] }, 5, ({ topics }) => {
      this.#isBusy = false
      const error = errorNameOf(topics[0]!.errorCode)
      this.#world.count(`create: ${error}`)
      if (error === 'NONE' || error === 'TOPIC_ALREADY_EXISTS') this.#state = 'present'
    })
  }

  #delete(): void {
    this.#state = 'deleting'
    this.#acknowledged = []
    this.#world.ask('DeleteTopics', { topicNames: [this.#name], timeoutMs: 1000 }, 5, ({ responses }) => {
      this.#isBusy = false
      const error = errorNameOf(responses[0]!.errorCode)
      this.#world.count(`delete: ${error}`)
      if (error === 'KAFKA_STORAGE_ERROR') this.#failedIn = this.#world.life
      // After a failure that means no more than that the broker does not serve it.
      if (error === 'NONE' || (error === 'UNKNOWN_TOPIC_OR_PARTITION' && this.#failedIn !== this.#world.life)) this.#state = 'absent'
    })
  }

  #write(): void {
    const value = `${this.#incarnation}/${this.#count++} `.padEnd(100 + this.#world.below(300), '.')
    const records = batchOf([{ key: null, value, timestamp: this.#world.clock.now() }])
    this.#world.ask('Produce', { acks: -1, timeoutMs: 1, topicData: [{ name: this.#name, partitionData: [{ index: 0, records }] }] }, 11, ({ responses }) => {
      this.#isBusy = false
      const { errorCode } = responses[0]!.partitionResponses[0]!
      if (errorCode === 0) this.#acknowledged.push(value)
      else if (errorNameOf(errorCode) !== 'KAFKA_STORAGE_ERROR') throw new Error(`${this.#name}: a record was refused: ${errorNameOf(errorCode)}`)
    })
  }

  reborn(): void {
    this.#isBusy = false
  }

  async check(): Promise<void> {
    const found = new Set<string>()
    for (let fetchOffset = 0; ; ) {
      const { responses } = await this.#world.demand('Fetch', { maxWaitMs: 0, minBytes: 1, topics: [{ topic: this.#name, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 5000 }] }] }, 11)
      const { errorCode, records } = responses[0]!.partitions[0]!
      const isThere = errorNameOf(errorCode) !== 'UNKNOWN_TOPIC_OR_PARTITION'
      if (this.#state === 'present' && !isThere) throw new Error(`${this.#name}: it was made, and is not there`)
      if (this.#state === 'absent' && isThere) throw new Error(`${this.#name}: it was deleted, and is there`)
      if (!isThere) return
      // See below: of a directory that comes back parts may be gone.
      if (this.#world.order === 'loose' && this.#acknowledged.length === 0 && errorNameOf(errorCode) === 'OFFSET_OUT_OF_RANGE') return
      if (errorCode !== 0) throw new Error(`${this.#name}: reading at ${fetchOffset} fails: ${errorNameOf(errorCode)}`)
      const read = recordsOf(records!, fetchOffset)
      if (read.length === 0) break
      for (const { value } of read) found.add(value!)
      fetchOffset = read.at(-1)!.offset + 1
    }
    // Where a file system forgets that a directory was removed and keeps what was done after that, the records of a topic come back in the next of that name.
    if (this.#world.order === 'journal') for (const value of found) if (!value.startsWith(`${this.#incarnation}/`)) throw new Error(`${this.#name}: it was made for the ${this.#incarnation}th time and holds ${value}`)
    for (const value of this.#acknowledged) if (!found.has(value)) throw new Error(`${this.#name}: ${value} was acknowledged and is gone`)
  }
}
