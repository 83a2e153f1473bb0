// A topology is the whole program as frozen data: nodes, stores, repartition topics, and the subtopologies they fall into.

import type { Serde } from '../serde.ts'
import type { TopicSerdes, TopologyNode } from './node.ts'
import type { StoreDescription } from './store-description.ts'

/** A topic of the application's own between two subtopologies; in the log it is `<application id>-<name>-repartition`. */
export interface RepartitionTopic {
  readonly name: string
  readonly serdes: TopicSerdes
  /** Null: as many as the sources that it is joined or fed with ask for. */
  readonly partitions: number | null
  /** True for the repartition of a grouped table: values are changes (old and new row). */
  readonly changes: boolean
}

/** A table that every application instance holds whole: all partitions of `topic` in one store, updated as they come. */
export interface GlobalTable {
  readonly name: string
  readonly topic: string
  readonly store: StoreDescription
  readonly site: string | null
}

/** Nodes that share records or stores: one task for each partition of its sources runs them. */
export interface Subtopology {
  /** Position in the topology, from 0. A task is named `<id>_<partition>`. */
  readonly id: number
  /** Names, in build order, parents before children. */
  readonly nodes: readonly string[]
  readonly stores: readonly string[]
  /** The user's topics read. */
  readonly sourceTopics: readonly string[]
  /** Unprefixed names of the repartition topics read. */
  readonly repartitionSources: readonly string[]
  /** Groups of source topics (user's by name, repartitions by unprefixed name) that must have equally many partitions. */
  readonly copartitioned: readonly (readonly string[])[]
}

export interface Topology {
  readonly kind: 'topology'
  /** In build order, parents before children. */
  readonly nodes: readonly TopologyNode[]
  readonly stores: readonly StoreDescription[]
  readonly repartitions: readonly RepartitionTopic[]
  readonly globals: readonly GlobalTable[]
  readonly subtopologies: readonly Subtopology[]
}

/** Serdes that stand in where an operator names none. */
export interface DefaultSerdes {
  readonly key?: Serde<unknown>
  readonly value?: Serde<unknown>
}

export function repartitionTopicName(applicationId: string, repartition: string): string {
  return `${applicationId}-${repartition}-repartition`
}

export function changelogTopicName(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`
}

export function isTopology(value: unknown): value is Topology {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'topology'
}
