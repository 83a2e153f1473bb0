// Finds transactions that hang: open in a partition for longer than any may be, and unknown to every coordinator.

import type { PartitionProducer } from '../../broker/client/admin-transactions.ts'
import type { ClusterAdmin } from '../../broker/client/admin.ts'
import type { Timestamp, TopicPartition } from '../../core/record.ts'

/** Producers whose transaction keeps readers of committed records from going on and that nobody will end. */
export async function hangingTransactions(admin: ClusterAdmin, partitions: readonly TopicPartition[], before: Timestamp): Promise<readonly PartitionProducer[]> {
  const suspects = (await admin.describeProducers(partitions)).filter(({ openSince, lastTimestamp }) => openSince !== null && lastTimestamp < before)
  if (suspects.length === 0) return []
  const owned = await partitionsInTransactions(admin, [...new Set(suspects.map(({ producerId }) => producerId))])
  return suspects.filter(suspect => !owned.has(key(suspect)))
}

/** What coordinators know to be part of an open transaction of these producers. */
async function partitionsInTransactions(admin: ClusterAdmin, producerIds: readonly number[]): Promise<ReadonlySet<string>> {
  const listed = await admin.listTransactions({ producerIds })
  const described = await Promise.all(listed.map(({ transactionalId }) => admin.describeTransaction(transactionalId)))
  return new Set(described.flatMap(transaction => transaction?.partitions.map(partition => key({ ...partition, producerId: transaction.producerId })) ?? []))
}

function key({ topic, partition, producerId }: TopicPartition & { readonly producerId: number }): string {
  return `${producerId}/${topic}-${partition}`
}
