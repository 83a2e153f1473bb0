// `millrace consume TOPIC`: writes records to standard output, one a line.

import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import type { FetchedRecords, GroupConsumer, GroupMember, Isolation, LogAdmin, LogPort, LogReader, MemberAssignment } from '../../core/log-port.ts'
import { partitionName, type Offset, type RecordCursor, type Timestamp, type TopicPartition } from '../../core/record.ts'
import type { Serde } from '../../core/serde.ts'
import { parseEventTime } from '../input/event-time.ts'
import { timeSpan } from '../input/time-span.ts'
import { connect, terminalLogger, type LogPlace } from '../terminal/log-connection.ts'
import { decoded } from '../output/output-printer.ts'
import { plainHeaders, recordLine } from '../record/record-json.ts'
import { serdeNamed } from '../record/serde-names.ts'
import { stopSignal } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { wholeNumber } from '../terminal/whole-number.ts'
import { expectTopics } from '../cluster/known-names.ts'

export interface ConsumeOptions extends LogPlace {
  /** `ndjson` (the default) or `text`: the value, or with a key separator key and value. */
  readonly format?: string
  readonly keySeparator?: string
  readonly keySerde?: string
  readonly valueSerde?: string
  readonly fromBeginning?: boolean
  readonly untilEnd?: boolean
  readonly group?: string
  readonly max?: string
  readonly partition?: string
  readonly offset?: string
  /** A time: begin with the first record at or after it. */
  readonly from?: string
  /** Nothing of transactions that were aborted or are open. */
  readonly readCommitted?: boolean
  readonly verbose?: boolean
}

const POLL_MS = 100

export async function consume(topic: string, options: ConsumeOptions, terminal: Terminal): Promise<void> {
  expectOneStart(options)
  const toLine = formatter(topic, options)
  const max = options.max === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--max', options.max, 0)
  const log = await connect(options, 'millrace-consume', terminalLogger(terminal, options.verbose === true))
  const stop = stopSignal(terminal, null)
  try {
    const [description] = await expectTopics(log.admin, [topic])
    const all = Array.from({ length: description!.partitions }, (_, partition) => ({ topic, partition }))
    const chosen = options.partition === undefined ? all : [expectPartition(all, wholeNumber('--partition', options.partition, 0))]
    const isolation = options.readCommitted === true ? 'read_committed' : 'read_uncommitted'
    const ends = options.untilEnd === true ? await log.admin.listOffsets(chosen, 'latest', { isolation }) : null
    const reading = { chosen, isolation, ends, max, stop, toLine, terminal } as const
    if (options.group !== undefined) await consumeAsMember(log, options.group, topic, options.fromBeginning === true, reading)
    else await consumeAlone(log, options, reading)
  } finally {
    await log.close()
  }
}

interface Reading {
  readonly chosen: readonly TopicPartition[]
  readonly isolation: Isolation
  readonly ends: ReadonlyMap<string, Offset> | null
  readonly max: number
  readonly stop: AbortSignal
  readonly toLine: (cursor: RecordCursor, partition: number) => string
  readonly terminal: Terminal
}

async function consumeAlone(log: LogPort, options: ConsumeOptions, reading: Reading): Promise<void> {
  const reader = log.reader({ isolation: reading.isolation })
  const begins = await startOffsets(log, options, reading.chosen)
  reader.assign(reading.chosen.map(({ topic, partition }) => ({ topic, partition, offset: begins.get(partitionName(topic, partition)) ?? 0 })))
  try {
    await print(reader, new Map(begins), reading, () => Promise.resolve())
  } finally {
    await reader.close()
  }
}

async function startOffsets(log: LogPort, { offset, from, fromBeginning }: ConsumeOptions, chosen: readonly TopicPartition[]): Promise<ReadonlyMap<string, Offset>> {
  if (from !== undefined) return offsetsAt(log.admin, chosen, startTime(from))
  if (offset === undefined) return log.admin.listOffsets(chosen, fromBeginning === true ? 'earliest' : 'latest')
  const value = wholeNumber('--offset', offset, -Number.MAX_SAFE_INTEGER)
  const begins = await log.admin.listOffsets(chosen, 'earliest')
  const ends = await log.admin.listOffsets(chosen, 'latest')
  return new Map([...ends].map(([name, end]) => [name, Math.min(end, Math.max(begins.get(name) ?? 0, value < 0 ? end + value : value))]))
}

/** Where no record is that late, the end. */
async function offsetsAt(admin: LogAdmin, chosen: readonly TopicPartition[], timestamp: Timestamp): Promise<ReadonlyMap<string, Offset>> {
  const [found, ends] = [await admin.listOffsets(chosen, { timestamp }), await admin.listOffsets(chosen, 'latest')]
  return new Map([...ends].map(([name, end]) => [name, (found.get(name) ?? -1) < 0 ? end : found.get(name)!]))
}

/** A time, or how long ago. */
function startTime(text: string): Timestamp {
  return parseEventTime(text) ?? systemClock.now() - timeSpan('--from', text)
}

function expectOneStart({ fromBeginning, offset, from, group }: ConsumeOptions): void {
  const given = [fromBeginning === true ? '--from-beginning' : undefined, offset === undefined ? undefined : '--offset', from === undefined ? undefined : '--from'].filter(option => option !== undefined)
  if (given.length > 1) throw new MillraceError('USAGE', `${given.join(' and ')} both say where to begin.`, { hint: 'Leave one of them out.' })
  if (group !== undefined && (offset ?? from) !== undefined) {
    throw new MillraceError('USAGE', `A group begins where it has committed, not at ${given[0]}.`, { hint: 'Move it with millrace groups reset-offsets, or leave out --group.' })
  }
  if (from !== undefined) startTime(from)
}

async function consumeAsMember(log: LogPort, groupId: string, topic: string, fromBeginning: boolean, reading: Reading): Promise<void> {
  const consumer = log.groupConsumer({
    groupId,
    topics: [topic],
    protocol: 'range',
    isolation: reading.isolation,
    userData: () => new Uint8Array(0),
    assign: members => Promise.resolve(inRanges(members, reading.chosen)),
    offsetReset: () => (fromBeginning ? 'earliest' : 'latest'),
  })
  const positions = new Map<string, Offset>()
  const commit = (): Promise<void> => commitPositions(consumer, positions)
  await consumer.start({
    revoked: commit,
    assigned: async ({ partitions }) => {
      positions.clear()
      for (const [name, { offset }] of await consumer.committed(partitions)) positions.set(name, offset)
    },
    lost: () => Promise.resolve(positions.clear()),
  })
  try {
    await print(consumer, positions, reading, commit)
    await commit()
  } finally {
    await consumer.close()
  }
}

async function commitPositions(consumer: GroupConsumer, positions: ReadonlyMap<string, Offset>): Promise<void> {
  const offsets = [...positions].map(([name, offset]) => {
    const dash = name.lastIndexOf('-')
    return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)), offset, metadata: '' }
  })
  if (offsets.length > 0) await consumer.commit(offsets)
}

/** Writes records until enough are written, all ends are reached, or somebody stops it. `positions` follow what was written. */
async function print(reader: Pick<LogReader, 'poll' | 'position'>, positions: Map<string, Offset>, reading: Reading, written: () => Promise<void>): Promise<void> {
  let left = reading.max
  while (left > 0 && !reading.stop.aborted && !atEnd(reader, positions, reading)) {
    for (const records of await reader.poll(POLL_MS)) left -= await printRecords(records, left, positions, reading)
    if (reading.max === Number.POSITIVE_INFINITY || left <= 0) await written()
  }
}

async function printRecords({ topic, partition, cursor, nextOffset }: FetchedRecords, left: number, positions: Map<string, Offset>, reading: Reading): Promise<number> {
  const name = partitionName(topic, partition)
  const end = reading.ends?.get(name) ?? Number.POSITIVE_INFINITY
  let text = ''
  let count = 0
  while (count < left && cursor.next()) {
    if (cursor.offset >= end) break
    text += reading.toLine(cursor, partition)
    count++
    positions.set(name, cursor.offset + 1)
  }
  if (count < left) positions.set(name, Math.max(positions.get(name) ?? 0, Math.min(nextOffset, end)))
  if (text !== '') await reading.terminal.write(text)
  return count
}

/** Where nothing was written yet, the reader knows where it will begin. */
function atEnd(reader: Pick<LogReader, 'position'>, positions: ReadonlyMap<string, Offset>, { chosen, ends }: Reading): boolean {
  if (ends === null) return false
  return chosen.every(({ topic, partition }) => {
    const name = partitionName(topic, partition)
    const end = ends.get(name) ?? 0
    return end === 0 || (positions.get(name) ?? reader.position({ topic, partition }) ?? -1) >= end
  })
}

/** Kafka's range assignor for one topic: as equal as it goes, the first members get one more. */
function inRanges(members: readonly GroupMember[], partitions: readonly TopicPartition[]): ReadonlyMap<string, MemberAssignment> {
  const share = Math.floor(partitions.length / members.length)
  const more = partitions.length % members.length
  return new Map(
    members.map(({ memberId }, i) => {
      const start = share * i + Math.min(i, more)
      return [memberId, { partitions: partitions.slice(start, start + share + (i < more ? 1 : 0)), userData: new Uint8Array(0) }]
    }),
  )
}

function formatter(topic: string, options: ConsumeOptions): (cursor: RecordCursor, partition: number) => string {
  const keySerde = options.keySerde === undefined ? null : serdeNamed(options.keySerde)
  const valueSerde = options.valueSerde === undefined ? null : serdeNamed(options.valueSerde)
  if (options.format !== 'text') return (cursor, partition) => ndjsonLine(topic, partition, cursor, keySerde, valueSerde)
  const separator = options.keySeparator
  return ({ buffer, keyStart, keyEnd, valueStart, valueEnd }) => {
    const key = separator === undefined ? '' : `${asText(decoded(buffer, keyStart, keyEnd, keySerde))}${separator}`
    return `${key}${asText(decoded(buffer, valueStart, valueEnd, valueSerde))}\n`
  }
}

function ndjsonLine(topic: string, partition: number, cursor: RecordCursor, keySerde: Serde<unknown> | null, valueSerde: Serde<unknown> | null): string {
  const { buffer, offset, timestamp, keyStart, keyEnd, valueStart, valueEnd } = cursor
  const key = decoded(buffer, keyStart, keyEnd, keySerde)
  return recordLine({ topic, partition, offset, timestamp, key, value: decoded(buffer, valueStart, valueEnd, valueSerde), ...plainHeaders(cursor.headers()) })
}

function asText(value: unknown): string {
  return value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

function expectPartition(all: readonly TopicPartition[], partition: number): TopicPartition {
  const found = all[partition]
  if (found === undefined) throw new MillraceError('USAGE', `There is no partition ${partition}.`, { hint: `The topic has ${all.length}, counted from 0.` })
  return found
}
