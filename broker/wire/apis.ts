// Every API that is described, by name and by number, and the types of its bodies.

import type { Api, InputOf, ValueOf } from './description.ts'
import { produce } from './messages/produce.ts'
import { fetch } from './messages/fetch.ts'
import { listOffsets } from './messages/list-offsets.ts'
import { metadata } from './messages/metadata.ts'
import { offsetCommit } from './messages/offset-commit.ts'
import { offsetFetch } from './messages/offset-fetch.ts'
import { findCoordinator } from './messages/find-coordinator.ts'
import { joinGroup } from './messages/join-group.ts'
import { heartbeat } from './messages/heartbeat.ts'
import { leaveGroup } from './messages/leave-group.ts'
import { syncGroup } from './messages/sync-group.ts'
import { describeGroups } from './messages/describe-groups.ts'
import { listGroups } from './messages/list-groups.ts'
import { saslHandshake } from './messages/sasl-handshake.ts'
import { apiVersions } from './messages/api-versions.ts'
import { createTopics } from './messages/create-topics.ts'
import { deleteTopics } from './messages/delete-topics.ts'
import { deleteRecords } from './messages/delete-records.ts'
import { initProducerId } from './messages/init-producer-id.ts'
import { offsetForLeaderEpoch } from './messages/offset-for-leader-epoch.ts'
import { addPartitionsToTxn } from './messages/add-partitions-to-txn.ts'
import { addOffsetsToTxn } from './messages/add-offsets-to-txn.ts'
import { endTxn } from './messages/end-txn.ts'
import { writeTxnMarkers } from './messages/write-txn-markers.ts'
import { txnOffsetCommit } from './messages/txn-offset-commit.ts'
import { describeAcls } from './messages/describe-acls.ts'
import { createAcls } from './messages/create-acls.ts'
import { deleteAcls } from './messages/delete-acls.ts'
import { describeConfigs } from './messages/describe-configs.ts'
import { alterConfigs } from './messages/alter-configs.ts'
import { describeLogDirs } from './messages/describe-log-dirs.ts'
import { saslAuthenticate } from './messages/sasl-authenticate.ts'
import { createPartitions } from './messages/create-partitions.ts'
import { deleteGroups } from './messages/delete-groups.ts'
import { electLeaders } from './messages/elect-leaders.ts'
import { incrementalAlterConfigs } from './messages/incremental-alter-configs.ts'
import { alterPartitionReassignments } from './messages/alter-partition-reassignments.ts'
import { listPartitionReassignments } from './messages/list-partition-reassignments.ts'
import { offsetDelete } from './messages/offset-delete.ts'
import { describeClientQuotas } from './messages/describe-client-quotas.ts'
import { describeUserScramCredentials } from './messages/describe-user-scram-credentials.ts'
import { alterUserScramCredentials } from './messages/alter-user-scram-credentials.ts'
import { describeQuorum } from './messages/describe-quorum.ts'
import { updateFeatures } from './messages/update-features.ts'
import { describeCluster } from './messages/describe-cluster.ts'
import { describeProducers } from './messages/describe-producers.ts'
import { describeTransactions } from './messages/describe-transactions.ts'
import { listTransactions } from './messages/list-transactions.ts'
import { consumerGroupHeartbeat } from './messages/consumer-group-heartbeat.ts'
import { consumerGroupDescribe } from './messages/consumer-group-describe.ts'
import { listConfigResources } from './messages/list-config-resources.ts'
import { describeTopicPartitions } from './messages/describe-topic-partitions.ts'

export interface Apis {
  readonly Produce: typeof produce
  readonly Fetch: typeof fetch
  readonly ListOffsets: typeof listOffsets
  readonly Metadata: typeof metadata
  readonly OffsetCommit: typeof offsetCommit
  readonly OffsetFetch: typeof offsetFetch
  readonly FindCoordinator: typeof findCoordinator
  readonly JoinGroup: typeof joinGroup
  readonly Heartbeat: typeof heartbeat
  readonly LeaveGroup: typeof leaveGroup
  readonly SyncGroup: typeof syncGroup
  readonly DescribeGroups: typeof describeGroups
  readonly ListGroups: typeof listGroups
  readonly SaslHandshake: typeof saslHandshake
  readonly ApiVersions: typeof apiVersions
  readonly CreateTopics: typeof createTopics
  readonly DeleteTopics: typeof deleteTopics
  readonly DeleteRecords: typeof deleteRecords
  readonly InitProducerId: typeof initProducerId
  readonly OffsetForLeaderEpoch: typeof offsetForLeaderEpoch
  readonly AddPartitionsToTxn: typeof addPartitionsToTxn
  readonly AddOffsetsToTxn: typeof addOffsetsToTxn
  readonly EndTxn: typeof endTxn
  readonly WriteTxnMarkers: typeof writeTxnMarkers
  readonly TxnOffsetCommit: typeof txnOffsetCommit
  readonly DescribeAcls: typeof describeAcls
  readonly CreateAcls: typeof createAcls
  readonly DeleteAcls: typeof deleteAcls
  readonly DescribeConfigs: typeof describeConfigs
  readonly AlterConfigs: typeof alterConfigs
  readonly DescribeLogDirs: typeof describeLogDirs
  readonly SaslAuthenticate: typeof saslAuthenticate
  readonly CreatePartitions: typeof createPartitions
  readonly DeleteGroups: typeof deleteGroups
  readonly ElectLeaders: typeof electLeaders
  readonly IncrementalAlterConfigs: typeof incrementalAlterConfigs
  readonly AlterPartitionReassignments: typeof alterPartitionReassignments
  readonly ListPartitionReassignments: typeof listPartitionReassignments
  readonly OffsetDelete: typeof offsetDelete
  readonly DescribeClientQuotas: typeof describeClientQuotas
  readonly DescribeUserScramCredentials: typeof describeUserScramCredentials
  readonly AlterUserScramCredentials: typeof alterUserScramCredentials
  readonly DescribeQuorum: typeof describeQuorum
  readonly UpdateFeatures: typeof updateFeatures
  readonly DescribeCluster: typeof describeCluster
  readonly DescribeProducers: typeof describeProducers
  readonly DescribeTransactions: typeof describeTransactions
  readonly ListTransactions: typeof listTransactions
  readonly ConsumerGroupHeartbeat: typeof consumerGroupHeartbeat
  readonly ConsumerGroupDescribe: typeof consumerGroupDescribe
  readonly ListConfigResources: typeof listConfigResources
  readonly DescribeTopicPartitions: typeof describeTopicPartitions
}

export type ApiName = keyof Apis

/** A request as read or completed: every field present. */
export type RequestOf<N extends ApiName> = ValueOf<Apis[N]['request']>

/** An answer as read or completed: every field present. */
export type ResponseOf<N extends ApiName> = ValueOf<Apis[N]['response']>

/** A request as written: fields with defaults may be left out. */
export type RequestInput<N extends ApiName> = InputOf<Apis[N]['request']>

/** An answer as written: fields with defaults may be left out. */
export type ResponseInput<N extends ApiName> = InputOf<Apis[N]['response']>

export const apis: Apis = {
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  Metadata: metadata,
  OffsetCommit: offsetCommit,
  OffsetFetch: offsetFetch,
  FindCoordinator: findCoordinator,
  JoinGroup: joinGroup,
  Heartbeat: heartbeat,
  LeaveGroup: leaveGroup,
  SyncGroup: syncGroup,
  DescribeGroups: describeGroups,
  ListGroups: listGroups,
  SaslHandshake: saslHandshake,
  ApiVersions: apiVersions,
  CreateTopics: createTopics,
  DeleteTopics: deleteTopics,
  DeleteRecords: deleteRecords,
  InitProducerId: initProducerId,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  EndTxn: endTxn,
  WriteTxnMarkers: writeTxnMarkers,
  TxnOffsetCommit: txnOffsetCommit,
  DescribeAcls: describeAcls,
  CreateAcls: createAcls,
  DeleteAcls: deleteAcls,
  DescribeConfigs: describeConfigs,
  AlterConfigs: alterConfigs,
  DescribeLogDirs: describeLogDirs,
  SaslAuthenticate: saslAuthenticate,
  CreatePartitions: createPartitions,
  DeleteGroups: deleteGroups,
  ElectLeaders: electLeaders,
  IncrementalAlterConfigs: incrementalAlterConfigs,
  AlterPartitionReassignments: alterPartitionReassignments,
  ListPartitionReassignments: listPartitionReassignments,
  OffsetDelete: offsetDelete,
  DescribeClientQuotas: describeClientQuotas,
  DescribeUserScramCredentials: describeUserScramCredentials,
  AlterUserScramCredentials: alterUserScramCredentials,
  DescribeQuorum: describeQuorum,
  UpdateFeatures: updateFeatures,
  DescribeCluster: describeCluster,
  DescribeProducers: describeProducers,
  DescribeTransactions: describeTransactions,
  ListTransactions: listTransactions,
  ConsumerGroupHeartbeat: consumerGroupHeartbeat,
  ConsumerGroupDescribe: consumerGroupDescribe,
  ListConfigResources: listConfigResources,
  DescribeTopicPartitions: describeTopicPartitions,
}

export const apiNames: readonly ApiName[] = Object.keys(apis) as ApiName[]

/** The name that belongs to an API key from the wire, or undefined. */
export function apiByKey(key: number): ApiName | undefined {
  return namesByKey.get(key)
}

/** The same table with the types of single messages forgotten, for code that treats all alike. */
export function apiOf(name: ApiName): Api {
  return apis[name]
}

const namesByKey: ReadonlyMap<number, ApiName> = new Map(apiNames.map(name => [apis[name].key, name]))
