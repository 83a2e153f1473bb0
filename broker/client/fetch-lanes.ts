// The fetches that are out: two to each broker at most, so that quiet partitions do not hold up busy ones.

import type { FetchOptions } from '../../core/log-port.ts'
import type { ResponseOf } from '../wire/apis.ts'
import type { Cluster } from './cluster.ts'
import type { Connections } from './connections.ts'
import type { FetchPartition } from './fetch-partition.ts'
import { groupByTopic } from './partition-groups.ts'
import { asError } from './retry.ts'

export interface FetchLanesOptions extends FetchOptions {
  readonly maxPartitionBytes: number
}

/** What a fetch needs to know, and where it ends. */
export interface FetchEnds {
  /** Bytes that may be asked for, when so many are asked for already. */
  budget(reservedBytes: number): number
  answered(asked: readonly Asked[], answer: ResponseOf<'Fetch'>): void
  unanswered(asked: readonly Asked[], error: Error): void
  /** Another fetch may go out. */
  free(): void
}

/** A partition in a fetch, and the epoch it had. */
export interface Asked {
  readonly partition: FetchPartition
  readonly epoch: number
}

const defaultMaxWaitMs = 500
/** Most bytes of a fetch that waits for partitions at their end: little is to be expected of it. */
const maxLongFetchBytes = 8 * 1024 * 1024
/** How long partitions at their end wait in a fetch of their own while the long one is out. */
const shortWaitMs = 20
/** From 13 on topics have ids. */
const newestVersion = 12

/**
 * Two fetches may be out to each broker, on a connection each, for a broker answers one after the other: the long one waits for partitions that
 * are at their end; the quick one brings what is known to be there, and partitions that reached their end since the long one went out.
 */
interface Lane {
  readonly isLong: boolean
  readonly connections: Connections
  busy: boolean
}

interface Lanes {
  readonly long: Lane
  readonly quick: Lane
}

export class FetchLanes {
  readonly #cluster: Cluster
  readonly #options: FetchLanesOptions
  readonly #ends: FetchEnds
  readonly #lanes = new Map<number, Lanes>()
  #reservedBytes = 0

  constructor(cluster: Cluster, options: FetchLanesOptions, ends: FetchEnds) {
    this.#cluster = cluster
    this.#options = options
    this.#ends = ends
  }

  /** Sends what can be sent to a node now. */
  fetch(node: number, partitions: readonly FetchPartition[]): void {
    let lanes = this.#lanes.get(node)
    if (lanes === undefined) this.#lanes.set(node, (lanes = { long: this.#lane(true), quick: this.#lane(false) }))
    let quick = partitions
    if (!lanes.long.busy) {
      const atEnd = partitions.filter(partition => partition.caughtUp)
      if (atEnd.length > 0) this.#send(node, lanes.long, atEnd, this.#options.maxWaitMs ?? defaultMaxWaitMs)
      quick = partitions.filter(partition => !partition.caughtUp)
    }
    if (quick.length === 0 || lanes.quick.busy) return
    this.#send(node, lanes.quick, quick, quick.every(partition => partition.caughtUp) ? shortWaitMs : 0)
  }

  #lane(isLong: boolean): Lane {
    return { isLong, connections: this.#cluster.connections(this.#options.clientId), busy: false }
  }

  #send(node: number, lane: Lane, partitions: readonly FetchPartition[], maxWaitMs: number): void {
    const budget = lane.isLong ? maxLongFetchBytes : this.#ends.budget(this.#reservedBytes)
    if (budget <= 0) return
    const maxBytes = Math.min(budget, partitions.length * this.#options.maxPartitionBytes)
    const reserved = lane.isLong ? 0 : maxBytes
    this.#reservedBytes += reserved
    lane.busy = true
    const asked = partitions.map(partition => {
      partition.inFlight = true
      return { partition, epoch: partition.epoch }
    })
    this.#request(node, lane, partitions, { maxWaitMs, maxBytes })
      .then(
        answer => this.#ends.answered(asked, answer),
        error => this.#ends.unanswered(asked, asError(error)),
      )
      .finally(() => {
        this.#reservedBytes -= reserved
        lane.busy = false
        this.#ends.free()
      })
      .catch(error => this.#cluster.world.logger.error('a fetch cannot be handled', { error }))
  }

  async #request(node: number, lane: Lane, partitions: readonly FetchPartition[], limits: { readonly maxWaitMs: number; readonly maxBytes: number }): Promise<ResponseOf<'Fetch'>> {
    const address = this.#cluster.addressOf(node)
    const channel = lane.connections.opened(address) ?? (await lane.connections.to(address))
    // Brokers fill an answer in the order of the request: first who has waited longest.
    const inTurn = [...partitions].sort((a, b) => a.servedAt - b.servedAt)
    const topics = Array.from(groupByTopic(inTurn), ([topic, group]) => ({
      topic,
      partitions: group.map(({ partition, fetchOffset }) => ({ partition, fetchOffset, partitionMaxBytes: this.#options.maxPartitionBytes })),
    }))
    const isolationLevel = this.#options.isolation === 'read_committed' ? 1 : 0
    const version = Math.min(channel.versionOf('Fetch'), newestVersion)
    return channel.request('Fetch', { ...limits, minBytes: 1, isolationLevel, topics, forgottenTopicsData: [] }, { version, timeoutMs: limits.maxWaitMs + 30_000 })
  }

  close(): void {
    for (const { long, quick } of this.#lanes.values()) {
      long.connections.close()
      quick.connections.close()
    }
  }
}
