// Chooses what a story asks next.

import { apiOf, type ApiName } from '../../../broker/wire/apis.ts'
import * as admin from './admin-asks.ts'
import * as groups from './group-asks.ts'
import { fitted, nearlyValid } from './nearly-valid.ts'
import { hasRepeats, type Body } from './plain-answer.ts'
import * as records from './record-asks.ts'
import * as security from './security-asks.ts'
import { versionsOf, type Ask, type Step } from './storyteller.ts'
import * as transactions from './transaction-asks.ts'
import { groupNames, type World } from './world.ts'

type Maker = (world: World) => { readonly body: Body; readonly version?: number | undefined }

const plainly = (make: (world: World) => Body): Maker => world => ({ body: make(world) })

/** How often each is asked, among the others. */
const makers: readonly (readonly [api: ApiName, often: number, make: Maker])[] = [
  ['Produce', 22, plainly(records.produceAsk)],
  ['Fetch', 12, plainly(records.fetchAsk)],
  ['ListOffsets', 7, plainly(records.listOffsetsAsk)],
  ['DeleteRecords', 3, plainly(records.deleteRecordsAsk)],
  ['OffsetForLeaderEpoch', 4, plainly(records.offsetForLeaderEpochAsk)],
  ['DescribeProducers', 4, plainly(records.describeProducersAsk)],
  ['InitProducerId', 8, plainly(transactions.initProducerIdAsk)],
  ['AddPartitionsToTxn', 7, transactions.addPartitionsAsk],
  ['AddOffsetsToTxn', 4, plainly(transactions.addOffsetsAsk)],
  ['EndTxn', 9, transactions.endTxnAsk],
  ['TxnOffsetCommit', 5, transactions.txnOffsetCommitAsk],
  ['DescribeTransactions', 4, plainly(transactions.describeTransactionsAsk)],
  ['ListTransactions', 3, plainly(transactions.listTransactionsAsk)],
  ['JoinGroup', 9, joinMaker],
  ['SyncGroup', 6, plainly(groups.syncGroupAsk)],
  ['Heartbeat', 3, plainly(groups.heartbeatAsk)],
  ['LeaveGroup', 3, plainly(groups.leaveGroupAsk)],
  ['OffsetCommit', 8, plainly(groups.offsetCommitAsk)],
  ['OffsetFetch', 6, plainly(groups.offsetFetchAsk)],
  ['OffsetDelete', 3, plainly(groups.offsetDeleteAsk)],
  ['DescribeGroups', 4, plainly(groups.describeGroupsAsk)],
  ['ListGroups', 3, plainly(groups.listGroupsAsk)],
  ['DeleteGroups', 2, plainly(groups.deleteGroupsAsk)],
  ['FindCoordinator', 2, plainly(groups.findCoordinatorAsk)],
  ['ConsumerGroupHeartbeat', 12, plainly(groups.consumerGroupHeartbeatAsk)],
  ['ConsumerGroupDescribe', 4, plainly(groups.consumerGroupDescribeAsk)],
  ['CreateTopics', 8, plainly(admin.createTopicsAsk)],
  ['DeleteTopics', 1, plainly(admin.deleteTopicsAsk)],
  ['CreatePartitions', 3, plainly(admin.createPartitionsAsk)],
  ['Metadata', 4, plainly(admin.metadataAsk)],
  ['DescribeTopicPartitions', 3, plainly(admin.describeTopicPartitionsAsk)],
  ['DescribeConfigs', 4, plainly(admin.describeConfigsAsk)],
  ['AlterConfigs', 2, plainly(admin.alterConfigsAsk)],
  ['IncrementalAlterConfigs', 4, plainly(admin.incrementalAlterConfigsAsk)],
  ['DescribeLogDirs', 2, plainly(admin.describeLogDirsAsk)],
  ['ElectLeaders', 1, plainly(admin.electLeadersAsk)],
  ['AlterPartitionReassignments', 1, plainly(admin.alterReassignmentsAsk)],
  ['ListPartitionReassignments', 1, plainly(admin.listReassignmentsAsk)],
  ['DescribeCluster', 1, plainly(admin.describeClusterAsk)],
  ['DescribeClientQuotas', 1, plainly(admin.describeQuotasAsk)],
  ['DescribeUserScramCredentials', 2, plainly(security.describeScramAsk)],
  ['AlterUserScramCredentials', 2, plainly(security.alterScramAsk)],
  ['DescribeAcls', 1, plainly(admin.describeAclsAsk)],
  ['CreateAcls', 1, plainly(security.createAclsAsk)],
  ['DeleteAcls', 1, plainly(security.deleteAclsAsk)],
  ['ApiVersions', 1, plainly(security.apiVersionsAsk)],
  ['SaslHandshake', 1, plainly(security.saslHandshakeAsk)],
  ['SaslAuthenticate', 1, plainly(security.saslAuthenticateAsk)],
  ['DescribeQuorum', 1, plainly(admin.describeQuorumAsk)],
  ['WriteTxnMarkers', 2, plainly(transactions.writeTxnMarkersAsk)],
  ['ListConfigResources', 1, plainly(admin.listConfigResourcesAsk)],
]
const lots: readonly (readonly [ApiName, Maker])[] = makers.flatMap(([api, often, make]) => Array.from({ length: often }, () => [api, make] as const))

/** Apache Kafka keeps what these ask for by topic and partition, so that the last of what is asked twice counts; a protocol that is named twice counts as if two members knew it, and a marker that is to be written twice is never answered. */
const inMaps: ReadonlySet<ApiName> = new Set(['Produce', 'Fetch', 'JoinGroup', 'WriteTxnMarkers'])

/** How many of a story's first steps make what the others are about. */
export const openingSteps = 3

export function nextStep(world: World, id: number): Step {
  if (id < openingSteps) return { id, asks: [opening(world, id)] }
  if (world.chance(40)) return rebalance(world, id)
  const [api, make] = world.pick(lots)
  return { id, asks: [askOf(world, api, make(world))] }
}

function opening(world: World, id: number): Ask {
  if (id > 0) return askOf(world, 'InitProducerId', { body: { transactionalId: id === 1 ? null : '~x1', transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 } }, false)
  const topic = (name: string, numPartitions: number, configs: readonly { name: string; value: string }[]): Body => ({ name, numPartitions, replicationFactor: 1, assignments: [], configs })
  const kinds = [[], [{ name: 'cleanup.policy', value: 'compact' }], [{ name: 'message.timestamp.type', value: 'LogAppendTime' }], [{ name: 'max.message.bytes', value: '300' }], [{ name: 'compression.type', value: 'lz4' }]]
  return askOf(world, 'CreateTopics', { body: { timeoutMs: 10_000, validateOnly: false, topics: [topic('~a', 1, []), topic('~b', 2, world.pick(kinds))] } }, false)
}

function joinMaker(world: World): ReturnType<Maker> {
  const ask = groups.joinGroupAsk(world)
  return ask.isAlone ? ask : { body: groups.heartbeatAsk(world), version: -1 }
}

function askOf(world: World, chosen: ApiName, { body, version: wanted }: ReturnType<Maker>, mayBeOdd = true): Ask {
  const api = wanted === -1 ? 'Heartbeat' : chosen
  const [first, last] = versionsOf(api)
  const version = wanted === undefined || wanted === -1 ? (world.chance(2) ? last : world.chance(3) ? first : first + (world.random.uint32() % (last - first + 1))) : wanted
  const { fields } = apiOf(api).request
  const fit = fitted(fields, version, body)
  const isOdd = mayBeOdd && world.chance(7)
  const odd = isOdd ? nearlyValid(world.random, fields, version, fit, { texts: world.texts(), mayRepeat: !inMaps.has(api) }) : fit
  return { api, version, body: inMaps.has(api) && hasRepeats(odd) ? fit : odd, lane: 0 }
}

/** All members of a group and perhaps a new one join at once, each over its own connection; or all of them ask for their parts. */
function rebalance(world: World, id: number): Step {
  const groupId = world.pick(groupNames)
  const group = world.group(groupId)
  const isSync = group.protocol !== null && world.chance(2)
  const joiners = [...group.members, ...(isSync || group.members.length >= 3 ? [] : [{ memberId: '', instanceId: null, lane: 0 }])]
  if (joiners.length === 0) return rebalance(world, id)
  const asks = joiners.map(({ memberId, instanceId }, index): Ask => {
    if (isSync) return { api: 'SyncGroup', version: 5, lane: index + 1, body: { groupId, generationId: group.generation, memberId, groupInstanceId: instanceId, protocolType: 'consumer', protocolName: group.protocol, assignments: memberId === group.leader ? group.members.map(member => ({ memberId: member.memberId, assignment: { bytes: `of ${member.memberId}` } })) : [] } }
    return { api: 'JoinGroup', version: 9, lane: index + 1, body: { groupId, sessionTimeoutMs: 60_000, rebalanceTimeoutMs: 3000, memberId, groupInstanceId: instanceId, protocolType: 'consumer', protocols: [{ name: 'range', metadata: { bytes: 'meta' } }], reason: null } }
  })
  return { id, asks }
}

