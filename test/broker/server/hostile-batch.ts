// Record batches that should not be: good sums over bad content, bad sums, counts and offsets that lie, garbage where a codec should be, and bombs.

import { deflateRawSync, gzipSync } from 'node:zlib'
import * as zlib from 'node:zlib'
import { Headers } from '../../../core/headers.ts'
import type { Random } from '../../../core/random.ts'
import { compress } from '../../../broker/wire/compression.ts'
import { batchHeaderBytes, RecordBatchHeader, writeBatchHeader } from '../../../broker/wire/record-batch-header.ts'
import { RecordBatchWriter } from '../../../broker/wire/record-batch-writer.ts'
import { chance, pick } from './hostile-message.ts'

const now = 1_700_000_000_000

/** In any codec, with and without headers, keys and values. */
export function goodBatch(random: Random, mayBeIdempotent = true): Buffer {
  const writer = new RecordBatchWriter()
  for (let n = 1 + (random.uint32() % 5); n > 0; n--) {
    const key = chance(random, 4) ? null : Buffer.from(`k${n}`)
    const value = chance(random, 6) ? null : Buffer.from(`v${random.uint32()}`.repeat(random.uint32() % 30))
    writer.append(key, value, now + n, chance(random, 2) ? null : someHeaders(random))
  }
  const producer = mayBeIdempotent && chance(random, 3) ? { producerId: random.uint32() % 4, producerEpoch: random.uint32() % 3, baseSequence: random.uint32() % 4 } : {}
  return writer.close({ codec: pick(random, [0, 0, 1, 2, 3]), ...producer })
}

function someHeaders(random: Random): Headers {
  const headers = new Headers()
  for (let n = random.uint32() % 4; n > 0; n--) headers.add(`h${n}`, chance(random, 3) ? null : random.bytes(random.uint32() % 20))
  return headers
}

/** Any batch, good or bad, or a run of them, or what is none. */
export function hostileBatch(random: Random): Buffer {
  const batch = Buffer.from(goodBatch(random))
  const kind = random.uint32() % 10
  if (kind === 0) return batch
  if (kind === 1) return random.bytes(pick(random, [0, 1, 60, 61, 62, 200]))
  if (kind === 2) return batch.subarray(0, random.uint32() % batch.length)
  if (kind === 3) return Buffer.concat([batch, chance(random, 2) ? Buffer.from(goodBatch(random)) : random.bytes(30)])
  if (kind === 4) return flipped(random, batch)
  if (kind === 5) return resealed(flipped(random, batch))
  if (kind === 6) return resealed(withHostileField(random, batch))
  if (kind === 7) return withHostileField(random, batch)
  return resealed(scrambledRecords(random, batch))
}

function flipped(random: Random, batch: Buffer): Buffer {
  batch[random.uint32() % batch.length]! ^= 1 << (random.uint32() % 8)
  return batch
}

/** Where each field of the header begins, and hostile values of its width. */
const fields: readonly { readonly at: number; readonly bytes: number }[] = [
  { at: 0, bytes: 8 }, { at: 8, bytes: 4 }, { at: 12, bytes: 4 }, { at: 16, bytes: 1 }, { at: 21, bytes: 2 }, { at: 23, bytes: 4 },
  { at: 27, bytes: 8 }, { at: 35, bytes: 8 }, { at: 43, bytes: 8 }, { at: 51, bytes: 2 }, { at: 53, bytes: 4 }, { at: 57, bytes: 4 },
]

function withHostileField(random: Random, batch: Buffer): Buffer {
  const { at, bytes } = pick(random, fields)
  const value = pick(random, ['00', 'ff', '7f', '80', '01']).padEnd(bytes * 2, pick(random, ['00', 'ff']))
  Buffer.from(value, 'hex').copy(batch, at)
  return batch
}

function scrambledRecords(random: Random, batch: Buffer): Buffer {
  for (let n = 1 + (random.uint32() % 6); n > 0; n--) batch[batchHeaderBytes + (random.uint32() % (batch.length - batchHeaderBytes))] = pick(random, [0, 1, 2, 0x7f, 0x80, 0xff])
  return batch
}

/** With the sum that belongs to it, where its length allows one. */
export function resealed(batch: Buffer): Buffer {
  const header = new RecordBatchHeader(batch)
  if (header.size >= batchHeaderBytes && header.size <= batch.length) header.seal()
  return batch
}

/** A batch whose records are those bytes as they are, said to be `count` records in that codec. */
export function batchAround(content: Buffer, codec: number, count: number, timestamp: number): Buffer {
  const batch = Buffer.concat([Buffer.alloc(batchHeaderBytes), content])
  writeBatchHeader(batch, 0, batch.length, { codec, count, lastOffsetDelta: count - 1, baseTimestamp: timestamp, maxTimestamp: timestamp })
  return batch
}

export interface Bomb {
  readonly name: string
  readonly codec: number
  readonly content: Buffer
}

/** Contents of about a megabyte or less that claim, or become, gigabytes. Zstd only where this Node has it. */
export function bombs(): readonly Bomb[] {
  const zeros = Buffer.alloc(8 * 1024 * 1024)
  return [
    { name: 'gzip of gigabytes', codec: 1, content: gzipBomb(zeros, 256) },
    { name: 'gzip in many members', codec: 1, content: repeated(gzipSync(zeros), 100) },
    { name: 'snappy that claims 4 GiB', codec: 2, content: Buffer.from('ffffffff0f00', 'hex') },
    { name: 'snappy of blocks that claim 100 MiB each', codec: 2, content: framedSnappy(200) },
    { name: 'lz4 of gigabytes', codec: 3, content: lz4Bomb(300) },
    ...zstdBombs(zeros),
  ]
}

/** One deflate stream of `times` × the bytes: stored as copies of a block that ends on a byte. */
function gzipBomb(zeros: Buffer, times: number): Buffer {
  const block = deflateRawSync(zeros, { finishFlush: zlib.constants.Z_FULL_FLUSH })
  const header = Buffer.from('1f8b0800000000000003', 'hex')
  return Buffer.concat([header, repeated(block, times)])
}

function repeated(bytes: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => bytes))
}

function framedSnappy(blocks: number): Buffer {
  const block = Buffer.concat([Buffer.from([0, 0, 0, 6]), Buffer.from('808080320000', 'hex')])
  return Buffer.concat([Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]), repeated(block, blocks)])
}

/** Frames of 4 MiB blocks, each of which is one byte repeated. */
function lz4Bomb(blocks: number): Buffer {
  const matchRest = 4 * 1024 * 1024 - 1 - 19 - 5
  const block = Buffer.concat([Buffer.from([0x1f, 0, 1, 0]), Buffer.alloc(Math.floor(matchRest / 255), 255), Buffer.from([matchRest % 255, 0x50, 0, 0, 0, 0, 0])])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  return Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]), repeated(Buffer.concat([size, block]), blocks), Buffer.alloc(4)])
}

function zstdBombs(zeros: Buffer): readonly Bomb[] {
  const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Buffer) => Buffer }
  return zstdCompressSync === undefined ? [] : [{ name: 'zstd of gigabytes', codec: 4, content: repeated(zstdCompressSync(zeros), 1000) }]
}

/** Contents that are not what their codec says, with a good sum around them. */
export function garbage(random: Random): readonly Bomb[] {
  const whole = Buffer.from(compress(3, Buffer.alloc(5000, 'abc')))
  return [
    ...[0, 1, 2, 3].map(codec => ({ name: `noise as codec ${codec}`, codec, content: random.bytes(300) })),
    { name: 'half an lz4 frame', codec: 3, content: whole.subarray(0, whole.length >> 1) },
    { name: 'an empty gzip stream', codec: 1, content: gzipSync(Buffer.alloc(0)) },
    { name: 'nothing at all', codec: 0, content: Buffer.alloc(0) },
  ]
}
