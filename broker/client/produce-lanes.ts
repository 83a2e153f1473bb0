// The Produce requests that are out: a few to each broker, over one connection each, in order.

import type { MillraceError } from '../../core/error.ts'
import type { Channel } from '../wire/channel.ts'
import type { Cluster } from './cluster.ts'
import type { Connections } from './connections.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { requestOf, resultsOf, type PartitionResult, type SentBatch } from './produce-request.ts'
import { asError, isRetriable } from './retry.ts'

/** Where batches come from, and where a request ends. */
export interface ProduceEnds {
  /** What goes into one request; nothing when there is no more. */
  take(queues: readonly PartitionQueue[]): readonly SentBatch[]
  answered(batches: readonly SentBatch[], results: readonly PartitionResult[]): void
  /** The broker that is said to lead these cannot be reached. */
  unreachable(queues: readonly PartitionQueue[]): void
  /** More may be sent. */
  free(): void
  failed(error: Error): void
}

/** Requests to one broker that are not answered yet. */
const maxRequestsInFlight = 5
/** The broker itself waits 30 s for its replicas. */
const answerTimeoutMs = 45_000

interface Lane {
  readonly node: number
  requests: number
  connecting: boolean
  reachable: boolean
}

export class ProduceLanes {
  readonly #cluster: Cluster
  readonly #connections: Connections
  readonly #ends: ProduceEnds
  readonly #lanes = new Map<number, Lane>()

  constructor(cluster: Cluster, connections: Connections, ends: ProduceEnds) {
    this.#cluster = cluster
    this.#connections = connections
    this.#ends = ends
  }

  /** Sends what these queues have for the node that leads their partitions, as far as it may now. */
  send(node: number, queues: readonly PartitionQueue[]): void {
    let lane = this.#lanes.get(node)
    if (lane === undefined) this.#lanes.set(node, (lane = { node, requests: 0, connecting: false, reachable: true }))
    const channel = this.#connections.opened(this.#cluster.addressOf(node))
    if (channel === undefined) return this.#connect(lane, queues)
    while (lane.requests < maxRequestsInFlight) {
      const batches = this.#ends.take(queues)
      if (batches.length === 0) return
      this.#request(lane, channel, batches)
    }
  }

  close(): void {
    this.#connections.close()
  }

  #request(lane: Lane, channel: Channel, batches: readonly SentBatch[]): void {
    lane.requests++
    const { body, version } = requestOf(batches, channel.versionOf('Produce'))
    channel
      .request('Produce', body, { version, timeoutMs: answerTimeoutMs })
      .then(
        answer => this.#ends.answered(batches, resultsOf(answer, batches)),
        error => this.#ends.answered(batches, batches.map(() => ({ baseOffset: -1, error: asError(error) as MillraceError }))),
      )
      .finally(() => {
        lane.requests--
        this.#ends.free()
      })
      .catch(error => this.#ends.failed(asError(error)))
  }

  #connect(lane: Lane, queues: readonly PartitionQueue[]): void {
    if (lane.connecting) return
    lane.connecting = true
    this.#connections
      .to(this.#cluster.addressOf(lane.node))
      .then(
        () => {
          lane.reachable = true
          this.#ends.free()
        },
        error => {
          if (!isRetriable(error)) return this.#ends.failed(asError(error))
          if (lane.reachable) this.#cluster.world.logger.warn('a broker cannot be reached', { node: lane.node, error })
          lane.reachable = false
          this.#ends.unreachable(queues)
        },
      )
      .finally(() => (lane.connecting = false))
  }
}
