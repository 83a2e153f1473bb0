// What the handlers of requests work with: catalogue, partitions, coordinators, settings, time and chance.

import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Random } from '../../core/random.ts'
import { uuidForTools } from '../../core/random.ts'
import { isKeyStoreSetting, type BrokerConfig } from '../kernel/broker-config.ts'
import type { Catalogue, Decision, MetadataRecord, NewTopicRequest, Topic } from '../kernel/catalogue.ts'
import type { Refusal } from '../kernel/topic-config.ts'
import type { Logger } from '../../core/logger.ts'
import { errorFields } from './error-fields.ts'
import { offsetsTopic, type GroupHost } from './group-host.ts'
import { AnswerMemory } from './answer-memory.ts'
import type { BrokerMeters } from './broker-meters.ts'
import { GroupHosts } from './group-hosts.ts'
import type { MetadataLog } from './metadata-log.ts'
import type { Partition } from './partition.ts'
import { MarkerWriter } from './marker-writer.ts'
import type { Partitions } from './partitions.ts'
import { transactionsTopic } from './transaction-host.ts'
import { TransactionHosts } from './transaction-hosts.ts'

/** Where clients find a broker. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Keys and certificates of listeners, which settings may change while they are open. */
export interface KeyStores {
  /** @throws MillraceError BAD_SETTING where listeners could not be served with these settings */
  check(config: BrokerConfig): void
  /** Reads them again, for connections that come. @throws MillraceError BAD_SETTING, and all is as before */
  reload(): void
}

export interface BrokerParts {
  readonly nodeId: number
  readonly catalogue: Catalogue
  readonly metadata: MetadataLog
  readonly partitions: Partitions
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meters: BrokerMeters
}

export class BrokerState {
  readonly nodeId: number
  readonly catalogue: Catalogue
  readonly partitions: Partitions
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly meters: BrokerMeters
  readonly answerMemory: AnswerMemory
  readonly #metadata: MetadataLog
  readonly groups: GroupHosts
  readonly markers: MarkerWriter
  readonly transactions: TransactionHosts
  #making: Promise<void> | null = null
  /** Of topics whose deletion is not durable yet, until when their files stay: by name. */
  readonly #deletions = new Map<string, Promise<unknown>>()
  #producerIds = { next: 0, end: 0 }
  #allocating: Promise<void> | null = null
  /** Where clients find it; of an embedded broker that does not listen, a name that resolves to nothing. */
  endpoint: Endpoint = { host: 'in-process', port: 0 }
  /** Null where no listener is open. */
  keyStores: KeyStores | null = null

  constructor(parts: BrokerParts) {
    this.nodeId = parts.nodeId
    this.#metadata = parts.metadata
    this.catalogue = parts.catalogue
    this.partitions = parts.partitions
    this.groups = new GroupHosts({ ...parts, topics: parts.catalogue }, parts.config, groupId => parts.catalogue.groupConfigs(groupId))
    this.groups.load(parts.partitions.of(offsetsTopic))
    this.markers = new MarkerWriter({ ...parts, groups: this.groups })
    this.transactions = new TransactionHosts({ ...parts, markers: this.markers, newProducerId: () => this.newProducerId() }, parts.config)
    this.config = parts.config
    this.clock = parts.clock
    this.random = parts.random
    this.logger = parts.logger
    this.meters = parts.meters
    this.answerMemory = new AnswerMemory(parts.config.number('millrace.queued.max.response.bytes'), parts.clock)
    // Last, since it goes on with what was begun.
    this.transactions.load(parts.partitions.of(transactionsTopic))
    this.transactions.endHanging(parts.partitions.all())
  }

  get clusterId(): string {
    return this.catalogue.clusterId ?? ''
  }

  get leaderEpoch(): number {
    return this.partitions.leaderEpoch
  }

  /** Of the log of the catalogue. */
  get metadataOffsets(): { readonly highWatermark: number; readonly endOffset: number } {
    return this.#metadata.offsets
  }

  /** A partition by name; undefined where there is none. */
  partition(topic: string, index: number): Partition | undefined {
    return this.partitions.get(topic, index)
  }

  /** Creates a topic, or says why not; resolves when it is durable. `validateOnly`: says whether it could be. */
  async createTopic(request: NewTopicRequest, validateOnly = false): Promise<Refusal | Topic> {
    // One of that name may not be gone yet.
    await this.#deletions.get(request.name)
    const decision = this.catalogue.createTopic(request, uuidForTools(this.random), { partitions: this.config.number('num.partitions'), replicationFactor: this.config.number('default.replication.factor') })
    if (decision.refused !== null) return this.#refuse(decision.refused)
    const twin = this.partitions.twinOf(request.name)
    if (twin !== undefined) return { error: 'INVALID_TOPIC_EXCEPTION', message: `Topic '${request.name}' collides with existing topic: ${twin}. The broker's disk does not tell capitals from small letters.` }
    if (validateOnly) return decision.topic
    const failed = await this.#decide(decision.records, () => this.partitions.create(decision.topic, this.#metadata.settled()))
    if (failed !== null) return failed
    this.logger.info('topic created', { topic: request.name, partitions: decision.topic.partitions })
    return decision.topic
  }

  async deleteTopic(name: string): Promise<Refusal | null> {
    const decision = this.catalogue.deleteTopic(name)
    if (decision.refused !== null) return this.#refuse(decision.refused)
    const deletion = this.#delete(name, decision.records)
    this.#deletions.set(name, deletion)
    const failed = await deletion.finally(() => this.#deletions.delete(name))
    if (failed === null) this.logger.info('topic deleted', { topic: name })
    return failed
  }

  /** The files go when that is durable: a crash before it leaves the whole topic. */
  async #delete(name: string, records: readonly MetadataRecord[]): Promise<Refusal | null> {
    let removeFiles = async (): Promise<void> => {}
    const failed = await this.#decideAndFree(records, () => {
      removeFiles = this.partitions.remove(name)
      this.groups.topicDeleted(name)
    })
    return failed ?? (await this.#attempt(removeFiles))
  }

  createPartitions(name: string, count: number, validateOnly: boolean): Promise<Refusal | null> {
    return this.#change(this.catalogue.createPartitions(name, count), validateOnly, topic => this.partitions.create(topic, this.#metadata.settled()))
  }

  alterTopicConfigs(name: string, configs: Readonly<Record<string, string | null>>, validateOnly: boolean): Promise<Refusal | null> {
    return this.#change(this.catalogue.alterTopicConfigs(name, configs), validateOnly, topic => this.partitions.configure(topic))
  }

  async #change(decision: Decision<{ readonly topic: Topic }>, validateOnly: boolean, follow: (topic: Topic) => void): Promise<Refusal | null> {
    if (decision.refused !== null) return this.#refuse(decision.refused)
    if (validateOnly) return null
    return this.#decide(decision.records, () => follow(decision.topic))
  }

  /** Writes a decision, follows it, and resolves when it is durable. What cannot be written at all is not followed; where following fails, the next start does. */
  #decide(records: readonly MetadataRecord[], follow: () => void): Promise<Refusal | null> {
    return this.#attempt(async () => void (await Promise.all([this.#metadata.write(records), attempt(follow)])))
  }

  /** The same for what frees room on the disk, which must be possible where there is none. */
  #decideAndFree(records: readonly MetadataRecord[], follow: () => void): Promise<Refusal | null> {
    return this.#attempt(async () => void (await Promise.all([this.#metadata.write(records, true), attempt(follow)])))
  }

  /** A refusal speaks of a topic that is there or is not: that must be durable, too, before anyone hears of it. */
  async #refuse(refusal: Refusal): Promise<Refusal> {
    return (await this.#attempt(() => this.#metadata.settle())) ?? refusal
  }

  async #attempt(action: () => Promise<void>): Promise<Refusal | null> {
    try {
      await action()
      return null
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      this.logger.error('could not write down a change of the catalogue', errorFields(error))
      return { error: 'KAFKA_STORAGE_ERROR', message: error.message }
    }
  }

  /** Writes what a part of the catalogue has decided, which takes effect at once; resolves when it is durable. */
  write(records: readonly MetadataRecord[]): Promise<void> {
    return this.#metadata.write(records)
  }

  /** Replaces what is set while running: for all brokers with null, else for this one. */
  alterBrokerConfigs(node: number | null, configs: Readonly<Record<string, string>>): Promise<Refusal | null> {
    const hasKeyStores = node !== null && this.#namesKeyStores(configs)
    return this.#decide([this.catalogue.alterBrokerConfigs(node, configs)], () => {
      this.config.dynamic = { all: this.catalogue.brokerConfigs(null), own: this.catalogue.brokerConfigs(this.nodeId) }
      for (const topic of this.catalogue.topics.values()) this.partitions.configure(topic)
      if (hasKeyStores) this.keyStores?.reload()
    })
  }

  /** What is wrong with the keys and certificates that listeners would have by these settings of this broker; null if nothing. */
  keyStoreRefusal(configs: Readonly<Record<string, string>>): Refusal | null {
    try {
      if (this.#namesKeyStores(configs)) this.keyStores?.check(this.config.withOwn(configs))
      return null
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      return { error: 'INVALID_REQUEST', message: error.message }
    }
  }

  /** Also those that are no longer set: others hold then. */
  #namesKeyStores(configs: Readonly<Record<string, string>>): boolean {
    return [...Object.keys(configs), ...Object.keys(this.config.dynamic.own)].some(isKeyStoreSetting)
  }

  /** Replaces what is set for a group; its members hear of it with their next heartbeat. */
  alterGroupConfigs(groupId: string, configs: Readonly<Record<string, string>>): Promise<Refusal | null> {
    return this.#decide([this.catalogue.alterGroupConfigs(groupId, configs)], () => {})
  }

  /** Who keeps a group; null before {@link ensureGroups}. */
  groupHost(groupId: string): GroupHost | null {
    return this.groups.of(groupId)
  }

  groupHosts(): readonly GroupHost[] {
    return this.groups.all
  }

  /** Makes __consumer_offsets if it is not there. */
  async ensureGroups(): Promise<void> {
    if (this.groups.all.length === 0) await this.#make(() => this.#makeGroups())
  }

  /** Makes __transaction_state, and what keeps the offsets that transactions commit, if they are not there. */
  async ensureTransactions(): Promise<void> {
    await this.ensureGroups()
    if (this.transactions.all.length === 0) await this.#make(() => this.#makeTransactions())
  }

  /** One at a time; who finds it made meanwhile is done. */
  async #make(make: () => Promise<void>): Promise<void> {
    while (this.#making !== null) await this.#making
    await (this.#making = make().finally(() => (this.#making = null)))
  }

  async #makeGroups(): Promise<void> {
    if (this.groups.all.length > 0) return
    this.groups.load(await this.#makeInternal(offsetsTopic, 'offsets.topic'))
  }

  async #makeTransactions(): Promise<void> {
    if (this.transactions.all.length > 0) return
    this.transactions.load(await this.#makeInternal(transactionsTopic, 'transaction.state.log'))
  }

  /** `settings`: how the names of its settings begin. */
  async #makeInternal(name: string, settings: string): Promise<readonly Partition[]> {
    const configs = { 'cleanup.policy': 'compact', 'compression.type': 'producer', 'segment.bytes': this.config.text(`${settings}.segment.bytes`) }
    await this.createTopic({ name, partitions: this.config.number(`${settings}.num.partitions`), replicationFactor: 1, configs })
    return this.partitions.of(name)
  }

  /** A producer id that no producer ever had. */
  async newProducerId(): Promise<number> {
    while (this.#producerIds.next === this.#producerIds.end) await (this.#allocating ??= this.#allocateProducerIds())
    return this.#producerIds.next++
  }

  async #allocateProducerIds(): Promise<void> {
    try {
      const { first, count, record } = this.catalogue.allocateProducerIds()
      await this.#metadata.write([record])
      this.#producerIds = { next: first, end: first + count }
    } finally {
      this.#allocating = null
    }
  }
}

export function isRefusal(answer: Refusal | Topic | null): answer is Refusal {
  return answer !== null && 'error' in answer
}

/** At once; a failure is a rejection. */
async function attempt(action: () => void): Promise<void> {
  action()
}
