// `millrace transactions`: lists and describes transactions and producers, finds those that hang, and ends them.

import type { PartitionProducer, TransactionDescription } from '../../broker/client/admin-transactions.ts'
import type { ClusterAdmin } from '../../broker/client/admin.ts'
import { isoTime, systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { partitionName, type TopicPartition } from '../../core/record.ts'
import { hangingTransactions } from '../cluster/hanging-transactions.ts'
import { partitionsOf } from '../cluster/partition-choice.ts'
import { timeSpan } from '../input/time-span.ts'
import { cell, writeListing, type ListingOptions } from '../terminal/listing.ts'
import { withAdmin, type LogPlace } from '../terminal/log-connection.ts'
import { nearest } from '../terminal/nearest-name.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { wholeNumber } from '../terminal/whole-number.ts'

export interface TransactionsOptions extends LogPlace, ListingOptions {
  readonly verbose?: boolean
}

export async function listTransactions(options: TransactionsOptions & { readonly state?: readonly string[]; readonly openFor?: string }, terminal: Terminal): Promise<void> {
  const openForMs = options.openFor === undefined ? -1 : timeSpan('--open-for', options.openFor)
  await withAdmin(options, terminal, async admin => {
    const found = await admin.listTransactions({ states: options.state ?? [], openForMs })
    await writeListing(found, [{ title: 'transactional id' }, { title: 'producer', right: true }, { title: 'state' }], ({ transactionalId, producerId, state }) => [transactionalId, String(producerId), state], options, terminal)
  })
}

export async function describeTransactions(ids: readonly string[], options: TransactionsOptions, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => {
    const found = await Promise.all(ids.map(id => expectTransaction(admin, id)))
    const numbers = ['producer', 'epoch'].map(title => ({ title, right: true }))
    const columns = [{ title: 'transactional id' }, ...numbers, { title: 'state' }, { title: 'timeout ms', right: true }, { title: 'open since' }, { title: 'partitions' }]
    const cells = ({ transactionalId, producerId, producerEpoch, state, timeoutMs, startTime, partitions }: TransactionDescription): string[] => [
      transactionalId, String(producerId), String(producerEpoch), state, String(timeoutMs), cell(timeText(startTime)), cell(partitions.map(({ topic, partition }) => partitionName(topic, partition)).join(' ')),
    ]
    await writeListing(found, columns, cells, options, terminal)
  })
}

async function expectTransaction(admin: ClusterAdmin, id: string): Promise<TransactionDescription> {
  const found = await admin.describeTransaction(id)
  if (found !== null) return found
  const known = (await admin.listTransactions()).map(({ transactionalId }) => transactionalId)
  throw new MillraceError('TRANSACTIONAL_ID_NOT_FOUND', `There is no transactional id ${id}.`, { hint: nearest(id, known, 'There are', 'There are none at all.') })
}

/** ISO 8601, UTC. */
function timeText(timestamp: number | null): string | null {
  return timestamp === null || timestamp < 0 ? null : isoTime(timestamp)
}

/** The producers that partitions remember. */
export async function describeProducers(topics: readonly string[], options: TransactionsOptions, terminal: Terminal): Promise<void> {
  await withAdmin(options, terminal, async admin => writeProducers(await admin.describeProducers(await partitionsOf(admin, topics)), options, terminal))
}

async function writeProducers(producers: readonly PartitionProducer[], options: ListingOptions, terminal: Terminal): Promise<void> {
  const numbers = ['partition', 'producer', 'epoch', 'coordinator epoch', 'sequence'].map(title => ({ title, right: true }))
  const columns = [{ title: 'topic' }, ...numbers, { title: 'last record' }, { title: 'open since', right: true }]
  const cells = ({ topic, partition, producerId, producerEpoch, coordinatorEpoch, lastSequence, lastTimestamp, openSince }: PartitionProducer): string[] => [
    topic, ...[partition, producerId, producerEpoch, coordinatorEpoch, lastSequence].map(String), cell(timeText(lastTimestamp)), cell(openSince),
  ]
  await writeListing(producers, columns, cells, options, terminal)
}

/** `openFor`: longer than any transaction may be; Kafka's longest is 15 minutes. */
export async function findHanging(topics: readonly string[], options: TransactionsOptions & { readonly openFor?: string }, terminal: Terminal): Promise<void> {
  const before = systemClock.now() - timeSpan('--open-for', options.openFor ?? '15m')
  await withAdmin(options, terminal, async admin => {
    const found = await hangingTransactions(admin, await partitionsOf(admin, topics.length > 0 ? topics : await admin.listTopics()), before)
    await writeProducers(found, options, terminal)
    if (found.length === 0) terminal.say(terminal.dim('no transaction hangs'))
  })
}

export interface AbortOptions extends TransactionsOptions {
  readonly startOffset?: string
  readonly producer?: string
}

/** Ends the open transaction of one partition, found by where it begins or by its producer. */
export async function abortTransaction(choice: string, options: AbortOptions, terminal: Terminal): Promise<void> {
  const startOffset = options.startOffset === undefined ? null : wholeNumber('--start-offset', options.startOffset, 0)
  const producerId = options.producer === undefined ? null : wholeNumber('--producer', options.producer, 0)
  if ((startOffset === null) === (producerId === null)) throw new MillraceError('USAGE', 'It is not said which transaction.', { hint: 'Give --start-offset or --producer, as `transactions hanging` shows them.' })
  await withAdmin(options, terminal, async admin => {
    const [partition, more] = await partitionsOf(admin, [choice])
    if (more !== undefined) throw new MillraceError('USAGE', `${choice} is more than one partition.`, { hint: `For example ${partition!.topic}:0.` })
    const producer = (await admin.describeProducers([partition!])).find(found => found.openSince !== null && (found.openSince === startOffset || found.producerId === producerId))
    if (producer === undefined) throw noTransaction(partition!)
    await admin.abortTransaction(producer)
    terminal.say(`aborted the transaction of producer ${producer.producerId} in ${partitionName(producer.topic, producer.partition)} from offset ${producer.openSince}`)
  })
}

function noTransaction({ topic, partition }: TopicPartition): MillraceError {
  return new MillraceError('TRANSACTION_NOT_FOUND', `No such transaction is open in ${partitionName(topic, partition)}.`, { hint: `millrace transactions producers ${topic}:${partition} shows what is.` })
}
