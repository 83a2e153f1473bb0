// Which listeners a broker opens: their names and protocols, where each listens, and where its clients are told to find it.

import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import { listOf } from '../kernel/config-definition.ts'
import type { Endpoint } from '../engine/broker-state.ts'
import { advertisedEndpoint, listenAddress } from './listen-address.ts'

const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export type SecurityProtocol = (typeof securityProtocols)[number]

export interface ListenerPlace extends Endpoint {
  /** In capitals; null of the only one, if nobody has given it a name. */
  readonly name: string | null
  /** Null: TLS where there is a certificate, logins where there are mechanisms. */
  readonly protocol: SecurityProtocol | null
}

/**
 * `texts`: `NAME://host:port` each, or one `host:port`. Controllers' are left out.
 * @throws MillraceError BAD_ADDRESS, BAD_SETTING
 */
export function listenerPlaces(texts: readonly string[], config: BrokerConfig, logger: Logger): readonly ListenerPlace[] {
  const all = texts.map(text => named(text))
  const controllers = controllerNames(config)
  const ours = all.filter(({ name }) => name === null || !controllers.includes(name))
  const left = all.filter(listener => !ours.includes(listener)).map(({ text }) => text)
  if (left.length > 0) logger.info('listeners left out: they are for controllers, which this broker has none of', { listeners: left })
  if (ours.length === 0) throw new MillraceError('BAD_SETTING', `listeners is ${texts.join(',')}, which leaves clients none.`, { hint: 'For example listeners=PLAINTEXT://127.0.0.1:9092.' })
  refuseTwins(ours)
  const protocols = protocolMap(config)
  return ours.map(({ name, address, text }) => {
    if (name !== null && address.startsWith(':')) logger.warn('a listener that names no host listens on this machine alone', { listener: text, hint: `${name}://0.0.0.0${address} listens on all addresses` })
    return { name, protocol: name === null ? null : (protocols.get(name) ?? null), ...listenAddress(address) }
  })
}

interface NamedAddress {
  readonly name: string | null
  readonly address: string
  readonly text: string
}

function named(text: string): NamedAddress {
  const [, name, address] = /^([A-Za-z][\w-]*):\/\/(.*)$/.exec(text.trim()) ?? []
  return name === undefined ? { name: null, address: text.trim(), text } : { name: name.toUpperCase(), address: address!, text }
}

function controllerNames(config: BrokerConfig): readonly string[] {
  return listOf(config.text('controller.listener.names') || 'CONTROLLER').map(name => name.toUpperCase())
}

function refuseTwins(listeners: readonly NamedAddress[]): void {
  if (listeners.length === 1) return
  const nameless = listeners.find(({ name }) => name === null)
  if (nameless !== undefined) throw new MillraceError('BAD_ADDRESS', `Of several listeners each has a name, and ${nameless.text} has none.`, { hint: `For example INTERNAL://${nameless.text}.` })
  const twin = listeners.find(({ name }, index) => listeners.findIndex(other => other.name === name) < index)
  if (twin !== undefined) throw new MillraceError('BAD_ADDRESS', `There are two listeners with the name ${twin.name}.`)
}

/** @throws MillraceError BAD_SETTING */
function protocolMap(config: BrokerConfig): ReadonlyMap<string, SecurityProtocol> {
  const text = config.text('listener.security.protocol.map')
  return new Map(listOf(text).map(entry => {
    const [name = '', protocol = '', ...more] = entry.split(':').map(part => part.trim().toUpperCase())
    const known = securityProtocols.find(each => each === protocol)
    if (name === '' || known === undefined || more.length > 0) throw new MillraceError('BAD_SETTING', `listener.security.protocol.map has ${entry}, which is not NAME:PROTOCOL.`, { hint: `The protocols are ${securityProtocols.join(', ')}.` })
    return [name, known] as const
  }))
}

/** Where the clients of a listener are told to find it. @throws MillraceError BAD_SETTING */
export async function advertisedOf(place: ListenerPlace, all: readonly ListenerPlace[], config: BrokerConfig, listening: Endpoint): Promise<Endpoint> {
  const text = config.text('advertised.listeners')
  if (place.name === null || text === '') return advertisedEndpoint(text, listening)
  const controllers = controllerNames(config)
  const entries = listOf(text).map(entry => named(entry)).filter(({ name }) => name === null || !controllers.includes(name))
  const stranger = entries.find(({ name }) => (name === null ? all.length > 1 : !all.some(other => other.name === name)))
  if (stranger !== undefined) {
    throw new MillraceError('BAD_SETTING', `advertised.listeners has ${stranger.text}, which is of no listener.`, { hint: `There are ${all.map(({ name }) => `${name}://`).join(', ')}.` })
  }
  return advertisedEndpoint(entries.find(({ name }) => name === null || name === place.name)?.text ?? '', listening)
}
