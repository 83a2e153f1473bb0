// Opens the address on which a broker serves Kafka's clients, as its settings say: TLS, logins, limits.

import { listOf, maxInt } from '../kernel/config-definition.ts'
import type { BrokerConfig } from '../kernel/broker-config.ts'
import type { SessionFactory } from '../wire/session.ts'
import type { BrokerState } from '../engine/broker-state.ts'
import { connectionLimits } from './security/connection-limits.ts'
import { tlsSetup } from './security/tls-setup.ts'
import { BrokerSession } from './session.ts'
import { startTcpServer, type TcpServer } from './tcp-server.ts'

/** @throws MillraceError BAD_SETTING, ADDRESS_IN_USE, LISTEN_FAILED */
export async function openListener(state: BrokerState, place: { readonly host: string; readonly port: number }): Promise<TcpServer> {
  const { clock, logger, config } = state
  const tls = tlsSetup(config)
  warnOfOpenDoor(state, place.host, tls !== null)
  const sessions: SessionFactory = (peer, hangUp) => {
    state.meters.connectionsOpened.add()
    return new BrokerSession(state, peer, hangUp)
  }
  return startTcpServer({
    ...place, sessions, clock, logger, tls,
    limits: connectionLimits(config),
    maxConnections: limit(config, 'max.connections'),
    maxConnectionsPerIp: limit(config, 'max.connections.per.ip'),
    maxQueuedBytes: limit(config, 'queued.max.request.bytes'),
  })
}

/** Numbers that Kafka has for "no limit" are Infinity. */
function limit(config: BrokerConfig, name: string): number {
  const value = config.number(name)
  return value === -1 || value === maxInt ? Infinity : value
}

function warnOfOpenDoor({ config, logger }: BrokerState, host: string, isTls: boolean): void {
  if (/^(localhost$|127\.|::1$)/.test(host)) return
  const mechanisms = listOf(config.text('sasl.enabled.mechanisms'))
  if (mechanisms.length === 0 && config.text('ssl.client.auth') !== 'required') {
    logger.warn('anybody who reaches this address may read and write everything: clients need not say who they are', {
      listen: host, hint: 'start it with --users FILE (settings sasl.enabled.mechanisms and millrace.users.file), or with TLS and ssl.client.auth=required; or listen on 127.0.0.1',
    })
  } else if (!isTls && mechanisms.includes('PLAIN')) {
    logger.warn('passwords cross the network as they are: PLAIN without TLS', { listen: host, hint: 'start it with --tls-cert and --tls-key (setting ssl.keystore.location), or take PLAIN out of sasl.enabled.mechanisms' })
  }
}
