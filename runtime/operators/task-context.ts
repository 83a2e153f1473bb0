// What the operators of one task share: the record in hand, the clocks, the stores, where writes go, and what happens when user code throws.

import { assert, MillraceError } from '../../core/error.ts'
import type { Offset, Timestamp } from '../../core/record.ts'
import type { TopologyNode } from '../../core/topology/node.ts'
import type { RepartitionTopic } from '../../core/topology/topology.ts'
import type { KeyValueStore, Store } from '../../state/store.ts'
import type { Collector } from './collector.ts'
import { verdictOf, type ErrorHandler } from './error-handler.ts'
import { Punctuations } from './punctuations.ts'

/** What a task has done since it was made. */
export interface TaskCounters {
  /** Records taken from its sources, bad ones not counted. */
  processed: number
  /** Records (or windows of one) left out as the language says: late, without key, without value where one is needed. */
  dropped: number
  /** Bad records left out because a handler said so. */
  skipped: number
  punctuated: number
}

/** An operator's own clock of event time: the highest timestamp it has seen, -1 at first. Kept across restarts. */
export interface EventClock {
  time: Timestamp
}

export interface TaskContextOptions {
  readonly applicationId: string
  readonly taskId: string
  readonly partition: number
  readonly stores: ReadonlyMap<string, Store>
  readonly globals: ReadonlyMap<string, KeyValueStore<unknown, unknown>>
  readonly repartitions: ReadonlyMap<string, RepartitionTopic>
  readonly collector: Collector
  readonly onDeserializationError: ErrorHandler
  /** Also for negative event times and for values that a sink's serde cannot write. */
  readonly onProcessingError: ErrorHandler
  /** True if a node of the task can change headers in place, so that who passes a changed record on must copy them. */
  readonly headersChange: boolean
  /** Whether updates of cached tables wait for `flush`. */
  readonly holdUpdates: boolean
  readonly clocks: ReadonlyMap<string, Timestamp>
}

export class TaskContext {
  readonly applicationId: string
  readonly taskId: string
  readonly partition: number
  readonly collector: Collector
  readonly headersChange: boolean
  readonly holdUpdates: boolean
  readonly counters: TaskCounters = { processed: 0, dropped: 0, skipped: 0, punctuated: 0 }
  readonly streamPunctuations: Punctuations = new Punctuations()
  readonly wallPunctuations: Punctuations = new Punctuations()
  readonly #stores: ReadonlyMap<string, Store>
  readonly #globals: ReadonlyMap<string, KeyValueStore<unknown, unknown>>
  readonly #repartitions: ReadonlyMap<string, RepartitionTopic>
  readonly #onDeserializationError: ErrorHandler
  readonly #onProcessingError: ErrorHandler
  readonly #clocks: ReadonlyMap<string, Timestamp>
  readonly #eventClocks = new Map<string, EventClock>()

  // The record in hand; in a punctuation: null, -1, -1, the time of the call.
  topic: string | null = null
  sourcePartition = -1
  offset: Offset = -1
  timestamp: Timestamp = -1

  /** Highest event time of the records processed, -1 at first. */
  streamTime: Timestamp
  wallTime: Timestamp = 0
  commitRequested = false
  /** The error that ends the task: operators on the way up let it pass. */
  #fatal: unknown = undefined

  constructor(options: TaskContextOptions) {
    this.applicationId = options.applicationId
    this.taskId = options.taskId
    this.partition = options.partition
    this.collector = options.collector
    this.headersChange = options.headersChange
    this.holdUpdates = options.holdUpdates
    this.#stores = options.stores
    this.#globals = options.globals
    this.#repartitions = options.repartitions
    this.#onDeserializationError = options.onDeserializationError
    this.#onProcessingError = options.onProcessingError
    this.#clocks = options.clocks
    this.streamTime = options.clocks.get('stream') ?? -1
  }

  /** A store of the task or a global one, for a node that the topology connects to it. */
  store(name: string): Store {
    const store = this.#stores.get(name) ?? this.#globals.get(name)
    assert(store !== undefined, `task ${this.taskId} has the store ${name}`)
    return store
  }

  globalStore(name: string): KeyValueStore<unknown, unknown> | undefined {
    return this.#globals.get(name)
  }

  repartition(name: string): RepartitionTopic {
    const repartition = this.#repartitions.get(name)
    assert(repartition !== undefined, `the topology has the repartition topic ${name}`)
    return repartition
  }

  /** The clock of that name (a node's), as the last commit left it. */
  eventClock(name: string): EventClock {
    const clock = this.#eventClocks.get(name) ?? { time: this.#clocks.get(`node ${name}`) ?? -1 }
    this.#eventClocks.set(name, clock)
    return clock
  }

  /** Every clock by the name under which it comes back at construction. */
  *clocks(): Iterable<readonly [string, Timestamp]> {
    yield ['stream', this.streamTime]
    for (const [name, clock] of this.#eventClocks) yield [`node ${name}`, clock.time]
  }

  /**
   * User code of `node` threw at the record in hand: asks the handler. Comes back if the record is to be skipped.
   * @throws MillraceError PROCESSING (or what a node below threw already) if the task must end
   */
  failed(node: TopologyNode, cause: unknown): void {
    if (cause === this.#fatal) throw cause
    const where = this.topic === null ? 'a punctuation' : `the record at offset ${this.offset} of ${this.topic}-${this.sourcePartition}`
    const error = new MillraceError('PROCESSING', `The operator ${node.name} (${node.kind}${node.site === null ? '' : `, ${node.site}`}) failed at ${where}: ${messageOf(cause)}`, {
      cause,
      hint: 'Mend the function, or set onProcessingError to skip such records.',
    })
    const verdict = verdictOf(this.#onProcessingError, { topic: this.topic, partition: this.sourcePartition, offset: this.offset, operator: node.name, site: node.site, error })
    if (verdict === 'fail') this.fatal(error)
    this.counters.skipped++
  }

  /** Bytes of the record in hand cannot be read by the source `node`: as {@link failed}. @throws MillraceError DESERIALIZATION */
  unreadable(node: TopologyNode, topic: string, partition: number, offset: Offset, cause: unknown): void {
    const error = new MillraceError('DESERIALIZATION', `The record at offset ${offset} of ${topic}-${partition} cannot be read by ${node.name}${node.site === null ? '' : ` (${node.site})`}: ${messageOf(cause)}`, {
      cause,
      hint: 'Give the source the serde that fits the topic, or set onDeserializationError to skip such records.',
    })
    const verdict = verdictOf(this.#onDeserializationError, { topic, partition, offset, operator: node.name, site: node.site, error })
    if (verdict === 'fail') this.fatal(error)
    this.counters.skipped++
  }

  /** Ends the task. */
  fatal(error: unknown): never {
    this.#fatal = error
    throw error
  }
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return `${String(cause)}.`
  const text = cause.name === 'Error' || cause instanceof MillraceError ? cause.message : `${cause.name}: ${cause.message}`
  return /[.!?]$/.test(text) ? text : `${text}.`
}
