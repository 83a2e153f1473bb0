// The compression codecs of record batches, by the number that a batch's attributes carry.

import * as zlib from 'node:zlib'
import { MillraceError } from '../../core/error.ts'
import { compressLz4, decompressLz4 } from './compression-lz4.ts'
import { compressSnappy, decompressSnappy } from './compression-snappy.ts'
import { decompressZstd, frameZstd } from './compression-zstd.ts'

/** Kafka's names, at the index that is their number. */
export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export type CompressionName = (typeof compressionNames)[number]

/** The answer may be overwritten by the next call: copy it to keep it. @throws MillraceError UNSUPPORTED_COMPRESSION_TYPE */
export function compress(codec: number, bytes: Buffer): Buffer {
  return codecOf(codec).compress(bytes)
}

/** @throws MillraceError UNSUPPORTED_COMPRESSION_TYPE; CORRUPT_RECORD where the bytes are broken or hold more than `maxBytes` */
export function decompress(codec: number, bytes: Buffer, maxBytes: number): Buffer {
  return codecOf(codec).decompress(bytes, maxBytes)
}

/** The number of a codec by its name. */
export function codecNumber(name: CompressionName): number {
  return compressionNames.indexOf(name)
}

/** Whether there is a codec of that number. */
export function canDecompress(codec: number): boolean {
  return codecs[codec] !== undefined
}

interface Codec {
  compress(bytes: Buffer): Buffer
  decompress(bytes: Buffer, maxBytes: number): Buffer
}

/** Node has them from 22.15 and 23.8 on; its types for Node 20 do not. */
interface ZstdOfNode {
  readonly zstdCompressSync?: (bytes: Buffer) => Buffer
  readonly zstdDecompressSync?: (bytes: Buffer, options: { readonly maxOutputLength: number }) => Buffer
}

const none: Codec = { compress: bytes => bytes, decompress: bytes => bytes }
const gzip: Codec = {
  compress: bytes => zlib.gzipSync(bytes),
  decompress: (bytes, maxBytes) => bounded('gzip', maxBytes, () => zlib.gunzipSync(bytes, { maxOutputLength: maxBytes })),
}
const snappy: Codec = { compress: compressSnappy, decompress: decompressSnappy }
const lz4: Codec = { compress: compressLz4, decompress: decompressLz4 }
const codecs: readonly Codec[] = [none, gzip, snappy, lz4, zstdOfNode(zlib as ZstdOfNode) ?? { compress: frameZstd, decompress: decompressZstd }]

function zstdOfNode({ zstdCompressSync, zstdDecompressSync }: ZstdOfNode): Codec | undefined {
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined
  return {
    compress: bytes => zstdCompressSync(bytes),
    decompress: (bytes, maxBytes) => bounded('zstd', maxBytes, () => zstdDecompressSync(bytes, { maxOutputLength: maxBytes })),
  }
}

function codecOf(number: number): Codec {
  const codec = codecs[number]
  if (codec !== undefined) return codec
  throw new MillraceError('UNSUPPORTED_COMPRESSION_TYPE', `There is no compression codec with the number ${number}.`)
}

function bounded(name: string, maxBytes: number, decompressed: () => Buffer): Buffer {
  try {
    return decompressed()
  } catch (cause) {
    const tooLarge = cause instanceof RangeError || (cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
    throw new MillraceError('CORRUPT_RECORD', tooLarge ? `the ${name} stream holds more than ${maxBytes} bytes` : `the ${name} stream is broken: ${String(cause)}`, { cause })
  }
}
