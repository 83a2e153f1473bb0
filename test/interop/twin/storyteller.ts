// Tells the steps of a story to one broker: names become real, answers plain, and what takes a moment is waited for.

import { sleep, systemClock } from '../../../core/clock.ts'
import { apiOf, apis, type ApiName, type RequestInput, type ResponseOf } from '../../../broker/wire/apis.ts'
import { ByteReader } from '../../../broker/wire/byte-reader.ts'
import { decodeResponse, encodeRequest, readCorrelationId } from '../../../broker/wire/frame.ts'
import { Lane } from './lane.ts'
import { Names } from './names.ts'
import { plainAnswer, type Body } from './plain-answer.ts'

/** One request, in the words of names.ts. */
export interface Ask {
  readonly api: ApiName
  readonly version: number
  readonly body: Body
  /** The number of the connection that it goes over. */
  readonly lane: number
}

/** Requests that are sent at once, over connections of their own. */
export interface Step {
  readonly id: number
  readonly asks: readonly Ask[]
}

export interface Told {
  readonly answer: unknown
}

export class Storyteller {
  readonly names: Names
  readonly #port: number
  readonly #lanes = new Map<number, Lane>()
  /** Tells when the broker has made public what it decided before; nothing where it always has. */
  readonly #published: () => Promise<void>

  constructor(port: number, prefix: string, published: () => Promise<void>) {
    this.#port = port
    this.names = new Names(prefix)
    this.#published = published
  }

  /** The answers, in the order of the asks. */
  async tell(step: Step): Promise<readonly unknown[]> {
    // One after the other, though none waits for an answer: what comes first counts.
    const answers = await Promise.all(step.asks.map(async (ask, index) => {
      if (index > 0) await sleep(systemClock, index * gapMs)
      return this.#ask(ask)
    }))
    answers.forEach((answer, index) => this.#learn(step, index, answer))
    for (const [index, ask] of step.asks.entries()) await this.#settle(step.id, ask, answers[index]!)
    return step.asks.map((ask, index) => {
      const answer = answers[index]!
      return typeof answer === 'string' ? answer : plainAnswer(ask.api, ask.body, answer, this.names)
    })
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close()
  }

  async #ask(ask: Ask): Promise<Body | string> {
    for (let tries = 0; ; tries++) {
      const answer = await this.#askOnce(ask)
      if (typeof answer === 'string' || tries >= mostTries || !(mayPass(ask, answer) || isBeingCreated(ask, answer))) return answer
      await sleep(systemClock, 25)
    }
  }

  async #askOnce({ api, version, body, lane }: Ask): Promise<Body | string> {
    const real = this.names.real(body)
    const request = encodeRequest(api, version, { correlationId: 7, clientId: 'twin' }, real as never)
    // No answer is asked for: that the connection goes on to serve is the answer.
    const isUnanswered = api === 'Produce' && body['acks'] === 0
    const frame = await this.#lane(lane).exchange(isUnanswered ? [...request, ...encodeRequest('ApiVersions', 0, { correlationId: 7, clientId: 'twin' }, {})] : request, patienceMs)
    if (typeof frame === 'string') return frame
    if (isUnanswered) return 'goes on'
    const reader = new ByteReader(frame)
    readCorrelationId(reader)
    try {
      return decodeResponse(api, version, reader)
    } catch (error) {
      return `not readable: ${(error as Error).message}`
    }
  }

  /** A request of the teller's own; what it needs to be told is there. */
  async inquire<N extends ApiName>(api: N, body: RequestInput<N>, version: number = apis[api].maxVersion): Promise<ResponseOf<N>> {
    const answer = await this.#askOnce({ api, version, body, lane: 99 })
    if (typeof answer === 'string') throw new Error(`${api} was answered: ${answer}`)
    return answer as unknown as ResponseOf<N>
  }

  #lane(number: number): Lane {
    let lane = this.#lanes.get(number)
    if (lane === undefined) this.#lanes.set(number, (lane = new Lane(this.#port)))
    return lane
  }

  #learn(step: Step, index: number, answer: Body | string): void {
    if (typeof answer === 'string') return
    const { producerId, memberId } = answer
    if (typeof producerId === 'number' && producerId >= 0) this.names.bind(`producer ${step.id}.${index}`, producerId)
    if (typeof memberId === 'string' && memberId !== '') this.names.bind(`«member ${step.id}.${index}»`, memberId)
  }

  async #settle(id: number, { api, body }: Ask, answer: Body | string): Promise<void> {
    if (typeof answer === 'string') return
    if (changesMetadata.has(api) && !(api === 'Metadata' && body['allowAutoTopicCreation'] === false)) {
      await this.#published()
      await this.#learnTopics(id, [...namesOf(body['topics'], 'name')])
    }
    if (endsTransactions.has(api)) await this.#transactionEnded(this.names.real(body['transactionalId']) as string | null)
  }

  async #learnTopics(id: number, topics: readonly string[]): Promise<void> {
    const own = topics.map(name => this.names.real(name) as string).filter(name => name.length <= 249 && name.startsWith(this.names.prefix))
    if (own.length === 0) return
    const answer = await this.inquire('Metadata', { topics: own.map(name => ({ name })), allowAutoTopicCreation: false }, 12)
    for (const { name, topicId, errorCode } of answer.topics) if (errorCode === 0) this.names.bind(`«topic ${id} ${this.names.symbolOfText(name!)}»`, topicId)
  }

  async #transactionEnded(transactionalId: string | null): Promise<void> {
    if (transactionalId === null || transactionalId === '') return
    for (let tries = 0; tries < 200; tries++) {
      const { transactionStates } = await this.inquire('DescribeTransactions', { transactionalIds: [transactionalId] })
      if (!transactionStates[0]!.transactionState.startsWith('Prepare') && transactionStates[0]!.errorCode !== 14) return
      await sleep(systemClock, 10)
    }
  }
}

const patienceMs = 8000
const gapMs = 30
const mostTries = 40
const changesMetadata: ReadonlySet<ApiName> = new Set(['CreateTopics', 'DeleteTopics', 'CreatePartitions', 'Metadata', 'AlterConfigs', 'IncrementalAlterConfigs', 'AlterPartitionReassignments', 'AlterUserScramCredentials'])
const endsTransactions: ReadonlySet<ApiName> = new Set(['EndTxn', 'InitProducerId'])
/** Concurrent transactions, and coordinators and leaders that are not ready yet. */
const passing: ReadonlySet<unknown> = new Set([5, 6, 14, 15, 16, 51])

/** What nobody leads for a replica that there is not, nobody ever will. */
function mayPass({ api, body }: Ask, answer: Body): boolean {
  const { replicaId = -1, replicaState } = body as { readonly replicaId?: number; readonly replicaState?: { readonly replicaId: number } }
  return !(api === 'Fetch' && (replicaState?.replicaId ?? replicaId) >= 0) && passes(answer)
}

function passes(answer: unknown): boolean {
  if (Array.isArray(answer)) return answer.some(passes)
  if (typeof answer !== 'object' || answer === null || Buffer.isBuffer(answer)) return false
  return Object.entries(answer).some(([name, value]) => (name.endsWith('rrorCode') ? passing.has(value) : passes(value)))
}

/** Apache Kafka's broker says that it is not there while its controller creates what was asked for; ours creates it and answers then. */
function isBeingCreated({ api, version, body }: Ask, answer: Body): boolean {
  return api === 'Metadata' && (version < 4 || body['allowAutoTopicCreation'] === true) && (answer['topics'] as readonly { readonly errorCode: number }[]).some(({ errorCode }) => errorCode === 3)
}

function* namesOf(list: unknown, field: string): Iterable<string> {
  if (!Array.isArray(list)) return
  for (const element of list as readonly Body[]) {
    const name = element[field]
    if (typeof name === 'string') yield name
  }
}

/** The versions that both brokers serve. */
export function versionsOf(api: ApiName): readonly [number, number] {
  return [apiOf(api).minVersion, apiOf(api).maxVersion]
}
