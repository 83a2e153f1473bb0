// Checks replicas that are placed by hand, in a cluster of one broker.

import type { Refusal } from './topic-config.ts'

/** What is wrong with the replicas of one partition; null if nothing. */
export function replicasRefusal(replicas: readonly number[], nodeId: number): Refusal | null {
  if (replicas.length === 0) return invalid('The manual partition assignment includes an empty replica list.')
  const stranger = replicas.find(replica => replica !== nodeId)
  if (stranger !== undefined) return invalid(`The manual partition assignment includes broker ${stranger}, but no such broker is registered.`)
  return replicas.length === 1 ? null : invalid(`The manual partition assignment includes the broker ${nodeId} more than once.`)
}

/** The same for all partitions of a new topic: they count from 0, each is named once. */
export function assignmentsRefusal(assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[], nodeId: number): Refusal | null {
  const indexes = new Set<number>()
  for (const { partitionIndex, brokerIds } of assignments) {
    if (indexes.has(partitionIndex)) return invalid(`Found multiple manual partition assignments for partition ${partitionIndex}.`)
    indexes.add(partitionIndex)
    const refused = replicasRefusal(brokerIds, nodeId)
    if (refused !== null) return refused
  }
  for (let index = 0; index < assignments.length; index++) if (!indexes.has(index)) return invalid('Partitions should be a consecutive 0-based integer sequence.')
  return null
}

function invalid(message: string): Refusal {
  return { error: 'INVALID_REPLICA_ASSIGNMENT', message }
}
