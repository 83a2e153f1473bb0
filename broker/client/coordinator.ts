// The broker that coordinates a consumer group, or the transactions of an id: found, asked, and found again when it has moved.

import type { MillraceError } from '../../core/error.ts'
import type { ApiName, RequestInput, ResponseOf } from '../wire/apis.ts'
import type { RequestOptions } from '../wire/channel.ts'
import { errors, kafkaError } from '../wire/error-code.ts'
import type { Cluster } from './cluster.ts'
import type { BrokerAddress, Connections } from './connections.ts'
import { isRetriable, retrying } from './retry.ts'

export interface AskOptions extends RequestOptions {
  /** Until when failures of the way, and of a coordinator that moves, are tried again. Default 60,000. */
  readonly deadlineMs?: number
}

/** The coordinator has moved, is not ready, or waits for a transaction to end: asking again helps. */
const passing: ReadonlySet<number> = new Set(
  (['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'UNSTABLE_OFFSET_COMMIT', 'REQUEST_TIMED_OUT'] as const).map(name => errors[name].code),
)

export class Coordinator {
  /** Or the transactional id. */
  readonly groupId: string
  readonly #keyType: number
  readonly #cluster: Cluster
  readonly #connections: Connections
  #address: BrokerAddress | null = null

  constructor(cluster: Cluster, connections: Connections, groupId: string, of: 'group' | 'transactions' = 'group') {
    this.#keyType = of === 'group' ? 0 : 1
    this.#cluster = cluster
    this.#connections = connections
    this.groupId = groupId
  }

  /**
   * Asks the coordinator. `body` is made for the version that both sides speak, at most `newest`; `codeOf` finds the error code in the answer: where
   * asking again helps that is done here; all others are left to the caller.
   */
  async ask<N extends ApiName>(api: N, newest: number, body: (version: number) => RequestInput<N>, codeOf: (answer: ResponseOf<N>) => number, options: AskOptions = {}): Promise<ResponseOf<N>> {
    const { deadlineMs = 60_000, ...request } = options
    const signal = request.signal ?? this.#cluster.closing
    return retrying(this.#cluster.world, { deadlineMs, signal }, async () => {
      try {
        const channel = await this.#connections.to((this.#address ??= await this.#find()))
        const version = Math.min(channel.versionOf(api), newest)
        const answer = await channel.request(api, body(version), { ...request, version })
        const code = codeOf(answer)
        if (passing.has(code)) throw kafkaError(code, `${api} of ${this.#what} ${this.groupId}`)
        return answer
      } catch (error) {
        if (isRetriable(error)) this.#address = null
        throw error
      }
    })
  }

  async #find(): Promise<BrokerAddress> {
    const channel = await this.#cluster.anyChannel()
    const version = Math.min(channel.versionOf('FindCoordinator'), 4)
    const body = version >= 4 ? { keyType: this.#keyType, coordinatorKeys: [this.groupId] } : { key: this.groupId, ...(this.#keyType === 0 ? {} : { keyType: this.#keyType }) }
    const answer = await channel.request('FindCoordinator', body, { version })
    const found = version >= 4 ? answer.coordinators[0] : answer
    if (found === undefined) throw kafkaError(errors.COORDINATOR_NOT_AVAILABLE.code, `coordinator of ${this.#what} ${this.groupId}`)
    if (found.errorCode !== 0) throw this.#notFound(found.errorCode, found.errorMessage)
    return { host: found.host, port: found.port }
  }

  get #what(): string {
    return this.#keyType === 0 ? 'group' : 'transactional id'
  }

  #notFound(code: number, detail: string | null): MillraceError {
    return kafkaError(code, `coordinator of ${this.#what} ${this.groupId}`, detail)
  }
}
