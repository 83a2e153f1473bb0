// What a story says instead of bytes and ids: batches by recipe, and names for what each broker calls otherwise. Plain data, so that a story can be told again.

import { Headers } from '../../../core/headers.ts'
import { batchHeaderBytes, RecordBatchHeader, writeBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { RecordBatchWriter } from '../../../broker/wire/record-batch-writer.ts'

/** A number that a broker gave, by the name that the story has for it. */
export interface NumberName {
  readonly named: string
}

export interface RecordRecipe {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers?: readonly (readonly [string, string | null])[]
}

export type Damage = string

export interface BatchRecipe {
  readonly records: readonly RecordRecipe[]
  readonly codec?: number
  readonly producerId?: number | NumberName
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly transactional?: boolean
  readonly control?: boolean
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly damage?: Damage
  /** Follows in the same run. */
  readonly next?: BatchRecipe
}

/** The bytes; `numberOf` knows the numbers that have names. */
export function cooked(recipe: BatchRecipe, numberOf: (name: string) => number): Buffer {
  const { records, producerId = -1, damage, next, ...closing } = recipe
  const writer = new RecordBatchWriter()
  for (const { key, value, timestamp, headers } of records) writer.append(bytesOf(key), bytesOf(value), timestamp, headersOf(headers))
  const closed = { ...closing, producerId: typeof producerId === 'number' ? producerId : numberOf(producerId.named) }
  const batch = records.length === 0 ? emptyBatch(closed) : writer.close(closed)
  const served = damage === undefined ? batch : damages[damage]!(Buffer.from(batch))
  return next === undefined ? served : Buffer.concat([served, cooked(next, numberOf)])
}

function bytesOf(text: string | null): Buffer | null {
  return text === null ? null : Buffer.from(text)
}

function headersOf(headers: RecordRecipe['headers']): Headers | null {
  if (headers === undefined) return null
  const made = new Headers()
  for (const [key, value] of headers) made.add(key, bytesOf(value))
  return made
}

function emptyBatch(closing: Omit<BatchRecipe, 'records' | 'producerId'> & { readonly producerId: number }): Buffer {
  const batch = Buffer.alloc(batchHeaderBytes)
  writeBatchHeader(batch, 0, batch.length, { ...closing, count: 0, lastOffsetDelta: 0, baseTimestamp: 1_700_000_000_000, maxTimestamp: 1_700_000_000_000 })
  return batch
}

/** Where fields of the header begin; see wire/record-batch-header.ts. */
const at = { length: 8, magic: 16, crc: 17, attributes: 21, lastOffsetDelta: 23, maxTimestamp: 35, count: 57 }

function sealed(batch: Buffer): Buffer {
  new RecordBatchHeader(batch).seal()
  return batch
}

function added(batch: Buffer, position: number, change: number): Buffer {
  batch.writeInt32BE(batch.readInt32BE(position) + change, position)
  return batch
}

function withByte(batch: Buffer, position: number, byte: number): Buffer {
  batch[position] = byte
  return batch
}

export const damages: Readonly<Record<Damage, (batch: Buffer) => Buffer>> = {
  'magic 0': (batch: Buffer) => withByte(batch, at.magic, 0),
  'magic 1': (batch: Buffer) => withByte(batch, at.magic, 1),
  'magic 3': (batch: Buffer) => withByte(batch, at.magic, 3),
  'wrong sum': (batch: Buffer) => withByte(batch, at.crc, batch[at.crc]! ^ 1),
  'cut off': (batch: Buffer) => batch.subarray(0, batch.length - 3),
  'half a header': (batch: Buffer) => batch.subarray(0, 30),
  'a length': (batch: Buffer) => batch.subarray(0, 12),
  'nothing': () => Buffer.alloc(0),
  'rest behind': (batch: Buffer) => Buffer.concat([batch, Buffer.from([0, 0, 0])]),
  'longer than it is': (batch: Buffer) => added(batch, at.length, 5),
  'shorter than it is': (batch: Buffer) => added(batch, at.length, -1),
  'tiny length': (batch: Buffer) => (batch.writeInt32BE(5, at.length), batch),
  'one record too many': (batch: Buffer) => sealed(added(batch, at.count, 1)),
  'one record too few': (batch: Buffer) => sealed(added(batch, at.count, -1)),
  'no records, it says': (batch: Buffer) => (batch.writeInt32BE(0, at.count), sealed(batch)),
  'negative count': (batch: Buffer) => (batch.writeInt32BE(-1, at.count), sealed(batch)),
  'last offset too large': (batch: Buffer) => sealed(added(batch, at.lastOffsetDelta, 1)),
  'last offset too small': (batch: Buffer) => sealed(added(batch, at.lastOffsetDelta, -1)),
  'larger max timestamp': (batch: Buffer) => (batch.writeBigInt64BE(batch.readBigInt64BE(at.maxTimestamp) + 5n, at.maxTimestamp), sealed(batch)),
  'delete horizon, it says': (batch: Buffer) => sealed(withByte(batch, at.attributes + 1, batch[at.attributes + 1]! | 64)),
  'bits nobody knows': (batch: Buffer) => sealed(withByte(batch, at.attributes, 0x40)),
  'gzip, it says': (batch: Buffer) => sealed(withByte(batch, at.attributes + 1, (batch[at.attributes + 1]! & 0xf8) | 1)),
  'codec 5': (batch: Buffer) => sealed(withByte(batch, at.attributes + 1, (batch[at.attributes + 1]! & 0xf8) | 5)),
  'codec 7': (batch: Buffer) => sealed(withByte(batch, at.attributes + 1, (batch[at.attributes + 1]! & 0xf8) | 7)),
  'a record scrambled': (batch: Buffer) => sealed(withByte(batch, batch.length - 2, batch[batch.length - 2]! ^ 0x55)),
  'first record longer': (batch: Buffer) => sealed(withByte(batch, batchHeaderBytes, batch[batchHeaderBytes]! + 2)),
}
