// What a group coordinator is asked about offsets and by admin tools, and by which settings it works.

import type { Offset } from '../../core/record.ts'
import type { GroupPhase, Member } from './classic-group.ts'
import type { ConsumerGroupSettings } from './consumer-group-room.ts'
import type { OffsetPlace } from './group-offsets.ts'
import type { Committer } from './commit-rules.ts'
import type { ProducerIdentity } from './transaction-state.ts'

export interface GroupSettings {
  readonly initialRebalanceDelayMs: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly maxSize: number
  readonly offsetsRetentionMs: number
  readonly consumer: ConsumerGroupSettings
}

export interface OffsetCommitRequest extends Committer {
  readonly offsets: readonly (OffsetPlace & { readonly offset: Offset; readonly leaderEpoch: number; readonly metadata: string })[]
  /** In whose transaction; its end decides. */
  readonly producer?: ProducerIdentity
}

/** A group for admin tools. */
export interface GroupDescription {
  readonly groupId: string
  readonly phase: GroupPhase
  readonly protocolType: string
  readonly protocol: string
  readonly members: readonly (Member & { readonly metadata: Buffer })[]
}
