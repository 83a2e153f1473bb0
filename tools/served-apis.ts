// The table of README that tells a Kafka user which requests are served, in which versions, and which are not; made from the broker's own table.

import { servedVersions } from '../broker/server/served-apis.ts'

/** The requests that Apache Kafka 4 takes from clients, by what they are for. */
const areas: readonly (readonly [subject: string, names: readonly string[]])[] = [
  ['Records', ['Produce', 'Fetch', 'ListOffsets', 'OffsetForLeaderEpoch', 'DeleteRecords']],
  ['Brokers and topics', ['ApiVersions', 'Metadata', 'DescribeCluster', 'DescribeTopicPartitions', 'FindCoordinator', 'DescribeQuorum']],
  ['Topics', ['CreateTopics', 'DeleteTopics', 'CreatePartitions', 'DescribeLogDirs', 'AlterReplicaLogDirs', 'ElectLeaders', 'AlterPartitionReassignments', 'ListPartitionReassignments']],
  ['Settings', ['DescribeConfigs', 'AlterConfigs', 'IncrementalAlterConfigs', 'ListConfigResources', 'UpdateFeatures']],
  ['Groups, classic', ['JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup']],
  ['Groups, KIP-848', ['ConsumerGroupHeartbeat', 'ConsumerGroupDescribe']],
  ['Groups, administration', ['ListGroups', 'DescribeGroups', 'DeleteGroups']],
  ['Committed offsets', ['OffsetCommit', 'OffsetFetch', 'OffsetDelete']],
  ['Idempotence, transactions', ['InitProducerId', 'AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn', 'WriteTxnMarkers', 'DescribeProducers', 'DescribeTransactions', 'ListTransactions']],
  ['Authentication', ['SaslHandshake', 'SaslAuthenticate', 'DescribeUserScramCredentials', 'AlterUserScramCredentials']],
  ['Delegation tokens', ['CreateDelegationToken', 'RenewDelegationToken', 'ExpireDelegationToken', 'DescribeDelegationToken']],
  ['ACLs', ['DescribeAcls', 'CreateAcls', 'DeleteAcls']],
  ['Quotas', ['DescribeClientQuotas', 'AlterClientQuotas']],
  ['Telemetry', ['GetTelemetrySubscriptions', 'PushTelemetry']],
  ['Share groups (KIP-932)', ['ShareGroupHeartbeat', 'ShareGroupDescribe', 'ShareFetch', 'ShareAcknowledge', 'DescribeShareGroupOffsets', 'AlterShareGroupOffsets', 'DeleteShareGroupOffsets']],
  ['Streams groups (KIP-1071)', ['StreamsGroupHeartbeat', 'StreamsGroupDescribe']],
  ['Cluster of controllers', ['AddRaftVoter', 'RemoveRaftVoter', 'UnregisterBroker']],
]

/** The table as Markdown. @throws Error if a served API has no place in it */
export function servedApisTable(): string {
  const placed = new Set(areas.flatMap(([, names]) => names))
  const homeless = [...servedVersions.keys()].filter(name => !placed.has(name))
  if (homeless.length > 0) throw new Error(`tools/served-apis.ts has no area for ${homeless.join(', ')}`)
  const rows = areas.map(([subject, names]) => `| ${subject} | ${servedOf(names) || '–'} | ${missingOf(names) || ''} |`)
  return ['| requests for | served, with versions | not served |', '| --- | --- | --- |', ...rows].join('\n')
}

function servedOf(names: readonly string[]): string {
  const served = new Map<string, readonly [number, number]>(servedVersions)
  return names.flatMap(name => {
    const versions = served.get(name)
    return versions === undefined ? [] : [`${name} ${range(versions)}`]
  }).join(', ')
}

function range([min, max]: readonly [number, number]): string {
  return min === max ? String(min) : `${min}–${max}`
}

function missingOf(names: readonly string[]): string {
  const served = new Set<string>(servedVersions.keys())
  return names.filter(name => !served.has(name)).join(', ')
}
