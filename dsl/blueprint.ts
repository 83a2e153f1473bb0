// The topology while it is being drawn: drafts of nodes, stores and repartition topics, still without names and open to change.

import type { Serde } from '../core/serde.ts'
import type { SourceNode, TopicSerdes, TopologyNode } from '../core/topology/node.ts'
import type { StoreDescription } from '../core/topology/store-description.ts'
import type { DefaultSerdes } from '../core/topology/topology.ts'
import type { Call } from './call.ts'

/** How a thing gets its name: from the user, from its path of verbs, or after another thing. */
export type Naming =
  | { readonly kind: 'given'; readonly name: string }
  | { readonly kind: 'structural'; readonly path: string }
  | { readonly kind: 'derived'; readonly from: StoreDraft | RepartitionDraft; readonly suffix: string }

/** A serde that is known, not known, or made when the defaults are known. */
export type SerdeSlot = Serde<unknown> | null | ((defaults: DefaultSerdes) => Serde<unknown>)

export type NodeBase = Pick<SourceNode, 'name' | 'parents' | 'site'>

export interface Draft {
  readonly naming: Naming
  readonly call: Pick<Call, 'verb' | 'site'>
  readonly parents: readonly Draft[]
  /** Makes the node once all names and flags stand. */
  readonly emit: (base: NodeBase, plan: Plan) => TopologyNode
}

export interface StoreDraft {
  readonly naming: Naming
  readonly call: Pick<Call, 'verb' | 'site'>
  /** False: nobody needs it (yet), so it will not be made. */
  used: boolean
  /** Brought whole by a processor; null for tables. */
  readonly description: StoreDescription | null
  readonly describe: (name: string, plan: Plan) => StoreDescription
}

export interface RepartitionDraft {
  readonly naming: Naming
  readonly call: Pick<Call, 'verb' | 'site'>
  readonly key: SerdeSlot
  readonly value: SerdeSlot
  readonly partitions: number | null
  readonly changes: boolean
  /** False while all its readers only count records. */
  valueMatters: boolean
}

export interface GlobalDraft {
  readonly naming: Naming
  readonly call: Pick<Call, 'verb' | 'site'>
  readonly topic: string
  readonly store: StoreDraft
  readonly serdes: { readonly key: SerdeSlot; readonly value: SerdeSlot }
}

/** What drafts ask when they become nodes. */
export interface Plan {
  nodeName(draft: Draft): string
  storeName(store: StoreDraft): string
  repartitionName(repartition: RepartitionDraft): string
  /** Store names as a processor lists them, checked, without the global ones. @throws MillraceError TOPOLOGY */
  connectedStores(names: readonly string[], call: Pick<Call, 'verb' | 'site'>): readonly string[]
  /** Keys always have one: at the last, the string serde. */
  key(slot: SerdeSlot): Serde<unknown>
  /** @throws MillraceError TOPOLOGY if there is none; `what` is the topic or store it is for */
  value(slot: SerdeSlot, call: Pick<Call, 'verb' | 'site'>, what: string): Serde<unknown>
  /** Serdes of a topic that is read: nothing but what was given or is the default will do. */
  sourceSerdes(key: SerdeSlot, value: SerdeSlot, call: Pick<Call, 'verb' | 'site'>, topic: string): TopicSerdes
}

export class Blueprint {
  /** In the order of the calls, parents before children: the order of children is the order in which they get a record. */
  readonly nodes: Draft[] = []
  readonly stores: StoreDraft[] = []
  readonly repartitions: RepartitionDraft[] = []
  readonly globals: GlobalDraft[] = []
  /** Where the stores of this topology live unless they say otherwise. */
  readonly medium: 'level' | 'memory'
  /** Whether stores and repartition topics must be named by the user. */
  readonly explicitNames: boolean

  constructor(medium: 'level' | 'memory', explicitNames: boolean) {
    this.medium = medium
    this.explicitNames = explicitNames
  }

  /** Adds a node; unnamed, it will be called after `path`. */
  node(call: Call, path: string, parents: readonly Draft[], emit: Draft['emit']): Draft {
    const draft: Draft = { naming: naming(call.name, path), call, parents, emit }
    this.nodes.push(draft)
    return draft
  }

  /** Adds a node that is called after the repartition topic it serves. */
  repartitionNode(repartition: RepartitionDraft, suffix: string, parents: readonly Draft[], emit: Draft['emit']): Draft {
    const draft: Draft = { naming: { kind: 'derived', from: repartition, suffix }, call: repartition.call, parents, emit }
    this.nodes.push(draft)
    return draft
  }
}

export function naming(given: string | null, path: string): Naming {
  return given === null ? { kind: 'structural', path } : { kind: 'given', name: given }
}
