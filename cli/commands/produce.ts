// `millrace produce TOPIC`: writes what stands on standard input, one record a line.

import { systemClock } from '../../core/clock.ts'
import { MillraceError } from '../../core/error.ts'
import { Headers } from '../../core/headers.ts'
import type { LogProducer } from '../../core/log-port.ts'
import { partitionOf } from '../../core/murmur2.ts'
import type { Serde } from '../../core/serde.ts'
import { parseEventTime } from '../input/event-time.ts'
import { readRows, type Row } from '../input/row-reader.ts'
import { connect, terminalLogger, type LogPlace } from '../terminal/log-connection.ts'
import { bytesOf, headersOf } from '../record/record-json.ts'
import { serdeNamed } from '../record/serde-names.ts'
import { stopSignal } from '../terminal/stop-signal.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { counted } from '../terminal/text-table.ts'
import { wholeNumber } from '../terminal/whole-number.ts'
import { expectTopics } from '../cluster/known-names.ts'

export interface ProduceOptions extends LogPlace {
  /** `ndjson` (the default): objects with key, value, timestamp, headers, partition; `text`: each line is a value. */
  readonly format?: string
  /** Text only: what stands between key and value. */
  readonly keySeparator?: string
  readonly keySerde?: string
  readonly valueSerde?: string
  readonly partition?: string
  /** Each NAME=VALUE. */
  readonly header?: readonly string[]
  readonly verbose?: boolean
}

interface NewRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers: Headers | null
  readonly partition: number | null
}

export async function produce(topic: string, options: ProduceOptions, terminal: Terminal): Promise<void> {
  const parse = recordParser(options)
  const more = (options.header ?? []).map(headerOf)
  const log = await connect(options, 'millrace-produce', terminalLogger(terminal, options.verbose === true))
  const stop = stopSignal(terminal, 'sending what was read')
  stop.addEventListener('abort', () => process.stdin.destroy())
  try {
    const [description] = await expectTopics(log.admin, [topic])
    const producer = await log.producer({ clientId: 'millrace-produce' })
    const send = sender(producer, topic, description!.partitions)
    let count = 0
    try {
      for await (const rows of readRows('-', options.format === 'text' ? 'lines' : 'ndjson', { bytes: 0, line: 0 })) {
        for (const row of rows) send(withHeaders(parse(row), more))
        count += rows.length
        await producer.ready()
      }
    } catch (error) {
      if (!stop.aborted) throw error
    } finally {
      await producer.flush()
    }
    await producer.close()
    terminal.say(terminal.dim(`${counted(count, 'record')} acknowledged`))
  } finally {
    await log.close()
  }
}

/** Appends a record where it says, where its key says, or round and round. */
function sender(producer: LogProducer, topic: string, partitions: number): (record: NewRecord) => void {
  const appenders = Array.from({ length: partitions }, (_, partition) => producer.appender(topic, partition))
  let next = 0
  return ({ key, value, timestamp, headers, partition }) => {
    const chosen = partition ?? (key === null ? next++ % partitions : partitionOf(key, partitions))
    const appender = appenders[chosen]
    if (appender === undefined) throw new MillraceError('INPUT', `The topic ${topic} has no partition ${chosen}.`, { hint: `It has ${partitions}, counted from 0.` })
    appender.append(key, value, timestamp, headers)
  }
}

function headerOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new MillraceError('USAGE', `--header ${text} is no NAME=VALUE.`, { hint: 'For example --header source=shell.' })
  return [text.slice(0, equals), text.slice(equals + 1)]
}

function withHeaders(record: NewRecord, more: readonly (readonly [string, string])[]): NewRecord {
  if (more.length === 0) return record
  const headers = record.headers ?? new Headers()
  for (const [name, value] of more) headers.add(name, Buffer.from(value, 'utf8'))
  return { ...record, headers }
}

function recordParser(options: ProduceOptions): (row: Row) => NewRecord {
  const keySerde = options.keySerde === undefined ? null : serdeNamed(options.keySerde)
  const valueSerde = options.valueSerde === undefined ? null : serdeNamed(options.valueSerde)
  const partition = options.partition === undefined ? null : wholeNumber('--partition', options.partition, 0)
  if (options.format !== 'text') return row => jsonRecord(row, keySerde, valueSerde, partition)
  const separator = options.keySeparator
  return ({ text, line }) => {
    const at = separator === undefined ? -1 : text.indexOf(separator)
    const key = at < 0 ? null : bytesOf(typed(text.slice(0, at), keySerde, line), keySerde)
    const value = at < 0 ? text : text.slice(at + separator!.length)
    return { key, value: bytesOf(typed(value, valueSerde, line), valueSerde), timestamp: systemClock.now(), headers: null, partition }
  }
}

function jsonRecord({ value: object, line }: Row, keySerde: Serde<unknown> | null, valueSerde: Serde<unknown> | null, partition: number | null): NewRecord {
  if (typeof object !== 'object' || object === null || !('value' in object)) {
    throw new MillraceError('INPUT', `Line ${line} is no object with a value.`, { hint: 'Write lines such as {"key":"a","value":"b"}, or give --format text.' })
  }
  const { key, value, timestamp, headers, partition: own } = object as Record<string, unknown>
  const time = timestamp === undefined ? systemClock.now() : parseEventTime(timestamp)
  if (time === null) throw new MillraceError('INPUT', `The timestamp in line ${line} is no time: ${JSON.stringify(timestamp)}.`)
  return {
    key: bytesOf(key, keySerde),
    value: bytesOf(value, valueSerde),
    timestamp: time,
    headers: headersOf(headers),
    partition: partition ?? (typeof own === 'number' ? own : null),
  }
}

/** Text as the serde wants it. @throws MillraceError INPUT */
function typed(text: string, serde: Serde<unknown> | null, line: number): unknown {
  if (serde === null) return text
  switch (serde.name) {
    case 'string':
    case 'uuid':
      return text
    case 'bytes':
      return Buffer.from(text, 'utf8')
    default:
      return parsed(text, serde.name, line)
  }
}

function parsed(text: string, serde: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new MillraceError('INPUT', `Line ${line} of standard input has ${JSON.stringify(text)}, which is no ${serde}.`, { cause, hint: 'Give the serde that fits, or none for text as it is.' })
  }
}
