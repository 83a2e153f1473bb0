// All group coordinators of a broker, one per partition of __consumer_offsets.

import type { BrokerConfig } from '../kernel/broker-config.ts'
import type { ConfigOverrides } from '../kernel/topic-config.ts'
import { coordinatorPartitionOf } from './coordinator-log.ts'
import { GroupHost, groupSettings, type GroupHostParts } from './group-host.ts'
import type { Partition } from './partition.ts'

export class GroupHosts {
  readonly #parts: Omit<GroupHostParts, 'partition' | 'settings'>
  readonly #config: BrokerConfig
  readonly #configsOf: (groupId: string) => ConfigOverrides
  #hosts: readonly GroupHost[] = []

  /** `configsOf`: what a group has of its own. */
  constructor(parts: Omit<GroupHostParts, 'partition' | 'settings'>, config: BrokerConfig, configsOf: (groupId: string) => ConfigOverrides) {
    this.#parts = parts
    this.#config = config
    this.#configsOf = configsOf
  }

  /** Replays the partitions and takes over their groups. */
  load(partitions: readonly Partition[]): void {
    const settings = groupSettings(this.#config, this.#configsOf)
    this.#hosts = partitions.map(partition => new GroupHost({ ...this.#parts, partition, settings }))
  }

  get all(): readonly GroupHost[] {
    return this.#hosts
  }

  /** The host of a group; null before __consumer_offsets is made. */
  of(groupId: string): GroupHost | null {
    return this.#hosts[this.partitionOf(groupId)] ?? null
  }

  /** The partition of __consumer_offsets that keeps a group. */
  partitionOf(groupId: string): number {
    return coordinatorPartitionOf(groupId, Math.max(1, this.#hosts.length))
  }

  topicDeleted(topic: string): void {
    for (const host of this.#hosts) host.perform(host.coordinator.topicsDeleted(name => name === topic, host.now))
  }

  expire(): void {
    for (const host of this.#hosts) host.perform(host.coordinator.expire(host.now))
  }

  close(): void {
    for (const host of this.#hosts) host.close()
  }
}
