// The assignors of consumer groups at the server: which member shall have which partition.

import type { TopicPartitions } from './topic-partitions.ts'

export interface AssignorMember {
  readonly memberId: string
  readonly instanceId: string | null
  /** Ids of the topics it subscribes to. */
  readonly topicIds: ReadonlySet<string>
  /** What it was to have before. */
  readonly target: TopicPartitions
}

/** `partitions`: how many each topic has. Every partition of a topic with a subscriber goes to one of its subscribers. */
export type Assignor = (members: readonly AssignorMember[], partitions: ReadonlyMap<string, number>) => ReadonlyMap<string, TopicPartitions>

/** By Kafka's names. */
export const assignors: ReadonlyMap<string, Assignor> = new Map<string, Assignor>([['uniform', uniform], ['range', range]])

type Share = Map<string, Set<number>>

/** Each topic's partitions in runs, by the order of members: topics with the same subscribers are divided alike. */
function range(members: readonly AssignorMember[], partitions: ReadonlyMap<string, number>): ReadonlyMap<string, TopicPartitions> {
  const shares = new Map<string, Share>(members.map(({ memberId }) => [memberId, new Map()]))
  const ordered = [...members].sort((a, b) => compare(a.instanceId ?? a.memberId, b.instanceId ?? b.memberId))
  for (const [topicId, count] of partitions) {
    const subscribers = ordered.filter(({ topicIds }) => topicIds.has(topicId))
    if (subscribers.length === 0) continue
    const [most, rest] = [Math.floor(count / subscribers.length), count % subscribers.length]
    let first = 0
    subscribers.forEach(({ memberId }, index) => {
      const end = first + most + (index < rest ? 1 : 0)
      for (; first < end; first++) give(shares.get(memberId)!, topicId, first)
    })
  }
  return shares
}

/** Loads that differ by one at most as far as subscriptions allow it, moving as little as possible of what members had. */
function uniform(members: readonly AssignorMember[], partitions: ReadonlyMap<string, number>): ReadonlyMap<string, TopicPartitions> {
  return areAlike(members) ? alike(members, partitions) : balanced(members, partitions)
}

function areAlike([first, ...others]: readonly AssignorMember[]): boolean {
  return first !== undefined && others.every(({ topicIds }) => topicIds.size === first.topicIds.size && [...topicIds].every(topicId => first.topicIds.has(topicId)))
}

/** All want the same topics. What cannot be divided goes to members that have that much already, and else to the last ones, as with Apache Kafka. */
function alike(members: readonly AssignorMember[], partitions: ReadonlyMap<string, number>): ReadonlyMap<string, TopicPartitions> {
  const shares = new Map<string, Share>()
  const { topicIds } = members[0]!
  const all = [...partitions].filter(([topicId]) => topicIds.has(topicId)).flatMap(([topicId, count]) => Array.from({ length: count }, (_, partition) => [topicId, partition] as const))
  const least = Math.floor(all.length / members.length)
  let extras = all.length % members.length
  const open: { readonly share: Share; readonly room: number }[] = []
  const taken: Share = new Map()
  ;[...members].sort((a, b) => compare(a.memberId, b.memberId)).forEach(({ memberId, target }, index) => {
    const share: Share = new Map()
    shares.set(memberId, share)
    const mayHave = least + (extras > 0 ? 1 : 0)
    let load = 0
    for (const [topicId, partition] of heldOf(target, partitions, topicIds)) {
      if (load === mayHave) break
      give(share, topicId, partition)
      give(taken, topicId, partition)
      load++
    }
    const takesExtra = extras > 0 && (load === mayHave || members.length - index <= extras)
    if (takesExtra) extras--
    open.push({ share, room: least + (takesExtra ? 1 : 0) - load })
  })
  const free = all.filter(([topicId, partition]) => taken.get(topicId)?.has(partition) !== true)
  let next = 0
  for (const { share, room } of open) for (const [topicId, partition] of free.slice(next, (next += room))) give(share, topicId, partition)
  return shares
}

/** What a member was to have and still may, the lowest partitions first. */
function* heldOf(target: TopicPartitions, partitions: ReadonlyMap<string, number>, topicIds: ReadonlySet<string>): Iterable<readonly [string, number]> {
  for (const [topicId, held] of target) {
    if (!topicIds.has(topicId)) continue
    for (const partition of [...held].sort((a, b) => a - b)) if (partition < (partitions.get(topicId) ?? 0)) yield [topicId, partition]
  }
}

function balanced(members: readonly AssignorMember[], partitions: ReadonlyMap<string, number>): ReadonlyMap<string, TopicPartitions> {
  const balance = new Balance(members)
  for (const member of members) balance.keep(member, partitions)
  const subscribed = [...partitions].filter(([topicId]) => balance.hasSubscriber(topicId))
  for (const [topicId, count] of subscribed) balance.fill(topicId, count)
  balance.level(subscribed.map(([topicId]) => topicId))
  return balance.shares
}

/** One call's work: what each member has so far. */
class Balance {
  readonly shares = new Map<string, Share>()
  readonly #loads = new Map<string, number>()
  readonly #subscribers = new Map<string, string[]>()
  readonly #taken = new Map<string, Set<number>>()

  constructor(members: readonly AssignorMember[]) {
    for (const { memberId, topicIds } of [...members].sort((a, b) => compare(a.memberId, b.memberId))) {
      this.shares.set(memberId, new Map())
      this.#loads.set(memberId, 0)
      for (const topicId of topicIds) {
        const list = this.#subscribers.get(topicId)
        if (list === undefined) this.#subscribers.set(topicId, [memberId])
        else list.push(memberId)
      }
    }
  }

  hasSubscriber(topicId: string): boolean {
    return this.#subscribers.has(topicId)
  }

  /** What a member was to have and still may. */
  keep({ memberId, topicIds, target }: AssignorMember, partitions: ReadonlyMap<string, number>): void {
    for (const [topicId, wanted] of target) {
      if (!topicIds.has(topicId)) continue
      for (const partition of wanted) if (partition < (partitions.get(topicId) ?? 0) && !this.#isTaken(topicId, partition)) this.#give(memberId, topicId, partition)
    }
  }

  /** Gives what nobody has to who has least. */
  fill(topicId: string, count: number): void {
    for (let partition = 0; partition < count; partition++) {
      if (!this.#isTaken(topicId, partition)) this.#give(this.#least(topicId), topicId, partition)
    }
  }

  /** Moves one partition at a time from who has most to who has least. Every move makes loads more alike, so this ends. */
  level(topicIds: readonly string[]): void {
    for (let moved = true; moved; ) {
      moved = false
      for (const topicId of topicIds) while (this.#move(topicId)) moved = true
    }
  }

  #move(topicId: string): boolean {
    let from: string | null = null
    for (const memberId of this.#subscribers.get(topicId)!) {
      if ((this.shares.get(memberId)!.get(topicId)?.size ?? 0) > 0 && (from === null || this.#load(memberId) > this.#load(from))) from = memberId
    }
    const to = this.#least(topicId)
    if (from === null || this.#load(from) - this.#load(to) <= 1) return false
    const share = this.shares.get(from)!
    const partitions = share.get(topicId)!
    const partition = [...partitions].at(-1)!
    partitions.delete(partition)
    if (partitions.size === 0) share.delete(topicId)
    this.#loads.set(from, this.#load(from) - 1)
    this.#give(to, topicId, partition)
    return true
  }

  #least(topicId: string): string {
    let least: string | null = null
    for (const memberId of this.#subscribers.get(topicId)!) if (least === null || this.#load(memberId) < this.#load(least)) least = memberId
    return least!
  }

  #load(memberId: string): number {
    return this.#loads.get(memberId)!
  }

  #isTaken(topicId: string, partition: number): boolean {
    return this.#taken.get(topicId)?.has(partition) ?? false
  }

  #give(memberId: string, topicId: string, partition: number): void {
    give(this.shares.get(memberId)!, topicId, partition)
    give(this.#taken, topicId, partition)
    this.#loads.set(memberId, this.#load(memberId) + 1)
  }
}

function give(share: Share, topicId: string, partition: number): void {
  const partitions = share.get(topicId)
  if (partitions === undefined) share.set(topicId, new Set([partition]))
  else partitions.add(partition)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
