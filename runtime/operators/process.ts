// process and processValues: hands each record to the user's own processor, and what that forwards to the children.

import { MillraceError } from '../../core/error.ts'
import type { Headers } from '../../core/headers.ts'
import type { Processor } from '../../core/processor.ts'
import type { StreamRecord, Timestamp } from '../../core/record.ts'
import type { ProcessNode } from '../../core/topology/node.ts'
import { checkTimestamp, HandedRecord } from './handed-record.ts'
import { Operator } from './operator.ts'
import { TaskProcessorContext } from './processor-context.ts'
import { refusePromise } from './refuse-promise.ts'
import type { TaskContext } from './task-context.ts'

export class ProcessOperator extends Operator {
  readonly #node: ProcessNode
  readonly #processorContext: TaskProcessorContext
  #processor: Processor<unknown, unknown, unknown, unknown> | null = null
  /** The record in the processor's hands; null outside of `process`. */
  #inHand: HandedRecord<unknown, unknown> | null = null

  constructor(node: ProcessNode, context: TaskContext) {
    super(node, context)
    this.#node = node
    this.#processorContext = new TaskProcessorContext(node, context, (record, child) => this.#forward(record, child))
  }

  override start(): void {
    try {
      this.#processor = ownProcessor(this.#node)
      this.#processor.init?.(this.#processorContext)
    } catch (cause) {
      const site = this.#node.site === null ? '' : ` (${this.#node.site})`
      throw new MillraceError('PROCESSOR_START', `The processor ${this.#node.name}${site} could not start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  }

  override receive(key: unknown, value: unknown, timestamp: Timestamp, headers: Headers | null): void {
    const { context } = this
    const outerTimestamp = context.timestamp
    this.#inHand = new HandedRecord(key, value, timestamp, this.#node.fixedKey ? (headers?.copy() ?? null) : headers)
    context.timestamp = timestamp
    try {
      refusePromise(this.#processor!.process(this.#inHand))
    } catch (error) {
      context.failed(this.node, error)
    } finally {
      this.#inHand = null
      context.timestamp = outerTimestamp
    }
  }

  override close(): void {
    this.#processorContext.close()
    this.#processor?.close?.()
  }

  #forward(record: StreamRecord<unknown, unknown>, child: string | undefined): void {
    checkTimestamp(record.timestamp)
    const { key = null, value = null, timestamp } = record
    if (this.#node.fixedKey && this.#inHand !== null && key !== this.#inHand.key) {
      throw new MillraceError('KEY_CHANGED', `The processor ${this.node.name} forwarded another key than it was given.`, { hint: 'Use process instead of processValues to change keys.' })
    }
    const headers = record instanceof HandedRecord ? record.knownHeaders : (record.headers ?? null)
    const passed = this.#node.fixedKey ? this.ownHeaders(headers) : headers
    if (child === undefined) this.forward(key, value, timestamp, passed)
    else this.#child(child).receive(key, value, timestamp, passed)
  }

  #child(name: string): Operator {
    const child = this.children.find(operator => operator.node.name === name)
    if (child !== undefined) return child
    const names = this.children.map(operator => operator.node.name).join(', ')
    throw new MillraceError('UNKNOWN_CHILD', `The processor ${this.node.name} has no child ${name}.`, { hint: names === '' ? 'It has no children at all.' : `Its children are ${names}.` })
  }
}

const processors = new WeakSet<object>()

/** One for each task: a processor that two tasks shared would mix their records and stores. */
function ownProcessor(node: ProcessNode): Processor<unknown, unknown, unknown, unknown> {
  const processor = node.supplier()
  if (processors.has(processor)) {
    throw new MillraceError('SHARED_PROCESSOR', `The function that makes it gave the same processor twice.`, { hint: 'It must make a new one at each call.' })
  }
  processors.add(processor)
  return processor
}
