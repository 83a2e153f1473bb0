// `millrace groups`: lists, describes and deletes consumer groups, with what they have read and what is left.

import type { GroupDescription } from '../../broker/client/admin-groups.ts'
import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { MillraceError } from '../../core/error.ts'
import type { CommittedOffset } from '../../core/log-port.ts'
import { partitionName, splitPartitionName, type TopicPartition } from '../../core/record.ts'
import { groupLags, type Lag } from '../cluster/group-lags.ts'
import { expectGroups } from '../cluster/known-names.ts'
import { partitionsOf } from '../cluster/partition-choice.ts'
import { cell, writeListing, type ListingOptions } from '../terminal/listing.ts'
import { withAdmin, type LogPlace } from '../terminal/log-connection.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { counted } from '../terminal/text-table.ts'

export interface GroupsOptions extends LogPlace, ListingOptions {
  readonly verbose?: boolean
}

export async function listGroups(options: GroupsOptions, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const groups = (await admin.listGroups()).map(({ groupId, type, protocolType, state }) => ({ group: groupId, type, protocolType, state }))
    const columns = [{ title: 'group' }, { title: 'type' }, { title: 'protocol' }, { title: 'state' }]
    await writeListing(groups, columns, ({ group, type, protocolType, state }) => [group, cell(type), cell(protocolType), cell(state)], options, terminal)
  })
}

/** For each group a line about it and a table of its partitions, or with `members` of its members. */
export async function describeGroups(names: readonly string[], options: GroupsOptions & { readonly members?: boolean; readonly all?: boolean }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const asked = options.all === true ? (await admin.listGroups()).map(({ groupId }) => groupId) : names
    if (asked.length === 0 && options.all !== true) throw new MillraceError('USAGE', 'No group is named.', { hint: 'Name some, or say --all.' })
    for (const [index, group] of (await expectGroups(admin, asked)).entries()) {
      const offsets = await groupLags(admin, group)
      if (options.json === true) {
        await terminal.write(`${JSON.stringify({ group: group.groupId, type: group.type, protocolType: group.protocolType, protocol: group.protocol, state: group.state, members: group.members, offsets })}\n`)
        continue
      }
      await terminal.write(`${index === 0 ? '' : '\n'}${summary(group)}\n`)
      await (options.members === true ? writeMembers(group, terminal) : writeLags(offsets, terminal))
    }
  })
}

function summary({ groupId, type, protocol, state, members }: GroupDescription): string {
  return [`${groupId}: ${state}`, type, ...(protocol === '' ? [] : [protocol]), counted(members.length, 'member')].join(', ')
}

async function writeMembers({ members }: GroupDescription, terminal: Terminal): Promise<void> {
  const columns = [{ title: 'member' }, { title: 'instance' }, { title: 'client' }, { title: 'host' }, { title: 'partitions', right: true }, { title: 'assigned' }]
  const cells = ({ memberId, instanceId, clientId, clientHost, partitions }: GroupDescription['members'][number]): string[] => [
    memberId, cell(instanceId), cell(clientId), clientHost, String(partitions.length), cell(partitions.map(({ topic, partition }) => partitionName(topic, partition)).join(' ')),
  ]
  await writeListing(members, columns, cells, {}, terminal)
}

async function writeLags(offsets: readonly Lag[], terminal: Terminal): Promise<void> {
  const columns = [{ title: 'topic' }, { title: 'partition', right: true }, { title: 'offset', right: true }, { title: 'end', right: true }, { title: 'lag', right: true }, { title: 'member' }, { title: 'host' }]
  await writeListing(offsets, columns, ({ topic, partition, offset, end, lag, member, host }) => [topic, String(partition), cell(offset), cell(end), cell(lag), cell(member), cell(host)], {}, terminal)
}

export async function deleteGroups(names: readonly string[], options: GroupsOptions, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    await expectGroups(admin, names)
    await admin.deleteGroups(names)
    for (const name of names) terminal.say(`deleted ${name}`)
  })
}

export async function deleteOffsets(name: string, options: GroupsOptions & { readonly topic: readonly string[] }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    await expectGroups(admin, [name])
    const committed = await admin.allCommittedOffsets(name)
    const partitions = (await chosen(admin, options.topic, committed)).filter(({ topic, partition }) => committed.has(partitionName(topic, partition)))
    await admin.deleteOffsets(name, partitions)
    terminal.say(`deleted ${counted(partitions.length, 'offset')} of ${name}`)
  })
}

/** A topic that is gone may still have offsets. */
async function chosen(admin: ClusterAdmin, choices: readonly string[], committed: ReadonlyMap<string, CommittedOffset>): Promise<readonly TopicPartition[]> {
  const all = [...committed.keys()].map(splitPartitionName)
  const found = await Promise.all(choices.map(async choice => {
    const of = all.filter(({ topic }) => topic === choice)
    return of.length > 0 ? of : partitionsOf(admin, [choice])
  }))
  return found.flat()
}
