// A consumer that shares topics with the other members of its group: fetches what it is assigned, and rebalances inside `poll`.

import { assert, MillraceError } from '../../core/error.ts'
import type { CommittedOffset, FetchedRecords, GroupConsumer, GroupConsumerOptions, MemberAssignment, RebalanceListener } from '../../core/log-port.ts'
import { partitionName, type Offset, type TopicPartition } from '../../core/record.ts'
import type { Cluster } from './cluster.ts'
import type { Connections } from './connections.ts'
import { Coordinator } from './coordinator.ts'
import { Fetcher } from './fetcher.ts'
import { commitOffsets, fetchOffsets } from './group-offsets.ts'
import { listOffsets } from './list-offsets.ts'
import { Membership } from './membership.ts'

export function createGroupConsumer(cluster: Cluster, options: GroupConsumerOptions): GroupConsumer {
  return new ClassicGroupConsumer(cluster, options)
}

class ClassicGroupConsumer implements GroupConsumer {
  readonly #cluster: Cluster
  readonly #options: GroupConsumerOptions
  /** The second is for what must not wait behind a join. */
  readonly #connections: Connections
  readonly #asideConnections: Connections
  readonly #coordinator: Coordinator
  readonly #aside: Coordinator
  readonly #membership: Membership
  readonly #fetcher: Fetcher
  #listener: RebalanceListener | null = null
  #joined = false
  #polling = false
  #closed = false

  constructor(cluster: Cluster, options: GroupConsumerOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#connections = cluster.connections(options.clientId)
    this.#asideConnections = cluster.connections(options.clientId)
    this.#coordinator = new Coordinator(cluster, this.#connections, options.groupId)
    this.#aside = new Coordinator(cluster, this.#asideConnections, options.groupId)
    this.#fetcher = new Fetcher(cluster, { ...options, offsetReset: options.offsetReset })
    this.#membership = new Membership(this.#coordinator, cluster.world, options, () => this.#fetcher.interrupt())
  }

  async start(listener: RebalanceListener): Promise<void> {
    assert(!this.#joined, 'a group consumer starts once')
    this.#listener = listener
    await this.#join()
  }

  async poll(timeoutMs: number): Promise<readonly FetchedRecords[]> {
    assert(!this.#polling, 'a group consumer is polled by one at a time')
    this.#polling = true
    try {
      if (this.#membership.standing !== 'stable' || !this.#joined) await this.#rebalance()
      return await this.#fetcher.poll(timeoutMs)
    } finally {
      this.#polling = false
    }
  }

  async commit(offsets: readonly (TopicPartition & CommittedOffset)[]): Promise<void> {
    try {
      await commitOffsets(this.#coordinator, this.#membership.committer, offsets)
    } catch (error) {
      this.#membership.heed(error)
      throw error
    }
  }

  committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, CommittedOffset>> {
    return fetchOffsets(this.#coordinator, partitions)
  }

  rejoin(): void {
    this.#membership.wantRebalance()
  }

  seek(partition: TopicPartition, offset: Offset): void {
    this.#fetcher.seek(partition, offset)
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#fetcher.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#fetcher.resume(partitions)
  }

  endOffset(partition: TopicPartition): Offset | undefined {
    return this.#fetcher.endOffset(partition)
  }

  position(partition: TopicPartition): Offset | undefined {
    return this.#fetcher.position(partition)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#fetcher.close()
    await this.#membership.leave(this.#aside)
    this.#connections.close()
    this.#asideConnections.close()
  }

  async #rebalance(): Promise<void> {
    const listener = this.#listener
    if (listener === null) throw new MillraceError('NOT_STARTED', `The consumer of group ${this.#options.groupId} has not joined.`, { hint: 'Call start first.' })
    this.#fetcher.hold(true)
    if (this.#joined) {
      this.#joined = false
      // Committing what was done may show that the membership is gone.
      if (this.#membership.standing === 'rebalance') await listener.revoked()
      else await listener.lost()
    }
    await this.#join()
  }

  async #join(): Promise<void> {
    this.#fetcher.hold(true)
    this.#fetcher.assign([])
    const assignment = await this.#membership.join()
    this.#fetcher.assign(await this.#startsOf(assignment))
    this.#joined = true
    await this.#listener!.assigned(assignment)
    this.#fetcher.hold(false)
  }

  /** Each partition with the offset to begin at. */
  async #startsOf({ partitions }: MemberAssignment): Promise<(TopicPartition & { readonly offset: Offset })[]> {
    const committed = await this.committed(partitions)
    const starts = partitions.map(({ topic, partition }) => ({ topic, partition, offset: committed.get(partitionName(topic, partition))?.offset ?? -1 }))
    const missing = starts.filter(({ offset }) => offset < 0)
    for (const policy of ['earliest', 'latest'] as const) {
      const group = missing.filter(({ topic }) => this.#options.offsetReset(topic) === policy)
      const found = await listOffsets(this.#cluster, group, policy)
      for (const start of group) start.offset = found.get(partitionName(start.topic, start.partition)) ?? 0
    }
    return starts
  }
}

