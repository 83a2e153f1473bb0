// DeleteRecords, OffsetForLeaderEpoch: where the records of partitions begin, and where leader epochs end.

import { MillraceError } from '../../../core/error.ts'
import { errorCodeFor, errorCodeOf } from '../../wire/error-code.ts'
import type { ResponseInput } from '../../wire/apis.ts'
import { internalTopics } from '../../kernel/catalogue.ts'
import type { BrokerState } from '../../engine/broker-state.ts'
import { errorFields } from '../../engine/error-fields.ts'
import type { Handler } from './handler.ts'
import { leaderEpochProblem } from './leader-epoch-check.ts'

type Deleted = ResponseInput<'DeleteRecords'>['topics'][number]['partitions'][number]

export const deleteRecords: Handler<'DeleteRecords'> = async ({ broker }, request) => {
  const topics = request.topics.filter(({ partitions }) => partitions.length > 0).map(async ({ name, partitions }) => ({
    name,
    partitions: await Promise.all(partitions.map(({ partitionIndex, offset }) => deleteBefore(broker, name, partitionIndex, offset))),
  }))
  return { topics: await Promise.all(topics) }
}

async function deleteBefore(broker: BrokerState, topic: string, partitionIndex: number, offset: number): Promise<Deleted> {
  const partition = broker.partition(topic, partitionIndex)
  const failed = (errorCode: number): Deleted => ({ partitionIndex, lowWatermark: -1, errorCode })
  if (partition === undefined) return failed(errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION'))
  if (internalTopics.has(topic)) return failed(errorCodeOf('INVALID_TOPIC_EXCEPTION'))
  if (partition.settings.compact && !partition.settings.delete) return failed(errorCodeOf('POLICY_VIOLATION'))
  const target = offset === -1 ? partition.highWatermark : offset
  if (target < 0 || target > partition.highWatermark) return failed(errorCodeOf('OFFSET_OUT_OF_RANGE'))
  try {
    await partition.deleteRecords(target)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    broker.logger.error('could not delete records', { partition: partition.name, ...errorFields(error) })
    return failed(errorCodeFor(error))
  }
  return { partitionIndex, lowWatermark: partition.log.logStartOffset, errorCode: 0 }
}

export const offsetForLeaderEpoch: Handler<'OffsetForLeaderEpoch'> = ({ broker }, request) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const partition = broker.partition(topic, index)
      if (partition === undefined) return { partition: index, errorCode: errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION') }
      const problem = leaderEpochProblem(currentLeaderEpoch, partition.leaderEpoch)
      if (problem !== null) return { partition: index, errorCode: errorCodeOf(problem) }
      const end = partition.log.leaderEpochs.endOf(leaderEpoch, partition.leaderEpoch, partition.log.endOffset)
      return { partition: index, errorCode: 0, leaderEpoch: end.epoch, endOffset: end.endOffset }
    }),
  })),
})
