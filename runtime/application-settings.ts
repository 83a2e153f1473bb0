// What an application is told: its topology, its name, where its log is, and what it may use. Defaults are filled in here and nowhere else.

import type { ClientProperties } from '../core/log-location.ts'
import { systemClock, type Clock } from '../core/clock.ts'
import { toMs, type Duration } from '../core/duration.ts'
import { MillraceError } from '../core/error.ts'
import type { LogPort } from '../core/log-port.ts'
import { silentLogger, type Logger } from '../core/logger.ts'
import { systemRandom, type Random } from '../core/random.ts'
import { isTopology, type DefaultSerdes, type Topology } from '../core/topology/topology.ts'
import type { ErrorHandler } from './operators/error-handler.ts'

/** Anything that builds a topology: a `StreamsBuilder`. */
export interface TopologyBuilder {
  build(options?: { readonly defaults?: DefaultSerdes }): Topology
}

export interface ApplicationSettings {
  /** Built already, or its builder, which is then built with the serdes below. */
  readonly topology: Topology | TopologyBuilder
  /** The consumer group, and the prefix of internal topics and of the state directory. `[a-zA-Z0-9._-]`, at most 200. */
  readonly applicationId: string
  /** Embeds the log in this process; log and state live in this directory. One of this, `bootstrapServers` or `log`. */
  readonly dataDirectory?: string
  /** `host:port` at which the embedded log serves other Kafka clients as well, while the application runs; with `dataDirectory` only. Default: it does not. */
  readonly listen?: string
  /** `host:port[,host:port…]` of a Millrace or Apache Kafka cluster. */
  readonly bootstrapServers?: string
  /** How to log in there, by the names of Kafka's clients: `security.protocol`, `sasl.mechanism`, `sasl.jaas.config`, `ssl.*` (PEM). Default: no TLS, no login. */
  readonly clientProperties?: ClientProperties
  /** A log that is open already; the application does not close it. */
  readonly log?: LogPort
  /** Where state lives. Default `<dataDirectory>/state`, or `.millrace/state`. */
  readonly stateDirectory?: string
  /** Serdes where an operator names none; for a builder only. */
  readonly serdes?: DefaultSerdes
  /**
   * Longest time between two commits. Default: at most 30 s, and as soon as a commit's own cost stays below a tenth of the
   * time since the last one, or the input is caught up; so results are early when there is little to do, and cheap when there is much.
   */
  readonly commitInterval?: Duration
  /** Bytes of rows kept in memory, all stores together. Default 256 MiB. */
  readonly memoryBytes?: number
  /** Whether table updates wait for the commit, so that only a key's last one goes on. Default true; false sends every update on at once. */
  readonly holdUpdates?: boolean
  /** Called for a record that cannot be read. Default `fail`. */
  readonly onDeserializationError?: ErrorHandler
  /** Called when a user's function throws, or an event time is negative. Default `fail`. */
  readonly onProcessingError?: ErrorHandler
  /** Makes source topics that do not exist. Default: with an embedded log, yes. Sink topics are always made. */
  readonly createSourceTopics?: boolean
  /** Partitions of topics that are made and have no other reason for a number. Default -1, the broker's default. */
  readonly defaultPartitions?: number
  /** Topic settings of all internal topics, over the defaults. */
  readonly topicConfig?: Readonly<Record<string, string>>
  readonly clientId?: string
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
}

/** The settings with every default filled in and checked. */
export interface ResolvedSettings {
  readonly topology: Topology
  readonly applicationId: string
  readonly log: LogPort | null
  readonly dataDirectory: string | null
  readonly listen: string | null
  readonly bootstrapServers: string | null
  readonly clientProperties: ClientProperties
  readonly stateDirectory: string
  /** Null: as the default of `commitInterval` says. */
  readonly commitIntervalMs: number | null
  readonly memoryBytes: number
  readonly holdUpdates: boolean
  readonly onDeserializationError: ErrorHandler
  readonly onProcessingError: ErrorHandler
  readonly createSourceTopics: boolean
  readonly defaultPartitions: number
  readonly topicConfig: Readonly<Record<string, string>>
  readonly clientId: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** @throws MillraceError SETTINGS */
export function resolveSettings(settings: ApplicationSettings): ResolvedSettings {
  checkApplicationId(settings.applicationId)
  checkPlace(settings)
  return {
    topology: isTopology(settings.topology) ? settings.topology : settings.topology.build(settings.serdes === undefined ? {} : { defaults: settings.serdes }),
    applicationId: settings.applicationId,
    log: settings.log ?? null,
    dataDirectory: settings.dataDirectory ?? null,
    listen: settings.listen ?? null,
    bootstrapServers: settings.bootstrapServers ?? null,
    clientProperties: settings.clientProperties ?? {},
    stateDirectory: settings.stateDirectory ?? `${settings.dataDirectory ?? '.millrace'}/state`,
    commitIntervalMs: settings.commitInterval === undefined ? null : toMs(settings.commitInterval, 'commitInterval'),
    memoryBytes: settings.memoryBytes ?? 256 * 1024 * 1024,
    holdUpdates: settings.holdUpdates ?? true,
    onDeserializationError: settings.onDeserializationError ?? 'fail',
    onProcessingError: settings.onProcessingError ?? 'fail',
    createSourceTopics: settings.createSourceTopics ?? settings.dataDirectory !== undefined,
    defaultPartitions: settings.defaultPartitions ?? -1,
    topicConfig: settings.topicConfig ?? {},
    clientId: settings.clientId ?? settings.applicationId,
    clock: settings.clock ?? systemClock,
    random: settings.random ?? systemRandom,
    logger: settings.logger ?? silentLogger,
  }
}

function checkApplicationId(id: string): void {
  if (!/^[a-zA-Z0-9._-]{1,200}$/.test(id) || id === '.' || id === '..') {
    throw new MillraceError('SETTINGS', `The application id ${JSON.stringify(id)} cannot be part of a topic's name.`, { hint: 'Use letters, digits, dots, dashes and underscores, 200 at most.' })
  }
}

function checkPlace(settings: ApplicationSettings): void {
  const places = [settings.dataDirectory, settings.bootstrapServers, settings.log].filter(place => place !== undefined)
  if (settings.listen !== undefined && settings.dataDirectory === undefined) {
    throw new MillraceError('SETTINGS', `Only an embedded log can listen at ${settings.listen}.`, { hint: 'Give dataDirectory, or leave listen out.' })
  }
  if (places.length === 1) return
  throw new MillraceError('SETTINGS', `An application has one log; these settings name ${places.length}.`, { hint: 'Give one of dataDirectory, bootstrapServers and log.' })
}
