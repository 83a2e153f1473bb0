// A transactional producer for tests, over a channel: each step is a request of its own, as clients of transaction.version 1 or 2 make them.

import type { Channel } from '../../../broker/wire/channel.ts'
import { errorNameOf, type ErrorName } from '../../../broker/wire/error-code.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { batchOf, recordsOf } from '../log/batches.ts'

export type TransactionVersion = 1 | 2

export interface OffsetsToCommit {
  readonly groupId: string
  readonly topic: string
  readonly partition?: number
  readonly offset: number
  readonly generationId?: number
  readonly memberId?: string
  readonly groupInstanceId?: string | null
}

export class TransactionalProducer {
  readonly #channel: Channel
  readonly transactionalId: string
  readonly version: TransactionVersion
  producerId = -1
  producerEpoch = -1
  readonly #sequences = new Map<string, number>()
  /** Where a batch was sent that was not answered, with the sequence it began with. */
  readonly #unanswered = new Map<string, number>()
  /** Partitions that were added to the transaction. */
  readonly #added = new Set<string>()

  constructor(channel: Channel, transactionalId: string, version: TransactionVersion = 2) {
    this.#channel = channel
    this.transactionalId = transactionalId
    this.version = version
  }

  /** The same producer on another connection, which lost the answers that were to come on the first: what it sends next to a place goes out as the batch there did. */
  on(channel: Channel): TransactionalProducer {
    const again = new TransactionalProducer(channel, this.transactionalId, this.version)
    again.producerId = this.producerId
    again.producerEpoch = this.producerEpoch
    for (const [place, sequence] of [...this.#sequences, ...this.#unanswered]) again.#sequences.set(place, sequence)
    for (const place of this.#added) again.#added.add(place)
    return again
  }

  /** Finds its coordinator, and shuts out whoever had the transactional id. */
  async init(options: { readonly timeoutMs?: number; readonly current?: { readonly producerId: number; readonly producerEpoch: number }; readonly version?: number } = {}): Promise<ErrorName> {
    await this.#channel.request('FindCoordinator', { keyType: 1, coordinatorKeys: [this.transactionalId] })
    const { timeoutMs = 60_000, current, version = 5 } = options
    const answer = await this.#channel.request('InitProducerId', { transactionalId: this.transactionalId, transactionTimeoutMs: timeoutMs, ...current }, { version })
    if (answer.errorCode === 0) this.#goOnAs(answer)
    return errorNameOf(answer.errorCode)
  }

  #goOnAs({ producerId, producerEpoch }: { readonly producerId: number; readonly producerEpoch: number }): void {
    if (producerId !== this.producerId || producerEpoch !== this.producerEpoch) this.#sequences.clear()
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.#added.clear()
  }

  async add(topic: string, partition = 0, version = 3): Promise<ErrorName> {
    const { resultsByTopicV3AndBelow } = await this.#channel.request('AddPartitionsToTxn', {
      v3AndBelowTransactionalId: this.transactionalId, v3AndBelowProducerId: this.producerId, v3AndBelowProducerEpoch: this.producerEpoch, v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
    }, { version })
    return errorNameOf(resultsByTopicV3AndBelow[0]!.resultsByPartition[0]!.partitionErrorCode)
  }

  /** Writes one batch; a client of version 1 says where first. */
  async send(topic: string, values: readonly string[], partition = 0): Promise<ErrorName> {
    if (this.version === 1 && !this.#added.has(`${topic}-${partition}`)) {
      const error = await this.add(topic, partition)
      if (error !== 'NONE') return error
      this.#added.add(`${topic}-${partition}`)
    }
    return this.produce(topic, values, partition)
  }

  /** Without saying where before. */
  async produce(topic: string, values: readonly string[], partition = 0, version: number = this.version === 1 ? 11 : 12): Promise<ErrorName> {
    const place = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(place) ?? 0
    this.#sequences.set(place, baseSequence + values.length)
    this.#unanswered.set(place, baseSequence)
    const { producerId, producerEpoch } = this
    const records = batchOf(values.map(value => ({ key: value.split('=')[0]!, value, timestamp: 1000 })), { producerId, producerEpoch, baseSequence, transactional: true })
    const { responses } = await this.#channel.request('Produce', {
      transactionalId: this.transactionalId, acks: -1, timeoutMs: 1000, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
    }, { version })
    const error = errorNameOf(responses[0]!.partitionResponses[0]!.errorCode)
    this.#unanswered.delete(place)
    if (error !== 'NONE') this.#sequences.set(place, baseSequence)
    return error
  }

  async commitOffset({ groupId, topic, partition = 0, offset, generationId = -1, memberId = '', groupInstanceId = null }: OffsetsToCommit): Promise<ErrorName> {
    const { transactionalId, producerId, producerEpoch } = this
    if (this.version === 1) {
      const { errorCode } = await this.#channel.request('AddOffsetsToTxn', { transactionalId, producerId, producerEpoch, groupId })
      if (errorCode !== 0) return errorNameOf(errorCode)
    }
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: '' }] }]
    const answer = await this.#channel.request('TxnOffsetCommit', { transactionalId, producerId, producerEpoch, groupId, generationId, memberId, groupInstanceId, topics }, { version: this.version === 1 ? 3 : 5 })
    return errorNameOf(answer.topics[0]!.partitions[0]!.errorCode)
  }

  async end(committed: boolean): Promise<ErrorName> {
    const { transactionalId, producerId, producerEpoch } = this
    const answer = await this.#channel.request('EndTxn', { transactionalId, producerId, producerEpoch, committed }, { version: this.version === 1 ? 4 : 5 })
    this.#added.clear()
    if (answer.errorCode === 0 && this.version === 2) this.#goOnAs(answer)
    return errorNameOf(answer.errorCode)
  }
}

export interface Seen {
  readonly values: readonly string[]
  readonly nextOffset: number
  readonly lastStableOffset: number
}

/** What a consumer that reads committed records gets from an offset to the end. */
export async function readCommitted(channel: Channel, topic: string, partition = 0, from = 0, isolationLevel = 1): Promise<Seen> {
  const values: string[] = []
  for (let fetchOffset = from; ; ) {
    const { responses } = await channel.request('Fetch', { maxWaitMs: 0, minBytes: 1, isolationLevel, topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 400 }] }] }, { version: 11 })
    const { records, abortedTransactions, lastStableOffset, errorCode } = responses[0]!.partitions[0]!
    if (errorCode !== 0) throw new Error(errorNameOf(errorCode))
    if (records === null || records.length === 0) return { values, nextOffset: fetchOffset, lastStableOffset }
    for (const { value } of recordsOf(records, fetchOffset, abortedTransactions ?? [])) values.push(value!)
    fetchOffset = endOf(records)
  }
}

/** Everything that is acknowledged. */
export async function readAll(channel: Channel, topic: string, partition = 0): Promise<readonly string[]> {
  return (await readCommitted(channel, topic, partition, 0, 0)).values
}

/** The position of a group; an error where it is not stable. */
export async function positionOf(channel: Channel, groupId: string, topic: string, partition = 0): Promise<number | ErrorName> {
  const { groups } = await channel.request('OffsetFetch', { requireStable: true, groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [partition] }] }] }, { version: 9 })
  const { errorCode, committedOffset } = groups[0]!.topics[0]!.partitions[0]!
  return errorCode === 0 ? committedOffset : errorNameOf(errorCode)
}

/** The offset behind the last of some batches. */
export function endOf(records: Buffer): number {
  const header = new RecordBatchHeader(records)
  while (header.end < records.length) header.moveTo(records, header.end)
  return header.lastOffset + 1
}
