// Where connections shake hands in TLS before they are served, and learn whom the client's certificate names.

import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { MillraceError } from '../../../core/error.ts'
import type { Logger } from '../../../core/logger.ts'
import type { ConnectionPlace } from './connection-limits.ts'
import { distinguishedName } from './distinguished-name.ts'
import type { PrincipalMapping } from './principal-mapping.ts'

export interface TcpPeer {
  readonly host: string
  readonly port: number
  /** Of the certificate that the client has shown; null without one. */
  readonly certified: string | null
}

export interface TlsSetup {
  readonly options: TlsOptions
  readonly mapping: PrincipalMapping
}

interface Shaking {
  readonly socket: Socket
  readonly place: ConnectionPlace
}

export class TlsDoor {
  readonly #server: Server
  readonly #logger: Logger
  #mapping: PrincipalMapping
  readonly #serve: (socket: Socket, peer: TcpPeer, place: ConnectionPlace) => void
  /** Accepted and still shaking hands, by address and port. */
  readonly #shaking = new Map<string, Shaking>()

  constructor({ options, mapping }: TlsSetup, logger: Logger, serve: (socket: Socket, peer: TcpPeer, place: ConnectionPlace) => void) {
    this.#logger = logger
    this.#mapping = mapping
    this.#serve = serve
    this.#server = createServer(options, socket => this.#shaken(socket))
    this.#server.on('tlsClientError', (cause: Error, socket) => {
      logger.warn('connection refused: no TLS', { host: socket.remoteAddress, reason: reasonOf(cause) })
      socket.destroy()
    })
  }

  open(socket: Socket, place: ConnectionPlace): void {
    const peer = peerOf(socket)
    if (peer === null) return void socket.destroy()
    const name = nameOf(peer)
    this.#shaking.set(name, { socket, place })
    socket.once('close', () => this.#shaking.delete(name))
    this.#server.emit('connection', socket)
  }

  useCertificates({ options, mapping }: TlsSetup): void {
    this.#server.setSecureContext(options)
    this.#mapping = mapping
  }

  close(): void {
    for (const { socket } of this.#shaking.values()) socket.destroy()
  }

  #shaken(socket: TLSSocket): void {
    const peer = peerOf(socket)
    const place = peer === null ? undefined : this.#shaking.get(nameOf(peer))?.place
    if (peer === null || place === undefined) return void socket.destroy()
    this.#shaking.delete(nameOf(peer))
    const certificate = (socket.getPeerCertificate() as { readonly raw?: Buffer } | null)?.raw
    if (certificate === undefined) return this.#serve(socket, { ...peer, certified: null }, place)
    // Asked for and not required: none is fine, a bad one is not.
    if (!socket.authorized) return this.#refuse(socket, peer, `not trusted: ${String(socket.authorizationError)}`)
    const name = nameOn(certificate)
    const certified = name === null ? null : this.#mapping(name)
    if (certified === null) return this.#refuse(socket, peer, name === null ? 'the name on it cannot be read' : `no rule for the name ${name}`)
    this.#serve(socket, { ...peer, certified }, place)
  }

  #refuse(socket: TLSSocket, { host, port }: TcpPeer, reason: string): void {
    this.#logger.warn('connection refused: its certificate', { host, port, reason })
    socket.destroy()
  }
}

/** Null: OpenSSL takes some certificates that are no DER. */
function nameOn(certificate: Buffer): string | null {
  try {
    return distinguishedName(certificate)
  } catch (error) {
    if (error instanceof MillraceError) return null
    throw error
  }
}

/** In words; OpenSSL's message names its own source lines, too. */
function reasonOf(cause: NodeJS.ErrnoException & { readonly reason?: string }): string {
  const plaintext = ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_HTTP_REQUEST', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'ERR_SSL_RECORD_LAYER_FAILURE', 'ERR_SSL_BAD_RECORD_TYPE']
  if (plaintext.includes(cause.code ?? '')) return 'the client does not speak TLS (security.protocol SSL or SASL_SSL)'
  return cause.reason ?? cause.message
}

/** Null if the peer has gone already. IPv4 is written as such, also where it comes through a socket of IPv6. */
export function peerOf(socket: Socket): TcpPeer | null {
  const { remoteAddress: host, remotePort: port } = socket
  return host === undefined || port === undefined ? null : { host: host.replace(/^::ffff:(?=\d+\.)/i, ''), port, certified: null }
}

function nameOf({ host, port }: TcpPeer): string {
  return `${host}:${port}`
}
