// One connection to a broker for requests one after the other: bytes go out, a frame comes back, or the connection ends.

import { connect, type Socket } from 'node:net'
import { sleep, systemClock } from '../../../core/clock.ts'
import { FrameSplitter } from '../../../broker/wire/frame-splitter.ts'
import { LentBuffers } from '../../../broker/wire/lent-buffers.ts'

/** No frame: the broker hung up, or was silent for too long. */
export type NoFrame = 'hung up' | 'silent'

/** Connects again when it is used after the broker hung up. */
export class Lane {
  readonly #port: number
  #socket: Socket | null = null
  #frame: (frame: Buffer | NoFrame) => void = () => {}

  constructor(port: number) {
    this.#port = port
  }

  async exchange(bytes: readonly Buffer[], patienceMs: number): Promise<Buffer | NoFrame> {
    const socket = this.#socket ?? (await this.#connect())
    const end = new AbortController()
    const answer = new Promise<Buffer | NoFrame>(resolve => (this.#frame = resolve))
    socket.write(Buffer.concat(bytes))
    const frame = await Promise.race([answer, sleep(systemClock, patienceMs, end.signal).then(() => 'silent' as const, () => 'silent' as const)])
    end.abort()
    if (typeof frame === 'string') this.close()
    return frame
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#port, '127.0.0.1')
    socket.setNoDelay(true)
    const splitter = new FrameSplitter(256 * 1024 * 1024, new LentBuffers(0))
    // A reset is one of the answers that are expected; the close that follows tells it.
    socket.on('error', () => {})
    socket.on('data', chunk => splitter.push(chunk, frame => this.#socket === socket && this.#frame(Buffer.from(frame))))
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.#socket = null
      this.#frame('hung up')
    })
    this.#socket = socket
    await new Promise<void>(resolve => socket.once('connect', resolve).once('close', () => resolve()))
    return socket
  }
}
