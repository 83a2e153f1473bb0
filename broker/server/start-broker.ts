// Starts a broker: on files or in memory, listening or not, and connects clients of the same process to it.

import { systemClock, type Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { silentLogger, type Logger } from '../../core/logger.ts'
import { base64Uuid, systemRandom, uuidForTools, type Random } from '../../core/random.ts'
import { refuseUnknownOptions } from '../../core/option-names.ts'
import type { MetricFamily } from '../../core/metrics/metric.ts'
import type { Disk, DiskLock } from '../disk/disk.ts'
import { DiskReserve } from '../disk/disk-reserve.ts'
import { FileDisk } from '../disk/file-disk.ts'
import { FilePool } from '../disk/file-pool.ts'
import { MemoryDisk } from '../disk/memory-disk.ts'
import { Trash } from '../disk/trash.ts'
import { BrokerConfig } from '../kernel/broker-config.ts'
import { listOf } from '../kernel/config-definition.ts'
import { Catalogue } from '../kernel/catalogue.ts'
import { topicSettings } from '../kernel/topic-config.ts'
import type { Channel } from '../wire/channel.ts'
import { BrokerMeters } from '../engine/broker-meters.ts'
import { BrokerState, type Endpoint } from '../engine/broker-state.ts'
import { errorFields } from '../engine/error-fields.ts'
import { FullDiskLog } from '../engine/full-disk-log.ts'
import { Housekeeping } from '../engine/housekeeping.ts'
import { MetadataLog, metadataTopic } from '../engine/metadata-log.ts'
import { Partitions } from '../engine/partitions.ts'
import { isLoopback, listenAddress } from './listen-address.ts'
import { listenerPlaces } from './listener-places.ts'
import { brokerMetrics } from './metrics/broker-metrics.ts'
import type { MetricsServer } from './metrics/metrics-server.ts'
import { Pipe } from './pipe.ts'
import { fixedUsers } from './security/fixed-users.ts'
import { servedVersions } from './served-apis.ts'
import { BrokerSession } from './session.ts'
import type { OpenListener, OpenListeners } from './open-listeners.ts'
import type { FlushPolicy } from '../engine/partition.ts'

export interface BrokerOptions {
  /** Where the log is kept; created if it is not there. One broker at a time. */
  readonly dataDirectory?: string
  /** Keeps the log in memory instead: gone with the process. */
  readonly memory?: boolean
  /** Another disk, for tests and simulations. */
  readonly disk?: Disk
  /**
   * `host:port` to serve Kafka clients, or several `NAME://host:port`, each with its own settings (`listener.name.NAME.…`); port 0 takes a free one.
   * Default: the setting `listeners`; without it, and with false, only clients of this process.
   */
  readonly listen?: string | readonly string[] | false
  /** `[host:]port` to serve metrics for Prometheus (/metrics) and /healthz, /ready over HTTP; port 0 takes a free one. Default false. */
  readonly metrics?: string | false
  /** Default: the setting `node.id`, which is 1. */
  readonly nodeId?: number
  /** By Kafka's names; see kernel/broker-config.ts. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Passwords of users, by their names, for the mechanisms in the setting `sasl.enabled.mechanisms`; others are in the file that `millrace.users.file` names. */
  readonly users?: Readonly<Record<string, string>>
  /** What an acknowledgement waits for: `fsync` (default), or the page cache of the operating system. Stands for the setting `millrace.flush`. */
  readonly flush?: FlushPolicy
  readonly logger?: Logger
  readonly clock?: Clock
  readonly random?: Random
}

export interface Broker extends AsyncDisposable {
  /** A channel of its own, in process. @throws MillraceError CONNECTION_FAILED when the broker is closed */
  connect(options?: { readonly clientId?: string }): Channel
  /** Where it listens, the first place if there are several; null if it does not. */
  readonly address: Endpoint | null
  /** All places where it listens, and where clients are told to find each. */
  readonly listeners: readonly OpenListener[]
  /** Where metrics are served; null if they are not. */
  readonly metricsAddress: Endpoint | null
  /** What it measures, now. */
  metrics(): readonly MetricFamily[]
  /** Reads keys and certificates from their files again; connections that are open keep theirs. @throws MillraceError BAD_SETTING, and all is as before */
  reloadCertificates(): void
  readonly clusterId: string
  readonly nodeId: number
  /** Makes everything durable, then ends. Clients that wait hear CONNECTION_FAILED. */
  close(): Promise<void>
}

/** @throws MillraceError UNKNOWN_OPTION, NO_DATA_DIRECTORY, DATA_DIRECTORY_LOCKED, UNKNOWN_SETTING, BAD_SETTING, BAD_ADDRESS, ADDRESS_IN_USE, DISK_FAILED */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  refuseUnknownOptions('startBroker', options, optionNames)
  const { clock = systemClock, random = systemRandom } = options
  const logger = new FullDiskLog(options.logger ?? silentLogger, clock)
  const config = new BrokerConfig(settingsOf(options))
  if (options.metrics !== undefined && options.metrics !== false) listenAddress(options.metrics, 'of the metrics')
  const nodeId = config.number('node.id')
  const disk = diskOf(options, clock)
  const begunMs = clock.monotonic()
  const lock = disk.lock()
  let broker
  try {
    const trash = new Trash({ disk, clock, onFailure: (path, error) => logger.warn('could not remove a file; the next start tries again', { path, ...errorFields(error) }) })
    const { state, metadata } = await recover({ nodeId, disk, trash, config, clock, random, logger })
    // Those of the only listener, if nobody has given it a name, are those of all.
    const isNamed = addressesOf(options.listen ?? config.text('listeners')).some(address => address.includes('://'))
    for (const [user, password] of fixedUsers(isNamed ? config : config.listener(null), options.users ?? {}, logger)) await state.catalogue.credentials.fix(user, password)
    broker = new RunningBroker({ state, metadata, trash, lock, housekeeping: new Housekeeping(state), directory: options.dataDirectory ?? null })
  } catch (error) {
    lock.release()
    throw error
  }
  try {
    await broker.listen(addressesOf(options.listen ?? config.text('listeners')), options.users ?? {})
    await broker.serveMetrics(options.metrics ?? false)
    broker.logStart(Math.round(clock.monotonic() - begunMs))
    return broker
  } catch (error) {
    await broker.close()
    throw error
  }
}

const optionNames: Readonly<Record<keyof BrokerOptions, true>> = {
  dataDirectory: true, memory: true, disk: true, listen: true, metrics: true, nodeId: true, settings: true, users: true, flush: true, logger: true, clock: true, random: true,
}

/** What is neither text nor a list is refused where an address is read. */
function addressesOf(listen: string | readonly string[] | false): readonly string[] {
  return listen === false ? [] : Array.isArray(listen) ? listen.map(String) : listOf(String(listen))
}

/** The number of the node has two names; Kafka's default of the older one, -1, leaves it to the other. */
function settingsOf({ settings = {}, flush, nodeId }: BrokerOptions): Readonly<Record<string, string>> {
  const older = Number(settings['broker.id']) === -1 ? undefined : settings['broker.id']
  const id = String(nodeId ?? settings['node.id'] ?? older ?? 1)
  const texts = Object.entries(settings).map(([name, value]) => [name, String(value)] as const)
  return { ...(flush === undefined ? {} : { 'millrace.flush': flush }), ...Object.fromEntries(texts), 'node.id': id, 'broker.id': id }
}

function diskOf({ disk, memory, dataDirectory }: BrokerOptions, clock: Clock): Disk {
  if (disk !== undefined) return disk
  if (memory === true && dataDirectory !== undefined) {
    throw new MillraceError('NO_DATA_DIRECTORY', `A broker in memory keeps nothing in ${dataDirectory}.`, { hint: 'Give dataDirectory, or memory: true.' })
  }
  if (memory === true) return new MemoryDisk(clock)
  if (dataDirectory !== undefined) return new FileDisk(dataDirectory)
  throw new MillraceError('NO_DATA_DIRECTORY', 'A broker needs a place for its log.', { hint: 'Give dataDirectory, or memory: true.' })
}

interface RecoveryParts {
  readonly nodeId: number
  readonly disk: Disk
  readonly trash: Trash
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly random: Random
  readonly logger: FullDiskLog
}

async function recover(parts: RecoveryParts): Promise<{ readonly state: BrokerState; readonly metadata: MetadataLog }> {
  const { disk, trash, config, clock, random, logger } = parts
  const pool = new FilePool(disk, config.number('millrace.max.open.files'), () => trash.hurry(), () => logger.wrote())
  const meters = new BrokerMeters()
  const partitions = new Partitions({ ...parts, pool, meters })
  const catalogue = new Catalogue()
  const metadataSettings = topicSettings(name => config.topicText(name, { 'cleanup.policy': 'compact' }))
  // What users log in with is kept there.
  disk.makeDirectory(`${metadataTopic}-0`, true)
  // What is said of topics and settings is on the disk first, whatever records wait for.
  const own = partitions.openOne(metadataTopic, 0, metadataSettings, { flush: 'fsync' })
  const reserve = new DiskReserve(disk, clock)
  const metadata = new MetadataLog(own, catalogue, clock, reserve)
  await metadata.write([...catalogue.start(base64Uuid(uuidForTools(random))), ...catalogue.credentials.start(random.bytes(32))])
  partitions.leaderEpoch = catalogue.incarnation
  config.dynamic = { all: catalogue.brokerConfigs(null), own: catalogue.brokerConfigs(parts.nodeId) }
  partitions.sweep()
  partitions.setStraysAside(directory => directory === `${metadataTopic}-0` || isKnown(catalogue, directory))
  for (const topic of catalogue.topics.values()) partitions.open(topic)
  await Promise.all([...partitions.all()].map(partition => partition.recovered()))
  reserve.fill()
  return { state: new BrokerState({ ...parts, catalogue, metadata, partitions, meters }), metadata }
}

function isKnown(catalogue: Catalogue, directory: string): boolean {
  const dash = directory.lastIndexOf('-')
  const topic = catalogue.topics.get(directory.slice(0, dash))
  return topic !== undefined && Number(directory.slice(dash + 1)) < topic.partitions
}

interface RunningParts {
  readonly state: BrokerState
  readonly metadata: MetadataLog
  readonly trash: Trash
  readonly lock: DiskLock
  readonly housekeeping: Housekeeping
  /** For the logger; null where there is none. */
  readonly directory: string | null
}

class RunningBroker implements Broker {
  readonly #state: BrokerState
  readonly #metadata: MetadataLog
  readonly #trash: Trash
  readonly #lock: DiskLock
  readonly #housekeeping: Housekeeping
  readonly #directory: string | null
  readonly #pipes = new Set<Pipe>()
  #listeners: OpenListeners | null = null
  #metricsServer: MetricsServer | null = null
  #closing: Promise<void> | null = null
  /** What never was up is not said to go down. */
  #logger: Logger = silentLogger

  constructor({ state, metadata, trash, lock, housekeeping, directory }: RunningParts) {
    this.#state = state
    this.#metadata = metadata
    this.#trash = trash
    this.#lock = lock
    this.#housekeeping = housekeeping
    this.#directory = directory
  }

  get address(): Endpoint | null {
    return this.listeners[0]?.address ?? null
  }

  get listeners(): readonly OpenListener[] {
    return this.#listeners?.all ?? []
  }

  reloadCertificates(): void {
    this.#listeners?.reload()
  }

  get metricsAddress(): Endpoint | null {
    return this.#metricsServer === null ? null : { host: this.#metricsServer.host, port: this.#metricsServer.port }
  }

  metrics(): readonly MetricFamily[] {
    const { connections = 0, heldRequestBytes = 0 } = this.#listeners ?? {}
    return brokerMetrics(this.#state, { connections: connections + this.#pipes.size, heldRequestBytes })
  }

  get clusterId(): string {
    return this.#state.clusterId
  }

  get nodeId(): number {
    return this.#state.nodeId
  }

  logStart(startMs: number): void {
    const { logger, catalogue, partitions, meters, nodeId, clusterId } = this.#state
    this.#logger = logger
    const counts = { topics: catalogue.topics.size, partitions: [...partitions.all()].length, recoveredLogs: meters.recoveredLogs.value }
    const addresses = { listen: listenText(this.listeners, 'address'), ...(this.address === null ? {} : { advertised: listenText(this.listeners, 'advertised') }), metrics: addressText(this.metricsAddress) }
    logger.info('broker started', { ...addresses, directory: this.#directory, nodeId, clusterId, ...counts, startMs })
  }

  async serveMetrics(address: string | false): Promise<void> {
    if (address === false) return
    const { startMetricsServer } = await import('./metrics/metrics-server.ts')
    const { logger } = this.#state
    const place = listenAddress(address, 'of the metrics')
    if (!isLoopback(place.host)) logger.warn('anybody who reaches this address may read the metrics, which name topics and groups', { metrics: place.host, hint: 'serve them on 127.0.0.1, or behind something that asks who reads them' })
    this.#metricsServer = await startMetricsServer({ ...place, logger, families: () => this.metrics(), isReady: () => this.#closing === null })
  }

  async listen(addresses: readonly string[], users: Readonly<Record<string, string>>): Promise<void> {
    if (addresses.length === 0) return
    const { openListeners } = await import('./open-listeners.ts')
    const { config, logger } = this.#state
    this.#listeners = await openListeners(this.#state, listenerPlaces(addresses, config, logger), users)
    this.#state.endpoint = this.#listeners.all[0]!.advertised
    this.#state.keyStores = this.#listeners
  }

  connect(options: { readonly clientId?: string } = {}): Channel {
    if (this.#closing !== null) throw new MillraceError('CONNECTION_FAILED', 'The embedded broker is closed.')
    const pipe: Pipe = new Pipe({
      session: new BrokerSession(this.#state, 'in-process', null),
      served: servedVersions,
      clock: this.#state.clock,
      clientId: options.clientId ?? null,
      onClose: () => void this.#pipes.delete(pipe),
    })
    this.#pipes.add(pipe)
    return pipe
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const clock = this.#state.clock
    const logger = this.#logger
    const begunMs = clock.monotonic()
    logger.info('broker closing', { requestsInFlight: this.#state.meters.requestsInFlight })
    const reason = new MillraceError('CONNECTION_FAILED', 'The embedded broker was closed.')
    for (const pipe of this.#pipes) pipe.end(reason)
    await this.#listeners?.close()
    this.#state.transactions.close()
    this.#state.groups.close()
    await this.#housekeeping.close()
    await this.#state.partitions.close()
    await this.#metadata.close()
    await this.#trash.close()
    await this.#metricsServer?.close()
    this.#lock.release()
    logger.info('broker closed', { closeMs: Math.round(clock.monotonic() - begunMs) })
  }
}

function addressText(endpoint: Endpoint | null): string | null {
  return endpoint === null ? null : `${endpoint.host}:${endpoint.port}`
}

/** One without a name as `host:port`, others as `NAME://host:port`. */
function listenText(listeners: readonly OpenListener[], which: 'address' | 'advertised'): string | null {
  return listeners.length === 0 ? null : listeners.map(listener => `${listener.name === null ? '' : `${listener.name}://`}${addressText(listener[which])}`).join(',')
}
