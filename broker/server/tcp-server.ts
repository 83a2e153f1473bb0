// Serves a broker's sessions over TCP: accepts connections up to a limit and hands each to a connection of its own.

import { createServer, type Server } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { LentBuffers } from '../wire/lent-buffers.ts'
import type { SessionFactory } from '../wire/session.ts'
import { ConnectionCount, defaultConnectionLimits, type ConnectionLimits, type ConnectionPlace } from './security/connection-limits.ts'
import { RequestMemory } from './security/request-memory.ts'
import { StrangerMemory } from './security/stranger-memory.ts'
import { peerOf, TlsDoor, type TcpPeer, type TlsSetup } from './security/tls-door.ts'
import { ownReads, SharedReads, type IncomingBytes } from './shared-reads.ts'
import { TcpConnection } from './tcp-connection.ts'

export interface TcpServerOptions {
  readonly sessions: SessionFactory
  readonly clock: Clock
  readonly logger: Logger
  /** Default 127.0.0.1: this machine only. */
  readonly host?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Of each connection; see there for the defaults. */
  readonly limits?: Partial<ConnectionLimits>
  /** Connections at a time, perhaps with those of other servers; one more is closed at once. Default: no limit, as the next. */
  readonly count?: ConnectionCount
  /** Of the requests of all connections, perhaps with those of other servers. */
  readonly memory?: RequestMemory
  /** Of the requests of those that have not said who they are. */
  readonly strangers?: StrangerMemory
  /** Default null: no TLS. */
  readonly tls?: TlsSetup | null
}

export interface TcpServer {
  readonly host: string
  readonly port: number
  /** Number of open connections. */
  readonly connections: number
  /** For connections that come from now on; for a server that has some. */
  useCertificates(tls: TlsSetup): void
  /** Stops listening, closes every connection (what is answered already is still sent), and resolves when all are gone. */
  close(): Promise<void>
}

/** Memory for large requests, kept while none come. */
const maxIdleRequestBytes = 8 * 1024 * 1024
/** Smaller requests are cheaper to copy into small memory of their own. */
const smallestLentRequestBytes = 1024

/** @throws MillraceError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startTcpServer(options: TcpServerOptions): Promise<TcpServer> {
  const { clock, logger, sessions, tls = null, host = '127.0.0.1', port = 0, count = new ConnectionCount(Infinity, Infinity), memory = new RequestMemory(Infinity), strangers = new StrangerMemory() } = options
  const limits = { ...defaultConnectionLimits, ...options.limits }
  const open = new Set<TcpConnection>()
  // Not those of fetches: these are handed back with an answer, which may hold a part of another client's request.
  const buffers = new LentBuffers(maxIdleRequestBytes, smallestLentRequestBytes)
  const reads = new SharedReads()
  const serve = (incoming: IncomingBytes, peer: TcpPeer, place: ConnectionPlace): void => {
    const connection: TcpConnection = new TcpConnection(incoming, sessions(peer, reason => connection.hangUp(reason)), { clock, logger, peer, place, limits, memory, strangers, buffers })
    open.add(connection)
    void connection.closed.then(() => open.delete(connection))
  }
  const door = tls === null ? null : new TlsDoor(tls, logger, (socket, peer, place) => serve(ownReads(socket), peer, place))
  const server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, accepted => {
    const peer = peerOf(accepted)
    if (peer === null) return void accepted.destroy()
    // In TLS the bytes read are not those of requests yet.
    const incoming = door === null ? reads.adopt(accepted) : ownReads(accepted)
    const { socket } = incoming
    const place = count.admit(socket, peer.host)
    if (typeof place === 'string') {
      logger.warn('connection refused: too many are open', { host: peer.host, port: peer.port, reason: place })
      return void socket.destroy()
    }
    if (door === null) serve(incoming, peer, place)
    else door.open(socket, place)
  })

  await listen(server, host, port)
  server.on('error', cause => logger.error('the listener failed', { host, port, cause }))
  return {
    host,
    port: portOf(server),
    get connections() {
      return open.size
    },
    useCertificates(fresh) {
      door?.useCertificates(fresh)
    },
    async close() {
      const stopped = new Promise<void>(resolve => server.close(() => resolve()))
      for (const connection of open) connection.finish()
      door?.close()
      await stopped
      // Not all sockets are those that the server accepted, and knows.
      await Promise.all([...open].map(({ closed }) => closed))
    },
  }
}

const listenHints: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'This machine has no such address: 127.0.0.1 is reached from here, 0.0.0.0 from everywhere.',
  EACCES: 'Ports below 1024 are for privileged users: listen on a higher one.',
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'EADDRINUSE'
        ? new MillraceError('ADDRESS_IN_USE', `Port ${port} of ${host} is taken.`, { hint: 'Stop the other program, or listen on another port; port 0 takes a free one.', cause })
        : new MillraceError('LISTEN_FAILED', `Listening on ${host}:${port} failed: ${cause.message}.`, { cause, hint: listenHints[cause.code ?? ''] ?? 'Listen on another address.' }))
    })
    server.listen({ host, port, backlog: 511 }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
