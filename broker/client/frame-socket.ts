// Opens a TCP connection whose bytes come in as frames, each read straight into its own buffer.

import { createConnection, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { FrameReceiver } from '../wire/frame-receiver.ts'

export interface FrameSocketOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  /** Default: no TLS. */
  readonly tls?: ConnectionOptions | undefined
}

/** @throws MillraceError CONNECTION_FAILED, REQUEST_TIMED_OUT (both retriable), TLS_FAILED */
export function openFrameSocket({ host, port, clock, tls }: FrameSocketOptions, connectTimeoutMs: number, input: FrameInput): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const place = { host, port, noDelay: true, keepAlive: true, onread: input }
    const socket: Socket = tls === undefined ? createConnection(place) : connectTls({ ...(isIP(host) === 0 ? { servername: host } : {}), ...tls, ...place })
    const fail = (code: string, reason: string, cause?: Error, retriable = true): void => {
      cancel()
      socket.destroy()
      reject(new MillraceError(code, `Connecting to ${host}:${port} failed: ${reason}.`, { hint: 'Check the address, and that a broker is listening there.', retriable, cause }))
    }
    const cancel = clock.after(connectTimeoutMs, () => fail('REQUEST_TIMED_OUT', `no connection within ${connectTimeoutMs} ms`))
    const onError = (cause: NodeJS.ErrnoException): void => {
      // A socket that is reached fails for reasons that another attempt does not change: a certificate, no TLS at all.
      if (tls === undefined || cause.syscall !== undefined) fail('CONNECTION_FAILED', cause.code ?? cause.message, cause)
      else fail('TLS_FAILED', cause.message.trim(), cause, false)
    }
    socket.once('error', onError)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      cancel()
      socket.off('error', onError)
      resolve(socket)
    })
  })
}

/** What the socket reads into; whoever has the channel says what to do with the frames. */
export class FrameInput {
  onFrame: (frame: Buffer) => void = () => {}
  onFailure: (error: Error) => void = () => {}
  readonly #receiver: FrameReceiver

  constructor(maxResponseBytes: number) {
    this.#receiver = new FrameReceiver(maxResponseBytes)
  }

  readonly buffer = (): Buffer => this.#receiver.space()

  readonly callback = (bytes: number): boolean => {
    try {
      this.#receiver.filled(bytes, this.onFrame)
    } catch (error) {
      this.onFailure(error instanceof Error ? error : new Error(String(error)))
    }
    return true
  }
}
