// Who may see and change what concerns the cluster as a whole.

import { operation } from '../../../kernel/acl.ts'
import { errorCodeOf } from '../../../wire/error-code.ts'
import { onCluster, type Guard } from '../guard.ts'

const errorCode = errorCodeOf('CLUSTER_AUTHORIZATION_FAILED')
const errorMessage = 'Cluster authorization failed.'

export const guardDescribeAcls: Guard<'DescribeAcls'> = onCluster<'DescribeAcls'>(operation.describe, () => ({ errorCode, errorMessage, resources: [] }))
export const guardCreateAcls: Guard<'CreateAcls'> = onCluster<'CreateAcls'>(operation.alter, ({ creations }) => ({ results: creations.map(() => ({ errorCode, errorMessage })) }))
export const guardDeleteAcls: Guard<'DeleteAcls'> = onCluster<'DeleteAcls'>(operation.alter, ({ filters }) => ({ filterResults: filters.map(() => ({ errorCode, errorMessage, matchingAcls: [] })) }))
export const guardDescribeClientQuotas: Guard<'DescribeClientQuotas'> = onCluster<'DescribeClientQuotas'>(operation.describeConfigs, () => ({ errorCode, errorMessage, entries: null }))
export const guardDescribeUserScramCredentials: Guard<'DescribeUserScramCredentials'> = onCluster<'DescribeUserScramCredentials'>(operation.describe, () => ({ errorCode, errorMessage, results: [{ user: '', errorCode, errorMessage, credentialInfos: [] }] }))
export const guardAlterUserScramCredentials: Guard<'AlterUserScramCredentials'> = onCluster<'AlterUserScramCredentials'>(operation.alter, ({ deletions, upsertions }) => ({
  results: [...new Set([...deletions, ...upsertions].map(({ name }) => name))].map(user => ({ user, errorCode, errorMessage })),
}))
export const guardElectLeaders: Guard<'ElectLeaders'> = onCluster<'ElectLeaders'>(operation.alter, ({ topicPartitions }) => ({
  errorCode,
  replicaElectionResults: (topicPartitions ?? []).map(({ topic, partitions }) => ({ topic, partitionResult: partitions.map(partitionId => ({ partitionId, errorCode, errorMessage })) })),
}))
export const guardAlterPartitionReassignments: Guard<'AlterPartitionReassignments'> = onCluster<'AlterPartitionReassignments'>(operation.alter, ({ topics }) => ({
  errorCode, errorMessage, responses: topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage })) })),
}))
export const guardListPartitionReassignments: Guard<'ListPartitionReassignments'> = onCluster<'ListPartitionReassignments'>(operation.describe, () => ({ errorCode, errorMessage, topics: [] }))
export const guardDescribeLogDirs: Guard<'DescribeLogDirs'> = onCluster<'DescribeLogDirs'>(operation.describe, () => ({ errorCode, results: [] }))
export const guardDescribeQuorum: Guard<'DescribeQuorum'> = onCluster<'DescribeQuorum'>(operation.describe, () => ({ errorCode, errorMessage, topics: [] }))
export const guardUpdateFeatures: Guard<'UpdateFeatures'> = onCluster<'UpdateFeatures'>(operation.alter, () => ({ errorCode, errorMessage, results: [] }))
