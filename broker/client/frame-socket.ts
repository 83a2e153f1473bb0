// Opens a TCP connection whose bytes come in as frames, each read straight into its own buffer.

import { createConnection, type Socket } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { FrameReceiver } from '../wire/frame-receiver.ts'

export interface FrameSocketOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
}

/** @throws MillraceError CONNECTION_FAILED, REQUEST_TIMED_OUT (both retriable) */
export function openFrameSocket({ host, port, clock }: FrameSocketOptions, connectTimeoutMs: number, input: FrameInput): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true, keepAlive: true, onread: input })
    const fail = (code: string, reason: string, cause?: Error): void => {
      cancel()
      socket.destroy()
      reject(new MillraceError(code, `Connecting to ${host}:${port} failed: ${reason}.`, { hint: 'Check the address, and that a broker is listening there.', retriable: true, cause }))
    }
    const cancel = clock.after(connectTimeoutMs, () => fail('REQUEST_TIMED_OUT', `no connection within ${connectTimeoutMs} ms`))
    const onError = (cause: NodeJS.ErrnoException): void => fail('CONNECTION_FAILED', cause.code ?? cause.message, cause)
    socket.once('error', onError)
    socket.once('connect', () => {
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
