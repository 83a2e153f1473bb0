// Serves a broker's sessions over TCP: accepts connections up to a limit and hands each to a connection of its own.

import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { DEFAULT_MAX_REQUEST_BYTES } from '../wire/frame.ts'
import type { SessionFactory } from '../wire/session.ts'
import { TcpConnection } from './tcp-connection.ts'

export interface TcpServerOptions {
  readonly sessions: SessionFactory
  readonly clock: Clock
  readonly logger: Logger
  /** Default 127.0.0.1: this machine only. */
  readonly host?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Largest request, bytes. Default 100 MiB. */
  readonly maxRequestBytes?: number
  /** Connections at a time; one more is closed at once. Default 10,000. */
  readonly maxConnections?: number
  /** A connection without a request for so long is closed, milliseconds. Default 10 minutes. */
  readonly maxIdleMs?: number
}

export interface TcpServer {
  readonly host: string
  readonly port: number
  /** Number of open connections. */
  readonly connections: number
  /** Stops listening, closes every connection (what is answered already is still sent), and resolves when all are gone. */
  close(): Promise<void>
}

/** @throws MillraceError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startTcpServer(options: TcpServerOptions): Promise<TcpServer> {
  const { clock, logger, sessions, host = '127.0.0.1', port = 0, maxConnections = 10_000 } = options
  const limits = { maxRequestBytes: options.maxRequestBytes ?? DEFAULT_MAX_REQUEST_BYTES, maxIdleMs: options.maxIdleMs ?? 600_000 }
  const open = new Set<TcpConnection>()

  const server = createServer({ noDelay: true, keepAlive: true, allowHalfOpen: true }, socket => {
    const peer = peerOf(socket)
    if (peer === null) return void socket.destroy()
    if (open.size >= maxConnections) {
      logger.warn('connection refused: too many are open', { ...peer, maxConnections })
      return void socket.destroy()
    }
    const connection: TcpConnection = new TcpConnection(socket, sessions(peer, reason => connection.hangUp(reason)), { clock, logger, peer, ...limits })
    open.add(connection)
    void connection.closed.then(() => open.delete(connection))
  })

  await listen(server, host, port)
  server.on('error', cause => logger.error('the listener failed', { host, port, cause }))
  return {
    host,
    port: portOf(server),
    get connections() {
      return open.size
    },
    async close() {
      const stopped = new Promise<void>(resolve => server.close(() => resolve()))
      for (const connection of open) connection.finish()
      await stopped
    },
  }
}

/** Null if the peer has gone already. */
function peerOf(socket: Socket): { readonly host: string; readonly port: number } | null {
  const { remoteAddress: host, remotePort: port } = socket
  return host === undefined || port === undefined ? null : { host, port }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cause.code === 'EADDRINUSE'
        ? new MillraceError('ADDRESS_IN_USE', `Port ${port} of ${host} is taken.`, { hint: 'Stop the other program, or listen on another port.', cause })
        : new MillraceError('LISTEN_FAILED', `Listening on ${host}:${port} failed: ${cause.message}.`, { cause }))
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
