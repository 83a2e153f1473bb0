// How much one client's connection may take of a broker, in numbers, bytes and time; and the count of connections that are open.

import { isIP, type Socket } from 'node:net'
import { MillraceError } from '../../../core/error.ts'
import { listOf } from '../../kernel/config-definition.ts'
import type { Settings } from '../../kernel/listener-config.ts'
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

export function connectionLimits(config: Settings): ConnectionLimits {
  return {
    maxRequestBytes: config.number('socket.request.max.bytes'),
    maxUnknownRequestBytes: config.number('sasl.server.max.receive.size'),
    maxHeldRequests: config.number('millrace.connection.max.requests'),
    maxHeldBytes: config.number('millrace.connection.max.request.bytes'),
    maxIdleMs: config.number('connections.max.idle.ms'),
    maxUnknownMs: config.number('millrace.authentication.timeout.ms'),
  }
}

/** `address:number` each, with commas between. @throws MillraceError BAD_SETTING */
export function overridesPerIp(text: string): ReadonlyMap<string, number> {
  return new Map(listOf(text).map(entry => {
    const [, bracketed, plain, most] = /^(?:\[([^\]]+)\]|(.+)):(\d{1,9})$/.exec(entry) ?? []
    const ip = bracketed ?? plain
    if (ip === undefined || isIP(ip) === 0) throw new MillraceError('BAD_SETTING', `max.connections.per.ip.overrides has ${entry}, which is not ADDRESS:NUMBER.`, { hint: 'For example 127.0.0.1:200,10.0.0.7:5.' })
    return [ip, Number(most)] as const
  }))
}

/** The place of one connection among those that are open. */
export interface ConnectionPlace {
  /** The client has said who it is, or need not. */
  welcome(): void
}

/**
 * Counts the connections that are open, all and by address, and says whether one more may be. Those whose clients have not said who they are, or
 * still shake hands, have half of the places: the others are free for clients that will, whoever else knocks.
 */
export class ConnectionCount {
  readonly #max: number
  readonly #maxStrangers: number
  readonly #maxPerIp: number
  readonly #overrides: ReadonlyMap<string, number>
  readonly #whole: ConnectionCount | null
  readonly #byIp = new Map<string, number>()
  #open = 0
  #strangers = 0

  /** `overrides`: for some addresses; `whole`: what is counted here counts there, too. */
  constructor(max: number, maxPerIp: number, overrides: ReadonlyMap<string, number> = new Map<string, number>(), whole: ConnectionCount | null = null) {
    this.#max = max
    this.#maxStrangers = Math.ceil(max / 2)
    this.#maxPerIp = maxPerIp
    this.#overrides = overrides
    this.#whole = whole
  }

  /** A part of these, of which there may be so many. */
  within(max: number): ConnectionCount {
    return new ConnectionCount(max, Infinity, new Map(), this)
  }

  /** Counts the socket until it closes; where it is one too many, says of what. It is a stranger's until it is welcome. */
  admit(socket: Socket, ip: string): ConnectionPlace | string {
    const ofIp = this.#byIp.get(ip) ?? 0
    const maxOfIp = this.#overrides.get(ip) ?? this.#maxPerIp
    if (this.#open >= this.#max) return `${this.#max} are open`
    if (ofIp >= maxOfIp) return `${maxOfIp} of this address are open`
    if (this.#strangers >= this.#maxStrangers) return `${this.#maxStrangers} are open whose clients have not said who they are`
    const ofWhole = this.#whole?.admit(socket, ip) ?? null
    if (typeof ofWhole === 'string') return ofWhole
    this.#open++
    this.#strangers++
    this.#byIp.set(ip, ofIp + 1)
    let isStranger = true
    const welcome = (): void => {
      if (isStranger) this.#strangers--
      isStranger = false
      ofWhole?.welcome()
    }
    socket.once('close', () => {
      welcome()
      this.#release(ip)
    })
    return { welcome }
  }

  #release(ip: string): void {
    this.#open--
    const left = this.#byIp.get(ip)! - 1
    if (left === 0) this.#byIp.delete(ip)
    else this.#byIp.set(ip, left)
  }
}
