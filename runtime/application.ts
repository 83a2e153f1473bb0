// An application runs a topology: it opens the log, joins the group, runs the tasks it is given, and says how it fares.

import { MillraceError } from '../core/error.ts'
import type { ReadOnlyKeyValueStore } from '../core/processor.ts'
import type { Topology } from '../core/topology/topology.ts'
import { resolveSettings, type ApplicationSettings, type ResolvedSettings } from './application-settings.ts'
import { openParts, type OpenParts } from './open-parts.ts'
import { queryKeyValueStore, queryWindowStore, type QueryableWindowStore } from './queryable-store.ts'

/** Kafka Streams' states. `RUNNING` also while nothing is assigned; `ERROR` and `NOT_RUNNING` are final. */
export type ApplicationState = 'CREATED' | 'REBALANCING' | 'RUNNING' | 'PENDING_SHUTDOWN' | 'PENDING_ERROR' | 'NOT_RUNNING' | 'ERROR'

/** Counters since the start, of this instance. */
export interface ApplicationMetrics {
  readonly state: ApplicationState
  readonly tasks: number
  /** Records taken through the operators. */
  readonly processed: number
  /** Late records, null keys and the like: Kafka Streams' dropped-records-total. */
  readonly dropped: number
  /** Bad records that a handler let go. */
  readonly skipped: number
  /** Records handed to the log: results, repartition topics and changelogs. */
  readonly produced: number
  /** Changelog records read to bring stores up to date. */
  readonly restored: number
  readonly commits: number
  readonly commitMs: number
  /** Estimated bytes of rows in memory. */
  readonly memoryBytes: number
}

/**
 * ```ts
 * await using application = new StreamsApplication({ topology, applicationId: 'word-count', dataDirectory: '.millrace' })
 * await application.start()
 * await application.untilIdle()
 * application.store<string, number>('counts').get('river')
 * ```
 */
export class StreamsApplication implements AsyncDisposable {
  readonly settings: ResolvedSettings
  /** Resolves when all is closed: with null after `close`, with the failure otherwise. Never rejects. */
  readonly closed: Promise<Error | null>
  #state: ApplicationState = 'CREATED'
  #failure: Error | null = null
  #listeners = new Set<(state: ApplicationState) => void>()
  #resolveClosed!: (failure: Error | null) => void
  #running: OpenParts | null = null
  #started: Promise<void> | null = null
  #final: ApplicationMetrics | null = null

  /** @throws MillraceError SETTINGS, or TOPOLOGY if a builder is given that cannot be built */
  constructor(settings: ApplicationSettings) {
    this.settings = resolveSettings(settings)
    this.closed = new Promise(resolve => (this.#resolveClosed = resolve))
  }

  get topology(): Topology {
    return this.settings.topology
  }

  get state(): ApplicationState {
    return this.#state
  }

  /** What ended it, in state ERROR. */
  get failure(): Error | null {
    return this.#failure
  }

  /** Calls back at every change of state; the answer ends that. */
  onState(listener: (state: ApplicationState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when the tasks run, their stores restored. @throws what prevented it */
  async start(): Promise<void> {
    if (this.#state !== 'CREATED') throw new MillraceError('ALREADY_STARTED', `The application ${this.settings.applicationId} is ${this.#state}.`, { hint: 'Make a new one to start again.' })
    this.#setState('REBALANCING')
    this.#started = this.#open()
    await this.#started
    if (this.#failure !== null) throw this.#failure
  }

  /** Resolves when all input present is processed and committed, or when it is closed. @throws the failure, if that ends it before */
  async untilIdle(): Promise<void> {
    if (this.#state === 'CREATED') throw new MillraceError('NOT_RUNNING', `The application ${this.settings.applicationId} was not started.`, { hint: 'Await start() first.' })
    const idle = (await this.#running?.worker.untilIdle()) ?? false
    const failure = idle ? null : await this.closed
    if (failure !== null) throw failure
  }

  /** Commits, leaves the group and closes everything; does nothing the second time. @throws the failure, if it had failed */
  async close(): Promise<void> {
    if (this.#state === 'CREATED') this.#finish(null)
    if (this.#state === 'REBALANCING' || this.#state === 'RUNNING') this.#setState('PENDING_SHUTDOWN')
    this.#running?.worker.stop()
    await this.#started?.catch(() => {})
    this.#running?.worker.stop()
    const failure = await this.closed
    if (failure !== null) throw failure
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Reads a key-value store: the rows of this instance's partitions, uncommitted ones included. @throws MillraceError UNKNOWN_STORE, NOT_RUNNING */
  store<K, V>(name: string): ReadOnlyKeyValueStore<K, V> {
    const running = this.#expectRunning()
    return queryKeyValueStore<K, V>(name, running.keeper.running.values(), running.globals.stores)
  }

  /** Reads a window store in the same way. */
  windowStore<K, V>(name: string): QueryableWindowStore<K, V> {
    return queryWindowStore<K, V>(name, this.#expectRunning().keeper.running.values())
  }

  metrics(): ApplicationMetrics {
    if (this.#final !== null) return { ...this.#final, state: this.#state }
    const counters = this.#running?.keeper.counters() ?? { processed: 0, dropped: 0, skipped: 0 }
    return {
      state: this.#state,
      tasks: this.#running?.keeper.running.size ?? 0,
      ...counters,
      produced: this.#running?.collector.sent ?? 0,
      restored: this.#running?.restored() ?? 0,
      ...(this.#running?.worker.counters ?? { commits: 0, commitMs: 0 }),
      memoryBytes: this.#running?.budget.heldBytes ?? 0,
    }
  }

  #expectRunning(): OpenParts {
    if (this.#running !== null && (this.#state === 'RUNNING' || this.#state === 'REBALANCING')) return this.#running
    throw new MillraceError('NOT_RUNNING', `The application ${this.settings.applicationId} is ${this.#state}; its stores cannot be read.`, { hint: 'Read stores between start() and close().' })
  }

  /** Resolves when the first assignment runs, or the application has failed. */
  async #open(): Promise<void> {
    try {
      const running = await openParts(this.settings, state => this.#setState(state))
      this.#running = running
      if (this.#state === 'PENDING_SHUTDOWN') running.worker.stop()
    } catch (error) {
      this.#finish(error as Error)
      return
    }
    const ended = this.#running.worker.run().then(
      () => null,
      (error: unknown) => error as Error,
    )
    void ended.then(async failure => {
      if (failure !== null) this.#setState('PENDING_ERROR')
      this.#final = this.metrics()
      const closing = await this.#running!.close().then(
        () => null,
        (error: unknown) => error as Error,
      )
      this.#finish(failure ?? closing)
    })
    await Promise.race([this.#running.firstAssignment, this.closed])
  }

  #finish(failure: Error | null): void {
    this.#failure = failure
    this.#setState(failure === null ? 'NOT_RUNNING' : 'ERROR')
    this.#resolveClosed(failure)
  }

  #setState(state: ApplicationState): void {
    const ending = this.#state === 'PENDING_SHUTDOWN' || this.#state === 'PENDING_ERROR'
    if (state === this.#state || (ending && (state === 'RUNNING' || state === 'REBALANCING'))) return
    this.#state = state
    for (const listener of this.#listeners) listener(state)
  }
}
