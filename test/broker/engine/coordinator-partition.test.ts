// Which partition of an internal topic keeps a group or transactional id.

import { expect, test } from 'vitest'
import { coordinatorPartitionOf } from '../../../broker/engine/coordinator-log.ts'

test.for([
  ['readers', 1080410128],
  ['marking-group', -289210201],
  ['polygenelubricants', -2147483648],
  ['', 0],
] as const)('%s, whose hash in Java is %i, lies where Apache Kafka looks for it', ([key, hash]) => {
  for (const partitions of [1, 4, 50]) expect(coordinatorPartitionOf(key, partitions)).toBe(hash === -2147483648 ? 0 : Math.abs(hash) % partitions)
})
