// Opens the addresses on which a broker serves Kafka's clients, each as its settings say: TLS, logins, limits.

import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { BrokerState, Endpoint, KeyStores } from '../engine/broker-state.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import { listOf, maxInt } from '../kernel/config-definition.ts'
import { sharedRealm } from '../kernel/credential-book.ts'
import type { ListenerConfig, Settings } from '../kernel/listener-config.ts'
import type { SessionFactory } from '../wire/session.ts'
import { isLoopback } from './listen-address.ts'
import { advertisedOf, type ListenerPlace } from './listener-places.ts'
import { ConnectionCount, connectionLimits, overridesPerIp } from './security/connection-limits.ts'
import { DenialLog } from './security/denial-log.ts'
import { fixedUsers } from './security/fixed-users.ts'
import { RequestMemory } from './security/request-memory.ts'
import { StrangerMemory } from './security/stranger-memory.ts'
import { tlsSetup } from './security/tls-setup.ts'
import type { TlsSetup } from './security/tls-door.ts'
import { BrokerSession, type ListenerContext } from './session.ts'
import { startTcpServer, type TcpServer } from './tcp-server.ts'

export interface OpenListener {
  /** Null of the only one, if nobody has given it a name. */
  readonly name: string | null
  readonly address: Endpoint
  /** Where its clients are told to find it. */
  readonly advertised: Endpoint
}

export interface OpenListeners extends KeyStores {
  /** In the order in which they are given. */
  readonly all: readonly OpenListener[]
  /** Open ones. */
  readonly connections: number
  readonly heldRequestBytes: number
  close(): Promise<void>
}

/** `usersInCode`: those of every listener. @throws MillraceError BAD_SETTING, ADDRESS_IN_USE, LISTEN_FAILED */
export async function openListeners(state: BrokerState, places: readonly ListenerPlace[], usersInCode: Readonly<Record<string, string>>): Promise<OpenListeners> {
  const { config } = state
  const shared: Shared = {
    count: new ConnectionCount(limit(config, 'max.connections'), limit(config, 'max.connections.per.ip'), overridesPerIp(config.text('max.connections.per.ip.overrides'))),
    memory: new RequestMemory(limit(config, 'queued.max.request.bytes')),
    strangers: new StrangerMemory(),
    denials: new DenialLog(state.logger, state.clock),
  }
  const doors = places.map(place => doorOf(config, place))
  warnOfForgottenLogins(config, doors, state.logger)
  const opened: Opened[] = []
  try {
    for (const door of doors) {
      const realm = await realmOf(state, door, usersInCode)
      opened.push(await open(state, { ...door, realm }, places, shared))
    }
  } catch (error) {
    for (const { server } of opened) await server.close()
    throw error
  }
  return new Listeners(opened, shared, config)
}

interface Shared {
  readonly count: ConnectionCount
  readonly memory: RequestMemory
  readonly strangers: StrangerMemory
  readonly denials: DenialLog
}

interface Door {
  readonly place: ListenerPlace
  readonly settings: ListenerConfig
  readonly tls: TlsSetup | null
  /** How clients say who they are; none: they need not. */
  readonly mechanisms: readonly string[]
}

interface Opened extends Door, OpenListener {
  readonly server: TcpServer
}

function doorOf(config: BrokerConfig, place: ListenerPlace): Door {
  const settings = config.listener(place.name)
  const { protocol, name } = place
  const mechanisms = protocol === 'PLAINTEXT' || protocol === 'SSL' ? [] : listOf(settings.text('sasl.enabled.mechanisms'))
  if (protocol?.startsWith('SASL') === true && mechanisms.length === 0) {
    throw new MillraceError('BAD_SETTING', `The listener ${name} is ${protocol}, and clients have no mechanism to log in by.`, { hint: 'Set sasl.enabled.mechanisms, for example to SCRAM-SHA-512.' })
  }
  const tls = tlsOf(settings, place)
  return { place, settings, tls, mechanisms }
}

/** Kafka's SASL_SSL asks for certificates only where the listener itself is told to. */
function tlsOf(settings: ListenerConfig, { protocol, name }: ListenerPlace): TlsSetup | null {
  if (protocol === 'PLAINTEXT' || protocol === 'SASL_PLAINTEXT') return null
  const setup = tlsSetup(settings, protocol === 'SASL_SSL' ? (settings.own('ssl.client.auth') ?? 'none') : settings.text('ssl.client.auth'))
  if (setup === null && protocol !== null) throw new MillraceError('BAD_SETTING', `The listener ${name} is ${protocol}, and there is no certificate.`, { hint: 'Set ssl.keystore.location, or ssl.keystore.certificate.chain and ssl.keystore.key.' })
  return setup
}

/** Whose users log in: those of all listeners, or its own. */
async function realmOf({ catalogue, config, logger }: BrokerState, { place, settings }: Door, usersInCode: Readonly<Record<string, string>>): Promise<string> {
  const names = ['plain.sasl.jaas.config', 'millrace.users.file']
  if (place.name === null || !names.some(name => settings.own(name) !== undefined && settings.own(name) !== config.text(name))) return sharedRealm
  for (const [user, password] of fixedUsers(settings, usersInCode, logger)) await catalogue.credentials.fix(user, password, place.name)
  return place.name
}

async function open(state: BrokerState, door: Door & { readonly realm: string }, places: readonly ListenerPlace[], { count, memory, strangers, denials }: Shared): Promise<Opened> {
  const { clock, logger, meters, config } = state
  const { place, settings, tls, mechanisms, realm } = door
  warnOfOpenDoor(door, logger)
  let advertised: Endpoint = place
  const sessions: SessionFactory = (peer, hangUp) => {
    meters.connectionsOpened.add()
    const listener: ListenerContext = { name: place.name, endpoint: advertised, settings, mechanisms, realm, denials }
    return new BrokerSession(state, peer, listener, hangUp)
  }
  const most = settings.own('max.connections')
  const server = await startTcpServer({ sessions, clock, logger, tls, memory, strangers, host: place.host, port: place.port, limits: connectionLimits(settings), count: most === undefined ? count : count.within(Number(most)) })
  try {
    advertised = await advertisedOf(place, places, config, server)
  } catch (error) {
    await server.close()
    throw error
  }
  return { ...door, name: place.name, address: { host: server.host, port: server.port }, advertised, server }
}

class Listeners implements OpenListeners {
  readonly all: readonly OpenListener[]
  readonly #opened: readonly Opened[]
  readonly #shared: Shared
  readonly #config: BrokerConfig

  constructor(opened: readonly Opened[], shared: Shared, config: BrokerConfig) {
    this.all = opened.map(({ name, address, advertised }) => ({ name, address, advertised }))
    this.#opened = opened
    this.#shared = shared
    this.#config = config
  }

  get connections(): number {
    return this.#opened.reduce((sum, { server }) => sum + server.connections, 0)
  }

  get heldRequestBytes(): number {
    return this.#shared.memory.bytes + this.#shared.strangers.bytes
  }

  check(config: BrokerConfig): void {
    for (const { place } of this.#opened) doorOf(config, place)
  }

  reload(): void {
    const fresh = this.#opened.map(({ place }) => doorOf(this.#config, place).tls)
    this.#opened.forEach(({ server }, index) => {
      const tls = fresh[index]!
      if (tls !== null) server.useCertificates(tls)
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map(({ server }) => server.close()))
  }
}

/** Numbers that Kafka has for "no limit" are Infinity. */
function limit(config: Settings, name: string): number {
  const value = config.number(name)
  return value === -1 || value === maxInt ? Infinity : value
}

/** Where logins are set up and no listener asks for one, somebody believes in a lock that there is not. */
function warnOfForgottenLogins(config: BrokerConfig, doors: readonly Door[], logger: Logger): void {
  if (config.text('sasl.enabled.mechanisms') === '' || doors.some(({ mechanisms }) => mechanisms.length > 0)) return
  logger.warn('no listener asks its clients to log in, though there are mechanisms for that', {
    listeners: doors.map(({ place }) => `${place.name}:${place.protocol}`), hint: 'name SASL_PLAINTEXT or SASL_SSL listeners (listeners, listener.security.protocol.map)',
  })
}

function warnOfOpenDoor({ place, settings, tls, mechanisms }: Door, logger: Logger): void {
  if (isLoopback(place.host)) return
  const listen = { listen: place.host, ...(place.name === null ? {} : { listener: place.name }) }
  if (mechanisms.length === 0 && (tls === null || settings.text('ssl.client.auth') !== 'required')) {
    logger.warn('anybody who reaches this address may read and write everything: clients need not say who they are', {
      ...listen, hint: 'start it with --users FILE (settings sasl.enabled.mechanisms and millrace.users.file), or with TLS and ssl.client.auth=required; or listen on 127.0.0.1',
    })
  } else if (tls === null && mechanisms.includes('PLAIN')) {
    logger.warn('passwords cross the network as they are: PLAIN without TLS', { ...listen, hint: 'start it with --tls-cert and --tls-key (setting ssl.keystore.location), or take PLAIN out of sasl.enabled.mechanisms' })
  }
}
