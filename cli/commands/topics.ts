// `millrace topics`: lists, creates, describes and deletes the topics of a log.

import type { ClusterAdmin, PartitionDetails } from '../../broker/client/admin.ts'
import { MillraceError } from '../../core/error.ts'
import { partitionName } from '../../core/record.ts'
import { expectTopics } from '../cluster/known-names.ts'
import { withAdmin, type LogPlace } from '../terminal/log-connection.ts'
import { cell, writeListing } from '../terminal/listing.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { counted } from '../terminal/text-table.ts'
import { wholeNumber } from '../terminal/whole-number.ts'

export async function listTopics(options: LogPlace & { readonly all?: boolean }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const shown = options.all === true ? [...(await admin.listTopics())].sort() : await userTopics(admin)
    await terminal.write(shown.map(name => `${name}\n`).join(''))
  })
}

/** Those that are not the broker's own. */
async function userTopics(admin: ClusterAdmin): Promise<readonly string[]> {
  return (await admin.listTopics()).filter(name => !name.startsWith('__')).sort()
}

export interface CreateTopicsOptions extends LogPlace {
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly config?: readonly string[]
  /** What is there already stays as it is. */
  readonly ifNotExists?: boolean
}

export async function createTopics(names: readonly string[], options: CreateTopicsOptions, terminal: Terminal): Promise<void> {
  const partitions = options.partitions === undefined ? -1 : wholeNumber('--partitions', options.partitions, 1)
  const replicationFactor = options.replicationFactor === undefined ? -1 : wholeNumber('--replication-factor', options.replicationFactor, 1)
  const config = Object.fromEntries((options.config ?? []).map(configEntry))
  await withAdmin(options, terminal, async admin => {
    const found = await admin.describeTopics(names)
    const there = names.filter(name => found.has(name))
    if (there.length > 0 && options.ifNotExists !== true) {
      throw new MillraceError('TOPIC_ALREADY_EXISTS', `The topic ${there[0]} is there already.`, { hint: 'Choose another name; or --if-not-exists leaves it as it is.' })
    }
    const missing = names.filter(name => !found.has(name))
    if (missing.length > 0) await admin.createTopics(missing.map(name => ({ name, partitions, replicationFactor, config })))
    for (const name of names) terminal.say(found.has(name) ? `${name} is there already` : `created ${name}`)
  })
}

/** A table of the topics' partitions (without names: of all topics but the broker's own) with their first and next offsets and who keeps them, or with `json` one object for each topic. */
export async function describeTopics(named: readonly string[], options: LogPlace & { readonly json?: boolean }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const names = named.length > 0 ? named : await userTopics(admin)
    await expectTopics(admin, names)
    const rows = (await Promise.all(names.map(name => partitionRows(admin, name)))).flat()
    if (options.json === true) {
      const lines = names.map(name => JSON.stringify({ topic: name, partitions: rows.filter(row => row.topic === name).map(({ topic: _, ...row }) => row) }))
      await terminal.write(lines.map(line => `${line}\n`).join(''))
      return
    }
    const numbers = ['partition', 'begin', 'end', 'offsets', 'leader'].map(title => ({ title, right: true }))
    const cells = ({ topic, partition, begin, end, leader, replicas, inSync }: PartitionRow): string[] => [
      topic, String(partition), cell(begin), cell(end), cell(begin === null || end === null ? null : end - begin), cell(leader), replicas.join(','), inSync.join(','),
    ]
    await writeListing(rows, [{ title: 'topic' }, ...numbers, { title: 'replicas' }, { title: 'in sync' }], cells, {}, terminal)
  })
}

/** Raises the number of partitions. What has a key goes elsewhere then. */
export async function alterTopics(names: readonly string[], options: LogPlace & { readonly partitions: string }, terminal: Terminal): Promise<void> {
  const partitions = wholeNumber('--partitions', options.partitions, 1)
  await withAdmin(options, terminal, async admin => {
    await expectTopics(admin, names)
    for (const name of names) {
      await admin.createPartitions(name, partitions)
      terminal.say(`${name} has ${counted(partitions, 'partition')}`)
    }
  })
}

export async function deleteTopics(names: readonly string[], options: LogPlace & { readonly ifExists?: boolean }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const found = options.ifExists === true ? await admin.describeTopics(names) : null
    const there = names.filter(name => found?.has(name) ?? true)
    await expectTopics(admin, there)
    if (there.length > 0) await admin.deleteTopics(there)
    for (const name of names) terminal.say(there.includes(name) ? `deleted ${name}` : `there is no topic ${name}`)
  })
}

interface PartitionRow extends Omit<PartitionDetails, 'leaderEpoch' | 'leader'> {
  readonly topic: string
  /** Null where nobody leads, and nobody can say where it begins and ends. */
  readonly begin: number | null
  readonly end: number | null
  readonly leader: number | null
}

async function partitionRows(admin: ClusterAdmin, topic: string): Promise<readonly PartitionRow[]> {
  const { partitionDetails } = (await admin.describeTopicDetails([topic])).get(topic)!
  const led = partitionDetails.filter(({ leader }) => leader >= 0).map(({ partition }) => ({ topic, partition }))
  const [begins, ends] = [await admin.listOffsets(led, 'earliest'), await admin.listOffsets(led, 'latest')]
  return partitionDetails.map(({ partition, leader, replicas, inSync }) => {
    const name = partitionName(topic, partition)
    return { topic, partition, begin: begins.get(name) ?? null, end: ends.get(name) ?? null, leader: leader < 0 ? null : leader, replicas, inSync }
  })
}

function configEntry(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new MillraceError('USAGE', `--config ${text} is no NAME=VALUE.`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}
