// Reads of accepted sockets that share one buffer: made anew for every read, as Node does it, buffers are the garbage collector's largest work.

import { Socket, type SocketConstructorOpts } from 'node:net'

/** What one read can bring; larger requests come in several. */
const SPACE_BYTES = 128 * 1024

/** A socket and how its bytes are heard of. */
export interface IncomingBytes {
  readonly socket: Socket
  /** True: a chunk is good until the listener returns, and holds other bytes then. */
  readonly isShared: boolean
  /** Called once, in the turn in which the socket came. */
  listen(receive: (chunk: Buffer) => void): void
}

/** As Node reads. */
export function ownReads(socket: Socket): IncomingBytes {
  return { socket, isShared: false, listen: receive => void socket.on('data', receive) }
}

/** What `onread` does for sockets that connect (documented by Node) for sockets that are accepted; where Node does not go along they are read as ever. */
export class SharedReads {
  readonly #space: Buffer = Buffer.allocUnsafeSlow(SPACE_BYTES)

  /** The socket that takes the place of one just accepted, which is nobody's then. */
  adopt(accepted: Socket): IncomingBytes {
    const holder = accepted as { _handle?: { readonly useUserBuffer?: unknown } | null }
    const handle = holder._handle
    // Windows fills a buffer between two turns: sockets cannot share one there.
    if (process.platform === 'win32' || typeof handle?.useUserBuffer !== 'function') return ownReads(accepted)
    let receive: (chunk: Buffer) => void = () => {}
    const onread = {
      buffer: this.#space,
      callback: (bytes: number): boolean => {
        receive(this.#space.subarray(0, bytes))
        return true
      },
    }
    const socket = new Socket({ handle, allowHalfOpen: true, onread } as SocketConstructorOpts)
    if ((socket as typeof holder)._handle !== handle) return ownReads(accepted)
    holder._handle = null
    accepted.destroy()
    return {
      socket,
      isShared: true,
      listen(listener) {
        receive = listener
        // Never called where `onread` is; and it lets the end of the stream through.
        socket.on('data', listener)
      },
    }
  }
}
