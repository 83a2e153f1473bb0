// A host for the coordinator of consumer groups in tests: besides what every groups' host has, topics, a log that can be compacted, and what a group looks like.

import type { ConsumerGroup } from '../../../broker/kernel/consumer-group.ts'
import type { ConsumerGroupSettings } from '../../../broker/kernel/consumer-group-room.ts'
import type { HeartbeatRequest } from '../../../broker/kernel/consumer-group-requests.ts'
import type { GroupCoordinator } from '../../../broker/kernel/group-coordinator.ts'
import type { GroupRecord, HeartbeatAnswer } from '../../../broker/kernel/group-effects.ts'
import { partitionList, type TopicPartitions } from '../../../broker/kernel/topic-partitions.ts'
import { compacted, groupSettings, GroupsHost } from './groups-host.ts'

export type Topics = ReadonlyMap<string, { readonly id: string; readonly partitions: number }>

/** A catalogue that changes when it is told to. */
class ChangingTopics {
  readonly topics = new Map<string, { readonly id: string; readonly partitions: number }>()
  topicsVersion = 0

  topicById(id: string): { readonly name: string } | undefined {
    for (const [name, topic] of this.topics) if (topic.id === id) return { name }
    return undefined
  }
}

const groupId = 'g'

export class ConsumerGroupsHost extends GroupsHost {
  readonly #catalogue: ChangingTopics
  readonly #names = new Map<string, string>()

  constructor(assignor: string, more: Partial<ConsumerGroupSettings> = {}) {
    const catalogue = new ChangingTopics()
    super(catalogue, { consumer: { ...groupSettings.consumer, assignors: [assignor], ...more } })
    this.#catalogue = catalogue
  }

  get topics(): Topics {
    return this.#catalogue.topics
  }

  get group(): ConsumerGroup | undefined {
    return this.coordinator.consumerGroup(groupId)
  }

  /** Makes a topic, lets it grow, or deletes it (0). */
  topic(name: string, partitions: number): void {
    const catalogue = this.#catalogue
    const old = catalogue.topics.get(name)
    catalogue.topicsVersion++
    if (partitions === 0) catalogue.topics.delete(name)
    else {
      const id = old?.id ?? `00000000-0000-4000-8000-${String(catalogue.topicsVersion).padStart(12, '0')}`
      this.#names.set(id, name)
      catalogue.topics.set(name, { id, partitions: Math.max(partitions, old?.partitions ?? 0) })
    }
  }

  /** The topic of a place that was written by {@link placesOf}. */
  topicOf(place: string): string {
    return this.#names.get(place.slice(0, 36))!
  }

  heartbeat(request: HeartbeatRequest, answered: (answer: HeartbeatAnswer) => void): void {
    this.ask<HeartbeatAnswer>((token, now) => this.coordinator.consumerHeartbeat(request, token, now), answered)
  }

  /** Keeps the last record of each key, and all of the last `tail` records. `forgets`: tombstones had their time. */
  compact(tail: number, forgets: boolean): void {
    this.records = compacted(this.records, tail, forgets)
  }

  /** Whichever protocol the group has. */
  knows(memberId: string): boolean {
    return [...this.coordinator.groups()].some(({ members }) => members.has(memberId))
  }

  /** The generation or epoch that a member is to speak with; -1 if there is none. */
  generationOf(memberId: string): number {
    const [group] = this.coordinator.groups()
    return (group?.type === 'classic' ? group.generation : group?.members.get(memberId)?.current.memberEpoch) ?? -1
  }

  /** What each member has, or has yet to give up. */
  held(): readonly (readonly [memberId: string, places: readonly string[]])[] {
    return Array.from(this.group?.members.values() ?? [], ({ memberId, current }) => [memberId, [...placesOf(current.assigned), ...placesOf(current.pendingRevocation)]])
  }

  snapshot(): unknown {
    return snapshotOf(this.group)
  }

  /** All that has to survive of a group of either protocol. */
  state(coordinator: GroupCoordinator = this.coordinator): unknown {
    const [group] = coordinator.groups()
    if (group?.type !== 'classic') return snapshotOf(group)
    const members = Array.from(group.members.values(), ({ memberId, assignment }) => `${memberId} ${assignment.toString('hex')}`)
    return { generation: group.generation, protocol: group.protocol, members: members.toSorted() }
  }

  replayedState(): unknown {
    return this.state(this.copy())
  }

  /** What another broker makes of the records. */
  replayed(records: readonly GroupRecord[] = this.records): unknown {
    return snapshotOf(this.copy(records).consumerGroup(groupId))
  }
}

export function placesOf(sets: TopicPartitions): readonly string[] {
  return partitionList(sets).flatMap(({ topicId, partitions }) => partitions.map(partition => `${topicId}/${partition}`))
}

/** All that has to survive, in an order of its own. */
function snapshotOf(group: ConsumerGroup | undefined): unknown {
  if (group === undefined) return null
  const members = [...group.members.values()].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  return {
    epoch: group.epoch, metadataHash: group.metadataHash, assignmentEpoch: group.assignmentEpoch, phase: group.phase,
    members: members.map(({ memberId, subscription, current }) => ({
      memberId, subscription, ...current, assigned: placesOf(current.assigned).toSorted(), pendingRevocation: placesOf(current.pendingRevocation).toSorted(),
      target: placesOf(group.targetOf(memberId)).toSorted(),
      owns: [...placesOf(current.assigned), ...placesOf(current.pendingRevocation)].map(place => group.ownerOf(place.slice(0, 36), Number(place.slice(37)))),
      instanceOf: subscription.instanceId === null ? null : group.memberOfInstance(subscription.instanceId)?.memberId,
    })),
    strayTargets: [...group.targets.keys()].filter(memberId => !group.members.has(memberId)),
    regexes: [...group.regexes].map(([regex, { topics }]) => `${regex}: ${topics.join()}`).toSorted(),
  }
}
