// The table of what this broker serves: each API's versions and its handler.

import { apis, type ApiName } from '../wire/apis.ts'
import type { Handler } from './handlers/handler.ts'
import { apiVersions, type ServedVersions } from './handlers/api-versions.ts'
import { describeCluster } from './handlers/cluster.ts'
import { alterConfigs, incrementalAlterConfigs } from './handlers/alter-configs.ts'
import { describeConfigs, listConfigResources } from './handlers/describe-configs.ts'
import { findCoordinator } from './handlers/find-coordinator.ts'
import { deleteGroups, describeGroups, listGroups } from './handlers/group-admin.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './handlers/groups.ts'
import { offsetCommit, offsetDelete, offsetFetch } from './handlers/offsets.ts'
import { fetch } from './handlers/fetch.ts'
import { listOffsets } from './handlers/list-offsets.ts'
import { metadata } from './handlers/metadata.ts'
import { produce } from './handlers/produce.ts'
import { deleteRecords, offsetForLeaderEpoch } from './handlers/records.ts'
import { alterPartitionReassignments, describeQuorum, electLeaders, listPartitionReassignments } from './handlers/replicas.ts'
import { saslAuthenticate, saslHandshake } from './handlers/sasl.ts'
import { describeTopicPartitions } from './handlers/topic-partitions.ts'
import { createPartitions, createTopics, deleteTopics } from './handlers/topics.ts'
import { describeProducers, describeTransactions, listTransactions, writeTxnMarkers } from './handlers/transaction-admin.ts'
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, initProducerId } from './handlers/transactions.ts'
import { txnOffsetCommit } from './handlers/txn-offset-commit.ts'
import { servedFeatures } from './served-features.ts'

type Handlers = { readonly [N in ApiName]?: Handler<N> }

const handlers: Handlers = {
  SaslHandshake: saslHandshake,
  SaslAuthenticate: saslAuthenticate,
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  Metadata: metadata,
  CreateTopics: createTopics,
  DeleteTopics: deleteTopics,
  CreatePartitions: createPartitions,
  DescribeTopicPartitions: describeTopicPartitions,
  ElectLeaders: electLeaders,
  AlterPartitionReassignments: alterPartitionReassignments,
  ListPartitionReassignments: listPartitionReassignments,
  DescribeQuorum: describeQuorum,
  DeleteRecords: deleteRecords,
  InitProducerId: initProducerId,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  EndTxn: endTxn,
  WriteTxnMarkers: writeTxnMarkers,
  TxnOffsetCommit: txnOffsetCommit,
  DescribeCluster: describeCluster,
  DescribeProducers: describeProducers,
  DescribeTransactions: describeTransactions,
  ListTransactions: listTransactions,
  FindCoordinator: findCoordinator,
  JoinGroup: joinGroup,
  SyncGroup: syncGroup,
  Heartbeat: heartbeat,
  LeaveGroup: leaveGroup,
  OffsetCommit: offsetCommit,
  OffsetFetch: offsetFetch,
  OffsetDelete: offsetDelete,
  ListGroups: listGroups,
  DescribeGroups: describeGroups,
  DeleteGroups: deleteGroups,
  DescribeConfigs: describeConfigs,
  ListConfigResources: listConfigResources,
  AlterConfigs: alterConfigs,
  IncrementalAlterConfigs: incrementalAlterConfigs,
}

/** Versions said to be served, where that is not what the wire describes. */
const saidVersions: { readonly [N in ApiName]?: readonly [number, number] } = {
  // librdkafka compresses only where it sees version 0, which Apache Kafka says for the same reason without serving it.
  Produce: [0, apis.Produce.maxVersion],
}

export const servedVersions: ServedVersions = new Map(
  [...(Object.keys(handlers) as ApiName[]), 'ApiVersions' as const]
    .map(name => [name, saidVersions[name] ?? [apis[name].minVersion, apis[name].maxVersion]] as const)
    .sort(([a], [b]) => apis[a].key - apis[b].key),
)

const served: Handlers = { ...handlers, ApiVersions: apiVersions(servedVersions, servedFeatures) }

/** Undefined where the API is known but not served. */
export function handlerOf<N extends ApiName>(name: N): Handler<N> | undefined {
  return served[name]
}
