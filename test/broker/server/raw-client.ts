// A client that sends any bytes over a real socket and reads what comes back, frame by frame; with no manners and no timers.

import { connect, type Socket } from 'node:net'
import { FrameSplitter } from '../../../broker/wire/frame-splitter.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'

export class RawClient {
  readonly socket: Socket
  /** Frames that came, without their lengths. */
  readonly frames: Buffer[] = []
  isClosed = false
  #splitter = new FrameSplitter(512 * 1024 * 1024, new LentBuffers(0))

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {
      // A reset is one of the answers that are expected.
    })
    socket.on('close', () => (this.isClosed = true))
    socket.on('data', chunk => this.#splitter.push(chunk, frame => this.frames.push(Buffer.from(frame))))
  }

  send(bytes: Buffer): void {
    if (!this.isClosed) this.socket.write(bytes)
  }

  /** Bytes that came and are no whole frame are an error. */
  close(): void {
    this.socket.destroy()
  }
}

export function connectRaw(port: number): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(new RawClient(socket)))
    socket.once('error', reject)
  })
}
