// A channel to a real broker that loses requests and answers, breaks down, and tells of errors, all by lot.

import type { ApiName, RequestInput, ResponseOf } from '../../../broker/wire/apis.ts'
import type { Channel, RequestOptions } from '../../../broker/wire/channel.ts'
import { RecordBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { errorCodeOf, type ErrorName } from '../../../broker/wire/error-code.ts'
import { MillraceError } from '../../../core/error.ts'
import type { Random } from '../../../core/random.ts'

/** Of a thousand requests, how many meet each fault. */
export interface FaultRates {
  /** The connection breaks before the broker has the request. */
  readonly lost: number
  /** The connection breaks when the broker has done it. */
  readonly unanswered: number
  /** The broker has done it and says of some partitions that it may not have. */
  readonly doubtful: number
  /** Some partitions are refused with an error that passes. */
  readonly refused: number
  /** Some partitions are refused as if the broker had forgotten the producer; never a batch that it was given before. */
  readonly forgotten: number
}

export const noFaults: FaultRates = { lost: 0, unanswered: 0, doubtful: 0, refused: 0, forgotten: 0 }

const produceRefusals: readonly ErrorName[] = ['NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE', 'NOT_ENOUGH_REPLICAS', 'KAFKA_STORAGE_ERROR', 'CORRUPT_MESSAGE']
const doubts: readonly ErrorName[] = ['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND']
const forgetting: readonly ErrorName[] = ['UNKNOWN_PRODUCER_ID', 'OUT_OF_ORDER_SEQUENCE_NUMBER']
const fetchRefusals: readonly ErrorName[] = ['NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_LEADER_EPOCH', 'OFFSET_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR', 'UNKNOWN_TOPIC_OR_PARTITION']

export class FaultyChannel implements Channel {
  readonly closed: Promise<Error | null>
  readonly #inner: Channel
  readonly #random: Random
  readonly #rates: () => FaultRates
  readonly #given: Set<string>
  #resolveClosed: (reason: Error | null) => void = () => {}
  #broken = false

  /** `given` remembers the batches that may have reached the broker; all channels to it share it. */
  constructor(inner: Channel, random: Random, rates: () => FaultRates, given: Set<string>) {
    this.#inner = inner
    this.#given = given
    this.#random = random
    this.#rates = rates
    this.closed = new Promise(resolve => (this.#resolveClosed = resolve))
  }

  versionOf(api: ApiName): number {
    return this.#inner.versionOf(api)
  }

  async request<N extends ApiName>(api: N, body: RequestInput<N>, options?: RequestOptions): Promise<ResponseOf<N>> {
    const rates = this.#rates()
    if (this.#broken || this.#drawn(rates.lost)) {
      if (api === 'Produce') this.#give(body as RequestInput<'Produce'>)
      throw this.#break()
    }
    if (api === 'Produce') return this.#produce(body as unknown as RequestInput<'Produce'>, options, rates) as Promise<unknown> as Promise<ResponseOf<N>>
    const answer = await this.#inner.request(api, body, options)
    if (this.#broken || this.#drawn(rates.unanswered)) throw this.#break()
    if (api !== 'Fetch') return answer
    const told: unknown = this.#refuseFetch(answer as unknown as ResponseOf<'Fetch'>, rates)
    return told as ResponseOf<N>
  }

  close(): void {
    this.#broken = true
    this.#inner.close()
    this.#resolveClosed(null)
  }

  async #produce(body: RequestInput<'Produce'>, options: RequestOptions | undefined, rates: FaultRates): Promise<ResponseOf<'Produce'>> {
    const refused = new Map<string, number>()
    const surelyNotThere: string[] = []
    const topicData = body.topicData.map(topic => ({
      ...topic,
      partitionData: topic.partitionData.filter(({ index, records }) => {
        const batch = nameOf(topic.name, index, records)
        const isRefused = this.#drawn(rates.refused)
        const forgotten = !isRefused && !this.#given.has(batch) && this.#drawn(rates.forgotten)
        const code = isRefused ? this.#codeOf(produceRefusals) : forgotten ? this.#codeOf(forgetting) : 0
        if (code !== 0) refused.set(`${topic.name}-${index}`, code)
        // Until the client hears otherwise it may be there.
        this.#given.add(batch)
        if (forgotten) surelyNotThere.push(batch)
        return code === 0
      }),
    }))
    const answer = await this.#inner.request('Produce', { ...body, topicData }, options)
    if (this.#broken || this.#drawn(rates.unanswered)) throw this.#break()
    for (const batch of surelyNotThere) this.#given.delete(batch)
    return {
      ...answer,
      responses: body.topicData.map(topic => ({
        name: topic.name!,
        topicId: '00000000-0000-0000-0000-000000000000',
        partitionResponses: topic.partitionData.map(({ index }) => {
          const told = refused.get(`${topic.name}-${index}`) ?? (this.#drawn(rates.doubtful) ? this.#codeOf(doubts) : 0)
          const given = answer.responses.find(({ name }) => name === topic.name)?.partitionResponses.find(partition => partition.index === index)
          const base = given ?? { index, errorCode: 0, baseOffset: -1, logAppendTimeMs: -1, logStartOffset: -1, recordErrors: [], errorMessage: null, currentLeader: { leaderId: -1, leaderEpoch: -1 } }
          return told === 0 ? base : { ...base, errorCode: told, baseOffset: -1 }
        }),
      })),
    }
  }

  /** Nobody can say that a request on a broken connection did not arrive. */
  #give(body: RequestInput<'Produce'>): void {
    for (const { name, partitionData } of body.topicData) for (const { index, records } of partitionData) this.#given.add(nameOf(name, index, records))
  }

  #refuseFetch(answer: ResponseOf<'Fetch'>, rates: FaultRates): ResponseOf<'Fetch'> {
    const responses = answer.responses.map(topic => ({
      ...topic,
      partitions: topic.partitions.map(partition => (this.#drawn(rates.refused) ? { ...partition, errorCode: this.#codeOf(fetchRefusals), records: null } : partition)),
    }))
    return { ...answer, responses }
  }

  #break(): MillraceError {
    this.#broken = true
    this.#inner.close()
    this.#resolveClosed(broken())
    return broken()
  }

  #drawn(rate: number): boolean {
    return this.#random.uint32() % 1000 < rate
  }

  #codeOf(names: readonly ErrorName[]): number {
    return errorCodeOf(names[this.#random.uint32() % names.length]!)
  }
}

function broken(): MillraceError {
  return new MillraceError('CONNECTION_FAILED', 'The connection broke, as drawn.', { retriable: true })
}

function nameOf(topic: string | undefined, partition: number, records: Buffer | null): string {
  const { producerEpoch, baseSequence } = new RecordBatchHeader(records!)
  return `${topic}-${partition} ${producerEpoch} ${baseSequence}`
}
