// The features of the protocol that are switched on: clients choose by them how they go about groups and transactions.

import type { ServedFeature } from './handlers/api-versions.ts'

export const servedFeatures: readonly ServedFeature[] = [
  // KIP-848: groups whose partitions the broker assigns.
  { name: 'group.version', minLevel: 0, maxLevel: 1, level: 1 },
  // KIP-890: a new epoch with every end of a transaction, and partitions that join it by being written to.
  { name: 'transaction.version', minLevel: 0, maxLevel: 2, level: 2 },
]
