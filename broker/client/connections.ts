// The connections of one user of a cluster: one to each broker, made when first needed and again when lost.

import { MillraceError } from '../../core/error.ts'
import type { Channel } from '../wire/channel.ts'

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Opens a connection. @throws MillraceError CONNECTION_FAILED, retriable */
export type Connect = (address: BrokerAddress, clientId: string) => Promise<Channel>

/**
 * Who waits long for answers (a fetch, a join) has connections of its own, for a broker handles the requests of a connection one after the other.
 */
export class Connections {
  readonly #connect: Connect
  readonly #clientId: string
  readonly #open = new Map<string, Channel>()
  readonly #opening = new Map<string, Promise<Channel>>()
  #closed = false

  constructor(connect: Connect, clientId: string) {
    this.#connect = connect
    this.#clientId = clientId
  }

  /** The connection if it is there. */
  opened(address: BrokerAddress): Channel | undefined {
    return this.#open.get(nameOf(address))
  }

  /** Any connection that is there. */
  first(): Channel | undefined {
    for (const channel of this.#open.values()) return channel
    return undefined
  }

  /** @throws MillraceError CONNECTION_FAILED, retriable; CLIENT_CLOSED */
  to(address: BrokerAddress): Promise<Channel> {
    const name = nameOf(address)
    const open = this.#open.get(name)
    if (open !== undefined) return Promise.resolve(open)
    let opening = this.#opening.get(name)
    if (opening === undefined) {
      opening = this.#openTo(name, address).finally(() => this.#opening.delete(name))
      this.#opening.set(name, opening)
    }
    return opening
  }

  close(): void {
    this.#closed = true
    for (const channel of this.#open.values()) channel.close()
    this.#open.clear()
  }

  async #openTo(name: string, address: BrokerAddress): Promise<Channel> {
    if (this.#closed) throw clientClosed()
    const channel = await this.#connect(address, this.#clientId)
    if (this.#closed) {
      channel.close()
      throw clientClosed()
    }
    this.#open.set(name, channel)
    void channel.closed.then(() => {
      if (this.#open.get(name) === channel) this.#open.delete(name)
    })
    return channel
  }
}

export function clientClosed(): MillraceError {
  return new MillraceError('CLIENT_CLOSED', 'The client is closed.')
}

function nameOf(address: BrokerAddress): string {
  return `${address.host}:${address.port}`
}
