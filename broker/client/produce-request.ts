// A Produce request out of batches, and what its answer means for each.

import type { MillraceError } from '../../core/error.ts'
import type { RequestInput, ResponseOf } from '../wire/apis.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProduceBatch } from './produce-batch.ts'

export interface SentBatch {
  readonly queue: PartitionQueue
  readonly batch: ProduceBatch
}

export interface PartitionResult {
  readonly baseOffset: number
  readonly error: MillraceError | null
}

/** From 12 on a transactional producer says more, and from 13 topics have ids. */
const newestVersion = 11
const requestTimeoutMs = 30_000

export function requestOf(batches: readonly SentBatch[], brokerVersion: number): { body: RequestInput<'Produce'>; version: number } {
  const topics = new Map<string, { index: number; records: Buffer }[]>()
  for (const { queue, batch } of batches) {
    const data = { index: queue.partition, records: batch.sealed! }
    const partitions = topics.get(queue.topic)
    if (partitions === undefined) topics.set(queue.topic, [data])
    else partitions.push(data)
  }
  const topicData = Array.from(topics, ([name, partitionData]) => ({ name, partitionData }))
  return { body: { acks: -1, timeoutMs: requestTimeoutMs, topicData }, version: Math.min(brokerVersion, newestVersion) }
}

/** One result for each batch; a batch that the answer leaves out has failed. */
export function resultsOf(answer: ResponseOf<'Produce'>, batches: readonly SentBatch[]): PartitionResult[] {
  const topics = new Map(answer.responses.map(topic => [topic.name, topic.partitionResponses]))
  return batches.map(({ queue }) => {
    const context = `produce to ${queue.topic}-${queue.partition}`
    const result = topics.get(queue.topic)?.find(({ index }) => index === queue.partition)
    if (result === undefined) return { baseOffset: -1, error: kafkaError(errors.NETWORK_EXCEPTION.code, context, 'the answer leaves it out') }
    const { errorCode, baseOffset, errorMessage, recordErrors } = result
    if (errorCode === 0) return { baseOffset, error: null }
    return { baseOffset, error: kafkaError(errorCode, context, errorMessage ?? recordErrors[0]?.batchIndexErrorMessage) }
  })
}

/**
 * What is to be done: `again` as it is; `behind` an older batch that failed, so again after it; `restart` the sequence, for the broker
 * has lost its memory of this producer. `isOldest`: no batch before it is unacknowledged. One that may be there already is not
 * sent under another sequence: it would be there twice.
 */
export type Verdict = 'acknowledged' | 'again' | 'behind' | 'restart' | 'too large' | 'fatal'

export function judge({ error }: PartitionResult, isOldest: boolean, isDoubtful: boolean): Verdict {
  switch (error?.code) {
    case undefined:
    // It came before, and its acknowledgement was lost on the way.
    case 'DUPLICATE_SEQUENCE_NUMBER':
      return 'acknowledged'
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
    case 'UNKNOWN_PRODUCER_ID':
    case 'INVALID_PRODUCER_EPOCH':
      return !isOldest ? 'behind' : isDoubtful ? 'fatal' : 'restart'
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return 'too large'
    default:
      return error!.retriable ? 'again' : 'fatal'
  }
}
