// Produce: checks batches, appends them, and answers when they are acknowledged.

import { MillraceError } from '../../../core/error.ts'
import type { Offset, Timestamp } from '../../../core/record.ts'
import { internalTopics } from '../../kernel/catalogue.ts'
import type { RequestOf, ResponseInput } from '../../wire/apis.ts'
import { errorCodeFor, errorCodeOf, type ErrorName } from '../../wire/error-code.ts'
import { RecordBatchHeader } from '../../wire/record-batch-header.ts'
import { checkBatch, singleBatch } from './batch-check.ts'
import type { BatchRefusal } from './record-check.ts'
import { errorFields } from '../../engine/error-fields.ts'
import type { Handler, RequestContext } from './handler.ts'
import type { Partition } from '../../engine/partition.ts'
import type { Verifier } from '../../engine/transaction-host.ts'
import { addingVersion, admitted, hasTransactionalBatch, topicNameOf } from './produce-admission.ts'

type TopicAnswer = NonNullable<ResponseInput<'Produce'>>['responses'][number]
type PartitionAnswer = TopicAnswer['partitionResponses'][number]
type PartitionData = RequestOf<'Produce'>['topicData'][number]['partitionData'][number]

/** A batch that is in the log, to be acknowledged when records below `endOffset` are. */
interface Appended {
  readonly partition: Partition
  readonly baseOffset: Offset
  readonly endOffset: Offset
  readonly logAppendTimeMs: Timestamp
}

/** The answers to a request, some of which change when its batches cannot be acknowledged. */
interface Written {
  readonly responses: readonly TopicAnswer[]
  readonly waits: readonly Promise<void>[]
}

export const produce: Handler<'Produce'> = async (context, request) => {
  // Who may write with no transactional id is the same question for all of the request.
  const isNobodys = request.transactionalId === null && hasTransactionalBatch(request)
  const refuse = (error: ErrorName, message: string): Written => refusedAll(request, refusal(error, message))
  const written = isNobodys ? refuse('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'The request has a transactional batch and no transactional id.') : admitted(context, request, { write: verify => writeAll(context, request, verify), refuse })
  const { responses, waits } = written instanceof Promise ? await written : written
  if (request.acks === 0) return unanswered(responses)
  if (waits.length > 0) await Promise.all(waits)
  return { responses }
}

function refusedAll({ topicData }: RequestOf<'Produce'>, refused: BatchRefusal): Written {
  return { waits: [], responses: topicData.filter(({ partitionData }) => partitionData.length > 0).map(({ name, topicId, partitionData }) => ({ name, topicId, partitionResponses: partitionData.map(({ index }) => refusedAt(index, refused)) })) }
}

function writeAll(context: RequestContext, request: RequestOf<'Produce'>, verify: Verifier): Written {
  const responses: TopicAnswer[] = []
  const waits: Promise<void>[] = []
  for (const topic of request.topicData) {
    if (topic.partitionData.length === 0) continue
    const partitionResponses: PartitionAnswer[] = []
    const name = topicNameOf(context, topic)
    responses.push({ name: topic.name, topicId: topic.topicId, partitionResponses })
    for (const data of topic.partitionData) {
      const outcome = name === undefined ? refusal('UNKNOWN_TOPIC_ID', 'There is no topic with this id.') : appendTo(context, request, verify, name, data)
      const at = partitionResponses.push('error' in outcome ? refusedAt(data.index, outcome) : acknowledged(data.index, outcome)) - 1
      if ('partition' in outcome && request.acks !== 0) waits.push(wait(outcome, data.index, partitionResponses, at))
    }
  }
  return { responses, waits }
}

/** In Apache Kafka's order: what is no batch, what its transaction refuses, what a request may not ask, what the log refuses. */
function appendTo(context: RequestContext, request: RequestOf<'Produce'>, verify: Verifier, topic: string, { index, records }: PartitionData): Appended | BatchRefusal {
  const { broker } = context
  const partition = broker.partition(topic, index)
  if (partition === undefined) return refusal('UNKNOWN_TOPIC_OR_PARTITION', 'This server does not host this topic-partition.')
  const header = singleBatch(records, context.version)
  if (!(header instanceof RecordBatchHeader)) return header
  const problem = header.isTransactional ? verify(topic, index) : 'NONE'
  if (problem !== 'NONE') return refusal(problem, problems[problem] ?? `The transaction of producer ${header.producerId} does not take the batch: ${problem}.`)
  if (request.acks < -1 || request.acks > 1) return refusal('INVALID_REQUIRED_ACKS', `acks is ${request.acks}; it must be 0, 1 or -1.`)
  if (internalTopics.has(topic)) return refusal('INVALID_TOPIC_EXCEPTION', `The topic ${topic} is internal.`)
  const now = broker.clock.now()
  const checked = checkBatch(header, { settings: partition.settings, now, trusted: context.peer === 'in-process' })
  const outcome = checked instanceof RecordBatchHeader ? append(context, partition, checked) : checked
  return 'error' in outcome && !startless.has(outcome.error) ? { ...outcome, logStartOffset: partition.log.logStartOffset } : outcome
}

/** Refusals of a log that do not tell where it starts. */
const startless: ReadonlySet<ErrorName> = new Set(['CORRUPT_MESSAGE', 'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'KAFKA_STORAGE_ERROR'])

const problems: { readonly [N in ErrorName]?: string } = {
  INVALID_TXN_STATE: 'The partition is not in the transaction.',
  TRANSACTION_ABORTABLE: 'The partition is not in the transaction.',
  NOT_ENOUGH_REPLICAS: 'The transaction cannot be verified yet.',
}

function append({ broker, version }: RequestContext, partition: Partition, header: RecordBatchHeader): Appended | BatchRefusal {
  // In the second way of transactions each has an epoch of its own, so that what a producer writes first to a partition is its first there.
  const isLate = version >= addingVersion && header.isTransactional && header.baseSequence !== 0 && partition.producers.epochOf(header.producerId) < 0
  if (isLate) return refusal('OUT_OF_ORDER_SEQUENCE_NUMBER', `Producer ${header.producerId} begins at sequence ${header.baseSequence}, where nothing of it is in the partition.`)
  const verdict = partition.producers.check(header)
  if (verdict.kind === 'refuse') return refusal(verdict.error, verdict.message)
  const logAppendTimeMs = partition.settings.logAppendTime ? header.maxTimestamp : -1
  const count = header.lastOffsetDelta + 1
  if (verdict.kind === 'duplicate') return { partition, baseOffset: verdict.baseOffset, endOffset: verdict.baseOffset + count, logAppendTimeMs: verdict.timestamp }
  // A producer that is in the midst of a transaction writes nothing outside of it.
  if (!header.isTransactional && header.producerId >= 0 && partition.transactions.openSince(header.producerId) !== undefined) return refusal('INVALID_TXN_STATE', 'The producer has a transaction in the partition, and the batch is not part of it.')
  try {
    const baseOffset = partition.append(header.buffer, header)
    return { partition, baseOffset, endOffset: baseOffset + count, logAppendTimeMs }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    partition.producers.missed(header, broker.clock.now())
    broker.meters.diskErrors.add()
    broker.logger.error('could not append to a log', { partition: partition.name, ...errorFields(error) })
    return refusal('KAFKA_STORAGE_ERROR', error.message)
  }
}

async function wait({ partition, endOffset }: Appended, index: number, answers: PartitionAnswer[], at: number): Promise<void> {
  try {
    await partition.committed(endOffset)
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    answers[at] = { index, errorCode: errorCodeFor(error), baseOffset: -1, errorMessage: error.message }
  }
}

/** Nobody hears of a failure with acks 0; closing the connection is how the client learns of it. */
function unanswered(responses: readonly TopicAnswer[]): null {
  for (const { name, partitionResponses } of responses) {
    const failed = partitionResponses.find(({ errorCode }) => errorCode !== 0)
    if (failed !== undefined) throw new MillraceError('PRODUCE_REFUSED', `A batch for ${name}-${failed.index} with acks 0 was refused: ${failed.errorMessage}`)
  }
  return null
}

function acknowledged(index: number, { partition, baseOffset, logAppendTimeMs }: Appended): PartitionAnswer {
  return { index, errorCode: 0, baseOffset, logAppendTimeMs, logStartOffset: partition.log.logStartOffset }
}

function refusedAt(index: number, { error, message, records, logStartOffset }: BatchRefusal): PartitionAnswer {
  return { index, errorCode: errorCodeOf(error), baseOffset: -1, logStartOffset: logStartOffset ?? -1, errorMessage: message, recordErrors: records ?? [] }
}

function refusal(error: ErrorName, message: string): BatchRefusal {
  return { error, message }
}
