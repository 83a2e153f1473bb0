// What a Produce request is about to write in a transaction: read from its batches before they are checked.

import type { RequestOf } from '../../wire/apis.ts'
import type { ErrorName } from '../../wire/error-code.ts'
import { batchHeaderBytes, RecordBatchHeader } from '../../wire/record-batch-header.ts'
import { internalTopics } from '../../kernel/catalogue.ts'
import type { Verifier, WriteIntent } from '../../engine/transaction-host.ts'
import { singleBatch } from './batch-check.ts'
import type { RequestContext } from './handler.ts'
import { writeError } from './transaction-errors.ts'

type ProduceRequest = RequestOf<'Produce'>
type TopicData = ProduceRequest['topicData'][number]

/** From here on a producer need not say beforehand which partitions it writes to. */
export const addingVersion = 12
const abortableVersion = 11

export function topicNameOf({ broker, version }: RequestContext, topic: TopicData): string | undefined {
  return version >= 13 ? broker.catalogue.topicById(topic.topicId)?.name : topic.name
}

export interface Admission<T> {
  /** What is written, batch by batch. */
  readonly write: (verify: Verifier) => T
  /** Where nothing is. */
  readonly refuse: (error: ErrorName, message: string) => T
}

/** Answers `write` with who says whether a transactional batch may be written: nobody where the request has no transaction. */
export function admitted<T>(context: RequestContext, request: ProduceRequest, { write, refuse }: Admission<T>): T | Promise<Awaited<T>> {
  if (request.transactionalId === null) return write(() => 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  const intent = intentOf(context, request, request.transactionalId)
  if (intent === 'mixed') return refuse('INVALID_PRODUCER_ID_MAPPING', 'The transactional batches of the request are of more than one producer.')
  if (intent === null) return write(() => 'INVALID_TXN_STATE')
  const host = context.broker.transactions.of(intent.transactionalId)
  if (host === null) return write(() => 'NOT_ENOUGH_REPLICAS')
  return host.admit(intent, verify => write((topic, partition) => produceError(verify(topic, partition), context.version)))
}

/** Whether some batch is to be written in a transaction, wherever it goes. */
export function hasTransactionalBatch({ topicData }: ProduceRequest): boolean {
  return topicData.some(({ partitionData }) => partitionData.some(({ records }) => records !== null && records.length >= batchHeaderBytes && isTransactional(new RecordBatchHeader(records), records.length)))
}

/** Batches of older formats have other things there; one that is cut off is none. */
function isTransactional(header: RecordBatchHeader, limit: number): boolean {
  return header.magic === 2 && header.fits(limit) && header.isTransactional
}

/** Null where no batch is transactional. */
function intentOf(context: RequestContext, request: ProduceRequest, transactionalId: string): WriteIntent | 'mixed' | null {
  const partitions = new Map<string, number[]>()
  let producer: RecordBatchHeader | null = null
  let isWhole = true
  for (const topic of request.topicData) {
    const name = topicNameOf(context, topic)
    for (const { index, records } of topic.partitionData) {
      if (name === undefined || internalTopics.has(name) || context.broker.partition(name, index) === undefined) continue
      const header = singleBatch(records, context.version)
      if (!(header instanceof RecordBatchHeader)) continue
      isWhole &&= header.isTransactional
      if (!header.isTransactional) continue
      producer ??= header
      if (producer.producerId !== header.producerId || producer.producerEpoch !== header.producerEpoch) return 'mixed'
      const indexes = partitions.get(name)
      if (indexes === undefined) partitions.set(name, [index])
      else indexes.push(index)
    }
  }
  if (producer === null) return null
  return { transactionalId, producerId: producer.producerId, producerEpoch: producer.producerEpoch, partitions, adds: context.version >= addingVersion, isWhole }
}

/** A producer whose coordinator is not ready sends its batch again, and needs no new metadata for that. */
function produceError(error: ErrorName, version: number): ErrorName {
  if (error === 'CONCURRENT_TRANSACTIONS' || error === 'COORDINATOR_NOT_AVAILABLE' || error === 'COORDINATOR_LOAD_IN_PROGRESS' || error === 'NOT_COORDINATOR') return 'NOT_ENOUGH_REPLICAS'
  return writeError(error, version >= abortableVersion)
}
