// `millrace configs`: shows and changes the settings of topics, brokers and groups.

import type { ConfigChange, ConfigEntry, ConfigResource } from '../../broker/client/admin-configs.ts'
import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { MillraceError } from '../../core/error.ts'
import { expectTopics } from '../cluster/known-names.ts'
import { cell, writeListing, type ListingOptions } from '../terminal/listing.ts'
import { withAdmin, type LogPlace } from '../terminal/log-connection.ts'
import { nearest } from '../terminal/nearest-name.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { wholeNumber } from '../terminal/whole-number.ts'

export interface ConfigsOptions extends LogPlace, ListingOptions {
  readonly topic?: readonly string[]
  /** Numbers of brokers, or `all`: what is set for all of them. */
  readonly broker?: readonly string[]
  readonly group?: readonly string[]
  readonly verbose?: boolean
}

interface Row extends ConfigEntry {
  /** `topic NAME`, `broker NUMBER`, `all brokers`, `group NAME`. */
  readonly of: string
}

/** Every setting that is not a default, of all topics and brokers. */
export async function listConfigs(options: ConfigsOptions, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const topics = (await admin.listTopics()).map((topic): ConfigResource => ({ topic }))
    const brokers = (await admin.describeCluster()).brokers.map(({ nodeId }): ConfigResource => ({ broker: nodeId }))
    await writeConfigs(await rowsOf(admin, [...topics, { broker: 'all' }, ...brokers], isOwn), options, terminal)
  })
}

/** Settings of what is named: those that are its own, or with `all` every one. */
export async function describeConfigs(options: ConfigsOptions & { readonly all?: boolean }, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const rows = await rowsOf(admin, await resourcesOf(admin, options), options.all === true ? () => true : isOwn)
    await writeConfigs(rows, options, terminal)
    if (rows.length === 0) terminal.say(terminal.dim('all settings are defaults; --all shows them'))
  })
}

export interface AlterConfigsOptions extends ConfigsOptions {
  readonly set?: readonly string[]
  readonly delete?: readonly string[]
  readonly append?: readonly string[]
  readonly subtract?: readonly string[]
  readonly dryRun?: boolean
}

export async function alterConfigs(options: AlterConfigsOptions, terminal: Terminal): Promise<void> {
  const changes = changesIn(options)
  await withAdmin(options, terminal, async admin => {
    for (const resource of await resourcesOf(admin, options)) {
      await expectSettings(admin, resource, changes)
      await admin.alterConfigs(resource, changes, options.dryRun === true)
      terminal.say(`${options.dryRun === true ? 'would change' : 'changed'} ${nameOf(resource)}`)
    }
  })
}

// ─── settings ───

/** What somebody has set on the thing itself: not a default, nor what a topic has from its broker. */
function isOwn({ source }: ConfigEntry, resource: ConfigResource): boolean {
  if (resource.topic !== undefined) return source === 'topic'
  if (resource.group !== undefined) return source === 'group'
  return source !== 'default' && (resource.broker === 'all' || source !== 'dynamic default')
}

/** Requests under way at a time. */
const askedTogether = 20

async function rowsOf(admin: ClusterAdmin, resources: readonly ConfigResource[], isWanted: (entry: ConfigEntry, resource: ConfigResource) => boolean): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (let at = 0; at < resources.length; at += askedTogether) {
    const found = await Promise.all(resources.slice(at, at + askedTogether).map(async resource => {
      const entries = await admin.describeConfigs(resource)
      return entries.filter(entry => isWanted(entry, resource)).map(entry => ({ of: nameOf(resource), ...entry }))
    }))
    rows.push(...found.flat())
  }
  return rows
}

async function writeConfigs(rows: readonly Row[], options: ListingOptions, terminal: Terminal): Promise<void> {
  const columns = [{ title: 'of' }, { title: 'setting' }, { title: 'value' }, { title: 'from' }, { title: 'changes' }]
  const value = ({ value, isSensitive }: Row): string => (isSensitive ? '(secret)' : cell(value))
  await writeListing(rows, columns, row => [row.of, row.name, value(row), row.source, row.isReadOnly ? 'at start' : 'any time'], options, terminal)
}

function changesIn({ set = [], delete: deleted = [], append = [], subtract = [] }: AlterConfigsOptions): readonly ConfigChange[] {
  const changes: readonly ConfigChange[] = [
    ...set.map(text => assignment('--set', 'set', text)),
    ...append.map(text => assignment('--append', 'append', text)),
    ...subtract.map(text => assignment('--subtract', 'subtract', text)),
    ...deleted.map((name): ConfigChange => ({ name, operation: 'delete' })),
  ]
  if (changes.length === 0) throw new MillraceError('USAGE', 'Nothing is to be changed.', { hint: 'Give --set NAME=VALUE, --delete NAME, --append NAME=VALUE or --subtract NAME=VALUE.' })
  return changes
}

function assignment(option: string, operation: ConfigChange['operation'], text: string): ConfigChange {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new MillraceError('USAGE', `${option} ${text} is no NAME=VALUE.`)
  return { name: text.slice(0, equals), operation, value: text.slice(equals + 1) }
}

/** Kafka lets unknown settings of brokers pass, and says nothing about those that are to be deleted. */
async function expectSettings(admin: ClusterAdmin, resource: ConfigResource, changes: readonly ConfigChange[]): Promise<void> {
  const whole: ConfigResource = resource.broker === 'all' ? { broker: (await admin.describeCluster()).brokers[0]!.nodeId } : resource
  const known = (await admin.describeConfigs(whole)).map(({ name }) => name)
  const stranger = changes.find(({ name }) => known.length > 0 && !known.includes(name))
  if (stranger === undefined) return
  throw new MillraceError('INVALID_CONFIG', `${nameOf(resource)} has no setting ${stranger.name}.`, { hint: nearest(stranger.name, known, 'There are', '') })
}

// ─── whose ───

async function resourcesOf(admin: ClusterAdmin, { topic = [], broker = [], group = [] }: ConfigsOptions): Promise<readonly ConfigResource[]> {
  if (topic.length + broker.length + group.length === 0) throw new MillraceError('USAGE', 'It is not said whose settings.', { hint: 'Give --topic NAME, --broker NUMBER, --broker all or --group NAME.' })
  if (topic.length > 0) await expectTopics(admin, topic)
  const brokers = broker.map((text): number | 'all' => (text === 'all' ? 'all' : wholeNumber('--broker', text, 0)))
  const known = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId)
  const stranger = brokers.find(number => number !== 'all' && !known.includes(number))
  if (stranger !== undefined) throw new MillraceError('BROKER_NOT_AVAILABLE', `There is no broker ${stranger}.`, { hint: `There are ${known.join(', ')}.` })
  return [...topic.map(name => ({ topic: name })), ...brokers.map(number => ({ broker: number })), ...group.map(name => ({ group: name }))]
}

function nameOf({ topic, broker, group }: ConfigResource): string {
  if (topic !== undefined) return `topic ${topic}`
  if (group !== undefined) return `group ${group}`
  return broker === 'all' ? 'all brokers' : `broker ${broker}`
}
