// Addresses as people write them: where to listen, and where clients are told to find the broker.

import { MillraceError } from '../../core/error.ts'
import type { Endpoint } from '../engine/broker-state.ts'

/** `[host:]port`; this machine alone without a host. `of`: what it is the address of. @throws MillraceError BAD_ADDRESS */
export function listenAddress(text: string, of = 'to listen on'): Endpoint {
  const address = hostAndPort(text)
  if (address === null || address.port === null) {
    throw new MillraceError('BAD_ADDRESS', `The address ${of} is ${text}, which is not host:port.`, { hint: 'For example 127.0.0.1:9092; the port is 0 to 65535, an IPv6 address stands in brackets.' })
  }
  return { host: address.host === '' ? '127.0.0.1' : address.host, port: address.port }
}

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return /^(localhost$|127\.|::1$)/.test(host)
}

/**
 * Where clients are told to connect to: what `advertised.listeners` says (`[NAME://]host[:port]`, the port it listens on by default; of several the first
 * that is no controller's, for there is one listener), else where the broker listens; where that is every address, under the machine's name. @throws MillraceError BAD_SETTING
 */
export async function advertisedEndpoint(advertised: string, listening: Endpoint): Promise<Endpoint> {
  if (advertised !== '') return { port: listening.port, ...parseAdvertised(advertised) }
  if (listening.host !== '0.0.0.0' && listening.host !== '::') return { host: listening.host, port: listening.port }
  const { hostname } = await import('node:os')
  return { host: hostname(), port: listening.port }
}

/** The port that `advertised.listeners` names; null if it names none. @throws MillraceError BAD_SETTING */
export function advertisedPort(advertised: string): number | null {
  return parseAdvertised(advertised).port ?? null
}

function parseAdvertised(text: string): { readonly host: string; readonly port?: number } {
  const listeners = text.split(',').map(listener => listener.trim())
  const own = listeners.find(listener => !/^CONTROLLER:/i.test(listener)) ?? ''
  const address = hostAndPort(own.replace(/^[A-Za-z][A-Za-z0-9_]*:\/\//, ''), true)
  if (address === null || address.host === '' || address.host === '0.0.0.0' || address.host === '::' || address.port === 0) {
    throw new MillraceError('BAD_SETTING', `Invalid value ${text} for configuration advertised.listeners: it must be a host:port that clients can reach.`, { hint: 'For example advertised.listeners=localhost:9092.' })
  }
  return { host: address.host, ...(address.port === null ? {} : { port: address.port }) }
}

/** A colon-separated host is an IPv6 address and stands in brackets where a port follows. Without a colon it is a port, or with `hostFirst` a host. */
function hostAndPort(text: string, hostFirst = false): { readonly host: string; readonly port: number | null } | null {
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:,/[\]]*))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return null
  const host = match[1] ?? match[2] ?? ''
  if (match[3] === undefined && !hostFirst) return /^\d{1,5}$/.test(host) && Number(host) <= 65535 ? { host: '', port: Number(host) } : null
  const port = match[3] === undefined ? null : Number(match[3])
  return port !== null && port > 65535 ? null : { host, port }
}
