// What consumer groups work with: topics, settings, and where they say what they want done.

import type { Timestamp } from '../../core/record.ts'
import type { ErrorName } from '../wire/error-code.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ConsumerGroup, ConsumerGroupFact } from './consumer-group.ts'
import type { TopicsView } from './consumer-group-planning.ts'
import type { GroupAnswer, GroupTimer } from './group-effects.ts'
import type { GroupFact } from './group-records.ts'

/** Which groups with members may change their protocol when members of the other kind come, or the last of the new kind leaves. */
export type MigrationPolicy = 'bidirectional' | 'upgrade' | 'downgrade' | 'disabled'

export interface ConsumerGroupSettings {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** What a group has of its own. */
  readonly ofGroup?: (groupId: string) => Partial<MemberTiming>
  readonly maxSize: number
  /** Most members of a group that goes back to the classic protocol. */
  readonly classicMaxSize: number
  readonly migrationPolicy: MigrationPolicy
  /** Those that members may ask for; the first is that of groups whose members do not say. */
  readonly assignors: readonly string[]
}

export interface MemberTiming {
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

/** What a group writes in one turn: all that it consists of, and, where it changes its protocol, the record of the classic group. */
export type GroupWrite = readonly (ConsumerGroupFact | (GroupFact & { readonly kind: 'group' }))[]

/** Where the groups say what they want done; the coordinator is behind it. */
export interface ConsumerGroupsOutbox {
  /** Writes the facts; answers are given when they, and all of the group before them, are durable. `writesFailed` is told if they cannot be. */
  write(groupId: string, facts: GroupWrite): void
  /** `failed`: the answer if what was written before cannot be. */
  reply<A extends GroupAnswer>(groupId: string, token: number, answer: A, failed: (error: ErrorName) => A): void
  timer(timer: GroupTimer, delayMs: number): void
  cancel(timer: GroupTimer): void
  /** The group goes on as a classic one, after these removals. `rebalances`: its members are to share out anew. */
  downgrade(group: ClassicGroup, removals: GroupWrite, rebalances: boolean, now: Timestamp): void
}

export interface ConsumerGroupRoom {
  readonly topics: TopicsView
  readonly settings: ConsumerGroupSettings
  readonly out: ConsumerGroupsOutbox
}

/** Kinds of timers that members of consumer groups have. */
const memberTimers = ['session', 'revocation', 'member-join', 'member-sync'] as const

export function memberTimer({ groupId }: ConsumerGroup, kind: (typeof memberTimers)[number], memberId: string): GroupTimer {
  return { kind, groupId, memberId }
}

export function cancelTimers({ out }: ConsumerGroupRoom, group: ConsumerGroup, memberId: string): void {
  for (const kind of memberTimers) out.cancel(memberTimer(group, kind, memberId))
  group.awaitedJoins.delete(memberId)
}

/** After how long a silent member is given up: a classic one has said it itself. */
export function sessionTimeoutOf({ settings }: ConsumerGroupRoom, group: ConsumerGroup, memberId: string): number {
  return group.members.get(memberId)?.subscription.classic?.sessionTimeoutMs ?? settings.ofGroup?.(group.groupId).sessionTimeoutMs ?? settings.sessionTimeoutMs
}
