// Where connections shake hands in TLS before they are served, and learn whom the client's certificate names.

import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Logger } from '../../../core/logger.ts'
import { distinguishedName } from './distinguished-name.ts'

export interface TcpPeer {
  readonly host: string
  readonly port: number
  /** Of the certificate that the client has shown; null without one. */
  readonly certified: string | null
}

export class TlsDoor {
  readonly #server: Server
  readonly #logger: Logger
  readonly #serve: (socket: Socket, peer: TcpPeer) => void
  /** Accepted and still shaking hands, by address and port. */
  readonly #shaking = new Map<string, Socket>()

  constructor(options: TlsOptions, logger: Logger, serve: (socket: Socket, peer: TcpPeer) => void) {
    this.#logger = logger
    this.#serve = serve
    this.#server = createServer(options, socket => this.#shaken(socket))
    this.#server.on('tlsClientError', (cause: Error, socket) => {
      logger.warn('connection refused: no TLS', { host: socket.remoteAddress, reason: cause.message })
      socket.destroy()
    })
  }

  open(socket: Socket): void {
    const peer = peerOf(socket)
    if (peer === null) return void socket.destroy()
    const name = nameOf(peer)
    this.#shaking.set(name, socket)
    socket.once('close', () => this.#shaking.delete(name))
    this.#server.emit('connection', socket)
  }

  close(): void {
    for (const socket of this.#shaking.values()) socket.destroy()
  }

  #shaken(socket: TLSSocket): void {
    const peer = peerOf(socket)
    if (peer === null) return void socket.destroy()
    this.#shaking.delete(nameOf(peer))
    const subject = (socket.getPeerCertificate() as { readonly subject?: ReturnType<TLSSocket['getPeerCertificate']>['subject'] } | null)?.subject
    // Asked for and not required: none is fine, a bad one is not.
    if (subject !== undefined && !socket.authorized) {
      this.#logger.warn('connection refused: its certificate is not trusted', { host: peer.host, port: peer.port, reason: String(socket.authorizationError) })
      return void socket.destroy()
    }
    this.#serve(socket, { ...peer, certified: subject === undefined ? null : distinguishedName(subject) })
  }
}

/** Null if the peer has gone already. IPv4 is written as such, also where it comes through a socket of IPv6. */
export function peerOf(socket: Socket): TcpPeer | null {
  const { remoteAddress: host, remotePort: port } = socket
  return host === undefined || port === undefined ? null : { host: host.replace(/^::ffff:(?=\d+\.)/i, ''), port, certified: null }
}

function nameOf({ host, port }: TcpPeer): string {
  return `${host}:${port}`
}
