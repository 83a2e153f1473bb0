// What a producer says when it gives up.

import { MillraceError } from '../../core/error.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProduceBatch } from './produce-batch.ts'

export function unacknowledged(queue: PartitionQueue, timeoutMs: number): MillraceError {
  const cause = queue.oldest?.lastError ?? null
  const last = cause === null ? '' : `; the last one: ${cause.message.replace(/\.$/, '')}`
  const fact = `A batch for ${nameOf(queue)} was not acknowledged within ${timeoutMs / 1000} s (${queue.oldest?.attempts ?? 0} tries${last}).`
  return new MillraceError('REQUEST_TIMED_OUT', fact, { cause, hint: cause?.code === 'KAFKA_STORAGE_ERROR' ? "See the broker's log: its disk may be full." : 'See that its brokers run and have enough replicas in sync.' })
}

export function missingPartition(queue: PartitionQueue, partitions: number): MillraceError {
  const fact = partitions === 0 ? `There is no topic ${queue.topic}.` : `The topic ${queue.topic} has ${partitions} partitions, no partition ${queue.partition}.`
  return new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', fact, { hint: 'Create it first.' })
}

/** The batch holds one record. */
export function tooLarge(queue: PartitionQueue, batch: ProduceBatch): MillraceError {
  const fact = `A record for ${nameOf(queue)} of ${batch.bytes} bytes (its key has ${batch.firstKeyBytes()}) is larger than the topic takes.`
  return new MillraceError('MESSAGE_TOO_LARGE', fact, { hint: 'Raise max.message.bytes of the topic, or write smaller records.' })
}

function nameOf({ topic, partition }: PartitionQueue): string {
  return `${topic}-${partition}`
}
