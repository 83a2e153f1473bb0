// Connects to a log: a cluster at its bootstrap servers, or a broker in this process.

import { systemClock, type Clock } from '../../core/clock.ts'
import type { LogPort } from '../../core/log-port.ts'
import { silentLogger, type Logger } from '../../core/logger.ts'
import { systemRandom, type Random } from '../../core/random.ts'
import type { Channel } from '../wire/channel.ts'
import { createAdmin, type ClusterAdmin } from './admin.ts'
import { parseBootstrap } from './bootstrap.ts'
import { Cluster } from './cluster.ts'
import { clientClosed, type Connect } from './connections.ts'
import { Fetcher } from './fetcher.ts'
import { createGroupConsumer } from './group-consumer.ts'
import { createProducer } from './producer.ts'
import type { ClientWorld } from './retry.ts'
import type { ClientSecurity } from './client-security.ts'
import { connectTcpChannel } from './tcp-channel.ts'

export type ConnectLogOptions = LogEndpoint & {
  /** How the brokers know this client. Default `millrace`. */
  readonly clientId?: string
  /** How long the first connection may take, milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number
  /** TLS and login of every connection to a cluster; for node:tls and SASL. Default: neither. */
  readonly security?: ClientSecurity
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
}

/** `bootstrap` is `host:port`, several with commas between; `connect` opens a channel to a broker in this process. */
export type LogEndpoint =
  | { readonly bootstrap: string; readonly connect?: undefined }
  | { readonly connect: (clientId: string) => Channel | Promise<Channel>; readonly bootstrap?: undefined }

/** A log with all that can be administered of a cluster. */
export interface LogClient extends LogPort {
  readonly admin: ClusterAdmin
}

/** @throws MillraceError BAD_BOOTSTRAP, CONNECTION_FAILED */
export async function connectLog(options: ConnectLogOptions): Promise<LogClient> {
  const world: ClientWorld = { clock: options.clock ?? systemClock, random: options.random ?? systemRandom, logger: options.logger ?? silentLogger }
  const clientId = options.clientId ?? 'millrace'
  const cluster =
    options.connect === undefined
      ? new Cluster({ bootstrap: parseBootstrap(options.bootstrap), connect: tcpConnect(world.clock, options.security), clientId, inProcess: false, world })
      : new Cluster({ bootstrap: [inProcess], connect: pipeConnect(options.connect), clientId, inProcess: true, world })
  try {
    await cluster.describeTopics([], { deadlineMs: options.connectTimeoutMs ?? 5_000 })
  } catch (error) {
    cluster.close()
    throw error
  }
  return new ConnectedLog(cluster)
}

/** A broker in this process has no address of its own. */
const inProcess = { host: 'in-process', port: 0 } as const

function tcpConnect(clock: Clock, security: ClientSecurity = {}): Connect {
  return ({ host, port }, clientId) => connectTcpChannel({ host, port, clock, clientId, ...security })
}

function pipeConnect(connect: (clientId: string) => Channel | Promise<Channel>): Connect {
  return async (_, clientId) => connect(clientId)
}

interface Closable {
  close(): Promise<void>
}

class ConnectedLog implements LogClient {
  readonly admin: ClusterAdmin
  readonly #cluster: Cluster
  readonly #users = new Set<Closable>()
  #closed = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.admin = createAdmin(cluster)
  }

  async producer(...[options]: Parameters<LogPort['producer']>): ReturnType<LogPort['producer']> {
    this.#assertOpen()
    return this.#use(await createProducer(this.#cluster, options))
  }

  groupConsumer(options: Parameters<LogPort['groupConsumer']>[0]): ReturnType<LogPort['groupConsumer']> {
    this.#assertOpen()
    return this.#use(createGroupConsumer(this.#cluster, options))
  }

  reader(...[options]: Parameters<LogPort['reader']>): ReturnType<LogPort['reader']> {
    this.#assertOpen()
    return this.#use(new Fetcher(this.#cluster, { ...options, offsetReset: null }))
  }

  /** Closes what was made of it, too. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled([...this.#users].map(user => user.close()))
    this.#cluster.close()
  }

  #use<T extends Closable>(user: T): T {
    this.#users.add(user)
    const close = user.close.bind(user)
    // A log may live long and its readers briefly: it must not keep those that are closed.
    user.close = () => {
      this.#users.delete(user)
      return close()
    }
    return user
  }

  #assertOpen(): void {
    if (this.#closed) throw clientClosed()
  }
}

