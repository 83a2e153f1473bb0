// ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments, DescribeQuorum: leaders, replicas and voters, of which a cluster of one has one each.

import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { ZERO_UUID } from '../../wire/defaults.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { replicasRefusal } from '../../kernel/replica-assignment.ts'
import type { Refusal } from '../../kernel/topic-config.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { metadataTopic } from '../../engine/metadata-log.ts'
import type { Handler } from './handler.ts'

type Reassigned = RequestOf<'AlterPartitionReassignments'>['topics'][number]['partitions'][number]
type QuorumTopic = ResponseInput<'DescribeQuorum'>['topics'][number]
type QuorumPartition = QuorumTopic['partitions'][number]

/** Preferred and unclean; Kafka knows no other. */
const electionTypes: readonly number[] = [0, 1]

/** Every partition is led by its preferred leader. Asked for all partitions, only those are named that got another one: none. */
export const electLeaders: Handler<'ElectLeaders'> = ({ broker }, { electionType, topicPartitions }) => {
  if (!electionTypes.includes(electionType)) {
    const refused = (topicPartitions ?? []).map(({ topic, partitions }) => ({ topic, partitionResult: partitions.map(partitionId => ({ partitionId, ...outcome(unknownElection) })) }))
    return { errorCode: errorCodeOf('INVALID_REQUEST'), replicaElectionResults: refused }
  }
  const asked = topicPartitions ?? Array.from(broker.catalogue.topics.keys(), topic => ({ topic, partitions: [] }))
  const replicaElectionResults = asked.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map(partitionId => ({ partitionId, ...outcome(missing(broker, topic, partitionId) ?? notNeeded) })),
  }))
  return { errorCode: 0, replicaElectionResults }
}

const unknownElection: Refusal = { error: 'INVALID_REQUEST', message: 'Unknown election type.' }
const notNeeded: Refusal = { error: 'ELECTION_NOT_NEEDED', message: 'Leader election not needed for topic partition.' }

export const alterPartitionReassignments: Handler<'AlterPartitionReassignments'> = ({ broker }, request) => ({
  allowReplicationFactorChange: request.allowReplicationFactorChange,
  errorCode: 0,
  responses: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(asked => ({ partitionIndex: asked.partitionIndex, ...outcome(missing(broker, name, asked.partitionIndex) ?? reassignmentRefusal(broker, asked)) })),
  })),
})

/** Null replicas ask for the end of a move. */
function reassignmentRefusal(broker: BrokerState, { replicas }: Reassigned): Refusal | null {
  if (replicas === null) return { error: 'NO_REASSIGNMENT_IN_PROGRESS', message: 'No partition reassignment is in progress.' }
  return replicasRefusal(replicas, broker.nodeId)
}

export const listPartitionReassignments: Handler<'ListPartitionReassignments'> = () => ({ errorCode: 0, topics: [] })

/** The log of the catalogue stands for Kafka's metadata log: this broker leads it and is its only voter. Nothing else may be asked with it. */
export const describeQuorum: Handler<'DescribeQuorum'> = ({ broker, version }, request) => {
  const [asked, ...others] = request.topics
  const isOne = others.length === 0 && asked?.topicName === metadataTopic && asked.partitions.length === 1 && asked.partitions[0]!.partitionIndex === 0
  if (!isOne) return { errorCode: 0, topics: request.topics.map(({ topicName, partitions }): QuorumTopic => ({ topicName, partitions: partitions.map(({ partitionIndex }) => noQuorum(partitionIndex)) })) }
  const nodes = [{ nodeId: broker.nodeId, listeners: [{ name: 'CONTROLLER', ...broker.endpoint }] }]
  return { errorCode: 0, topics: [{ topicName: metadataTopic, partitions: [quorum(broker)] }], ...(version >= 2 ? { nodes } : {}) }
}

function quorum(broker: BrokerState): QuorumPartition {
  const { highWatermark, endOffset } = broker.metadataOffsets
  const now = broker.clock.now()
  const voter = { replicaId: broker.nodeId, replicaDirectoryId: ZERO_UUID, logEndOffset: endOffset, lastFetchTimestamp: now, lastCaughtUpTimestamp: now }
  return { partitionIndex: 0, errorCode: 0, leaderId: broker.nodeId, leaderEpoch: broker.leaderEpoch, highWatermark, currentVoters: [voter], observers: [] }
}

function noQuorum(partitionIndex: number): QuorumPartition {
  const none = { leaderId: 0, leaderEpoch: 0, highWatermark: 0, currentVoters: [], observers: [] }
  return { partitionIndex, errorCode: errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION'), ...none }
}

function missing(broker: BrokerState, topic: string, partition: number): Refusal | null {
  const there = broker.catalogue.topics.get(topic)
  if (there === undefined) return { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `Unable to find a topic named ${topic}.` }
  return partition >= 0 && partition < there.partitions ? null : { error: 'UNKNOWN_TOPIC_OR_PARTITION', message: `Unable to find partition ${topic}:${partition}.` }
}

function outcome(refused: Refusal | null): { readonly errorCode: number; readonly errorMessage: string | null } {
  return { errorCode: refused === null ? 0 : errorCodeOf(refused.error), errorMessage: refused?.message ?? null }
}
