// The settings of a broker: Kafka's names, our defaults, and the layers that a value comes from.

import { nearestName } from '../../core/nearest-name.ts'
import { MillraceError } from '../../core/error.ts'
import { configProblem, configSource, listOf, maxInt, maxLong, type ConfigDefinition } from './config-definition.ts'
import { isForeign, saidOfForeign } from './foreign-settings.ts'
import { ListenerConfig, listenerSetting, type Settings } from './listener-config.ts'
import { securityConfigs } from './security-configs.ts'
import { topicConfigs, type ConfigOverrides, type Refusal } from './topic-config.ts'

const day = 86_400_000

/** Where a default differs from Kafka's, the documentation says so. */
export const brokerConfigs: ReadonlyMap<string, ConfigDefinition> = new Map(
  (
    [
      { name: 'node.id', type: 'int', default: '1', min: 0, readOnly: true, documentation: 'Number of this broker.' },
      { name: 'broker.id', type: 'int', default: '1', min: 0, readOnly: true, documentation: 'The same as node.id.' },
      { name: 'add.partitions.to.txn.retry.backoff.max.ms', type: 'int', default: '100', min: 0, readOnly: true, documentation: 'How long a request waits for the end of the transaction before it, milliseconds; then its client asks again.' },
      { name: 'advertised.listeners', type: 'list', default: null, readOnly: true, documentation: 'Where clients are told to find this broker, host:port, if that is not where it listens: behind a container, NAT or a name in a certificate.' },
      { name: 'auto.create.topics.enable', type: 'boolean', default: 'true', readOnly: true, documentation: 'Whether a topic that a client asks for is created.' },
      { name: 'compression.type', type: 'string', default: 'producer', oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'], documentation: 'Compression of topics that do not say.' },
      { name: 'default.replication.factor', type: 'int', default: '1', min: 1, readOnly: true, documentation: 'Replicas of topics that do not say. One broker can keep one: with more such topics are refused.' },
      { name: 'delete.topic.enable', type: 'boolean', default: 'true', readOnly: true, documentation: 'Whether topics can be deleted.' },
      { name: 'fetch.max.bytes', type: 'int', default: '57671680', min: 1024, readOnly: true, documentation: 'Most bytes of one answer to a fetch.' },
      { name: 'group.consumer.assignors', type: 'list', default: 'uniform,range', oneOf: ['uniform', 'range'], readOnly: true, documentation: 'Assignors of consumer groups (KIP-848); the first is that of groups whose members do not say.' },
      { name: 'group.consumer.heartbeat.interval.ms', type: 'int', default: '5000', min: 1, readOnly: true, documentation: 'How often members of consumer groups (KIP-848) are to be heard of, milliseconds.' },
      { name: 'group.consumer.max.heartbeat.interval.ms', type: 'int', default: '15000', min: 1, readOnly: true, documentation: 'Rarest that members of consumer groups (KIP-848) may be heard of, milliseconds.' },
      { name: 'group.consumer.max.session.timeout.ms', type: 'int', default: '60000', min: 1, readOnly: true, documentation: 'Longest session timeout of consumer groups (KIP-848), milliseconds.' },
      { name: 'group.consumer.max.size', type: 'int', default: String(maxInt), min: 1, readOnly: true, documentation: 'Most members of a consumer group (KIP-848).' },
      { name: 'group.consumer.migration.policy', type: 'string', default: 'bidirectional', oneOf: ['bidirectional', 'upgrade', 'downgrade', 'disabled'], readOnly: true, documentation: 'Whether groups with members may change from the classic protocol to that of consumer groups (KIP-848), and back.' },
      { name: 'group.consumer.min.heartbeat.interval.ms', type: 'int', default: '5000', min: 1, readOnly: true, documentation: 'Most often that members of consumer groups (KIP-848) may be heard of, milliseconds.' },
      { name: 'group.consumer.min.session.timeout.ms', type: 'int', default: '45000', min: 1, readOnly: true, documentation: 'Shortest session timeout of consumer groups (KIP-848), milliseconds.' },
      { name: 'group.consumer.session.timeout.ms', type: 'int', default: '45000', min: 1, readOnly: true, documentation: 'After how long a silent member of a consumer group (KIP-848) is given up, milliseconds.' },
      { name: 'group.initial.rebalance.delay.ms', type: 'int', default: '0', min: 0, readOnly: true, documentation: 'How long the first rebalance of a group waits for more members, milliseconds. Kafka: 3000.' },
      { name: 'group.max.session.timeout.ms', type: 'int', default: '1800000', min: 1, readOnly: true, documentation: 'Longest session timeout of a member.' },
      { name: 'group.max.size', type: 'int', default: String(maxInt), min: 1, readOnly: true, documentation: 'Most members of a group.' },
      { name: 'group.min.session.timeout.ms', type: 'int', default: '6000', min: 1, readOnly: true, documentation: 'Shortest session timeout of a member.' },
      { name: 'log.cleaner.backoff.ms', type: 'long', default: '15000', min: 0, documentation: 'Time between two looks for logs to compact, milliseconds.' },
      { name: 'log.cleaner.dedupe.buffer.size', type: 'long', default: '33554432', min: 1048576, documentation: 'Bytes that the keys of one compaction may take. Kafka: 134217728.' },
      { name: 'log.cleaner.delete.retention.ms', type: 'long', default: String(day), min: 0, documentation: 'How long compacted topics keep tombstones, milliseconds.' },
      { name: 'log.cleaner.enable', type: 'boolean', default: 'true', readOnly: true, documentation: 'Whether compacted topics are compacted.' },
      { name: 'log.cleaner.max.compaction.lag.ms', type: 'long', default: maxLong, min: 1, documentation: 'Longest time that a record stays uncompacted.' },
      { name: 'log.cleaner.min.cleanable.ratio', type: 'double', default: '0.5', min: 0, max: 1, documentation: 'Share of uncompacted bytes from which a log is compacted.' },
      { name: 'log.cleaner.min.compaction.lag.ms', type: 'long', default: '0', min: 0, documentation: 'Shortest time that a record stays uncompacted.' },
      { name: 'log.cleanup.policy', type: 'list', default: 'delete', oneOf: ['compact', 'delete'], documentation: 'What happens to old records of topics that do not say.' },
      { name: 'log.flush.interval.messages', type: 'long', default: maxLong, min: 1, documentation: 'Records between two fsyncs where acknowledgements do not wait for each (millrace.flush=os).' },
      { name: 'log.flush.interval.ms', type: 'long', default: null, min: 0, documentation: 'Longest time that a record is not on the disk where acknowledgements do not wait for that (millrace.flush=os), milliseconds.' },
      { name: 'log.index.interval.bytes', type: 'int', default: '4096', min: 0, documentation: 'Bytes between two entries of an offset index.' },
      { name: 'log.index.size.max.bytes', type: 'int', default: '10485760', min: 4, documentation: 'Largest offset index.' },
      { name: 'log.message.timestamp.after.max.ms', type: 'long', default: '3600000', min: 0, documentation: 'How far ahead of the broker a timestamp may be.' },
      { name: 'log.message.timestamp.before.max.ms', type: 'long', default: maxLong, min: 0, documentation: 'How far behind the broker a timestamp may be.' },
      { name: 'log.message.timestamp.type', type: 'string', default: 'CreateTime', oneOf: ['CreateTime', 'LogAppendTime'], documentation: 'Whether the producer or the broker says when a record is.' },
      { name: 'log.preallocate', type: 'boolean', default: 'false', documentation: 'Kept for compatibility.' },
      { name: 'log.retention.bytes', type: 'long', default: '-1', min: -1, documentation: 'Most bytes of a partition; -1: no limit.' },
      { name: 'log.retention.check.interval.ms', type: 'long', default: '300000', min: 1, readOnly: true, documentation: 'Time between two looks for segments to delete.' },
      { name: 'log.retention.hours', type: 'int', default: '168', readOnly: true, documentation: 'How long records are kept, hours.' },
      { name: 'log.retention.minutes', type: 'int', default: null, readOnly: true, documentation: 'How long records are kept, minutes; stronger than hours.' },
      { name: 'log.retention.ms', type: 'long', default: null, min: -1, documentation: 'How long records are kept, milliseconds; stronger than minutes.' },
      { name: 'log.roll.hours', type: 'int', default: '168', min: 1, readOnly: true, documentation: 'Longest time that one file is written to, hours.' },
      { name: 'log.roll.jitter.ms', type: 'long', default: null, min: 0, documentation: 'Kept for compatibility.' },
      { name: 'log.roll.ms', type: 'long', default: null, min: 1, documentation: 'Longest time that one file is written to, milliseconds; stronger than hours.' },
      { name: 'log.segment.bytes', type: 'int', default: '1073741824', min: 14, documentation: 'Largest file of a partition.' },
      { name: 'log.segment.delete.delay.ms', type: 'long', default: '60000', min: 0, documentation: 'How long the bytes of removed segments and topics stay on the disk, under another name, milliseconds; after the disk was full they go at once for an hour.' },
      { name: 'max.request.partition.size.limit', type: 'int', default: '2000', min: 1, readOnly: true, documentation: 'Most partitions in one answer to DescribeTopicPartitions.' },
      { name: 'message.max.bytes', type: 'int', default: '1048588', min: 0, documentation: 'Largest record batch of topics that do not say.' },
      { name: 'millrace.flush', type: 'string', default: 'fsync', oneOf: ['fsync', 'os'], readOnly: true, documentation: 'What an acknowledgement waits for: fsync of the medium, or os, the page cache as Kafka does.' },
      { name: 'millrace.max.open.files', type: 'int', default: '1000', min: 4, readOnly: true, documentation: 'Most files of the log that are open at once.' },
      { name: 'millrace.metrics.max.series', type: 'int', default: '1000', min: 1, readOnly: true, documentation: 'Most topics, partitions or groups that one metric shows; how many are left out is a metric, too.' },
      { name: 'millrace.queued.max.response.bytes', type: 'long', default: '134217728', min: 0, readOnly: true, documentation: 'Bytes of records on their way to clients, all connections together; beyond, an answer brings one batch only, and at twice that those who take nothing are cut off.' },
      { name: 'millrace.slow.request.ms', type: 'int', default: '1000', min: 0, documentation: 'From here on a request gets a line in the log, milliseconds.' },
      { name: 'min.insync.replicas', type: 'int', default: '1', min: 1, documentation: 'Kept for compatibility: replicas that must have a record before it is acknowledged, at most as many as there are, which is one.' },
      { name: 'num.partitions', type: 'int', default: '1', min: 1, readOnly: true, documentation: 'Partitions of topics that do not say.' },
      { name: 'offset.metadata.max.bytes', type: 'int', default: '4096', min: 0, readOnly: true, documentation: 'Longest metadata of a committed offset.' },
      { name: 'offsets.retention.check.interval.ms', type: 'long', default: '600000', min: 1, readOnly: true, documentation: 'Time between two looks for committed offsets to forget.' },
      { name: 'offsets.retention.minutes', type: 'int', default: '10080', min: 1, readOnly: true, documentation: 'How long an empty group keeps its offsets.' },
      { name: 'offsets.topic.num.partitions', type: 'int', default: '1', min: 1, readOnly: true, documentation: 'Partitions of __consumer_offsets when it is created. Kafka: 50.' },
      { name: 'offsets.topic.replication.factor', type: 'short', default: '1', min: 1, readOnly: true, documentation: 'Kept for compatibility: one broker keeps one. Kafka: 3.' },
      { name: 'offsets.topic.segment.bytes', type: 'int', default: '4194304', min: 1, readOnly: true, documentation: 'Largest file of __consumer_offsets, which is read at every start. Kafka: 104857600.' },
      { name: 'producer.id.expiration.ms', type: 'int', default: String(day), min: 1, documentation: 'How long a partition remembers an idle producer.' },
      { name: 'socket.request.max.bytes', type: 'int', default: '104857600', min: 1, readOnly: true, documentation: 'Largest request.' },
      { name: 'transaction.abort.timed.out.transaction.cleanup.interval.ms', type: 'int', default: '10000', min: 1, readOnly: true, documentation: 'Time between two looks for transactions that are open for too long, milliseconds.' },
      { name: 'transaction.max.timeout.ms', type: 'int', default: '900000', min: 1, readOnly: true, documentation: 'Longest timeout of a transaction.' },
      { name: 'transaction.remove.expired.transaction.cleanup.interval.ms', type: 'int', default: '3600000', min: 1, readOnly: true, documentation: 'Time between two looks for transactional ids that are idle for too long, milliseconds.' },
      { name: 'transaction.state.log.min.isr', type: 'int', default: '1', min: 1, readOnly: true, documentation: 'Kept for compatibility: one broker keeps one. Kafka: 2.' },
      { name: 'transaction.state.log.num.partitions', type: 'int', default: '1', min: 1, readOnly: true, documentation: 'Partitions of __transaction_state when it is created. Kafka: 50.' },
      { name: 'transaction.state.log.replication.factor', type: 'short', default: '1', min: 1, readOnly: true, documentation: 'Kept for compatibility: one broker keeps one. Kafka: 3.' },
      { name: 'transaction.state.log.segment.bytes', type: 'int', default: '4194304', min: 1, readOnly: true, documentation: 'Largest file of __transaction_state, which is read at every start. Kafka: 104857600.' },
      { name: 'transactional.id.expiration.ms', type: 'int', default: '604800000', min: 1, readOnly: true, documentation: 'How long an idle transactional id is remembered.' },
      { name: 'unclean.leader.election.enable', type: 'boolean', default: 'false', documentation: 'Kept for compatibility.' },
      ...securityConfigs,
    ] satisfies ConfigDefinition[]
  ).map(definition => [definition.name, definition]),
)

/** A value and where it comes from. */
export interface ConfigValue {
  readonly value: string | null
  readonly source: number
}

/** One layer's say, as DescribeConfigs lists it. */
export interface ConfigSynonym extends ConfigValue {
  readonly name: string
  /** The value as that layer has it, where its unit is another. */
  readonly valueInItsUnit?: string | null
}

/** What was set while running: for all brokers, and for this one, which is stronger. */
export interface DynamicConfigs {
  readonly all: ConfigOverrides
  readonly own: ConfigOverrides
}

/** The broker's layers: what was changed while running, what it was started with, the defaults. */
export class BrokerConfig implements Settings {
  readonly #static: ConfigOverrides
  #dynamic: DynamicConfigs = { all: {}, own: {} }
  /** What settings come to, as far as somebody has asked: requests do. */
  readonly #values = new Map<string, ConfigValue>()

  /** @throws MillraceError UNKNOWN_SETTING, BAD_SETTING */
  constructor(given: ConfigOverrides) {
    for (const [name, value] of Object.entries(given)) {
      const refusal = brokerConfigRefusal({ [name]: value }, true)
      if (refusal !== null) throw new MillraceError(definitionOf(name) === undefined ? 'UNKNOWN_SETTING' : 'BAD_SETTING', refusal.message)
    }
    this.#static = given
    const problem = groupBoundsProblem(name => this.number(name)) ?? assignorsProblem(listOf(this.text('group.consumer.assignors')))
    if (problem !== null) throw new MillraceError('BAD_SETTING', problem)
  }

  /** Of all that describe it, also those that listeners have of their own. */
  get definitions(): readonly ConfigDefinition[] {
    const names = new Set([...Object.keys(this.#static), ...Object.keys(this.#dynamic.own)])
    const own = [...names].flatMap(name => (brokerConfigs.has(name) ? [] : [ownDefinition(name)]))
    return [...brokerConfigs.values(), ...own]
  }

  /** Null: of the only one, which has no name; it takes the settings of whatever name there is. @throws MillraceError BAD_SETTING */
  listener(name: string | null): ListenerConfig {
    const all = Object.entries({ ...this.#static, ...this.#dynamic.own }).flatMap(([fullName, value]) => {
      const setting = listenerSetting(fullName)
      return setting === null ? [] : [{ ...setting, value }]
    })
    const names = new Set(all.map(({ listener }) => listener))
    if (name === null && names.size > 1) {
      throw new MillraceError('BAD_SETTING', `There are settings for the listeners ${[...names].join(', ')}, and there is one, without a name.`, { hint: 'Listen on NAME://host:port (setting listeners).' })
    }
    const own = all.filter(({ listener }) => name === null || listener === name.toLowerCase())
    return new ListenerConfig(this, Object.fromEntries(own.map(setting => [setting.name, setting.value])))
  }

  /** What it would be if that were set for this broker while it runs. */
  withOwn(own: ConfigOverrides): BrokerConfig {
    const config = new BrokerConfig(this.#static)
    config.dynamic = { all: this.#dynamic.all, own }
    return config
  }

  set dynamic(overrides: DynamicConfigs) {
    this.#dynamic = overrides
    this.#values.clear()
  }

  get dynamic(): DynamicConfigs {
    return this.#dynamic
  }

  /** All layers that say something, the strongest first. */
  layersOf(name: string): readonly ConfigSynonym[] {
    const layers: ConfigSynonym[] = []
    const own = this.#dynamic.own[name]
    const all = this.#dynamic.all[name]
    const fixed = this.#static[name]
    const fallback = brokerConfigs.get(name)?.default ?? null
    if (own !== undefined) layers.push({ name, value: own, source: configSource.dynamicBroker })
    if (all !== undefined) layers.push({ name, value: all, source: configSource.dynamicDefaultBroker })
    if (fixed !== undefined) layers.push({ name, value: fixed, source: configSource.staticBroker })
    if (fallback !== null) layers.push({ name, value: fallback, source: configSource.default })
    return layers
  }

  value(name: string): ConfigValue {
    let value = this.#values.get(name)
    if (value === undefined) this.#values.set(name, (value = this.layersOf(name)[0] ?? { value: null, source: configSource.default }))
    return value
  }

  text(name: string): string {
    return this.value(name).value ?? ''
  }

  number(name: string): number {
    return Number(this.text(name))
  }

  flag(name: string): boolean {
    return this.text(name).trim().toLowerCase() === 'true'
  }

  /** What a setting comes to for a topic with its own settings, the strongest first; the broker's are in the topic's unit. */
  topicLayersOf(name: string, overrides: ConfigOverrides): readonly ConfigSynonym[] {
    const definition = topicConfigs.get(name)!
    const own = overrides[name]
    const layers: ConfigSynonym[] = own === undefined ? [] : [{ name, value: own, source: configSource.topic }]
    const defaults: ConfigSynonym[] = []
    for (const { name: synonym, factor = 1 } of definition.synonyms ?? []) {
      for (const layer of this.layersOf(synonym)) {
        const value = factor === 1 || layer.value === null ? layer.value : inUnit(Number(layer.value), factor)
        ;(layer.source === configSource.default ? defaults : layers).push({ ...layer, value, valueInItsUnit: layer.value })
      }
    }
    if (defaults.length === 0) defaults.push({ name, value: definition.default, source: configSource.default })
    return [...layers, ...defaults]
  }

  topicText(name: string, overrides: ConfigOverrides): string {
    return this.topicLayersOf(name, overrides)[0]!.value ?? ''
  }
}

function inUnit(value: number, factor: number): string {
  return value < 0 ? '-1' : String(value * factor)
}

/** What is wrong with settings of a broker, or of all if `forAll`; null if nothing. Some can only be given at its start. */
export function brokerConfigRefusal(overrides: Readonly<Record<string, string | null>>, atStart: boolean, forAll = false): Refusal | null {
  for (const [name, value] of Object.entries(overrides)) {
    const definition = definitionOf(name)
    if (definition === undefined) {
      if (isForeign(name)) return { error: 'INVALID_CONFIG', message: saidOfForeign(name) }
      const nearest = nearestName(name, brokerConfigs.keys())
      return { error: 'INVALID_CONFIG', message: `Unknown broker setting: ${name}.${nearest === null ? '' : ` Did you mean ${nearest}?`}` }
    }
    const fixed = atStart ? null : fixedProblem(definition, name, forAll)
    if (fixed !== null) return { error: 'INVALID_REQUEST', message: `${fixed}: ${name}.` }
    const problem = configProblem(definition, value)
    // Kafka calls a bad value of a broker a bad request.
    if (problem !== null) return { error: 'INVALID_REQUEST', message: problem }
  }
  return null
}

/** Why it cannot be changed while a broker runs; null if it can. */
function fixedProblem({ readOnly, reloadable }: ConfigDefinition, name: string, forAll: boolean): string | null {
  if (readOnly !== true) return null
  if (reloadable !== true) return 'Cannot update these configs dynamically'
  if (brokerConfigs.has(name)) return 'These security configs can be dynamically updated only per-listener using the listener prefix'
  return forAll ? 'Cannot update these configs at default cluster level, broker id must be specified' : null
}

/** Whether a setting is one of a listener's keys and certificates. */
export function isKeyStoreSetting(name: string): boolean {
  return listenerSetting(name)?.definition.reloadable === true
}

/** Of a setting that one listener has of its own. */
function ownDefinition(name: string): ConfigDefinition {
  const { readOnly, ...rest } = definitionOf(name)!
  return { ...rest, name, default: null, ...(rest.reloadable === true || readOnly === undefined ? {} : { readOnly }) }
}

/** What is wrong with how often members of consumer groups are heard of and when they are given up, as a whole; null if nothing. */
export function groupBoundsProblem(number: (name: string) => number): string | null {
  for (const what of ['heartbeat.interval.ms', 'session.timeout.ms']) {
    const [name, min, max] = [`group.consumer.${what}`, `group.consumer.min.${what}`, `group.consumer.max.${what}`]
    if (number(max) < number(min)) return `${max} must be at least ${min}, which is ${number(min)}.`
    if (number(name) < number(min)) return `${name} must be at least ${min}, which is ${number(min)}.`
    if (number(name) > number(max)) return `${name} must be at most ${max}, which is ${number(max)}.`
  }
  const [heartbeat, session] = ['group.consumer.heartbeat.interval.ms', 'group.consumer.session.timeout.ms'] as const
  return number(heartbeat) < number(session) ? null : `${heartbeat} must be less than ${session}, which is ${number(session)}.`
}

function assignorsProblem(assignors: readonly string[]): string | null {
  if (assignors.length === 0) return 'group.consumer.assignors must name an assignor.'
  return new Set(assignors).size < assignors.length ? 'group.consumer.assignors must name no assignor twice.' : null
}

function definitionOf(name: string): ConfigDefinition | undefined {
  return brokerConfigs.get(name) ?? listenerSetting(name)?.definition
}
