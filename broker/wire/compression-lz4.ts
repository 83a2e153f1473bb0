// LZ4 in its frame format, as Kafka's batches carry it; written in independent blocks of 64 KiB, which Java's reader asks for.

import { MillraceError } from '../../core/error.ts'
import { Scratch } from './compression-scratch.ts'

const frameMagic = 0x184d2204
/** Magic, flags (version 1, independent blocks), 64 KiB blocks, and the checksum byte of those two. */
const frameHeader: Buffer = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
const blockBytes = 65536
const storedBit = 0x8000_0000

/** The answer is overwritten by the next call. */
export function compressLz4(input: Buffer): Buffer {
  const blocks = Math.ceil(input.length / blockBytes)
  const output = scratch.of(frameHeader.length + input.length + Math.ceil(input.length / 255) + blocks * 24 + 4)
  output.set(frameHeader)
  let at = frameHeader.length
  for (let start = 0; start < input.length; start += blockBytes) {
    const end = Math.min(start + blockBytes, input.length)
    let size = compressBlock(input, start, end, output, at + 4)
    if (size < end - start) output.writeUInt32LE(size, at)
    else {
      size = end - start
      output.writeUInt32LE((size | storedBit) >>> 0, at)
      output.set(input.subarray(start, end), at + 4)
    }
    at += 4 + size
  }
  output.writeUInt32LE(0, at)
  return output.subarray(0, at + 4)
}

/** Checksums in the frame are not looked at: the batch's CRC covers the same bytes. @throws MillraceError CORRUPT_RECORD */
export function decompressLz4(input: Buffer, maxBytes: number): Buffer {
  const frame = readFrameHeader(input)
  const bound = frameBound(input, frame)
  const output = Buffer.allocUnsafeSlow(Math.min(bound, maxBytes))
  let size = 0
  for (let at = frame.blocksAt; ; ) {
    const word = input.readUInt32LE(at)
    if (word === 0) break
    at += 4
    const end = at + (word & 0x7fffffff)
    if ((word & storedBit) === 0) size = decompressBlock(input, at, end, output, size)
    else {
      if (end - at > output.length - size) throw corrupt('it holds more than it may')
      output.set(input.subarray(at, end), size)
      size += end - at
    }
    at = end + frame.blockChecksumBytes
  }
  return size * 2 < output.length ? Buffer.from(output.subarray(0, size)) : output.subarray(0, size)
}

interface Frame {
  readonly blocksAt: number
  readonly maxBlockBytes: number
  readonly blockChecksumBytes: number
}

function readFrameHeader(input: Buffer): Frame {
  if (input.length < 11 || input.readUInt32LE(0) !== frameMagic) throw corrupt('it does not begin as one')
  const flags = input[4]!
  const sizeCode = (input[5]! >> 4) & 7
  if (flags >> 6 !== 1 || sizeCode < 4) throw corrupt(`its flags are ${flags.toString(16)} and ${input[5]!.toString(16)}`)
  if ((flags & 0x01) !== 0) throw corrupt('it needs a dictionary')
  const contentSizeBytes = (flags & 0x08) === 0 ? 0 : 8
  return { blocksAt: 7 + contentSizeBytes, maxBlockBytes: 1 << (8 + 2 * sizeCode), blockChecksumBytes: (flags & 0x10) === 0 ? 0 : 4 }
}

/** Most bytes that the blocks can hold. Walks their sizes, and so makes sure that each lies in the input and that the last ends the frame. */
function frameBound(input: Buffer, frame: Frame): number {
  let bound = 0
  for (let at = frame.blocksAt; ; ) {
    if (at + 4 > input.length) throw corrupt('it has no end')
    const word = input.readUInt32LE(at)
    if (word === 0) return bound
    const size = word & 0x7fffffff
    if (size > frame.maxBlockBytes) throw corrupt(`a block says it has ${size} bytes`)
    bound += (word & storedBit) === 0 ? Math.min(frame.maxBlockBytes, size * 255) : size
    at += 4 + size + frame.blockChecksumBytes
    if (at > input.length) throw corrupt('a block has no end')
  }
}

const scratch = new Scratch()
const hashBits = 12
/** Where in the block a four-byte word of that hash was seen last; 0 if it was not, which is a place like any other. */
const hashes: Uint16Array = new Uint16Array(1 << hashBits)

/** Block format: the last match begins 12 bytes before the end at least, and the last 5 bytes are literals. Answers the size. */
function compressBlock(input: Buffer, start: number, end: number, output: Buffer, outputStart: number): number {
  const words = new DataView(input.buffer, input.byteOffset, input.length)
  const lastMatchAt = end - 12
  const matchesEnd = end - 5
  hashes.fill(0)
  let at = start + 1
  let literalsAt = start
  let out = outputStart
  let misses = 64
  while (at <= lastMatchAt) {
    const word = words.getInt32(at, true)
    const hash = Math.imul(word, -1640531535) >>> (32 - hashBits)
    let candidate = start + hashes[hash]!
    hashes[hash] = at - start
    if (words.getInt32(candidate, true) !== word) {
      // Where nothing repeats, steps grow, so that bytes without pattern cost little.
      at += misses++ >> 6
      continue
    }
    misses = 64
    while (at > literalsAt && candidate > start && input[at - 1] === input[candidate - 1]) {
      at--
      candidate--
    }
    let matchEnd = at + 4
    let from = candidate + 4
    while (matchEnd <= matchesEnd - 4 && words.getInt32(matchEnd, true) === words.getInt32(from, true)) {
      matchEnd += 4
      from += 4
    }
    while (matchEnd < matchesEnd && input[matchEnd] === input[from]) {
      matchEnd++
      from++
    }
    out = writeSequence(input, literalsAt, at, output, out, matchEnd - at - 4)
    const distance = at - candidate
    output[out++] = distance & 255
    output[out++] = distance >> 8
    const rest = matchEnd - at - 4
    if (rest >= 15) out = writeLength(output, out, rest - 15)
    at = literalsAt = matchEnd
    if (at <= lastMatchAt) hashes[Math.imul(words.getInt32(at - 2, true), -1640531535) >>> (32 - hashBits)] = at - 2 - start
  }
  return writeSequence(input, literalsAt, end, output, out, 0) - outputStart
}

/** The token and the literals. */
function writeSequence(input: Buffer, literalsAt: number, literalsEnd: number, output: Buffer, start: number, matchRest: number): number {
  const length = literalsEnd - literalsAt
  let out = start
  output[out++] = (Math.min(length, 15) << 4) | Math.min(matchRest, 15)
  if (length >= 15) out = writeLength(output, out, length - 15)
  if (length > 64) output.set(input.subarray(literalsAt, literalsEnd), out)
  else for (let i = 0; i < length; i++) output[out + i] = input[literalsAt + i]!
  return out + length
}

function writeLength(output: Buffer, start: number, length: number): number {
  let out = start
  let rest = length
  for (; rest >= 255; rest -= 255) output[out++] = 255
  output[out++] = rest
  return out
}

/** Appends what the block holds to `output` at `outputStart`; matches may reach back into earlier blocks. Answers the position behind. */
function decompressBlock(input: Buffer, start: number, end: number, output: Buffer, outputStart: number): number {
  const limit = output.length
  const inputWords = new DataView(input.buffer, input.byteOffset, input.length)
  const outputWords = new DataView(output.buffer, output.byteOffset, output.length)
  let at = start
  let out = outputStart
  for (;;) {
    if (at >= end) throw corrupt('a block ends in the middle')
    const token = input[at++]!
    let length = token >> 4
    if (length === 15) {
      for (let byte = 255; byte === 255; length += byte) {
        if (at >= end) throw corrupt('a block ends in the middle')
        byte = input[at++]!
      }
    }
    if (length > end - at) throw corrupt('a block ends in the middle')
    if (length > limit - out) throw corrupt('it holds more than it may')
    if (length > 128) output.set(input.subarray(at, at + length), out)
    else {
      let i = 0
      for (; i <= length - 4; i += 4) outputWords.setInt32(out + i, inputWords.getInt32(at + i, true), true)
      for (; i < length; i++) output[out + i] = input[at + i]!
    }
    at += length
    out += length
    if (at === end) return out
    if (end - at < 2) throw corrupt('a block ends in the middle')
    const distance = input[at]! | (input[at + 1]! << 8)
    at += 2
    if (distance === 0 || distance > out) throw corrupt('a match reaches back too far')
    length = token & 15
    if (length === 15) {
      for (let byte = 255; byte === 255; length += byte) {
        if (at >= end) throw corrupt('a block ends in the middle')
        byte = input[at++]!
      }
    }
    length += 4
    if (length > limit - out) throw corrupt('it holds more than it may')
    if (length > 256 && distance >= length) {
      output.copyWithin(out, out - distance, out - distance + length)
      out += length
      continue
    }
    const matchEnd = out + length
    if (length > 256) {
      // What repeats doubles with each copy.
      for (let copied = distance; out < matchEnd; copied *= 2) {
        const size = Math.min(copied, matchEnd - out)
        output.copyWithin(out, out - copied, out - copied + size)
        out += size
      }
      continue
    }
    if (distance >= 4) for (; out <= matchEnd - 4; out += 4) outputWords.setInt32(out, outputWords.getInt32(out - distance, true), true)
    for (; out < matchEnd; out++) output[out] = output[out - distance]!
  }
}

function corrupt(what: string): MillraceError {
  return new MillraceError('CORRUPT_RECORD', `the LZ4 frame is broken: ${what}`)
}
