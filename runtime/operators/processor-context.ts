// The context that a user's processor works in: stores, punctuations, clocks, and where the record in hand came from.

import { toMs, type Duration } from '../../core/duration.ts'
import { MillraceError } from '../../core/error.ts'
import type { Cancellable, ProcessorContext, ProcessorStore } from '../../core/processor.ts'
import type { RecordMetadata, StreamRecord, Timestamp } from '../../core/record.ts'
import type { ProcessNode } from '../../core/topology/node.ts'
import type { KeyValueStore } from '../../state/store.ts'
import { TaskProcessorStore } from './processor-store.ts'
import type { TaskContext } from './task-context.ts'

type Forward = (record: StreamRecord<unknown, unknown>, child: string | undefined) => void

export class TaskProcessorContext implements ProcessorContext<unknown, unknown> {
  readonly applicationId: string
  readonly taskId: string
  readonly #node: ProcessNode
  readonly #context: TaskContext
  readonly #forward: Forward
  readonly #stores = new Map<string, ProcessorStore<unknown, unknown>>()
  #scheduled: Cancellable[] = []

  constructor(node: ProcessNode, context: TaskContext, forward: Forward) {
    this.applicationId = context.applicationId
    this.taskId = context.taskId
    this.#node = node
    this.#context = context
    this.#forward = forward
  }

  forward(record: StreamRecord<unknown, unknown>, child?: string): void {
    this.#forward(record, child)
  }

  store<K, V>(name: string): ProcessorStore<K, V> {
    return (this.#stores.get(name) ?? this.#open(name)) as ProcessorStore<K, V>
  }

  schedule(interval: Duration, type: 'stream' | 'wall', action: (time: Timestamp) => void, options: { readonly startAt?: Timestamp } = {}): Cancellable {
    const intervalMs = toMs(interval, 'interval')
    if (intervalMs < 1) throw new MillraceError('BAD_INTERVAL', `The interval of a punctuation is ${intervalMs} ms.`, { hint: 'It must be 1 ms at least.' })
    const { streamTime, wallTime, streamPunctuations, wallPunctuations } = this.#context
    const now = type === 'stream' ? streamTime : wallTime
    const start = options.startAt ?? (type === 'stream' ? 0 : now + intervalMs)
    const missed = options.startAt !== undefined && start < now ? Math.ceil((now - start) / intervalMs) : 0
    const punctuations = type === 'stream' ? streamPunctuations : wallPunctuations
    const scheduled = punctuations.add(start + missed * intervalMs, intervalMs, time => this.#punctuate(action, time))
    this.#scheduled.push(scheduled)
    return scheduled
  }

  commit(): void {
    this.#context.commitRequested = true
  }

  recordMetadata(): RecordMetadata | { readonly topic: null; readonly partition: -1; readonly offset: -1 } {
    const { topic, sourcePartition, offset } = this.#context
    return topic === null ? { topic: null, partition: -1, offset: -1 } : { topic, partition: sourcePartition, offset }
  }

  streamTime(): Timestamp {
    return this.#context.streamTime
  }

  wallTime(): Timestamp {
    return this.#context.wallTime
  }

  close(): void {
    for (const scheduled of this.#scheduled) scheduled.cancel()
    this.#scheduled = []
  }

  #punctuate(action: (time: Timestamp) => void, time: Timestamp): void {
    try {
      action(time)
    } catch (error) {
      this.#context.failed(this.#node, error)
    }
  }

  #open(name: string): ProcessorStore<unknown, unknown> {
    const global = this.#context.globalStore(name)
    if (global === undefined && !this.#node.stores.includes(name)) {
      const site = this.#node.site === null ? '' : ` (${this.#node.site})`
      throw new MillraceError('UNKNOWN_STORE', `The processor ${this.#node.name} is not connected to a store ${name}.`, { hint: `Name the store where the processor is added${site}.` })
    }
    const store = global ?? this.#context.store(name)
    if (store.description.kind === 'window') {
      throw new MillraceError('WINDOW_STORE', `The store ${name} holds windows, which a processor cannot read yet.`, { hint: 'Connect a key-value store.' })
    }
    const opened = new TaskProcessorStore(store as KeyValueStore<unknown, unknown>, this.#context, global === undefined)
    this.#stores.set(name, opened)
    return opened
  }
}
