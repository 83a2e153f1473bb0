// Prints what an application writes to its output topics, as NDJSON, while it comes.

import { join } from 'node:path'
import type { FetchedRecords, LogPort, LogReader } from '../../core/log-port.ts'
import type { Offset, RecordCursor } from '../../core/record.ts'
import type { Serde } from '../../core/serde.ts'
import type { TopicSerdes } from '../../core/topology/node.ts'
import { plain, plainBytes, plainHeaders, recordLine } from '../record/record-json.ts'
import { readOutputCheckpoint, writeOutputCheckpoint } from './output-checkpoint.ts'
import type { OutputTarget } from './output-target.ts'

export interface Output {
  readonly topic: string
  readonly partitions: number
  /** Null where nobody knows them: bytes are shown as JSON or text if they are that. */
  readonly serdes: TopicSerdes | null
  /** Given how many bytes the last run is known to have written, null if there was none. */
  readonly open: (bytes: number | null) => Promise<OutputTarget>
}

interface OpenOutput {
  readonly output: Output
  readonly target: OutputTarget
  readonly checkpointPath: string
  readonly offsets: Offset[]
}

/** One write to a target holds at most about this much text. */
const CHUNK_CHARACTERS = 256 * 1024
const POLL_MS = 25

export class OutputPrinter {
  printed = 0
  readonly #log: LogPort
  readonly #outputs: ReadonlyMap<string, OpenOutput>
  readonly #reader: LogReader
  #ends: ReadonlyMap<string, Offset> | null = null
  #unread = false

  private constructor(log: LogPort, outputs: ReadonlyMap<string, OpenOutput>, reader: LogReader) {
    this.#log = log
    this.#outputs = outputs
    this.#reader = reader
  }

  /** `directory` keeps how far each output was printed; without that, printing begins at the topics' present ends. */
  static async open(log: LogPort, outputs: readonly Output[], directory: string): Promise<OutputPrinter> {
    const open = new Map<string, OpenOutput>()
    for (const output of outputs) open.set(output.topic, await openOutput(log, output, join(directory, `${output.topic}.json`)))
    const reader = log.reader()
    reader.assign([...open.values()].flatMap(({ output, offsets }) => offsets.map((offset, partition) => ({ topic: output.topic, partition, offset }))))
    return new OutputPrinter(log, open, reader)
  }

  /** Prints until {@link finish} has been called and all is printed that stood in the topics then, or nobody reads a target any more. */
  async run(): Promise<void> {
    while (!this.#finished()) {
      const fetched = await this.#reader.poll(POLL_MS)
      for (const records of fetched) await this.#print(records)
      if (fetched.length > 0) await this.#save()
    }
    await this.#reader.close()
    for (const { target } of this.#outputs.values()) await target.close()
  }

  /** Nothing comes after what the topics hold now. */
  async finish(): Promise<void> {
    const partitions = [...this.#outputs.values()].flatMap(({ output, offsets }) => offsets.map((_, partition) => ({ topic: output.topic, partition })))
    this.#ends = await this.#log.admin.listOffsets(partitions, 'latest')
  }

  #finished(): boolean {
    if (this.#unread) return true
    if (this.#ends === null) return false
    for (const [topic, { offsets }] of this.#outputs) {
      if (offsets.some((offset, partition) => offset < (this.#ends!.get(`${topic}-${partition}`) ?? 0))) return false
    }
    return true
  }

  async #print({ topic, partition, cursor, nextOffset }: FetchedRecords): Promise<void> {
    const open = this.#outputs.get(topic)!
    let text = ''
    while (cursor.next()) {
      text += outputLine(topic, cursor, open.output.serdes)
      this.printed++
      if (text.length < CHUNK_CHARACTERS) continue
      await open.target.write(text)
      text = ''
    }
    if (text !== '') await open.target.write(text)
    if (!open.target.closed) open.offsets[partition] = nextOffset
    else this.#unread = true
  }

  async #save(): Promise<void> {
    for (const { checkpointPath, offsets, target } of this.#outputs.values()) await writeOutputCheckpoint(checkpointPath, { offsets, bytes: target.bytes })
  }
}

async function openOutput(log: LogPort, output: Output, checkpointPath: string): Promise<OpenOutput> {
  const last = await readOutputCheckpoint(checkpointPath)
  const partitions = Array.from({ length: output.partitions }, (_, partition) => ({ topic: output.topic, partition }))
  const ends = await log.admin.listOffsets(partitions, 'latest')
  const offsets = partitions.map(({ topic, partition }) => last?.offsets[partition] ?? ends.get(`${topic}-${partition}`) ?? 0)
  const target = await output.open(last?.bytes ?? null)
  await writeOutputCheckpoint(checkpointPath, { offsets, bytes: target.bytes })
  return { output, target, checkpointPath, offsets }
}

function outputLine(topic: string, cursor: RecordCursor, serdes: TopicSerdes | null): string {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamp } = cursor
  return recordLine({
    topic,
    timestamp,
    key: decoded(buffer, keyStart, keyEnd, serdes?.key ?? null),
    value: decoded(buffer, valueStart, valueEnd, serdes?.value ?? null),
    ...plainHeaders(cursor.headers()),
  })
}

/** As the serde reads it; as the bytes are, where it cannot. */
export function decoded(buffer: Buffer, start: number, end: number, serde: Serde<unknown> | null): unknown {
  if (start < 0) return null
  if (serde === null) return plainBytes(buffer.subarray(start, end))
  try {
    return plain(serde.deserialize(buffer, start, end))
  } catch {
    return plainBytes(buffer.subarray(start, end)) // Somebody else's record: shown as what it is.
  }
}
