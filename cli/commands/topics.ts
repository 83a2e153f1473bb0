// `millrace topics`: lists, creates, describes and deletes the topics of a log.

import type { LogAdmin, TopicDescription } from '../../core/log-port.ts'
import { MillraceError } from '../../core/error.ts'
import { partitionName } from '../../core/record.ts'
import { connect, terminalLogger, type LogPlace } from '../terminal/log-connection.ts'
import { nearest } from '../terminal/nearest-name.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { textTable } from '../terminal/text-table.ts'
import { wholeNumber } from '../terminal/whole-number.ts'

export async function listTopics(options: LogPlace & { readonly all?: boolean }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const names = [...(await admin.listTopics())].sort()
    const shown = options.all === true ? names : names.filter(name => !name.startsWith('__'))
    await terminal.write(shown.map(name => `${name}\n`).join(''))
  })
}

export interface CreateTopicsOptions extends LogPlace {
  readonly partitions?: string
  readonly replicationFactor?: string
  readonly config?: readonly string[]
}

export async function createTopics(names: readonly string[], options: CreateTopicsOptions, terminal: Terminal): Promise<void> {
  const partitions = options.partitions === undefined ? -1 : wholeNumber('--partitions', options.partitions, 1)
  const replicationFactor = options.replicationFactor === undefined ? -1 : wholeNumber('--replication-factor', options.replicationFactor, 1)
  const config = Object.fromEntries((options.config ?? []).map(configEntry))
  await withAdmin(options, terminal, async admin => {
    const found = await admin.describeTopics(names)
    const there = names.find(name => found.has(name))
    if (there !== undefined) throw new MillraceError('TOPIC_ALREADY_EXISTS', `The topic ${there} is there already.`)
    await admin.createTopics(names.map(name => ({ name, partitions, replicationFactor, config })))
    for (const name of names) terminal.say(`created ${name}`)
  })
}

/** A table of the topics' partitions with their first and next offsets, or with `json` one object for each topic. */
export async function describeTopics(names: readonly string[], options: LogPlace & { readonly json?: boolean }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const described = await expectTopics(admin, names)
    const rows = (await Promise.all(described.map(topic => partitionRows(admin, topic)))).flat()
    if (options.json === true) {
      const lines = described.map(({ name }) => JSON.stringify({ topic: name, partitions: rows.filter(row => row.topic === name).map(({ topic: _, ...row }) => row) }))
      await terminal.write(lines.map(line => `${line}\n`).join(''))
      return
    }
    const columns = [{ title: 'topic' }, { title: 'partition', right: true }, { title: 'begin', right: true }, { title: 'end', right: true }, { title: 'offsets', right: true }]
    const cells = rows.map(({ topic, partition, begin, end }) => [topic, String(partition), String(begin), String(end), String(end - begin)])
    await terminal.write(textTable(columns, cells).map(line => `${line}\n`).join(''))
  })
}

export async function deleteTopics(names: readonly string[], options: LogPlace, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    await expectTopics(admin, names)
    await admin.deleteTopics(names)
    for (const name of names) terminal.say(`deleted ${name}`)
  })
}

/** Descriptions in the order of the names. @throws MillraceError UNKNOWN_TOPIC_OR_PARTITION with the nearest name */
export async function expectTopics(admin: LogAdmin, names: readonly string[]): Promise<readonly TopicDescription[]> {
  const found = await admin.describeTopics(names)
  const missing = names.find(name => !found.has(name))
  if (missing === undefined) return names.map(name => found.get(name)!)
  const known = (await admin.listTopics()).filter(name => !name.startsWith('__'))
  throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `There is no topic ${missing}.`, { hint: nearest(missing, [...known].sort(), 'There are', `Create it: millrace topics create ${missing}`) })
}

async function withAdmin(options: LogPlace & { readonly verbose?: boolean }, terminal: Terminal, work: (admin: LogAdmin) => Promise<void>): Promise<void> {
  const log = await connect(options, 'millrace-topics', terminalLogger(terminal, options.verbose === true))
  try {
    await work(log.admin)
  } finally {
    await log.close()
  }
}

async function partitionRows(admin: LogAdmin, topic: TopicDescription): Promise<{ topic: string; partition: number; begin: number; end: number }[]> {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => ({ topic: topic.name, partition }))
  const [begins, ends] = [await admin.listOffsets(partitions, 'earliest'), await admin.listOffsets(partitions, 'latest')]
  return partitions.map(({ partition }) => {
    const name = partitionName(topic.name, partition)
    return { topic: topic.name, partition, begin: begins.get(name) ?? 0, end: ends.get(name) ?? 0 }
  })
}

function configEntry(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new MillraceError('USAGE', `--config ${text} is no NAME=VALUE.`)
  return [text.slice(0, equals), text.slice(equals + 1)]
}
