// `millrace groups reset-offsets`: lets a group without members read on from elsewhere; shows the plan, and does it when told to.

import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { splitPartitionName, type TopicPartition } from '../../core/record.ts'
import { sorted } from '../cluster/group-lags.ts'
import { partitionsOf } from '../cluster/partition-choice.ts'
import { offsetsIn, resetPlan, resetTarget, type PlannedOffset, type ResetOptions, type ResetScope, type ResetTarget } from '../cluster/reset-plan.ts'
import { cell, writeListing, type ListingOptions } from '../terminal/listing.ts'
import { withAdmin, type LogPlace } from '../terminal/log-connection.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { counted } from '../terminal/text-table.ts'

export interface GroupResetOptions extends LogPlace, ListingOptions, ResetOptions {
  readonly topic?: readonly string[]
  readonly allTopics?: boolean
  readonly execute?: boolean
  readonly verbose?: boolean
}

/** A group that does not exist yet may be given offsets: it then begins there. */
export async function resetOffsets(group: string, options: GroupResetOptions, terminal: Terminal): Promise<void> {
  const target = resetTarget(options, systemClock.now())
  await withAdmin(options, terminal, async admin => {
    await expectQuiet(admin, group)
    const plan = await resetPlan(admin, target, await scopeOf(admin, group, target, options))
    await writePlan(plan, options, terminal)
    if (options.execute !== true) return terminal.say(terminal.dim(plan.length === 0 ? 'there is nothing to reset' : 'nothing was changed; --execute does it'))
    await admin.resetOffsets(group, plan.map(({ topic, partition, newOffset }) => ({ topic, partition, offset: newOffset, metadata: '' })))
    terminal.say(`reset ${counted(plan.length, 'offset')} of ${group}`)
  })
}

async function expectQuiet(admin: ClusterAdmin, group: string): Promise<void> {
  const found = (await admin.describeGroups([group])).get(group)
  if (found === undefined || found.members.length === 0) return
  throw new MillraceError('NON_EMPTY_GROUP', `The group ${group} has ${counted(found.members.length, 'member')} (${found.state}).`, { hint: 'Stop them first: offsets of a group that reads cannot be reset.' })
}

async function scopeOf(admin: ClusterAdmin, group: string, target: ResetTarget, { topic, allTopics }: GroupResetOptions): Promise<ResetScope> {
  const committed = await admin.allCommittedOffsets(group)
  return { committed, partitions: sorted(await chosen(admin, [...committed.keys()], target, topic ?? [], allTopics === true)) }
}

async function chosen(admin: ClusterAdmin, committed: readonly string[], target: ResetTarget, topics: readonly string[], all: boolean): Promise<readonly TopicPartition[]> {
  if (topics.length > 0) return partitionsOf(admin, topics)
  if (target.kind === 'file') return [...(await offsetsIn(target.file)).keys()].map(splitPartitionName)
  if (!all) throw new MillraceError('USAGE', 'It is not said which topics.', { hint: 'Give --topic NAME[:PARTITIONS], or --all-topics for those that the group has read.' })
  const there = await admin.describeTopics([...new Set(committed.map(name => splitPartitionName(name).topic))])
  return committed.map(splitPartitionName).filter(({ topic, partition }) => partition < (there.get(topic)?.partitions ?? 0))
}

async function writePlan(plan: readonly PlannedOffset[], options: ListingOptions, terminal: Terminal): Promise<void> {
  const columns = [{ title: 'topic' }, { title: 'partition', right: true }, { title: 'offset', right: true }, { title: 'new offset', right: true }]
  await writeListing(plan, columns, ({ topic, partition, offset, newOffset }) => [topic, String(partition), cell(offset), String(newOffset)], options, terminal)
}
