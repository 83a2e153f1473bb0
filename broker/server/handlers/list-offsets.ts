// ListOffsets: where partitions begin, end, or reach a time.

import { MillraceError } from '../../../core/error.ts'
import { findMaxTimestamp, findTimestamp } from '../../log/time-lookup.ts'
import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf } from '../../wire/error-code.ts'
import { errorFields } from '../../engine/error-fields.ts'
import type { Handler, RequestContext } from './handler.ts'
import { leaderEpochProblem } from './leader-epoch-check.ts'
import type { Partition } from '../../engine/partition.ts'

type TopicAnswer = ResponseInput<'ListOffsets'>['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]
type Asked = RequestOf<'ListOffsets'>['topics'][number]['partitions'][number]

/** Timestamps that stand for a place instead. */
const place = { latest: -1, earliest: -2, maxTimestamp: -3, earliestLocal: -4, latestTiered: -5, earliestPendingUpload: -6 } as const
/** First version that knows each; no version knows others below zero. */
const placeSince: ReadonlyMap<number, number> = new Map([[place.latest, 0], [place.earliest, 0], [place.maxTimestamp, 7], [place.earliestLocal, 8], [place.latestTiered, 9], [place.earliestPendingUpload, 11]])
const nowhere = { timestamp: -1, offset: -1, leaderEpoch: -1 } as const

/** What those say who are no replica. */
const consumerReplicaId = -1

/** Looking up times may take a while, batches being read and decompressed for it: others have their turn in between. */
const longestTurnMs = 10

export const listOffsets: Handler<'ListOffsets'> = async (context, request) => {
  const { clock } = context.broker
  let began = clock.monotonic()
  const repeated = repeatedIn(request.topics)
  // Only consumers are kept from what is not committed.
  const isolation = request.replicaId === consumerReplicaId ? request.isolationLevel : 0
  const topics: TopicAnswer[] = []
  for (const { name, partitions } of request.topics) {
    const answers: PartitionAnswer[] = []
    for (const asked of partitions) {
      if (clock.monotonic() - began > longestTurnMs) {
        await clock.turn()
        if (context.connection.isClosed) return null
        began = clock.monotonic()
      }
      answers.push(repeated.get(name)?.has(asked.partitionIndex) === true ? { partitionIndex: asked.partitionIndex, errorCode: errorCodeOf('INVALID_REQUEST') } : answer(context, name, asked, isolation))
    }
    // Topics are not answered for nothing.
    if (answers.length > 0) topics.push({ name, partitions: answers })
  }
  return { topics }
}

/** Partitions that the request asks about more than once, which it may not; by topic. */
function repeatedIn(topics: RequestOf<'ListOffsets'>['topics']): ReadonlyMap<string, ReadonlySet<number>> {
  const seen = new Map<string, Set<number>>()
  const repeated = new Map<string, Set<number>>()
  const add = (to: Map<string, Set<number>>, name: string, partition: number): void => void (to.get(name) ?? to.set(name, new Set()).get(name)!).add(partition)
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) add(seen.get(name)?.has(partitionIndex) === true ? repeated : seen, name, partitionIndex)
  }
  return repeated
}

function answer({ broker, version }: RequestContext, topic: string, asked: Asked, isolation: number): PartitionAnswer {
  const { partitionIndex } = asked
  if (asked.timestamp < 0 && version < (placeSince.get(asked.timestamp) ?? Infinity)) return { partitionIndex, errorCode: errorCodeOf('UNSUPPORTED_VERSION') }
  const partition = broker.partition(topic, partitionIndex)
  if (partition === undefined) return { partitionIndex, errorCode: errorCodeOf('UNKNOWN_TOPIC_OR_PARTITION') }
  const epochProblem = leaderEpochProblem(asked.currentLeaderEpoch, partition.leaderEpoch)
  if (epochProblem !== null) return { partitionIndex, errorCode: errorCodeOf(epochProblem) }
  try {
    return { partitionIndex, errorCode: 0, ...find(partition, asked.timestamp, isolation) }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    broker.logger.error('could not look up a time in a log', { partition: partition.name, timestamp: asked.timestamp, ...errorFields(error) })
    return { partitionIndex, errorCode: errorCodeOf('KAFKA_STORAGE_ERROR') }
  }
}

function find(partition: Partition, timestamp: number, isolation: number): Omit<PartitionAnswer, 'partitionIndex' | 'errorCode'> {
  const { log } = partition
  const limit = isolation === 1 ? partition.lastStableOffset : partition.highWatermark
  if (timestamp === place.latest) return { timestamp: -1, offset: limit, leaderEpoch: partition.leaderEpoch }
  if (timestamp === place.earliest || timestamp === place.earliestLocal) {
    return { timestamp: -1, offset: log.logStartOffset, leaderEpoch: epochAtStart(partition) }
  }
  if (timestamp < 0 && timestamp !== place.maxTimestamp) return nowhere
  // The newest of all may not be committed yet: then nobody is told of one before it.
  const found = timestamp === place.maxTimestamp ? findMaxTimestamp(log, partition.highWatermark) : findTimestamp(log, timestamp, limit)
  return found === null || found.offset >= limit ? nowhere : { ...found, leaderEpoch: log.leaderEpochs.epochAt(found.offset) }
}

/** Of an empty log, the epoch that its first record will have. */
function epochAtStart({ log, leaderEpoch }: Partition): number {
  const epoch = log.leaderEpochs.epochAt(log.logStartOffset)
  return epoch < 0 ? leaderEpoch : epoch
}
