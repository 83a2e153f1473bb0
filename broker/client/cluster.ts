// A cluster as a client knows it: its brokers, which topics there are, and who leads each partition.

import { MillraceError } from '../../core/error.ts'
import type { ApiName, RequestInput, ResponseOf } from '../wire/apis.ts'
import type { Channel, RequestOptions } from '../wire/channel.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import { Connections, type BrokerAddress, type Connect } from './connections.ts'
import { isRetriable, retrying, type ClientWorld, type RetryLimits } from './retry.ts'

export interface ClusterOptions {
  readonly bootstrap: readonly BrokerAddress[]
  readonly connect: Connect
  readonly clientId: string
  readonly inProcess: boolean
  readonly world: ClientWorld
}

export type TopicMetadata = ResponseOf<'Metadata'>['topics'][number]

interface KnownTopic {
  /** By partition: the node that leads, -1 where nobody does. */
  readonly leaders: readonly number[]
}

/** Metadata is asked again when it is that old and somebody looks. */
const metadataMaxAgeMs = 300_000
/** Least time between two refreshes: many partitions that lose their leader ask once. */
const refreshPauseMs = 50
const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/

export class Cluster {
  readonly world: ClientWorld
  readonly #inProcess: boolean
  readonly #connect: Connect
  readonly #clientId: string
  readonly #bootstrap: readonly BrokerAddress[]
  readonly #control: Connections
  readonly #brokers = new Map<number, BrokerAddress>()
  readonly #topics = new Map<string, KnownTopic | null>()
  #controllerId = -1
  #clusterId: string | null = null
  #refreshedAt = -Infinity
  #refreshing: Promise<void> | null = null
  readonly #closing = new AbortController()

  constructor(options: ClusterOptions) {
    this.#inProcess = options.inProcess
    this.world = options.world
    this.#connect = options.connect
    this.#clientId = options.clientId
    this.#bootstrap = options.bootstrap
    this.#control = this.connections()
  }

  get clusterId(): string | null {
    return this.#clusterId
  }

  get brokers(): ReadonlyMap<number, BrokerAddress> {
    return this.#brokers
  }

  get controllerId(): number {
    return this.#controllerId
  }

  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** True where every broker is in this process or on this machine: compressing costs more than it saves on the way. */
  get isNear(): boolean {
    return this.#inProcess || (this.#brokers.size > 0 && [...this.#brokers.values()].every(({ host }) => loopback.test(host)))
  }

  /** Connections of one's own; whoever asks closes them. */
  connections(clientId: string = this.#clientId): Connections {
    return new Connections(this.#connect, clientId)
  }

  /** @throws MillraceError BROKER_NOT_AVAILABLE, retriable, for a node that the metadata does not name */
  addressOf(nodeId: number): BrokerAddress {
    const address = this.#brokers.get(nodeId)
    if (address === undefined) throw new MillraceError('BROKER_NOT_AVAILABLE', `The cluster names no broker ${nodeId}.`, { retriable: true })
    return address
  }

  /** The node that leads a partition by what is known now; -1 if nobody does or nothing is known. */
  leaderOf(topic: string, partition: number): number {
    if (this.world.clock.monotonic() - this.#refreshedAt > metadataMaxAgeMs) void this.refresh([]).catch(error => this.world.logger.warn('metadata cannot be refreshed', { error }))
    return this.#topics.get(topic)?.leaders[partition] ?? -1
  }

  /** Number of partitions by what is known now: null for a topic that is not there, undefined for one never asked for. */
  knownPartitionsOf(topic: string): number | null | undefined {
    const known = this.#topics.get(topic)
    return known === undefined || known === null ? known : known.leaders.length
  }

  async partitionsOf(topic: string): Promise<number | null> {
    const known = this.knownPartitionsOf(topic)
    if (known !== undefined && known !== null) return known
    await this.describeTopics([topic])
    return this.knownPartitionsOf(topic) ?? null
  }

  /** Fresh metadata of every topic asked for before, and of these. Calls that come together share one request. */
  async refresh(topics: Iterable<string>): Promise<void> {
    let grown = false
    for (const topic of topics) {
      if (this.#topics.has(topic)) continue
      this.#topics.set(topic, null)
      grown = true
    }
    if (this.#refreshing !== null && grown) await this.#refreshing
    this.#refreshing ??= this.#refreshNow().finally(() => (this.#refreshing = null))
    return this.#refreshing
  }

  /** What the cluster says of the topics now, of all for null. Errors of single topics are in the answer, retriable ones retried. */
  async describeTopics(names: readonly string[] | null, limits: RetryLimits = { deadlineMs: 30_000 }): Promise<readonly TopicMetadata[]> {
    return this.#retrying(limits, async () => {
      const topics = names === null ? null : names.map(name => ({ name }))
      const answer = await (await this.anyChannel()).request('Metadata', { topics, allowAutoTopicCreation: false })
      this.#learn(answer)
      for (const { errorCode, name } of answer.topics) if (errorCode === errors.LEADER_NOT_AVAILABLE.code) throw kafkaError(errorCode, `metadata of ${name}`)
      return answer.topics
    })
  }

  /** A connection to any broker that answers. @throws MillraceError CONNECTION_FAILED, retriable */
  async anyChannel(): Promise<Channel> {
    const open = this.#control.first()
    if (open !== undefined) return open
    const addresses = [...this.#brokers.values(), ...this.#bootstrap]
    const start = this.world.random.uint32()
    let failure: unknown
    for (let i = 0; i < addresses.length; i++) {
      try {
        return await this.#control.to(addresses[(start + i) % addresses.length]!)
      } catch (error) {
        if (!isRetriable(error)) throw error
        failure = error
      }
    }
    throw failure
  }

  /** A connection for requests that are answered at once. */
  channelTo(node: number | 'controller' | undefined): Promise<Channel> {
    if (node === undefined || (node === 'controller' && !this.#brokers.has(this.#controllerId))) return this.anyChannel()
    return this.#control.to(this.addressOf(node === 'controller' ? this.#controllerId : node))
  }

  /** Asks any broker, one by its number, or the controller, again after failures of the way there. */
  ask<N extends ApiName>(api: N, body: RequestInput<N>, options: RequestOptions & { readonly node?: number | 'controller'; readonly deadlineMs?: number } = {}): Promise<ResponseOf<N>> {
    const { node, deadlineMs = 60_000, ...request } = options
    return this.#retrying({ deadlineMs }, async attempt => {
      if (attempt > 0) await this.refresh([])
      return (await this.channelTo(node)).request(api, body, request)
    })
  }

  /** For answers that say inside that trying again helps: `action` throws, and all of it is done again. */
  retrying<T>(action: (attempt: number) => Promise<T>, deadlineMs = 60_000): Promise<T> {
    return this.#retrying({ deadlineMs }, action)
  }

  close(): void {
    this.#closing.abort()
    this.#control.close()
  }

  #retrying<T>(limits: RetryLimits, action: (attempt: number) => Promise<T>): Promise<T> {
    return retrying(this.world, { signal: this.#closing.signal, ...limits }, action)
  }

  async #refreshNow(): Promise<void> {
    const { clock } = this.world
    const waitMs = this.#refreshedAt + refreshPauseMs - clock.monotonic()
    if (waitMs > 0) await new Promise<void>(resolve => clock.after(waitMs, resolve))
    const topics = [...this.#topics.keys()].map(name => ({ name }))
    this.#learn(await (await this.anyChannel()).request('Metadata', { topics, allowAutoTopicCreation: false }))
    this.#refreshedAt = clock.monotonic()
  }

  #learn(answer: ResponseOf<'Metadata'>): void {
    this.#clusterId = answer.clusterId
    this.#controllerId = answer.controllerId
    if (answer.brokers.length > 0) this.#brokers.clear()
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port })
    for (const topic of answer.topics) {
      if (topic.name === null) continue
      if (topic.errorCode === 0) this.#topics.set(topic.name, { leaders: leadersOf(topic) })
      else if (topic.errorCode === errors.UNKNOWN_TOPIC_OR_PARTITION.code) this.#topics.set(topic.name, null)
    }
  }
}

function leadersOf(topic: TopicMetadata): readonly number[] {
  const leaders: number[] = new Array<number>(topic.partitions.length).fill(-1)
  for (const { partitionIndex, leaderId } of topic.partitions) leaders[partitionIndex] = leaderId
  return leaders
}
