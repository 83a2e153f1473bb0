// How much one client's connection may take of a broker, in numbers, bytes and time; and the count of connections that are open.

import type { Socket } from 'node:net'
import type { BrokerConfig } from '../../kernel/broker-config.ts'
import { DEFAULT_MAX_REQUEST_BYTES } from '../../wire/frame.ts'

export interface ConnectionLimits {
  readonly maxRequestBytes: number
  /** The same until the client has said who it is. */
  readonly maxUnknownRequestBytes: number
  /** Requests waiting or being answered; beyond, the connection is not read until some are done. */
  readonly maxHeldRequests: number
  readonly maxHeldBytes: number
  /** A connection without a whole request, or a megabyte of one, for so long is closed; so is one that does not take its answers. */
  readonly maxIdleMs: number
  /** How long a client may take to say who it is. */
  readonly maxUnknownMs: number
}

/** Those of the settings, where nobody sets them. */
export const defaultConnectionLimits: ConnectionLimits = {
  maxRequestBytes: DEFAULT_MAX_REQUEST_BYTES,
  maxUnknownRequestBytes: 524_288,
  maxHeldRequests: 16,
  maxHeldBytes: 4 * 1024 * 1024,
  maxIdleMs: 600_000,
  maxUnknownMs: 30_000,
}

export function connectionLimits(config: BrokerConfig): ConnectionLimits {
  return {
    maxRequestBytes: config.number('socket.request.max.bytes'),
    maxUnknownRequestBytes: config.number('sasl.server.max.receive.size'),
    maxHeldRequests: config.number('millrace.connection.max.requests'),
    maxHeldBytes: config.number('millrace.connection.max.request.bytes'),
    maxIdleMs: config.number('connections.max.idle.ms'),
    maxUnknownMs: config.number('millrace.authentication.timeout.ms'),
  }
}

/** Counts the connections that are open, all and by address, and says whether one more may be. */
export class ConnectionCount {
  readonly #max: number
  readonly #maxPerIp: number
  readonly #byIp = new Map<string, number>()
  #open = 0

  constructor(max: number, maxPerIp: number) {
    this.#max = max
    this.#maxPerIp = maxPerIp
  }

  /** Counts the socket until it closes; false where it is one too many. */
  admit(socket: Socket, ip: string): boolean {
    const ofIp = this.#byIp.get(ip) ?? 0
    if (this.#open >= this.#max || ofIp >= this.#maxPerIp) return false
    this.#open++
    this.#byIp.set(ip, ofIp + 1)
    socket.once('close', () => this.#release(ip))
    return true
  }

  #release(ip: string): void {
    this.#open--
    const left = this.#byIp.get(ip)! - 1
    if (left === 0) this.#byIp.delete(ip)
    else this.#byIp.set(ip, left)
  }
}
