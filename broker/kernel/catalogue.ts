// The topic catalogue: which topics there are, with ids, partitions and settings; what may be changed; and the records that change it.

import type { Json } from '../log/checkpoint.ts'
import { AclBook } from './acl-book.ts'
import { CredentialBook } from './credential-book.ts'
import { topicConfigRefusal, type ConfigOverrides, type Refusal } from './topic-config.ts'

export interface Topic {
  readonly name: string
  /** UUID, 36 characters. */
  readonly id: string
  readonly partitions: number
  /** Its own settings. */
  readonly configs: ConfigOverrides
}

/**
 * One record of the metadata log. Every value replaces that of the same key and null removes it, so that the log can be compacted.
 * `topic/NAME`, `broker-configs` (of all brokers), `broker-configs/NODE`, `group-configs/GROUP`, `producer-ids`, `cluster-id`, `incarnation`, `acl/…` and `scram/MECHANISM/USER` are the keys.
 */
export interface MetadataRecord {
  readonly key: string
  readonly value: Json
}

/** Either what to write, or why not. */
export type Decision<T> = { readonly refused: Refusal } | ({ readonly refused: null; readonly records: readonly MetadataRecord[] } & T)

/** What -1 stands for. */
export interface TopicDefaults {
  readonly partitions: number
  readonly replicationFactor: number
}

export interface NewTopicRequest {
  readonly name: string
  /** -1: the broker's default; so is the replication factor. */
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: Readonly<Record<string, string | null>>
}

/** Topics of the broker's own, which clients may read but neither write nor delete. */
export const internalTopics: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state'])

const maxPartitionsPerTopic = 10_000

/** Most partitions that one request creates, as in Apache Kafka. */
export const maxPartitionsPerRequest = 10_000
const producerIdBlock = 1000

export class Catalogue {
  readonly acls: AclBook = new AclBook()
  readonly credentials: CredentialBook = new CredentialBook()
  readonly #topics = new Map<string, Topic>()
  readonly #names = new Map<string, string>()
  /** Names with dots as underscores, in which two topics must differ. */
  readonly #folded = new Map<string, string>()
  /** Settings of brokers and groups that were changed while running, by the key of their record. */
  readonly #configs = new Map<string, ConfigOverrides>()
  #topicsVersion = 0
  #producerIds = 0
  #incarnation = -1
  #clusterId: string | null = null

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics
  }

  /** Another number whenever a topic was made, changed or deleted. */
  get topicsVersion(): number {
    return this.#topicsVersion
  }

  topicById(id: string): Topic | undefined {
    const name = this.#names.get(id)
    return name === undefined ? undefined : this.#topics.get(name)
  }

  /** What was set while running: for all brokers with null, else for one. */
  brokerConfigs(node: number | null): ConfigOverrides {
    return this.#configs.get(brokerConfigsKey(node)) ?? {}
  }

  groupConfigs(groupId: string): ConfigOverrides {
    return this.#configs.get(groupConfigsKey(groupId)) ?? {}
  }

  /** Groups with settings of their own. */
  configuredGroups(): readonly string[] {
    return [...this.#configs.keys()].filter(key => key.startsWith('group-configs/')).map(key => key.slice('group-configs/'.length))
  }

  /** How often a broker has started on this catalogue, less one: the leader epoch of all its partitions. */
  get incarnation(): number {
    return this.#incarnation
  }

  /** Null before the first start. */
  get clusterId(): string | null {
    return this.#clusterId
  }

  replay(record: MetadataRecord): void {
    const { key, value } = record
    if (key.startsWith('topic/')) this.#replayTopic(key.slice(6), value as Topic | null)
    else if (/^(broker|group)-configs/.test(key)) this.#replayConfigs(key, value as ConfigOverrides | null)
    else if (key === 'producer-ids') this.#producerIds = value as number
    else if (key === 'incarnation') this.#incarnation = value as number
    else if (key === 'cluster-id') this.#clusterId = value as string
    else if (!this.acls.replay(key, value)) this.credentials.replay(key, value)
  }

  #replayTopic(name: string, topic: Topic | null): void {
    this.#topicsVersion++
    const old = this.#topics.get(name)
    if (old !== undefined) this.#names.delete(old.id)
    this.#topics.delete(name)
    this.#folded.delete(folded(name))
    if (topic === null) return
    this.#topics.set(name, topic)
    this.#names.set(topic.id, name)
    this.#folded.set(folded(name), name)
  }

  #replayConfigs(key: string, configs: ConfigOverrides | null): void {
    if (configs === null) this.#configs.delete(key)
    else this.#configs.set(key, configs)
  }

  /** A broker starts; `clusterId` is for the first start. */
  start(clusterId: string): readonly MetadataRecord[] {
    const incarnation: MetadataRecord = { key: 'incarnation', value: this.#incarnation + 1 }
    return this.#clusterId === null ? [{ key: 'cluster-id', value: clusterId }, incarnation] : [incarnation]
  }

  /** `id` is a fresh UUID. */
  createTopic(request: NewTopicRequest, id: string, defaults: TopicDefaults): Decision<{ readonly topic: Topic }> {
    const { name } = request
    const partitions = request.partitions === -1 ? defaults.partitions : request.partitions
    const replicas = request.replicationFactor === -1 ? defaults.replicationFactor : request.replicationFactor
    const refused = this.#nameRefusal(name) ?? topicConfigRefusal(request.configs) ?? replicationRefusal(replicas) ?? countRefusal(partitions) ?? brokersRefusal(replicas)
    if (refused !== null) return { refused }
    const topic: Topic = { name, id, partitions, configs: request.configs as ConfigOverrides }
    return { refused: null, records: [topicRecord(topic)], topic }
  }

  #nameRefusal(name: string): Refusal | null {
    const problem = topicNameProblem(name)
    if (problem !== null) return { error: 'INVALID_TOPIC_EXCEPTION', message: problem }
    if (this.#topics.has(name)) return { error: 'TOPIC_ALREADY_EXISTS', message: `Topic '${name}' already exists.` }
    const other = this.#folded.get(folded(name))
    return other === undefined ? null : { error: 'INVALID_TOPIC_EXCEPTION', message: `Topic '${name}' collides with existing topic: ${other}.` }
  }

  deleteTopic(name: string): Decision<{ readonly topic: Topic }> {
    const topic = this.#topics.get(name)
    if (topic === undefined) return unknownTopic
    if (internalTopics.has(name)) return { refused: { error: 'INVALID_REQUEST', message: `The topic ${name} is internal and cannot be deleted.` } }
    return { refused: null, records: [{ key: `topic/${name}`, value: null }], topic }
  }

  createPartitions(name: string, count: number): Decision<{ readonly topic: Topic }> {
    const topic = this.#topics.get(name)
    if (topic === undefined) return unknownTopic
    if (count === topic.partitions) return { refused: { error: 'INVALID_PARTITIONS', message: `Topic already has ${count} partition(s).` } }
    if (count < topic.partitions) {
      return { refused: { error: 'INVALID_PARTITIONS', message: `The topic ${name} currently has ${topic.partitions} partition(s); ${count} would not be an increase.` } }
    }
    const refused = countRefusal(count)
    if (refused !== null) return { refused }
    const grown = { ...topic, partitions: count }
    return { refused: null, records: [topicRecord(grown)], topic: grown }
  }

  alterTopicConfigs(name: string, configs: Readonly<Record<string, string | null>>): Decision<{ readonly topic: Topic }> {
    const topic = this.#topics.get(name)
    if (topic === undefined) return unknownTopic
    const refused = topicConfigRefusal(configs)
    if (refused !== null) return { refused }
    const altered = { ...topic, configs: configs as ConfigOverrides }
    return { refused: null, records: [topicRecord(altered)], topic: altered }
  }

  alterBrokerConfigs(node: number | null, configs: ConfigOverrides): MetadataRecord {
    return configsRecord(brokerConfigsKey(node), configs)
  }

  alterGroupConfigs(groupId: string, configs: ConfigOverrides): MetadataRecord {
    return configsRecord(groupConfigsKey(groupId), configs)
  }

  /** Producer ids `[first, first + count)` that nobody else will get once the record is durable. */
  allocateProducerIds(): { readonly first: number; readonly count: number; readonly record: MetadataRecord } {
    return { first: this.#producerIds, count: producerIdBlock, record: { key: 'producer-ids', value: this.#producerIds + producerIdBlock } }
  }
}

const unknownTopic = { refused: { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: 'This server does not host this topic-partition.' } } as const

function topicRecord(topic: Topic): MetadataRecord {
  return { key: `topic/${topic.name}`, value: { name: topic.name, id: topic.id, partitions: topic.partitions, configs: topic.configs } }
}

function brokerConfigsKey(node: number | null): string {
  return node === null ? 'broker-configs' : `broker-configs/${node}`
}

function groupConfigsKey(groupId: string): string {
  return `group-configs/${groupId}`
}

function configsRecord(key: string, configs: ConfigOverrides): MetadataRecord {
  return { key, value: Object.keys(configs).length === 0 ? null : configs }
}

/** Kafka's rule for names, as a sentence; null if the name is good. */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed.'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed.`
  if (name.length > 249) return `Topic name is invalid: the length of '${name}' is longer than the max allowed length 249.`
  return /^[a-zA-Z0-9._-]+$/.test(name) ? null : `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'.`
}

function countRefusal(count: number): Refusal | null {
  if (count < 1) return { error: 'INVALID_PARTITIONS', message: 'Number of partitions was set to an invalid non-positive value.' }
  return count <= maxPartitionsPerTopic ? null : { error: 'INVALID_PARTITIONS', message: `A topic has at most ${maxPartitionsPerTopic} partitions.` }
}

function replicationRefusal(factor: number): Refusal | null {
  if (factor >= 1) return null
  return { error: 'INVALID_REPLICATION_FACTOR', message: 'Replication factor must be larger than 0, or -1 to use the default value.' }
}

function brokersRefusal(factor: number): Refusal | null {
  if (factor <= 1) return null
  return { error: 'INVALID_REPLICATION_FACTOR', message: `Unable to replicate the partition ${factor} time(s): the target replication factor of ${factor} cannot be reached because only 1 broker(s) are registered.` }
}

function folded(name: string): string {
  return name.replaceAll('.', '_')
}
