// Fetch: record batches from partitions; one that finds too little waits, parked, until enough is acknowledged or its time is up.

import { MillraceError } from '../../../core/error.ts'
import type { Offset } from '../../../core/record.ts'
import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { measureRun } from '../../wire/record-batch-run.ts'
import type { LogRead } from '../../log/log.ts'
import { errorFields } from '../../engine/error-fields.ts'
import type { Handler, RequestContext } from './handler.ts'
import { leaderEpochProblem } from './leader-epoch-check.ts'
import type { Partition } from '../../engine/partition.ts'

type Answer = ResponseInput<'Fetch'>
type TopicAnswer = Answer['responses'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]
type FetchRequest = RequestOf<'Fetch'>
type FetchPartition = FetchRequest['topics'][number]['partitions'][number]

/** One pass over what is asked for. */
interface Pass {
  readonly responses: readonly TopicAnswer[]
  readonly bytes: number
  /** What it could have found, a first batch aside. */
  readonly maxBytes: number
  /** A partition's error is answered at once. */
  readonly failed: boolean
  /** Partitions that may bring more. */
  readonly watched: readonly Partition[]
  readonly reads: readonly { readonly partition: Partition; readonly records: Buffer }[]
}

const readCommitted = 1
const firstVersionWithLeaders = 16

/** Who asks for a session (0) or for none (-1), whatever it had before, names all its partitions; others go on with one, and none is ever opened. */
const wholeEpochs: readonly number[] = [0, -1]

export const fetch: Handler<'Fetch'> = async (context, request) => {
  if (!wholeEpochs.includes(request.sessionEpoch)) return { errorCode: errorCodeOf('FETCH_SESSION_ID_NOT_FOUND'), sessionId: 0, responses: [] }
  const { clock } = context.broker
  const deadline = clock.monotonic() + request.maxWaitMs
  for (;;) {
    const found = pass(context, request)
    const leftMs = deadline - clock.monotonic()
    if (isEnough(found, request) || leftMs <= 0) return answerOf(context, found)
    const isTimeUp = await park(context, found, { missingBytes: request.minBytes - found.bytes, maxWaitMs: leftMs, committed: request.isolationLevel === readCommitted })
    if (context.connection.isClosed) return null
    if (isTimeUp) return answerOf(context, pass(context, request))
  }
}

/** More than an answer may bring is not waited for. */
function isEnough({ failed, bytes, maxBytes, watched }: Pass, { minBytes }: FetchRequest): boolean {
  return failed || bytes >= minBytes || (bytes > 0 && bytes >= maxBytes) || watched.length === 0
}

/** Counts what readers are sent; a pass that was only a look is not counted. */
function answerOf({ connection, broker, endpoint }: RequestContext, { responses, reads, bytes, failed }: Pass): Answer {
  connection.holdAnswer(bytes)
  for (const { partition: { meters }, records } of reads) {
    meters.bytesOut.add(records.length)
    meters.recordsOut.add(measureRun(records).count)
  }
  const tellsLeaders = failed && responses.some(({ partitions }) => partitions.some(({ currentLeader }) => currentLeader !== undefined))
  return { errorCode: 0, sessionId: 0, responses, ...(tellsLeaders ? { nodeEndpoints: [{ nodeId: broker.nodeId, ...endpoint, rack: null }] } : {}) }
}

interface ParkOptions {
  readonly missingBytes: number
  readonly maxWaitMs: number
  /** What belongs to open transactions is not readable. */
  readonly committed: boolean
}

/** Resolves when `missingBytes` more may have become readable in the watched partitions, or the client is gone; to true when the time is up. */
function park({ broker, connection }: RequestContext, { watched }: Pass, { missingBytes, maxWaitMs, committed }: ParkOptions): Promise<boolean> {
  return new Promise(resolve => {
    let missing = missingBytes
    const stops: (() => void)[] = []
    const done = (isTimeUp: boolean): void => {
      for (const stop of stops) stop()
      resolve(isTimeUp)
    }
    const onBytes = (bytes: number): void => {
      missing -= bytes
      if (missing <= 0 || bytes === 0) done(false)
    }
    for (const partition of watched) {
      const stableOffset = partition.lastStableOffset
      // The end of a transaction frees what was counted long before.
      const onStable = (bytes: number): void => {
        if (bytes === 0 || partition.lastStableOffset !== stableOffset) done(false)
      }
      stops.push(partition.watch(committed ? onStable : onBytes))
    }
    stops.push(broker.clock.after(maxWaitMs, () => done(true)))
    stops.push(connection.onClose(() => done(false)))
  })
}

function pass(context: RequestContext, request: FetchRequest): Pass {
  const { broker, version } = context
  const isReplica = (version >= 15 ? request.replicaState.replicaId : request.replicaId) >= 0
  const maxBytes = Math.min(request.maxBytes, broker.config.number('fetch.max.bytes'), context.connection.answerRoom)
  let left = maxBytes
  let bytes = 0
  let failed = false
  const watched: Partition[] = []
  const reads: { partition: Partition; records: Buffer }[] = []
  const responses: TopicAnswer[] = []
  for (const topic of request.topics) {
    if (topic.partitions.length === 0) continue
    const name = version >= 13 ? broker.catalogue.topicById(topic.topicId)?.name : topic.topic
    const partitions = topic.partitions.map(asked => {
      const partition = name === undefined ? undefined : broker.partition(name, asked.partition)
      if (partition === undefined) {
        failed = true
        return absent(asked.partition, name === undefined ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
      }
      const answer = isReplica ? elsewhere(context, partition, asked.partition, replicaProblem(partition, asked)) : fetchOne(context, partition, asked, request.isolationLevel, Math.min(left, asked.partitionMaxBytes), bytes === 0)
      const size = answer.records?.length ?? 0
      left -= size
      bytes += size
      if (size > 0) reads.push({ partition, records: answer.records! })
      if (answer.errorCode !== 0) failed = true
      watched.push(partition)
      return answer
    })
    responses.push({ topic: topic.topic, topicId: topic.topicId, partitions })
  }
  return { responses, bytes, maxBytes, failed, watched, reads }
}

/** No partition has a replica on another broker. */
function replicaProblem({ leaderEpoch }: Partition, { currentLeaderEpoch }: FetchPartition): ErrorName {
  return leaderEpochProblem(Math.max(currentLeaderEpoch, -1), leaderEpoch) ?? (currentLeaderEpoch < 0 ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_LEADER_EPOCH')
}

function fetchOne(context: RequestContext, partition: Partition, asked: FetchPartition, isolation: number, maxBytes: number, atLeastOne: boolean): PartitionAnswer {
  const epochProblem = leaderEpochProblem(Math.max(asked.currentLeaderEpoch, -1), partition.leaderEpoch)
  if (epochProblem !== null) return elsewhere(context, partition, asked.partition, epochProblem)
  const { broker } = context
  const { log } = partition
  const end = asked.lastFetchedEpoch < 0 ? null : endOfFetched(partition, asked.lastFetchedEpoch)
  if (end === 'unknown') return failure(asked.partition, 'OFFSET_OUT_OF_RANGE')
  if (end !== null && (end.epoch < asked.lastFetchedEpoch || end.endOffset < asked.fetchOffset)) return diverging(partition, asked.partition, end)
  if (asked.fetchOffset < log.logStartOffset || asked.fetchOffset > log.endOffset) return failure(asked.partition, 'OFFSET_OUT_OF_RANGE')
  const limit = isolation === readCommitted ? partition.lastStableOffset : partition.highWatermark
  try {
    const read = maxBytes <= 0 && !atLeastOne ? null : partition.read(asked.fetchOffset, limit, maxBytes, atLeastOne)
    return {
      partitionIndex: asked.partition,
      errorCode: 0,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: log.logStartOffset,
      abortedTransactions: isolation === readCommitted ? abortedIn(partition, asked.fetchOffset, read) : null,
      records: read?.records ?? noRecords,
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    // A damage was told when it was found.
    if (error.code === 'LOG_CORRUPT') return failure(asked.partition, 'CORRUPT_MESSAGE')
    broker.meters.diskErrors.add()
    broker.logger.error('could not read a log', { partition: partition.name, offset: asked.fetchOffset, ...errorFields(error) })
    return failure(asked.partition, 'KAFKA_STORAGE_ERROR')
  }
}

/** Where the epoch of the record that was read last ends here, or the largest before it; null if nobody knows any more. */
function endOfFetched({ log, leaderEpoch }: Partition, epoch: number): EpochEnd | 'unknown' | null {
  // An epoch that never was, comes from another life of the partition.
  if (epoch > leaderEpoch) return 'unknown'
  const end = log.leaderEpochs.endOf(epoch, leaderEpoch, log.endOffset)
  return end.endOffset < 0 ? null : end
}

/** The reader has read what is no more in the log: it learns up to where both agree. */
function diverging(partition: Partition, partitionIndex: number, divergingEpoch: EpochEnd): PartitionAnswer {
  const { highWatermark, lastStableOffset, log } = partition
  return { partitionIndex, errorCode: 0, highWatermark, lastStableOffset, logStartOffset: log.logStartOffset, divergingEpoch, abortedTransactions: null, records: noRecords }
}

/** Whose records the reader has to pass over. */
function abortedIn(partition: Partition, offset: Offset, read: LogRead | null): PartitionAnswer['abortedTransactions'] {
  if (read === null) return []
  return partition.transactions.abortedWithin(offset, read.nextOffset).map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}

interface EpochEnd {
  readonly epoch: number
  readonly endOffset: Offset
}

const noRecords: Buffer = Buffer.alloc(0)

/** What was never looked into has no aborted transactions; of what could not be read they are not known. */
function absent(partitionIndex: number, error: ErrorName): PartitionAnswer {
  return { ...failure(partitionIndex, error), abortedTransactions: [] }
}

/** Says who leads to a client that thinks otherwise; earlier versions are to ask. */
function elsewhere({ broker, version }: RequestContext, { leaderEpoch }: Partition, partitionIndex: number, error: ErrorName): PartitionAnswer {
  const answer = failure(partitionIndex, error)
  return version < firstVersionWithLeaders || error === 'UNKNOWN_LEADER_EPOCH' ? answer : { ...answer, currentLeader: { leaderId: broker.nodeId, leaderEpoch } }
}

function failure(partitionIndex: number, error: ErrorName): PartitionAnswer {
  return { partitionIndex, errorCode: errorCodeOf(error), highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, abortedTransactions: null, records: noRecords }
}
