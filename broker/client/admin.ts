// Administers a cluster: topics, offsets, configs and groups, each call asking again where that helps.

import type { LogAdmin, NewTopic, TopicDescription } from '../../core/log-port.ts'
import { partitionName, type Offset, type TopicPartition } from '../../core/record.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import { createConfigAdmin, type ConfigAdmin } from './admin-configs.ts'
import { createGroupAdmin, type GroupAdmin } from './admin-groups.ts'
import { createTransactionAdmin, type TransactionAdmin } from './admin-transactions.ts'
import { adminError } from './admin-error.ts'
import type { Cluster, TopicMetadata } from './cluster.ts'
import { listOffsets } from './list-offsets.ts'
import { groupByLeader, groupByTopic } from './partition-groups.ts'

export interface ClusterDescription {
  readonly clusterId: string | null
  readonly controllerId: number
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
}

export interface TopicDetails extends TopicDescription {
  readonly isInternal: boolean
  readonly partitionDetails: readonly PartitionDetails[]
}

export interface PartitionDetails {
  readonly partition: number
  /** Node that leads; -1 if nobody does. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

/** All that the command line does to a cluster; errors are MillraceErrors with Kafka's name as code. */
export interface ClusterAdmin extends LogAdmin, ConfigAdmin, GroupAdmin, TransactionAdmin {
  describeCluster(): Promise<ClusterDescription>
  /** Topics that are not there are left out. */
  describeTopicDetails(names: readonly string[]): Promise<ReadonlyMap<string, TopicDetails>>
  /** Raises the number of partitions of a topic. */
  createPartitions(topic: string, partitions: number): Promise<void>
}

export function createAdmin(cluster: Cluster): ClusterAdmin {
  return { ...topicAdmin(cluster), ...createConfigAdmin(cluster), ...createGroupAdmin(cluster), ...createTransactionAdmin(cluster) }
}

const requestTimeoutMs = 30_000

type TopicAdmin = Omit<ClusterAdmin, keyof ConfigAdmin | keyof GroupAdmin | keyof TransactionAdmin>

function topicAdmin(cluster: Cluster): TopicAdmin {
  return {
    async describeCluster() {
      await cluster.describeTopics([])
      const brokers = Array.from(cluster.brokers, ([nodeId, { host, port }]) => ({ nodeId, host, port }))
      return { clusterId: cluster.clusterId, controllerId: cluster.controllerId, brokers: brokers.sort((a, b) => a.nodeId - b.nodeId) }
    },
    async listTopics() {
      const topics = await cluster.describeTopics(null)
      return topics.filter(topic => topic.errorCode === 0).map(topic => topic.name!).sort()
    },
    async describeTopics(names) {
      return mapOf(await describe(cluster, names), topic => ({ name: topic.name!, partitions: topic.partitions.length }))
    },
    async describeTopicDetails(names) {
      return mapOf(await describe(cluster, names), detailsOf)
    },
    createTopics: topics => createTopics(cluster, topics),
    deleteTopics: names => deleteTopics(cluster, names),
    createPartitions: (topic, partitions) => createPartitions(cluster, topic, partitions),
    listOffsets: (partitions, at, options) => listOffsets(cluster, partitions, at, options),
    deleteRecords: before => deleteRecords(cluster, before),
  }
}

async function describe(cluster: Cluster, names: readonly string[]): Promise<readonly TopicMetadata[]> {
  if (names.length === 0) return []
  const topics = await cluster.describeTopics(names)
  for (const { errorCode, name } of topics) {
    if (errorCode !== 0 && errorCode !== errors.UNKNOWN_TOPIC_OR_PARTITION.code) throw kafkaError(errorCode, `metadata of ${name}`)
  }
  return topics.filter(topic => topic.errorCode === 0)
}

function mapOf<T>(topics: readonly TopicMetadata[], value: (topic: TopicMetadata) => T): ReadonlyMap<string, T> {
  return new Map(topics.map(topic => [topic.name!, value(topic)]))
}

function detailsOf(topic: TopicMetadata): TopicDetails {
  const partitionDetails = topic.partitions.map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
    partition: partitionIndex,
    leader: leaderId,
    leaderEpoch,
    replicas: replicaNodes,
    inSync: isrNodes,
  }))
  partitionDetails.sort((a, b) => a.partition - b.partition)
  return { name: topic.name!, partitions: topic.partitions.length, isInternal: topic.isInternal, partitionDetails }
}

async function createTopics(cluster: Cluster, topics: readonly NewTopic[]): Promise<void> {
  if (topics.length === 0) return
  const wanted = topics.map(({ name, partitions, replicationFactor = -1, config = {} }) => ({
    name,
    numPartitions: partitions,
    replicationFactor,
    assignments: [],
    configs: Object.entries(config).map(([name, value]) => ({ name, value })),
  }))
  await cluster.retrying(async () => {
    const answer = await cluster.ask('CreateTopics', { topics: wanted, timeoutMs: requestTimeoutMs }, { node: 'controller' })
    for (const { name, errorCode, errorMessage } of answer.topics) {
      if (errorCode !== 0 && errorCode !== errors.TOPIC_ALREADY_EXISTS.code) throw kafkaError(errorCode, `creating topic ${name}`, errorMessage)
    }
  })
  await awaitTopics(cluster, topics.map(({ name }) => name))
}

/** A topic that was made is known to all brokers a little later only: who uses it next shall find it, with its leaders. */
async function awaitTopics(cluster: Cluster, names: readonly string[]): Promise<void> {
  await cluster.retrying(async () => {
    for (const { name, errorCode, partitions } of await cluster.describeTopics(names)) {
      if (errorCode !== 0) throw kafkaError(errorCode, `metadata of ${name}`)
      if (partitions.some(({ leaderId }) => leaderId < 0)) throw kafkaError(errors.LEADER_NOT_AVAILABLE.code, `metadata of ${name}`)
    }
  }, 30_000)
}

async function deleteTopics(cluster: Cluster, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  await cluster.retrying(async () => {
    const channel = await cluster.channelTo('controller')
    const version = channel.versionOf('DeleteTopics')
    const topics = version >= 6 ? { topics: names.map(name => ({ name, topicId: zeroUuid })) } : { topicNames: names }
    const answer = await channel.request('DeleteTopics', { ...topics, timeoutMs: requestTimeoutMs }, { version })
    for (const { name, errorCode, errorMessage } of answer.responses) if (errorCode !== 0) throw adminError(errorCode, `deleting topic ${name}`, errorMessage)
  })
}

const zeroUuid = '00000000-0000-0000-0000-000000000000'

async function createPartitions(cluster: Cluster, topic: string, partitions: number): Promise<void> {
  await cluster.retrying(async () => {
    const body = { topics: [{ name: topic, count: partitions, assignments: null }], timeoutMs: requestTimeoutMs, validateOnly: false }
    const answer = await cluster.ask('CreatePartitions', body, { node: 'controller' })
    for (const { errorCode, errorMessage } of answer.results) if (errorCode !== 0) throw adminError(errorCode, `adding partitions to ${topic}`, errorMessage)
  })
}

async function deleteRecords(cluster: Cluster, before: readonly (TopicPartition & { readonly offset: Offset })[]): Promise<void> {
  const done = new Set<string>()
  await cluster.retrying(async attempt => {
    const left = before.filter(({ topic, partition }) => !done.has(partitionName(topic, partition)))
    if (attempt > 0 || left.some(({ topic, partition }) => cluster.leaderOf(topic, partition) < 0)) await cluster.refresh(left.map(({ topic }) => topic))
    for (const [node, group] of groupByLeader(cluster, left)) {
      const topics = Array.from(groupByTopic(group), ([name, partitions]) => ({ name, partitions: partitions.map(({ partition, offset }) => ({ partitionIndex: partition, offset })) }))
      const answer = await (await cluster.channelTo(node)).request('DeleteRecords', { topics, timeoutMs: requestTimeoutMs })
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          if (errorCode !== 0) throw kafkaError(errorCode, `deleting records of ${partitionName(name, partitionIndex)}`)
          done.add(partitionName(name, partitionIndex))
        }
      }
    }
  })
}
