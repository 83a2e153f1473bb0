// The table of what this broker serves: each API's versions, its handler, and the guard that says who may ask.

import { apis, type ApiName } from '../wire/apis.ts'
import type { Handler } from './handlers/handler.ts'
import { apiVersions, type ServedVersions } from './handlers/api-versions.ts'
import { describeCluster } from './handlers/cluster.ts'
import { alterConfigs, incrementalAlterConfigs } from './handlers/alter-configs.ts'
import { describeConfigs, listConfigResources } from './handlers/describe-configs.ts'
import { findCoordinator } from './handlers/find-coordinator.ts'
import { deleteGroups, describeGroups, listGroups } from './handlers/group-admin.ts'
import { consumerGroupDescribe, consumerGroupHeartbeat } from './handlers/consumer-groups.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup } from './handlers/groups.ts'
import { offsetCommit, offsetDelete, offsetFetch } from './handlers/offsets.ts'
import { fetch } from './handlers/fetch.ts'
import { listOffsets } from './handlers/list-offsets.ts'
import { describeLogDirs } from './handlers/log-dirs.ts'
import { metadata } from './handlers/metadata.ts'
import { produce } from './handlers/produce.ts'
import { deleteRecords, offsetForLeaderEpoch } from './handlers/records.ts'
import { alterPartitionReassignments, describeQuorum, electLeaders, listPartitionReassignments } from './handlers/replicas.ts'
import { createAcls, deleteAcls, describeAcls } from './handlers/acls.ts'
import { describeClientQuotas } from './handlers/client-quotas.ts'
import { alterUserScramCredentials, describeUserScramCredentials } from './handlers/scram-credentials.ts'
import { saslAuthenticate, saslHandshake } from './handlers/sasl.ts'
import { describeTopicPartitions } from './handlers/topic-partitions.ts'
import { createPartitions, createTopics } from './handlers/topics.ts'
import { deleteTopics } from './handlers/delete-topics.ts'
import { describeProducers, describeTransactions, listTransactions, writeTxnMarkers } from './handlers/transaction-admin.ts'
import { addOffsetsToTxn, addPartitionsToTxn, endTxn, initProducerId } from './handlers/transactions.ts'
import { txnOffsetCommit } from './handlers/txn-offset-commit.ts'
import { updateFeatures } from './handlers/update-features.ts'
import { servedFeatures } from './served-features.ts'
import { everybody, type Guard } from './security/guard.ts'
import { guardAlterUserScramCredentials, guardCreateAcls, guardDeleteAcls, guardDescribeAcls, guardDescribeUserScramCredentials, guardDescribeClientQuotas, guardElectLeaders, guardAlterPartitionReassignments, guardListPartitionReassignments, guardDescribeLogDirs, guardDescribeQuorum, guardUpdateFeatures } from './security/guards/cluster-guards.ts'
import { guardDescribeConfigs, guardAlterConfigs, guardIncrementalAlterConfigs, guardListConfigResources } from './security/guards/config-guards.ts'
import { guardJoinGroup, guardSyncGroup, guardHeartbeat, guardLeaveGroup, guardFindCoordinator, guardOffsetCommit, guardOffsetFetch, guardOffsetDelete, guardListGroups, guardDescribeGroups, guardDeleteGroups, guardConsumerGroupHeartbeat, guardConsumerGroupDescribe } from './security/guards/group-guards.ts'
import { guardProduce, guardFetch, guardListOffsets, guardOffsetForLeaderEpoch, guardDeleteRecords, guardDescribeProducers } from './security/guards/record-guards.ts'
import { guardMetadata, guardDescribeTopicPartitions, guardCreateTopics, guardDeleteTopics, guardCreatePartitions } from './security/guards/topic-guards.ts'
import { guardInitProducerId, guardAddPartitionsToTxn, guardAddOffsetsToTxn, guardEndTxn, guardTxnOffsetCommit, guardWriteTxnMarkers, guardListTransactions, guardDescribeTransactions } from './security/guards/transaction-guards.ts'

/** How an API is served: who may ask is looked at before the handler sees the request. */
export interface Served<N extends ApiName> {
  readonly handler: Handler<N>
  readonly guard: Guard<N>
}

type ServedApis = { readonly [N in ApiName]?: Served<N> }

const apisServed: ServedApis = {
  SaslHandshake: { handler: saslHandshake, guard: everybody },
  SaslAuthenticate: { handler: saslAuthenticate, guard: everybody },
  Produce: { handler: produce, guard: guardProduce },
  Fetch: { handler: fetch, guard: guardFetch },
  ListOffsets: { handler: listOffsets, guard: guardListOffsets },
  Metadata: { handler: metadata, guard: guardMetadata },
  CreateTopics: { handler: createTopics, guard: guardCreateTopics },
  DeleteTopics: { handler: deleteTopics, guard: guardDeleteTopics },
  CreatePartitions: { handler: createPartitions, guard: guardCreatePartitions },
  DescribeTopicPartitions: { handler: describeTopicPartitions, guard: guardDescribeTopicPartitions },
  DescribeLogDirs: { handler: describeLogDirs, guard: guardDescribeLogDirs },
  ElectLeaders: { handler: electLeaders, guard: guardElectLeaders },
  AlterPartitionReassignments: { handler: alterPartitionReassignments, guard: guardAlterPartitionReassignments },
  ListPartitionReassignments: { handler: listPartitionReassignments, guard: guardListPartitionReassignments },
  DescribeQuorum: { handler: describeQuorum, guard: guardDescribeQuorum },
  DeleteRecords: { handler: deleteRecords, guard: guardDeleteRecords },
  InitProducerId: { handler: initProducerId, guard: guardInitProducerId },
  OffsetForLeaderEpoch: { handler: offsetForLeaderEpoch, guard: guardOffsetForLeaderEpoch },
  AddPartitionsToTxn: { handler: addPartitionsToTxn, guard: guardAddPartitionsToTxn },
  AddOffsetsToTxn: { handler: addOffsetsToTxn, guard: guardAddOffsetsToTxn },
  EndTxn: { handler: endTxn, guard: guardEndTxn },
  WriteTxnMarkers: { handler: writeTxnMarkers, guard: guardWriteTxnMarkers },
  TxnOffsetCommit: { handler: txnOffsetCommit, guard: guardTxnOffsetCommit },
  DescribeCluster: { handler: describeCluster, guard: everybody },
  DescribeProducers: { handler: describeProducers, guard: guardDescribeProducers },
  DescribeTransactions: { handler: describeTransactions, guard: guardDescribeTransactions },
  ListTransactions: { handler: listTransactions, guard: guardListTransactions },
  FindCoordinator: { handler: findCoordinator, guard: guardFindCoordinator },
  JoinGroup: { handler: joinGroup, guard: guardJoinGroup },
  SyncGroup: { handler: syncGroup, guard: guardSyncGroup },
  Heartbeat: { handler: heartbeat, guard: guardHeartbeat },
  LeaveGroup: { handler: leaveGroup, guard: guardLeaveGroup },
  OffsetCommit: { handler: offsetCommit, guard: guardOffsetCommit },
  OffsetFetch: { handler: offsetFetch, guard: guardOffsetFetch },
  OffsetDelete: { handler: offsetDelete, guard: guardOffsetDelete },
  ListGroups: { handler: listGroups, guard: guardListGroups },
  DescribeGroups: { handler: describeGroups, guard: guardDescribeGroups },
  DeleteGroups: { handler: deleteGroups, guard: guardDeleteGroups },
  ConsumerGroupHeartbeat: { handler: consumerGroupHeartbeat, guard: guardConsumerGroupHeartbeat },
  ConsumerGroupDescribe: { handler: consumerGroupDescribe, guard: guardConsumerGroupDescribe },
  DescribeConfigs: { handler: describeConfigs, guard: guardDescribeConfigs },
  DescribeAcls: { handler: describeAcls, guard: guardDescribeAcls },
  CreateAcls: { handler: createAcls, guard: guardCreateAcls },
  DeleteAcls: { handler: deleteAcls, guard: guardDeleteAcls },
  DescribeClientQuotas: { handler: describeClientQuotas, guard: guardDescribeClientQuotas },
  DescribeUserScramCredentials: { handler: describeUserScramCredentials, guard: guardDescribeUserScramCredentials },
  AlterUserScramCredentials: { handler: alterUserScramCredentials, guard: guardAlterUserScramCredentials },
  ListConfigResources: { handler: listConfigResources, guard: guardListConfigResources },
  UpdateFeatures: { handler: updateFeatures(servedFeatures), guard: guardUpdateFeatures },
  AlterConfigs: { handler: alterConfigs, guard: guardAlterConfigs },
  IncrementalAlterConfigs: { handler: incrementalAlterConfigs, guard: guardIncrementalAlterConfigs },
}

/** Versions said to be served, where that is not what the wire describes. */
const saidVersions: { readonly [N in ApiName]?: readonly [number, number] } = {
  // librdkafka compresses only where it sees version 0, which Apache Kafka says for the same reason without serving it.
  Produce: [0, apis.Produce.maxVersion],
}

export const servedVersions: ServedVersions = new Map(
  [...(Object.keys(apisServed) as ApiName[]), 'ApiVersions' as const]
    .map(name => [name, saidVersions[name] ?? [apis[name].minVersion, apis[name].maxVersion]] as const)
    .sort(([a], [b]) => apis[a].key - apis[b].key),
)

const served: ServedApis = { ...apisServed, ApiVersions: { handler: apiVersions(servedVersions, servedFeatures), guard: everybody } }

/** Undefined where the API is known but not served. */
export function servedApi<N extends ApiName>(name: N): Served<N> | undefined {
  return served[name]
}
